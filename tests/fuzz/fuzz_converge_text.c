/*
 * Lines of applications' files. The first byte is the rule, the rest the file.
 * What comes out differs in one line only, and stays as it is when it is
 * rendered again; of what is refused nothing comes out.
 */
#include <stdlib.h>
#include <string.h>

#include "converge/converge_text.h"
#include "fuzz.h"

/* As in the configuration of a site. */
static const struct text_rule rules[] = {
	{ "^( *host: *)[^ ]*(.*)$", "\\110.77.0.1\\2", MANY_ERROR },
	{ "^[0-9.]+([ \t]+db\\.local)$", "10.77.0.2\\1", MANY_FIRST },
	{ "^#?(server[ =]+)([a-z0-9.:]*)(;?)$", "\\1s1:5432\\3", MANY_ERROR },
	{ "DB_HOST=.*", "DB_HOST=\\$x\\\\", MANY_ERROR },
	{ "^(a|ab)(c|bcd)*(d*)$", "\\3\\2\\1", MANY_FIRST },
	{ "x", "xx", MANY_ERROR },
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

/* Outside of that line nothing differs. */
static void
one_line(const char *data, size_t len, const struct text_out *out, bool changed)
{
	size_t same = 0, end = 0;
	int line = 1;

	while (same < len && same < out->len && data[same] == out->data[same])
		line += data[same++] == '\n';
	if (!changed) {
		FUZZ_CHECK(same == len && same == out->len);
		return;
	}
	FUZZ_CHECK(line == out->line);
	while (end < len - same && end < out->len - same &&
	       data[len - 1 - end] == out->data[out->len - 1 - end])
		end++;
	FUZZ_CHECK(memchr(data + same, '\n', len - same - end) == NULL);
	FUZZ_CHECK(
	    memchr(out->data + same, '\n', out->len - same - end) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text_rule *rule;
	struct text_out out = { 0 }, again = { 0 };
	struct error err = { 0 };
	char *text;

	if (size < 2)
		return 0;
	rule = &rules[data[0] % RULES];
	/* Followed by a 0, as file_read leaves it. */
	text = fuzz_text(data + 1, size - 1);
	if (text_render(text, size - 1, rule, &out, &err) == -1) {
		fuzz_refused(&err);
		FUZZ_CHECK(out.data == NULL && out.len == 0);
		free(text);
		return 0;
	}
	FUZZ_CHECK(out.len <= TEXT_MAX && out.data[out.len] == '\0');
	/* Else further lines that match are gone. */
	if (rule->many == MANY_ERROR)
		one_line(text, size - 1, &out, out.changed);
	FUZZ_CHECK(text_render(out.data, out.len, rule, &again, &err) == 0);
	FUZZ_CHECK(!again.changed && again.line == out.line);
	free(again.data);
	free(out.data);
	free(text);
	return 0;
}
