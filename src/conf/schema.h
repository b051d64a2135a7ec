/*
 * The schema: one row a key. Reading, ranges, defaults, error messages and the
 * documentation checks all come from these rows.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stddef.h>

#include "hawatch/types.h"

enum conf_type {
	CT_STRING,    /* min..max bytes, printable */
	CT_NAME,      /* letters, digits, dot, dash, underscore */
	CT_PATH,      /* absolute, at most max bytes */
	CT_NODE_PATH, /* the same, with ${node} */
	CT_ADDRESS,   /* numeric; "" if min is 0 */
	CT_HOST,      /* the same, or a variable that stands for one */
	CT_WORD,      /* one of words, kept as a string */
	CT_ENUM,      /* one of words, kept as its index */
	CT_INT,
	CT_USEC,  /* "250ms" */
	CT_BYTES, /* "16MB" */
	CT_BOOL,
	CT_ARGV, /* list of strings, the first an absolute path */
	CT_NAMES /* list of strings, at most CONF_LIST_MAX - 1 */
};

struct conf_row {
	const char *key; /* "lease.ttl" */
	enum conf_type type;
	size_t offset; /* in struct conf_draft, or in a list's element */
	int64_t min, max;
	const char *const *words; /* NULL-terminated */
	const char *def;	  /* as in the file; NULL: none */
	bool required;
	const char *unit;    /* of a number; NULL: a mere count */
	const char *example; /* for messages; NULL: the default */
	const char *doc;     /* one sentence */
	bool live;	     /* may change while the daemon runs */
	bool vital;  /* must be equal on all hosts for a takeover to be safe */
	bool own;    /* may differ between hosts */
	bool hidden; /* may hold a secret: its value is never shown */
};

/* A group is { } or, with a stride, a list ( { }, ... ) into an array. */
struct conf_group {
	const char *name; /* "" the top of the file */
	size_t offset, stride, count;
	size_t broken; /* of a list: an entry lacks what others stand on */
	int max;
	bool required;
	bool live;  /* of a list: its entries may come, change and go */
	bool vital; /* of a list: which entries, and their order */
	const char *example;
};

extern const struct conf_row conf_rows[];
extern const size_t conf_row_count;
extern const struct conf_group conf_groups[];
extern const size_t conf_group_count;

bool conf_row_in(const struct conf_row *row, const struct conf_group *group);
/* The last part of a row's key: "ttl". */
const char *conf_row_name(const struct conf_row *row);
/* What may be written for this row: "a whole number from 1 to 65535". */
void conf_row_type(const struct conf_row *row, char *buf, size_t size);

#endif
