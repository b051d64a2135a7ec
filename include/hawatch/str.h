/*
 * Text to values and back: bounded copies, numbers, durations, hexadecimal,
 * positions in the write-ahead log. Parsers take the whole string or refuse
 * it: no signs, blanks or rests that strtoul would let pass.
 */
#ifndef HAWATCH_STR_H
#define HAWATCH_STR_H

#include <stddef.h>

#include "hawatch/types.h"

#define LSN_STR_MAX 18 /* "FFFFFFFF/FFFFFFFF" and its final 0 */
#define USEC_STR_MAX 32

/* -1 and an empty dst when src does not fit: half a name names another. */
int str_copy(char *dst, size_t size, const char *src) MUST_CHECK;
/* As much of src as fits, for text that only people read. */
void str_cut(char *dst, size_t size, const char *src);
bool str_starts(const char *s, const char *prefix);

/* 0, or -1 and *out untouched. */
int str_parse_u64(const char *s, uint64_t *out) MUST_CHECK;
int str_parse_int(const char *s, int min, int max, int *out) MUST_CHECK;

/* "250ms", "2s", "10min", "1h", "500us": a number and its unit. */
int usec_parse(const char *s, usec_t *out) MUST_CHECK;
/* The greatest unit that divides evenly; "never". buf has USEC_STR_MAX. */
const char *usec_str(usec_t t, char *buf);

/* "unknown", "yes", "no". */
const char *answer_str(enum answer ans);

/* "16/B374D848", as PostgreSQL writes it. */
int lsn_parse(const char *s, lsn_t *out) MUST_CHECK;
/* buf has LSN_STR_MAX bytes and is returned. */
const char *lsn_str(lsn_t lsn, char *buf);

/* Lower-case hexadecimal; -1 when dst (with its final 0) is too small. */
int str_hex(char *dst, size_t size, const void *data, size_t len) MUST_CHECK;
/* The number of bytes, -1 for an odd length, a foreign digit or a small dst. */
int str_unhex(void *dst, size_t size, const char *hex) MUST_CHECK;

/* Length of the UTF-8 sequence at s (1 to 4), 0 when it is none or is a
 * control character that a terminal would obey. */
size_t str_utf8(const char *s);

/* The word of the list that word was probably meant to be, or NULL. */
const char *str_nearest(const char *word, const char *const *list, size_t n);

#endif
