/*
 * The names of the nodes as this machine's files have them; nobody is asked.
 */
#ifndef HAWATCH_HACTL_NODES_H
#define HAWATCH_HACTL_NODES_H

#include "hactl/hactl.h"

#define NODE_NAMES_MAX 16

struct node_names {
	char name[NODE_NAMES_MAX][NODE_NAME_MAX];
	int n;
};

/* data: those that have PostgreSQL; an operator's file does not say which. */
void nodes_named(const struct call *call, bool data, struct node_names *list);
/* "a, b"; buf. */
const char *nodes_text(const struct node_names *list, char *buf, size_t size);
/* The verb's command with what is missing, to be pasted; buf. */
const char *nodes_example(const struct call *call, char *buf, size_t size);

/* remote_file.c: the hosts in an operator's own file, if there is one. */
void remote_names(const struct call *call, struct node_names *list);

#endif
