/*
 * XML-RPC: the values of an answer, once it is read.
 */
#include <stdlib.h>
#include <string.h>

#include "supervisor/xmlrpc.h"

void
xmlrpc_value_free(struct xmlrpc_value *v)
{
	struct xmlrpc_value *child, *next;

	if (v == NULL)
		return;
	for (child = v->first; child != NULL; child = next) {
		next = child->next;
		xmlrpc_value_free(child);
	}
	free(v->name);
	free(v->string);
	free(v);
}

void
xmlrpc_answer_fini(struct xmlrpc_answer *answer)
{
	xmlrpc_value_free(answer->value);
	answer->value = NULL;
}

static const struct xmlrpc_value *
xmlrpc_member(
    const struct xmlrpc_value *v, const char *name, enum xmlrpc_type type)
{
	const struct xmlrpc_value *m;

	if (v->type != XMLRPC_STRUCT)
		return NULL;
	for (m = v->first; m != NULL; m = m->next)
		if (strcmp(m->name, name) == 0)
			return m->type == type ? m : NULL;
	return NULL;
}

const char *
xmlrpc_string(const struct xmlrpc_value *v, const char *name)
{
	const struct xmlrpc_value *m = xmlrpc_member(v, name, XMLRPC_STRING);

	return m == NULL ? NULL : m->string;
}

const int64_t *
xmlrpc_int(const struct xmlrpc_value *v, const char *name)
{
	const struct xmlrpc_value *m = xmlrpc_member(v, name, XMLRPC_INT);

	return m == NULL ? NULL : &m->num;
}
