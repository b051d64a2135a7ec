/*
 * Bodies of web servers, of which a check wants one field or one word: the
 * first line is what is wanted, the rest the body.
 */
#include <stdlib.h>
#include <string.h>

#include "check/answer.h"
#include "fuzz.h"

/* As administrators write them; others are not read from a configuration. */
static const char *const words[] = { "^ok$", "pong|alive",
	"\"status\": *\"(up|ready)\"", "^[0-9]+$", "" };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	char *want, *body;
	size_t len, i;
	bool yes;

	want = fuzz_part(&in, '\n', &len);
	if (want == NULL)
		return 0;
	len = (size_t)(in.end - in.at);
	body = fuzz_text((const uint8_t *)in.at, len);
	yes = answer_json(want, body, len);
	FUZZ_CHECK(!yes || strchr(want, '=') != NULL);
	for (i = 0; i < sizeof(words) / sizeof(words[0]) && len < 4096; i++)
		(void)answer_body(words[i], body);
	free(want);
	free(body);
	return 0;
}
