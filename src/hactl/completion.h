/*
 * What the files of hactl completion share: the walk over the table of verbs.
 */
#ifndef HAWATCH_HACTL_COMPLETION_H
#define HAWATCH_HACTL_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

#include "hactl/hactl.h"

/* What may stand for the name of a value or of an argument. */
enum complete_kind {
	COMPLETE_NOTHING, /* text of the person's own */
	COMPLETE_NODES,
	COMPLETE_FILES,
	COMPLETE_DIRS,
	COMPLETE_WORDS, /* complete_words() */
};
enum complete_kind complete_kind(const char *value);
/* "auto always never"; of nodes "data" */
const char *complete_words(const char *value);

/* The nth argument of the verb: "NODE" of "[NODE]"; false: it has none. */
bool complete_arg(const struct verb *v, int n, char *buf, size_t size);
/* Whether the verb of that row is the first with its first word; word gets
 * it. */
bool complete_first(size_t row, char *word, size_t size);
/* The second word of the verb; "" when it has none. */
const char *complete_second(const struct verb *v);
/* text between single quotes, for these shells alike. */
void complete_quoted(const char *text);

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif
