/*
 * Whether a host could be fenced with certainty, and what is to be done where
 * it could not.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"
#include "hawatch/str.h"

/* Then the setting itself is told. */
static bool
wrong_by_setting(const json_t *node)
{
	const json_t *list = get_at(node, "postgres.settings");

	return wrong_is(json_array_get(list, 0), "level", "blocks") &&
	       strncmp(get_str(node, "fence.armed_why"), "a setting ", 10) == 0;
}

/* Where it does not, that is what is wrong. */
static bool
fence_runs(const json_t *node)
{
	return wrong_is(node, "postgres.state", "primary") ||
	       wrong_is(node, "postgres.state", "standby");
}

void
wrong_armed_next(char *next, size_t size, const json_t *node)
{
	static const char run[] = ": run '", table[] = "the table inet hawatch";
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "fence.armed_why"), *command;

	command = strstr(why, run);
	if (command != NULL) {
		command += strlen(run);
		(void)snprintf(next, size, "ssh %s %.*s", name,
		    (int)strcspn(command, "'"), command);
	} else if (strncmp(why, "repmgrd ", 8) == 0) {
		(void)snprintf(
		    next, size, "ssh %s systemctl disable --now repmgrd", name);
	} else if (strncmp(why, table, strlen(table)) == 0) {
		(void)snprintf(
		    next, size, "ssh %s nft list table inet hawatch", name);
	} else {
		str_cut(next, size, "hactl preflight");
	}
}

void
wrong_fence(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "fence.armed_why");
	char next[320];

	wrong_armed_next(next, sizeof(next), node);
	if (strncmp(why, "repmgrd ", 8) == 0) {
		wrong_text(l, next,
		    "%s: nobody takes over from it, nor it from others: %s",
		    name, why);
	} else if (wrong_is(node, "fence.armed", "no") &&
		   !wrong_by_setting(node)) {
		wrong_text(l, next,
		    "%s: cannot be fenced with certainty: %s. Put that right; "
		    "it is looked at again by itself",
		    name, why);
	} else if (wrong_is(node, "fence.armed", "unknown") && why[0] != '\0' &&
		   fence_runs(node)) {
		wrong_text(l, next,
		    "%s: whether it can be fenced is not known: %s. Put that "
		    "right; it is looked at again by itself",
		    name, why);
	}
	if (wrong_is(node, "fence.writers", "unknown")) {
		(void)snprintf(next, sizeof(next),
		    "ssh %s nft list table inet hawatch", name);
		wrong_text(l, next,
		    "%s: the state of its kernel fence is not known", name);
	}
}
