/*
 * The scalars that every part of hawatch shares. Nothing here has behaviour.
 */
#ifndef HAWATCH_TYPES_H
#define HAWATCH_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* Microseconds. A point in time is on CLOCK_MONOTONIC_RAW, which no time
 * daemon slews, unless the name says wall. */
typedef int64_t usec_t;
#define USEC_NEVER INT64_MAX
#define USEC_MSEC ((usec_t)1000)
#define USEC_SEC ((usec_t)1000000)

/* A position in PostgreSQL's write-ahead log; 0 is "not known". */
typedef uint64_t lsn_t;

/* A node is its index in the configuration's list; a set is a bit mask. */
typedef int node_t;
typedef uint32_t nodeset_t;
#define NODE_NONE (-1)
#define NODES_MAX 8
#define NODE_NAME_MAX 64
#define NODE_BIT(n) ((nodeset_t)1 << (n))

/* Zeroed memory is "unknown": nobody decides on what was never seen. */
enum answer { ANS_UNKNOWN = 0, ANS_YES, ANS_NO };

/* One reading of the clocks. Intervals are measured on raw alone. */
struct now {
	usec_t raw;	  /* CLOCK_MONOTONIC_RAW */
	usec_t wall;	  /* CLOCK_REALTIME, since 1970 */
	usec_t suspended; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

#endif
