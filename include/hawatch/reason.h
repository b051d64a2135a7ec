/*
 * Reasons: stable tokens that say why an answer is not yes. reasons.def lists
 * them with their explanations.
 */
#ifndef HAWATCH_REASON_H
#define HAWATCH_REASON_H

enum reason {
#define REASON(id, token, text) REASON_##id,
#include "hawatch/reasons.def"
#undef REASON
	REASON_COUNT
};

/* The token: lower case, words joined by dashes. */
const char *reason_str(enum reason r);
/* The sentence for the manual. */
const char *reason_text(enum reason r);

#endif
