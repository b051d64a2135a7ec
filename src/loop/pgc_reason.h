/*
 * What PostgreSQL's and libpq's words mean, as reasons.
 */
#ifndef HAWATCH_PGC_REASON_H
#define HAWATCH_PGC_REASON_H

#include <stddef.h>

#include "hawatch/reason.h"
#include "hawatch/types.h"

#define PGC_SQLSTATE_MAX 6

struct pgc_why {
	enum answer ok; /* no: an error of the server; else unknown */
	enum reason reason;
	char sqlstate[PGC_SQLSTATE_MAX];
	char message[480];
};

/* text is PQerrorMessage of a connection in PQERRORS_VERBOSE. */
void pgc_why_connect(struct pgc_why *why, const char *text);
void pgc_why_lost(struct pgc_why *why, const char *text);
/* An error that the server sent for a query. */
void pgc_why_query(struct pgc_why *why, const char *sqlstate,
    const char *message, const char *detail);
/* What was found out here: the message explains the reason. */
void pgc_why_reason(struct pgc_why *why, enum reason reason);
/* The first line of text, without the blanks around it. */
void pgc_line(char *dst, size_t size, const char *text);

#endif
