/*
 * What a PostgreSQL instance that has ended left on its disk: how it ended,
 * and where its last checkpoint's record ends.
 */
#ifndef HAWATCH_PG_CONTROL_H
#define HAWATCH_PG_CONTROL_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct pg_control {
	bool clean; /* "shut down", which a primary alone reaches */
	bool ended; /* by a shutdown, as a primary or as a standby */
	bool hints; /* checksums, or hint bits in the log: it can be rewound */
	uint64_t system_id;
	uint32_t recovered; /* timeline on which a recovery ended; 0 none */
	lsn_t checkpoint, redo;
	uint32_t timeline;
	uint32_t block, segment; /* sizes of the WAL's pages and files */
};

/* Pure: what pg_controldata printed in the C locale. */
int pg_control_parse(
    struct pg_control *ctl, const char *text, struct error *err) MUST_CHECK;
/* Pure: where so many bytes of a record that begins there end, the headers of
 * the pages that it goes on in counted in. */
lsn_t pg_control_end(const struct pg_control *ctl, lsn_t lsn, uint32_t bytes);
/* The end of the last checkpoint's record, from the WAL itself, which must
 * have the record of a shutdown there. It reads files: for the worker. */
int pg_control_record(const struct pg_control *ctl, const char *data_directory,
    lsn_t *end, struct error *err) MUST_CHECK;

#endif
