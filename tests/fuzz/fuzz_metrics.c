/*
 * /metrics of any status document: the first byte says how old it is. Every
 * line is a comment or a sample, and no label can end before its quote.
 */
#include <stdlib.h>
#include <string.h>

#include "front/route.h"
#include "fuzz.h"

static void
sample(const char *line, const char *end)
{
	const char *p = line;
	bool quoted = false;
	char *rest;

	FUZZ_CHECK(strncmp(line, "hawatch_", 8) == 0);
	p += strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (*p == '{') {
		for (p++; p < end && (quoted || *p != '}'); p++) {
			if (quoted && *p == '\\')
				p++;
			else if (*p == '"')
				quoted = !quoted;
		}
		FUZZ_CHECK(!quoted && *p++ == '}');
	}
	FUZZ_CHECK(*p == ' ');
	(void)strtod(p + 1, &rest);
	FUZZ_CHECK(rest == end && rest > p + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct route_snap snap = { .fresh_until = 1000,
		.primary_until = USEC_NEVER,
		.standby_until = 2000,
		.lag = 77,
		.healthy = true };
	char *doc, *text, *line, *end;

	if (size == 0)
		return 0;
	doc = fuzz_text(data + 1, size - 1);
	snap.primary_until = (data[0] & 1) != 0 ? 3000000 : USEC_NEVER;
	text = metrics_text(&snap, doc, (data[0] & 2) != 0 ? 5000 : 10);
	FUZZ_CHECK(strlen(text) < 64 * size + 65536);
	for (line = text; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		FUZZ_CHECK(end != NULL);
		if (line[0] != '#')
			sample(line, end);
	}
	free(text);
	free(doc);
	return 0;
}
