/*
 * Comparing what another host says of its configuration with this host's, by
 * their digests. Told on change only; that it is as it should be is no news.
 */
#include "engine/config_word.h"

#include <string.h>

#include "hawatch/emit.h"

/* An older version says nothing. */
static enum answer
config_equal(const char *theirs, const char *here)
{
	if (theirs[0] == '\0')
		return ANS_UNKNOWN;
	return strcmp(theirs, here) == 0 ? ANS_YES : ANS_NO;
}

void
config_word(struct config_word *w, const struct host_report *rep,
    const struct conf *conf, node_t from)
{
	const struct config_word was = *w;
	const char *name = conf->node[from].name;

	w->shared = config_equal(rep->config, conf->digest);
	w->vital = config_equal(rep->vital, conf->vital);
	if (w->shared == ANS_NO &&
	    (was.shared != ANS_NO || was.vital != w->vital))
		EMIT(config_differs, kv_s("peer", name),
		    kv_s("safety", w->vital == ANS_NO ? "yes" : "no"));
	else if (w->shared != ANS_NO && was.shared == ANS_NO)
		EMIT(config_same, kv_s("peer", name));
}
