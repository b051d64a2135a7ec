/*
 * What supervisord answers, or whoever sits on its socket. The tree, written
 * as XML again, is read as the same tree.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "supervisor/rpc.h"

static void
say_text(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("<>&\r", *s) != NULL)
			fprintf(out, "&#%d;", *s);
		else
			fputc(*s, out);
	}
}

/* Also what must hold of each value. Returns how many there are. */
static int
say(FILE *out, const struct xmlrpc_value *v, int depth)
{
	static const char *const tags[] = { "string", "int", "boolean", "array",
		"struct" };
	const struct xmlrpc_value *child;
	struct sup_program p;
	int n = 1;

	FUZZ_CHECK(depth < XMLRPC_DEPTH_MAX);
	FUZZ_CHECK((v->string != NULL) == (v->type == XMLRPC_STRING));
	FUZZ_CHECK(v->first == NULL || v->type >= XMLRPC_ARRAY);
	(void)(sup_program_read(v, &p) == 0);
	fprintf(out, "<value><%s>", tags[v->type]);
	if (v->type == XMLRPC_STRING)
		say_text(out, v->string);
	else if (v->type < XMLRPC_ARRAY)
		fprintf(out, "%" PRId64, v->num);
	if (v->type == XMLRPC_ARRAY)
		fputs("<data>", out);
	for (child = v->first; child != NULL; child = child->next) {
		FUZZ_CHECK((child->name != NULL) == (v->type == XMLRPC_STRUCT));
		if (child->name != NULL) {
			fputs("<member><name>", out);
			say_text(out, child->name);
			fputs("</name>", out);
		}
		n += say(out, child, depth + 1);
		if (child->name != NULL)
			fputs("</member>", out);
	}
	if (v->type == XMLRPC_ARRAY)
		fputs("</data>", out);
	fprintf(out, "</%s></value>", tags[v->type]);
	return n;
}

static char *
render(const struct xmlrpc_answer *a)
{
	const char *in = a->fault != 0 ? "fault" : "params><param";
	const char *end = a->fault != 0 ? "fault" : "param></params";
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "<methodResponse><%s>", in);
	FUZZ_CHECK(say(out, a->value, 0) <= XMLRPC_ELEMENTS_MAX);
	fprintf(out, "</%s></methodResponse>", end);
	(void)fclose(out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xmlrpc_answer a = { 0 }, b = { 0 };
	struct error err = { 0 };
	char *text, *again;

	if (xmlrpc_parse((const char *)data, size, &a, &err) == -1) {
		fuzz_refused(&err);
		FUZZ_CHECK(a.value == NULL);
		return 0;
	}
	FUZZ_CHECK(a.fault_string != NULL && a.fault >= 0);
	text = render(&a);
	if (xmlrpc_parse(text, strlen(text), &b, &err) == -1) {
		/* Longer than it was: each tag is written out. */
		FUZZ_CHECK(err.code == ERR_LIMIT);
		free(text);
	} else {
		again = render(&b);
		fuzz_same(text, again);
		xmlrpc_answer_fini(&b);
	}
	xmlrpc_answer_fini(&a);
	return 0;
}
