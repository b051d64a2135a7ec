/*
 * Lines of the answers to operators, on their way to the front. They come in
 * parts, and after all else, so that no peer's reply waits behind them.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/frontlink.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

/* More than operators can have asked for at once. */
#define FRONTLINK_LINES_MAX ((size_t)16 * 1024 * 1024)

/* So much of a text, and no character in halves. */
static size_t
frontlink_part(const char *text, size_t len)
{
	size_t n = len;

	if (n > FRAME_PART_MAX) {
		n = FRAME_PART_MAX;
		while (n > 1 && (text[n] & 0xc0) == 0x80)
			n--;
	}
	return n;
}

void
frontlink_line(struct frontlink *l, uint64_t id, const char *json, bool last)
{
	char *text;
	size_t at, n, len;
	json_t *frame;

	if (!frontlink_asked(l, id))
		return;
	if (l->lines_bytes > FRONTLINK_LINES_MAX) {
		frontlink_fail(l, "does not read");
		return;
	}
	text = xasprintf("%s\n", json);
	len = strlen(text);
	for (at = 0; at < len; at += n) {
		n = frontlink_part(text + at, len - at);
		frame = json_object();
		json_put_u64(frame, "line", id);
		json_put(frame, "text", json_stringn(text + at, n));
		json_put_bool(frame, "last", last && at + n == len);
		frontlink_queue(&l->lines, &l->lines_bytes, frame);
	}
	free(text);
	frontlink_flush(l);
}
