/*
 * XML-RPC as supervisord speaks it: requests as text, answers as a small tree.
 * An answer is foreign bytes: its size, depth, elements and texts are bounded,
 * and a document type, with all that it could define, is refused.
 */
#ifndef HAWATCH_XMLRPC_H
#define HAWATCH_XMLRPC_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

#define XMLRPC_SIZE_MAX ((size_t)256 * 1024)
#define XMLRPC_DEPTH_MAX 32
#define XMLRPC_ELEMENTS_MAX 16384
#define XMLRPC_TEXT_MAX 8192

enum xmlrpc_type {
	XMLRPC_STRING,
	XMLRPC_INT,
	XMLRPC_BOOLEAN,
	XMLRPC_ARRAY,
	XMLRPC_STRUCT
};

struct xmlrpc_value {
	enum xmlrpc_type type;
	char *name;   /* of a struct's member; else NULL */
	char *string; /* STRING only */
	int64_t num;  /* INT, BOOLEAN */
	struct xmlrpc_value *first, *next;
	struct xmlrpc_value *last;
};

struct xmlrpc_answer {
	struct xmlrpc_value *value; /* never NULL */
	int fault;		    /* its code; 0: none, the call went well */
	const char *fault_string;   /* of value; "" */
};

/* A call with parameters: a string, then a boolean, each only if it is given.
 * Caller frees. */
char *xmlrpc_request(
    const char *method, const char *string, const bool *boolean) MUST_CHECK;
/* Caller frees out with xmlrpc_answer_fini, only after 0. */
int xmlrpc_parse(const char *text, size_t len, struct xmlrpc_answer *out,
    struct error *err) MUST_CHECK;
void xmlrpc_answer_fini(struct xmlrpc_answer *answer);
void xmlrpc_value_free(struct xmlrpc_value *v);

/* Members of a struct; NULL when it is none, or not there, or of another type.
 */
const char *xmlrpc_string(const struct xmlrpc_value *v, const char *name);
const int64_t *xmlrpc_int(const struct xmlrpc_value *v, const char *name);

#endif
