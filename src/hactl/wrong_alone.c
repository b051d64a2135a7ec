/*
 * A host that reaches none of the others: it cannot tell whether they are off
 * or its own network is gone, and in the second case another may have taken
 * over. So a person is sent to look here first, and not to them.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

/* No word of that host came back; a refusal would be one. */
static bool
alone_lost(const json_t *node)
{
	static const char *const words[] = { "connect-timeout",
		"connect-failed", "unreachable", "timeout", "no answer" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (wrong_is(node, "silent", words[i]))
			return true;
	return false;
}

static bool
alone_is(const json_t *status, const json_t *self)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	size_t i, n = json_array_size(nodes);

	if (self == NULL || get_has(self, "silent") || n < 2)
		return false;
	for (i = 0; i < n; i++) {
		node = json_array_get(nodes, i);
		if (node != self && !alone_lost(node))
			return false;
	}
	return !wrong_etcd(status) || get_has(status, "register.silent");
}

bool
wrong_alone(struct wrong_list *l, const json_t *status)
{
	const char *name = get_str(status, "self"), *is = "";
	const json_t *self = status_node(status, name);
	char next[120];

	if (!alone_is(status, self))
		return false;
	if (wrong_is(self, "role", "primary"))
		is = ", and accepts writes. Either they are off, or its own "
		     "network is gone: see to that here first";
	else if (wrong_is(self, "record.holder", name))
		is = ", and does not accept writes. If its own network is "
		     "gone, another may have taken over, and accept them: see "
		     "to the network here, and ask there";
	else
		is = ": either they are off, or its own network is gone. What "
		     "it says of them is what it heard last";
	(void)snprintf(next, sizeof(next), "ssh %s ip -br address", name);
	l->holder_told = true;
	wrong_text(l, next, "%s reaches no other host%s", name, is);
	return true;
}
