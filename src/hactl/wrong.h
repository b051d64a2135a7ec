/*
 * What the files of wrong share: the list that they fill.
 */
#ifndef HAWATCH_HACTL_WRONG_H
#define HAWATCH_HACTL_WRONG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "hactl/hactl.h"

struct wrong_list {
	struct wrong *list;
	size_t n, max;
	struct wrong spill; /* what no longer fits is the least */
	struct wrong *last; /* that was added */
	bool register_told; /* no need to hear it from every node */
	bool holder_told;   /* why it is closed */
	bool alone;	    /* who answers reaches nobody */
	bool observed;	    /* all of them only look on */
};

void wrong_text(struct wrong_list *l, const char *next, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The last one passes by itself: somebody who looks on sees it go. */
void wrong_settles(struct wrong_list *l);
/* Who holds the cluster changed this moment ago, as that node knows it. */
#define WRONG_SETTLE_MS 15000
bool wrong_fresh(const json_t *node);
bool wrong_is(const json_t *obj, const char *path, const char *word);

/* print_pause.c */
void wrong_paused(struct wrong_list *l, const json_t *nodes);
/* wrong_register.c */
bool wrong_etcd(const json_t *status);
bool wrong_none(const json_t *status);
/* How to see to the register. */
void wrong_register_next(char *next, size_t size, const json_t *status);
/* Two lone hosts, and one of them is silent: what a person may say; and what
 * comes before that, for the end of a sentence. */
const char *wrong_fenced(char *next, size_t size, const char *name);
void wrong_copies(struct wrong_list *l, const json_t *status);
void wrong_silent(struct wrong_list *l, const json_t *status);
void wrong_cold(struct wrong_list *l, const json_t *status);
void wrong_amnesiac(struct wrong_list *l, const json_t *node);
void wrong_members(struct wrong_list *l, const json_t *status);

/* wrong_alone.c: true where that is so; then it was said. */
bool wrong_alone(struct wrong_list *l, const json_t *status);

/* wrong_config.c */
void wrong_durability(struct wrong_list *l, const json_t *status);
void wrong_config(struct wrong_list *l, const json_t *status);
/* " (key, key and 2 more)" by which those two differ; safety: of those that
 * matter for it. "": not known here. */
#define WRONG_KEYS_MAX 240
void wrong_keys(char *buf, size_t size, const json_t *status, const char *one,
    const char *other, bool safety);

/* wrong_file.c */
void wrong_file(struct wrong_list *l, const json_t *status);

/* wrong_heir.c */
void wrong_heir(struct wrong_list *l, const json_t *nodes, const json_t *heir);
/* What time alone removes. */
bool wrong_passes(const char *block);
/* Waits for the word that the other host is off; but while that one answers,
 * the word is refused: then true, with what to do instead. */
bool wrong_by_word(const char *token);
/* Of a standby the holder; of the holder, of two, the other one; NULL. */
const json_t *wrong_other(const json_t *nodes, const json_t *node);
bool wrong_heard(struct wrong *w, const json_t *nodes, const json_t *node);

/* wrong_node.c */
/* Where that PostgreSQL has no room; else where its engine says why. */
void wrong_room_next(char *next, size_t size, const json_t *node);
/* PostgreSQL there is being started, and not for long. */
bool wrong_starts(const json_t *node);
/* Of what stays stopped the rest follows: it comes first. */
void wrong_latch(struct wrong_list *l, const json_t *node);
void wrong_node(struct wrong_list *l, const json_t *status, const json_t *node);

/* wrong_candidates.c */
void wrong_candidates(
    struct wrong_list *l, const json_t *status, const json_t *node);

/* wrong_fence.c */
void wrong_fence(struct wrong_list *l, const json_t *node);
/* It is not armed: the command that its reason asks for; else the one that says
 * whether it is now. */
void wrong_armed_next(char *next, size_t size, const json_t *node);

/* wrong_site.c */
void wrong_site(struct wrong_list *l, const json_t *node);
/* Items of this node do not hold since it does not run. */
bool wrong_supervisord_gone(const json_t *node);
/* What comes after that, for the end of a sentence. */
extern const char wrong_supervisord[];
void wrong_supervisord_next(char *next, size_t size, const char *name);

#endif
