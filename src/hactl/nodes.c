/*
 * The names of the nodes, without asking anybody: those of the configuration,
 * else the hosts of an operator's own file. For what a shell completes, for
 * examples, and for a name that is none.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/nodes.h"
#include "hactl/way.h"
#include "hawatch/str.h"

void
nodes_named(const struct call *call, bool data, struct node_names *list)
{
	const char *path =
	    call->opt[OPT_CONFIG] == NULL ? CONF_PATH : call->opt[OPT_CONFIG];
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;
	int i;

	memset(list, 0, sizeof(*list));
	/* Without a word about what is wrong in it: that is not the matter. */
	conf = conf_load(path, call->opt[OPT_NODE], &errors);
	conf_errors_free(&errors);
	for (i = 0; conf != NULL && i < conf->node_count; i++)
		if (!data || conf->node[i].role == ROLE_DATA)
			str_cut(list->name[list->n++], NODE_NAME_MAX,
			    conf->node[i].name);
	if (conf == NULL)
		remote_names(call, list);
	conf_free(conf);
}

const char *
nodes_text(const struct node_names *list, char *buf, size_t size)
{
	size_t len = 0;
	int i;

	buf[0] = '\0';
	for (i = 0; i < list->n && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
		    i == 0 ? "" : ", ", list->name[i]);
	return buf;
}

/* What that word of a usage may be. */
static const char *
nodes_value(const char *value, const struct node_names *list)
{
	static const struct {
		const char *value, *example;
	} rows[] = {
		{ "WHY", "\"WHY\"" },
		{ "TIME", "30m" },
		{ "DIR", "/root/pki" },
		{ "ROLE", "primary" },
		{ "SHELL", "bash" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].value, value) == 0)
			return rows[i].example;
	if (list->n > 0 &&
	    (strcmp(value, "NODE") == 0 || strcmp(value, "NAME") == 0))
		return list->name[0];
	return value;
}

/* The word that was given, as a shell reads it; else the example, and false. */
static bool
nodes_word(
    char *buf, size_t size, size_t *len, const char *given, const char *example)
{
	bool is_given = given != NULL && given[0] != '\0';

	if (is_given)
		verb_quote(buf, size, len, given);
	else if (*len < size)
		*len +=
		    (size_t)snprintf(buf + *len, size - *len, " %s", example);
	return is_given;
}

/* Of those, what it needs or what was given; false: with a word of ours. */
static bool
nodes_options(char *buf, size_t size, size_t *len, const struct call *call,
    uint64_t of, const struct node_names *list)
{
	const struct verb *v = call->verb;
	bool all_given = true, needed;
	int i;

	for (i = 0; i < OPT_COUNT && *len < size; i++) {
		needed = (v->needs & OPT_MASK(i)) != 0;
		if ((of & OPT_MASK(i)) == 0 ||
		    (!needed && call->opt[i] == NULL))
			continue;
		*len += (size_t)snprintf(
		    buf + *len, size - *len, " --%s", verb_options[i].name);
		if (verb_options[i].value != NULL &&
		    !nodes_word(buf, size, len, call->opt[i],
			nodes_value(verb_options[i].value, list)))
			all_given = false;
	}
	return all_given;
}

/* With the words that were given, and one for each that is missing: that one
 * is ours, so then a person is asked, whatever was given. */
const char *
nodes_example(const struct call *call, char *buf, size_t size)
{
	const struct verb *v = call->verb;
	const char *at = v->args == NULL ? "" : v->args;
	uint64_t rest = v->options & ~v->needs;
	struct node_names list;
	bool all_given;
	char word[32];
	size_t len;
	int i;

	nodes_named(call, true, &list);
	len = (size_t)snprintf(buf, size, "hactl %s", v->words);
	all_given = nodes_options(buf, size, &len, call, v->needs, &list);
	for (i = 0; at[0] != '\0' && i < v->min && len < size; i++) {
		(void)snprintf(word, sizeof(word), "%.31s", at);
		word[strcspn(word, " ")] = '\0';
		at += strcspn(at, " ");
		at += strspn(at, " ");
		if (!nodes_word(buf, size, &len,
			i < call->args ? call->arg[i] : NULL,
			nodes_value(word, &list)))
			all_given = false;
	}
	if (!all_given)
		rest &= ~OPT_BIT(YES);
	(void)nodes_options(buf, size, &len, call, rest, &list);
	return buf;
}
