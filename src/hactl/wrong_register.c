/*
 * What is wrong with the register, whatever kind it is of.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"
#include "hawatch/str.h"

bool
wrong_etcd(const json_t *status)
{
	return wrong_is(get_at(status, "register"), "type", "etcd");
}

bool
wrong_none(const json_t *status)
{
	return wrong_is(get_at(status, "register"), "type", "none");
}

void
wrong_register_next(char *next, size_t size, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	const char *arbiter = "ARBITER";
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (get_bool(node, "arbiter"))
			arbiter = get_str(node, "node");
	}
	if (wrong_etcd(status))
		str_cut(next, size, "etcdctl endpoint status");
	else
		(void)snprintf(
		    next, size, "ssh %s systemctl status hawatchd", arbiter);
}

const char *
wrong_fenced(char *next, size_t size, const char *name)
{
	(void)snprintf(
	    next, size, "ssh %s hactl promote %s --fenced HOW", name, name);
	return ". Start the other host; only if it is off, say so";
}

/* Of two lone hosts: each has a copy, and neither is believed. */
void
wrong_copies(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes");
	bool split = false;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++)
		split = split ||
			get_bool(json_array_get(nodes, i), "register.split");
	if (split)
		wrong_text(l, "hactl register show",
		    "the two copies of the register name two holders of one "
		    "epoch: somebody said of a host that it was off, and it "
		    "was not. Compare their data, then hactl register adopt "
		    "on the one to keep");
	else
		wrong_text(l, "hactl register show",
		    "the copy of the register on %s is not the one that was "
		    "written there, and waits for the other one: start "
		    "hawatchd there, and if its record is the right one, "
		    "hactl register adopt there",
		    get_str(status, "self"));
}

void
wrong_amnesiac(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");

	if (get_bool(node, "durable.back"))
		wrong_text(l, "man 7 hawatch",
		    "%s: etcd was put back from a copy as the same cluster, "
		    "and is not believed any more: put it back again with an "
		    "--initial-cluster-token that was never used; see THE "
		    "REGISTER IN ETCD in hawatch(7)",
		    name);
	else
		wrong_text(l, "hactl register show",
		    "%s: the register shows less than this node has seen; see "
		    "WHAT TO DO in hawatch(7)",
		    name);
}

/* Members that do not serve while the others do: one more, and all is lost. */
void
wrong_members(struct wrong_list *l, const json_t *status)
{
	const json_t *list = get_at(status, "register.members"), *m;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		m = json_array_get(list, i);
		if (get_bool(m, "answers"))
			continue;
		wrong_text(l, "etcdctl endpoint status",
		    "a member of etcd does not serve %s: %s",
		    get_str(status, "self"), get_str(m, "why"));
	}
}

void
wrong_silent(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	const char *arbiter = "ARBITER", *open = NULL;
	char next[120], list[160], who[120];
	size_t i;

	(void)snprintf(list, sizeof(list), "none");
	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (get_bool(node, "arbiter"))
			arbiter = get_str(node, "node");
		if (!wrong_is(node, "role", "primary"))
			continue;
		open = get_str(node, "node");
		get_list(node, "record.candidates", list, sizeof(list));
	}
	wrong_register_next(next, sizeof(next), status);
	(void)snprintf(who, sizeof(who), "the register on %s", arbiter);
	if (wrong_etcd(status))
		str_cut(who, sizeof(who), "etcd");
	if (open == NULL)
		wrong_text(l, next, "%s does not answer: %s", who,
		    get_str(status, "register.silent"));
	else
		wrong_text(l, next,
		    "%s does not answer: %s. %s goes on%s%s, "
		    "and nobody can take over",
		    who, get_str(status, "register.silent"), open,
		    strcmp(list, "none") == 0 ? "" : " while it hears of ",
		    strcmp(list, "none") == 0 ? "" : list);
}

/* A cold register waits for every data node, unless a person decides. */
void
wrong_cold(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	char list[160] = "";
	size_t i, len = 0;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!get_bool(node, "data") || len >= sizeof(list) ||
		    get_in(get_at(status, "register.reported"),
			get_str(node, "node")))
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
		    len == 0 ? "" : ", ", get_str(node, "node"));
	}
	wrong_text(l, "hactl register show",
	    "the register is cold, and refuses every change: it waits for "
	    "the report of %s: start hawatchd there; if that host is lost for "
	    "good, and the record right: hactl register adopt",
	    list[0] == '\0' ? "every data node" : list);
}
