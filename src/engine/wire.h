/*
 * The JSON of the peers' API, to structs and back. Foreign bytes: everything
 * is checked here, and nothing is trusted beyond what the certificate proved.
 */
#ifndef HAWATCH_ENGINE_WIRE_H
#define HAWATCH_ENGINE_WIRE_H

#include <jansson.h>

#include "hawatch/arbiter.h"
#include "hawatch/core.h"

/* Raised with what older readers would misunderstand, or what writers want to
 * know of their reader. Status documents carry it, too. */
#define WIRE_PROTOCOL 2

/* Callers free the texts. host, a host's report, goes along with a question
 * and its answer: taken, NULL for none; *host is NULL or caller json_decref()s.
 * It is not looked at here, so that nothing wrong with it costs a lease. */
char *wire_ask_str(
    const struct ask *ask, const struct names *names, json_t *host);
int wire_ask_parse(struct ask *ask, const char *json, size_t len,
    const struct names *names, json_t **host, struct error *err) MUST_CHECK;

char *wire_answer_str(
    const struct ask_answer *ans, const struct names *names, json_t *host);
int wire_answer_parse(struct ask_answer *ans, const char *json, size_t len,
    const struct names *names, json_t **host, struct error *err) MUST_CHECK;

char *wire_cas_str(const struct do_cas *cas, const struct names *names);
int wire_cas_parse(struct do_cas *cas, const char *json, size_t len,
    const struct names *names, struct error *err) MUST_CHECK;

/* Nodes by their names: the order of a configuration may change. */
void wire_put_set(
    json_t *obj, const char *key, nodeset_t set, const struct names *names);
int wire_want_set(const json_t *obj, const char *key, nodeset_t *set,
    const struct names *names, struct error *err) MUST_CHECK;

/* A register's value: the answer to a read, and part of its file. */
char *wire_value_str(const struct reg_value *v, const struct names *names);
int wire_value_parse(struct reg_value *v, const char *json, size_t len,
    const struct names *names, struct error *err) MUST_CHECK;

/* What became of a CAS. */
char *wire_result_str(
    enum cas_result res, uint64_t revision, const char *instance);
int wire_result_parse(enum cas_result *res, uint64_t *revision,
    char instance[ID_MAX], const char *json, size_t len,
    struct error *err) MUST_CHECK;

#endif
