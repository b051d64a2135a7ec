/*
 * Directories in which something is kept for people and for what follows, and
 * which of them is the newest: by the epoch in which it was made, and by its
 * number in that. A name says the time as well, which no order rests on: a
 * clock may have been wrong.
 */
#ifndef HAWATCH_KEPT_H
#define HAWATCH_KEPT_H

#include <limits.h>
#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct kept {
	char name[NAME_MAX + 1];
	uint64_t epoch; /* 0: of a version that did not note it */
	uint64_t number;
};

struct kept_list {
	struct kept *list; /* the oldest first */
	size_t count;
};

/* What is in dir and has such a name after that prefix; others' names are not
 * in it. Of a directory that does not exist: nothing. */
int kept_read(struct kept_list *l, const char *dir, const char *prefix,
    struct error *err) MUST_CHECK;
void kept_free(struct kept_list *l);
/* The next name of that epoch, the prefix in front of it. */
void kept_next(const struct kept_list *l, const char *prefix, usec_t wall,
    uint64_t epoch, char *name, size_t size);

#endif
