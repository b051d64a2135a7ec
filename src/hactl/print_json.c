/*
 * What --json prints: objects, one a line, each with the number of the schema.
 * The last one has the exit code, and what was refused where something was, so
 * that a program needs nothing but these lines.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

/* Of this run, as there is one standard output. */
static struct {
	bool ended; /* the last object was printed */
	char refused[480], next[480];
	json_t *errors; /* of the configuration */
} print_run;

void
print_json_line(const json_t *obj)
{
	json_t *line = json_object();
	char *text;

	json_put_i64(line, "schema", HACTL_SCHEMA);
	/* jansson does not change it. */
	json_object_update_missing(line, (json_t *)(uintptr_t)obj);
	text = json_text(line);
	json_decref(line);
	printf("%s\n", text);
	fflush(stdout);
	free(text);
}

void
print_json(json_t *answer, enum exitcode code)
{
	json_put_i64(answer, "exit", code);
	print_json_line(answer);
	print_run.ended = true;
}

void
print_json_refused(const char *text, const char *next)
{
	str_cut(print_run.refused, sizeof(print_run.refused), text);
	str_cut(print_run.next, sizeof(print_run.next), next);
}

void
print_json_error(const char *text)
{
	if (print_run.errors == NULL)
		print_run.errors = json_array();
	json_array_append_new(print_run.errors, json_string(text));
}

void
print_json_wrong(json_t *obj)
{
	if (print_run.refused[0] != '\0')
		json_put_string(obj, "refused", print_run.refused);
	if (print_run.next[0] != '\0')
		json_put_string(obj, "next", print_run.next);
}

void
print_json_end(const struct call *call, enum exitcode code)
{
	json_t *obj;

	if (call->opt[OPT_JSON] != NULL && !print_run.ended &&
	    code != EXITCODE_DONE) {
		obj = json_object();
		print_json_wrong(obj);
		if (print_run.errors != NULL)
			json_put(obj, "errors", json_incref(print_run.errors));
		print_json(obj, code);
		json_decref(obj);
	}
	json_decref(print_run.errors);
	print_run.errors = NULL;
}
