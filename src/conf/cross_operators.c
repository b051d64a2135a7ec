/*
 * People: the operators, of whom a certificate's name says who asks, so that
 * each must be one person's, and none a node's; and who is told.
 */
#include <stdio.h>
#include <string.h>

#include "conf/cross_i.h"

const struct conf_operator *
conf_operator(const struct conf *conf, const char *name)
{
	int i;

	for (i = 0; i < conf->operator_count; i++)
		if (strcmp(conf->operator[i].name, name) == 0)
			return &conf->operator[i];
	return NULL;
}

void
cross_operators(struct conf_draft *d)
{
	const struct conf *conf = &d->conf;
	char path[CROSS_PATH_MAX];
	const char *name;
	int i;

	for (i = 0; i < conf->operator_count; i++) {
		name = conf->operator[i].name;
		cross_path(path, "operators", i, "name");
		if (conf_operator(conf, name) != &conf->operator[i])
			draft_fault_at(d, path,
			    "operator %s is there twice; give each one a name "
			    "and a certificate of its own",
			    name);
		if (cross_find(d, name) != NODE_NONE)
			draft_fault_at(d, path,
			    "operator %s has the name of a node, whose "
			    "certificate is for the other nodes only; write "
			    "another name",
			    name);
	}
}

void
cross_notify(struct conf_draft *d)
{
	const struct conf *conf = &d->conf;
	char path[CROSS_PATH_MAX];
	int i, j;

	for (i = 0; i < conf->notify_count; i++) {
		cross_path(path, "notify", i, "name");
		for (j = 0; j < i; j++)
			if (strcmp(conf->notify[i].name,
				conf->notify[j].name) == 0)
				draft_fault_at(d, path,
				    "command %s of notify is there twice; give "
				    "each one a name of its own",
				    conf->notify[i].name);
	}
}
