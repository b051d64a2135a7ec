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
	bool register_told; /* no need to hear it from every node */
	bool holder_told;   /* why it is closed */
};

void wrong_text(struct wrong_list *l, const char *next, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
bool wrong_is(const json_t *obj, const char *path, const char *word);

/* print_pause.c */
void wrong_paused(struct wrong_list *l, const json_t *nodes);
/* wrong_register.c */
bool wrong_etcd(const json_t *status);
void wrong_silent(struct wrong_list *l, const json_t *status);
void wrong_cold(struct wrong_list *l, const json_t *status);
void wrong_amnesiac(struct wrong_list *l, const json_t *node);
void wrong_members(struct wrong_list *l, const json_t *status);

/* wrong_node.c */
void wrong_node(struct wrong_list *l, const json_t *nodes, const json_t *node);

/* wrong_site.c */
void wrong_site(struct wrong_list *l, const json_t *node);
/* Items of this node do not hold since it does not run. */
bool wrong_supervisord_gone(const json_t *node);
void wrong_supervisord_next(char *next, size_t size, const char *name);

#endif
