/*
 * hactl docs: every word that a manual must explain, one a line, from the
 * tables that the programs run on. scripts/check-docs reads it.
 */
#include <stdio.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"

#define DOCS(...) \
	docs_row((int)(sizeof((const char *const[]){ __VA_ARGS__ }) / \
		       sizeof(const char *)), \
	    (const char *const[]){ __VA_ARGS__ })

static json_t *docs_list; /* what --json prints in the end; else NULL */

static void docs_row(int columns, const char *const *cells);
static void docs_verbs(void);
static void docs_events(void);
static void docs_tokens(void);
static void docs_keys(void);
static void docs_codes(void);

enum exitcode
cmd_docs(const struct call *call)
{
	json_t *obj;

	if (call->opt[OPT_JSON] != NULL)
		docs_list = json_array();
	docs_verbs();
	docs_codes();
	docs_events();
	docs_tokens();
	docs_keys();
	if (docs_list != NULL) {
		obj = json_object();
		json_put(obj, "words", docs_list);
		print_json(obj, EXITCODE_DONE);
		json_decref(obj);
		docs_list = NULL;
	}
	return EXITCODE_DONE;
}

static void
docs_verbs(void)
{
	static const char *const options[] = {
#define X(id, name, letter, value, text) [OPT_##id] = "--" name,
		HACTL_OPTIONS(X)
#undef X
	};
	size_t i;
	int o;

	for (i = 0; i < verb_count(); i++) {
		DOCS("verb", verb_table[i].words);
		for (o = 0; o < OPT_COUNT; o++) {
			if ((verb_table[i].options & OPT_MASK(o)) != 0)
				DOCS("verb-option", verb_table[i].words,
				    options[o]);
		}
	}
	for (o = 0; o < OPT_COUNT; o++)
		DOCS("option", options[o]);
}

static void
docs_codes(void)
{
#define EXITCODE(id, number, text) DOCS("exit", #number, text);
#include "hawatch/exitcode.def"
#undef EXITCODE
}

static void
docs_events(void)
{
#define EVENT(id, name, level, keys) DOCS("event", name, keys);
#include "hawatch/events.def"
#undef EVENT
}

static void
docs_tokens(void)
{
#define REASON(id, token, text) DOCS("reason", token, text);
#include "hawatch/reasons.def"
#undef REASON
#define BLOCK(id, token, text) DOCS("block", token, text);
#include "core/blockers.def"
#undef BLOCK
}

static void
docs_keys(void)
{
	const struct conf_doc *rows;
	size_t i, n = conf_schema(&rows);

	for (i = 0; i < n; i++)
		DOCS("key", rows[i].key, rows[i].type,
		    rows[i].def == NULL ? "" : rows[i].def, rows[i].doc);
}

static void
docs_row(int columns, const char *const *cells)
{
	json_t *row = docs_list == NULL ? NULL : json_array();
	int c;

	for (c = 0; c < columns; c++) {
		if (row != NULL)
			json_array_append_new(row, json_string(cells[c]));
		else
			printf("%s%s", c == 0 ? "" : "\t", cells[c]);
	}
	if (row != NULL)
		json_array_append_new(docs_list, row);
	else
		putchar('\n');
}
