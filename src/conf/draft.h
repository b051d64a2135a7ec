/*
 * A configuration while it is being read: the structs as far as they are
 * filled, libconfig's tree for line numbers, and all that was wrong so far.
 */
#ifndef CONF_DRAFT_H
#define CONF_DRAFT_H

#include <libconfig.h>

#include "hawatch/conf.h"

struct conf_fault {
	const char *file; /* NULL: the file that was asked for */
	int line;	  /* 0: none */
	int seq;	  /* order of discovery, for equal lines */
	char *text;
};

struct conf_draft {
	struct conf conf;
	/* Keys that become something else in struct conf. */
	const char *node;
	const char *register_node;
	const char *proofs[CONF_LIST_MAX];

	config_t file;
	const char *path;
	int last_line;
	struct conf_fault *faults;
	int fault_count;
	/* An entry of the list lacks what the cross-checks stand on. */
	struct conf_setting *settings; /* of conf.setting, while it grows */
	bool nodes_broken, checks_broken, items_broken, traffic_broken;
	bool operators_broken, notify_broken;
	bool agents_broken;
};

/* A copy that lives as long as the configuration. */
char *draft_string(struct conf_draft *d, const char *s);

/* Notes what is wrong, at a setting (NULL: the end of the file) or at a key
 * by its path, "nodes.[1].address"; a key that is not in the file counts as
 * being where its group is. */
void draft_fault(struct conf_draft *d, const config_setting_t *at,
    const char *fmt, ...) PRINTF_LIKE(3, 4);
void draft_fault_at(struct conf_draft *d, const char *path, const char *fmt,
    ...) PRINTF_LIKE(3, 4);
bool draft_given(const struct conf_draft *d, const char *path);

/* walk.c: the tree into the structs, by the schema. */
void conf_walk(struct conf_draft *d);
/* settings.c: what was given, as text, and its digests. After the walk, before
 * the rules between keys fill in what follows from others. */
void conf_settings(struct conf_draft *d);
/* cross.c: rules between keys. */
void conf_cross(struct conf_draft *d, const char *node);

#endif
