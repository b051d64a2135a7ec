/*
 * hactl completion: what a shell has to know to complete the words of hactl,
 * from the table of verbs that the parser uses. The names of the nodes are
 * asked for when they are needed, by "hactl completion nodes".
 */
#include <stdio.h>
#include <string.h>

#include "hactl/completion.h"
#include "hawatch/str.h"

static enum exitcode completion_nodes(const struct call *call);

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
	} else if (strcmp(shell, "nodes") == 0) {
		return completion_nodes(call);
	} else {
		print_wrong("it is made for bash, zsh and fish",
		    "hactl completion bash");
		return EXITCODE_USAGE;
	}
	return EXITCODE_DONE;
}

/* Without a word about a configuration that is wrong: somebody is typing. */
static enum exitcode
completion_nodes(const struct call *call)
{
	const char *path =
	    call->opt[OPT_CONFIG] == NULL ? CONF_PATH : call->opt[OPT_CONFIG];
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;
	int i;

	conf = conf_load(path, call->opt[OPT_NODE], &errors);
	conf_errors_free(&errors);
	for (i = 0; conf != NULL && i < conf->node_count; i++)
		printf("%s\n", conf->node[i].name);
	conf_free(conf);
	return EXITCODE_DONE;
}

static const struct complete_row {
	const char *value;
	enum complete_kind kind;
	const char *words;
} complete_rows[] = {
	{ "NODE", COMPLETE_NODES, NULL },
	{ "NAME", COMPLETE_NODES, NULL },
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
