/*
 * What the files of the cross-checks share.
 */
#ifndef CONF_CROSS_I_H
#define CONF_CROSS_I_H

#include <regex.h>

#include "conf/draft.h"

#define CROSS_PATH_MAX 64
#define CROSS_WHAT_MAX 120

/* "nodes.[1].address"; buf has CROSS_PATH_MAX bytes. */
void cross_path(char *buf, const char *list, int i, const char *key);
node_t cross_find(const struct conf_draft *d, const char *name);

/* The line of the file in which that member of the list begins. */
int cross_source_line(const struct conf_draft *d, const char *list, int i);

/* A key of a list whose members are of types, which are bits. */
struct cross_key {
	const char *key;
	int types, needed; /* needed: it does not go without */
	const char *write;
};

/* The member at list.[at], of that one type. */
struct cross_typed {
	const char *list;
	int at;
	const char *what, *name; /* "check", "iam" */
	int type;
	const char *type_name;
};

/* cross_types.c */
void cross_types(struct conf_draft *d, const struct cross_typed *t,
    const struct cross_key *keys, size_t n);

/* False: told. what: "check iam: body". */
bool cross_regex(struct conf_draft *d, const char *path, const char *what,
    const char *text, regex_t *re);

/* ${node} in a path. */
void cross_expand(struct conf_draft *d, const char *path, const char **field);

void cross_register(struct conf_draft *d);
void cross_timing(struct conf_draft *d);
void cross_ports(struct conf_draft *d);
void cross_postgres(struct conf_draft *d);
void cross_directories(struct conf_draft *d);
void cross_checks(struct conf_draft *d);
void cross_http(struct conf_draft *d, int i);
void cross_items(struct conf_draft *d);
void cross_line(struct conf_draft *d, int i);
void cross_files(struct conf_draft *d);
void cross_traffic(struct conf_draft *d);
void cross_notify(struct conf_draft *d);
void cross_operators(struct conf_draft *d);
void cross_agents(struct conf_draft *d);
void cross_proofs(struct conf_draft *d);

#endif
