/*
 * hactl docs: every word that a manual must explain, one a line, from the
 * tables that the programs run on. scripts/check-docs reads it.
 */
#include <stdio.h>

#include "hactl/hactl.h"

static void docs_verbs(void);
static void docs_events(void);
static void docs_tokens(void);
static void docs_keys(void);
static void docs_codes(void);

enum exitcode
cmd_docs(const struct call *call)
{
	docs_verbs();
	docs_codes();
	docs_events();
	docs_tokens();
	docs_keys();
	return EXITCODE_DONE;
}

static void
docs_verbs(void)
{
	static const char *const options[] = {
#define X(id, name, letter, value, text) [OPT_##id] = name,
		HACTL_OPTIONS(X)
#undef X
	};
	size_t i;
	int o;

	for (i = 0; i < verb_count(); i++) {
		printf("verb\t%s\n", verb_table[i].words);
		for (o = 0; o < OPT_COUNT; o++) {
			if ((verb_table[i].options & (1u << o)) != 0)
				printf("verb-option\t%s\t--%s\n",
				    verb_table[i].words, options[o]);
		}
	}
	for (o = 0; o < OPT_COUNT; o++)
		printf("option\t--%s\n", options[o]);
}

static void
docs_codes(void)
{
#define EXITCODE(id, number, text) printf("exit\t%d\t%s\n", number, text);
#include "hawatch/exitcode.def"
#undef EXITCODE
}

static void
docs_events(void)
{
#define EVENT(id, name, level, keys) printf("event\t%s\t%s\n", name, keys);
#include "hawatch/events.def"
#undef EVENT
}

static void
docs_tokens(void)
{
#define REASON(id, token, text) printf("reason\t%s\t%s\n", token, text);
#include "hawatch/reasons.def"
#undef REASON
#define BLOCK(id, token, text) printf("block\t%s\t%s\n", token, text);
#include "core/blockers.def"
#undef BLOCK
}

static void
docs_keys(void)
{
	const struct conf_doc *rows;
	size_t i, n = conf_schema(&rows);

	for (i = 0; i < n; i++)
		printf("key\t%s\t%s\t%s\t%s\n", rows[i].key, rows[i].type,
		    rows[i].def == NULL ? "" : rows[i].def, rows[i].doc);
}
