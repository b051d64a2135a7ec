/*
 * The texts of the reasons, made from their one list.
 */
#include <assert.h>

#include "hawatch/reason.h"

static const struct {
	const char *token, *text;
} reasons[REASON_COUNT] = {
#define REASON(id, token, text) [REASON_##id] = { token, text },
#include "hawatch/reasons.def"
#undef REASON
};

const char *
reason_str(enum reason r)
{
	assert(r < REASON_COUNT);
	return reasons[r].token;
}

const char *
reason_text(enum reason r)
{
	assert(r < REASON_COUNT);
	return reasons[r].text;
}
