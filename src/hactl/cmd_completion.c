/*
 * hactl completion: what a shell has to know to complete the words of hactl,
 * from the table of verbs that the parser uses. The names of the nodes are
 * asked for when they are needed, by "hactl completion nodes", or data, or
 * dead.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/completion.h"
#include "hactl/nodes.h"
#include "hawatch/str.h"

static bool completion_nodes(const struct call *call, const char *kind);

enum exitcode
cmd_completion(const struct call *call)
{
	const char *shell = call->arg[0];

	if (strcmp(shell, "bash") == 0) {
		completion_bash();
	} else if (strcmp(shell, "zsh") == 0) {
		completion_zsh();
	} else if (strcmp(shell, "fish") == 0) {
		completion_fish();
	} else if (!completion_nodes(call, shell)) {
		print_wrong("it is made for bash, zsh and fish",
		    "hactl completion bash");
		return EXITCODE_USAGE;
	}
	return EXITCODE_DONE;
}

/* kind: "nodes"; "data", those that have PostgreSQL; "dead", what --if takes.
 */
static bool
completion_nodes(const struct call *call, const char *kind)
{
	bool dead = strcmp(kind, "dead") == 0;
	bool data = strcmp(kind, "data") == 0;
	struct node_names list;
	int i;

	if (!dead && !data && strcmp(kind, "nodes") != 0)
		return false;
	nodes_named(call, data, &list);
	for (i = 0; i < list.n; i++)
		printf("%s%s\n", list.name[i], dead ? "=dead" : "");
	return true;
}

static const struct complete_row {
	const char *value;
	enum complete_kind kind;
	const char *words; /* of nodes: which */
} complete_rows[] = {
	{ "NODE", COMPLETE_NODES, "data" },
	{ "NODE=dead", COMPLETE_NODES, "dead" },
	{ "NAME", COMPLETE_NODES, "nodes" },
	{ "HOST", COMPLETE_NODES, "nodes" },
	{ "FILE", COMPLETE_FILES, NULL },
	{ "PATH", COMPLETE_FILES, NULL },
	{ "DIR", COMPLETE_DIRS, NULL },
	{ "ROLE", COMPLETE_WORDS, "primary standby" },
	{ "WHEN", COMPLETE_WORDS, "auto always never" },
	{ "SHELL", COMPLETE_WORDS, "bash zsh fish" },
};

static const struct complete_row *
complete_row(const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(complete_rows) / sizeof(*complete_rows); i++) {
		if (strcmp(complete_rows[i].value, value) == 0)
			return &complete_rows[i];
	}
	return NULL;
}

enum complete_kind
complete_kind(const char *value)
{
	const struct complete_row *row = complete_row(value);

	return row == NULL ? COMPLETE_NOTHING : row->kind;
}

const char *
complete_words(const char *value)
{
	const struct complete_row *row = complete_row(value);

	return row == NULL || row->words == NULL ? "" : row->words;
}

bool
complete_arg(const struct verb *v, int n, char *buf, size_t size)
{
	const char *at = v->args == NULL ? "" : v->args;
	size_t len;

	for (;;) {
		at += strspn(at, " []");
		len = strcspn(at, " []");
		if (len == 0 || len >= size)
			return false;
		if (n-- == 0)
			break;
		at += len;
	}
	memcpy(buf, at, len);
	buf[len] = '\0';
	return true;
}

bool
complete_first(size_t row, char *word, size_t size)
{
	const char *words = verb_table[row].words;
	size_t len = strcspn(words, " "), i;

	for (i = 0; i < row; i++) {
		if (strncmp(verb_table[i].words, words, len) == 0 &&
		    strcspn(verb_table[i].words, " ") == len)
			return false;
	}
	(void)snprintf(word, size, "%.*s", (int)len, words);
	return true;
}

const char *
complete_second(const struct verb *v)
{
	const char *blank = strchr(v->words, ' ');

	return blank == NULL ? "" : blank + 1;
}

void
complete_quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			printf("'\\''");
		else
			putchar(*text);
	}
	putchar('\'');
}
