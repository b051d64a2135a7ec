/*
 * Thin getters over jansson for JSON that others wrote: what is missing, of
 * the wrong type, too long or doubled is an error that names the key. Numbers
 * that may pass 2^63 - 1 (system_id, positions) travel as strings, because
 * jansson's integers end there and other readers' end at 2^53.
 */
#ifndef HAWATCH_JSON_H
#define HAWATCH_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "hawatch/error.h"

/* One object and nothing else; keys twice, bad UTF-8 and NUL are refused.
 * Caller json_decref()s. */
json_t *json_read(const char *text, size_t len, struct error *err) MUST_CHECK;
/* Refuses keys that are not in the NULL-terminated list. */
int json_only(
    const json_t *obj, const char *const *keys, struct error *err) MUST_CHECK;
bool json_has(const json_t *obj, const char *key); /* and is not null */
/* The text there, borrowed; "" where there is none. */
const char *json_string_at(const json_t *obj, const char *key);

/* -1 and *out untouched unless the key is there and fits. */
int json_want_string(const json_t *obj, const char *key, char *buf, size_t size,
    struct error *err) MUST_CHECK;
int json_want_bool(const json_t *obj, const char *key, bool *out,
    struct error *err) MUST_CHECK;
int json_want_i64(const json_t *obj, const char *key, int64_t min, int64_t max,
    int64_t *out, struct error *err) MUST_CHECK;
int json_want_int(const json_t *obj, const char *key, int min, int max,
    int *out, struct error *err) MUST_CHECK;
/* A JSON integer, so at most 2^63 - 1. */
int json_want_u64(const json_t *obj, const char *key, uint64_t *out,
    struct error *err) MUST_CHECK;
/* A count of others that is gone on from: so far below 2^63 that the sums can
 * be put, too. */
#define JSON_COUNT_MAX (UINT64_C(1) << 61)
int json_want_count(const json_t *obj, const char *key, uint64_t *out,
    struct error *err) MUST_CHECK;
int json_want_u32(const json_t *obj, const char *key, uint32_t *out,
    struct error *err) MUST_CHECK;
/* A decimal string, all of uint64_t. */
int json_want_id(const json_t *obj, const char *key, uint64_t *out,
    struct error *err) MUST_CHECK;
/* "16/B374D848" */
int json_want_lsn(const json_t *obj, const char *key, lsn_t *out,
    struct error *err) MUST_CHECK;
/* Borrowed from obj; NULL with err. */
json_t *json_want_array(
    const json_t *obj, const char *key, struct error *err) MUST_CHECK;
json_t *json_want_object(
    const json_t *obj, const char *key, struct error *err) MUST_CHECK;

/* Setters that cannot fail: bytes that are no UTF-8 become '?'. */
void json_put_string(json_t *obj, const char *key, const char *text);
void json_put_i64(json_t *obj, const char *key, int64_t value);
void json_put_u64(json_t *obj, const char *key, uint64_t value); /* < 2^63 */
void json_put_bool(json_t *obj, const char *key, bool value);
void json_put_id(json_t *obj, const char *key, uint64_t value);
void json_put_lsn(json_t *obj, const char *key, lsn_t value);
void json_put(json_t *obj, const char *key, json_t *value); /* takes value */

/* On one line, keys in the order in which they were put; caller frees. */
char *json_text(const json_t *obj) MUST_CHECK;
/* The same, for what is only put together to be sent: takes obj. */
char *json_take_text(json_t *obj) MUST_CHECK;

#endif
