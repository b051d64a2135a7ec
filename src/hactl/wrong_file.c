/*
 * The configuration on a host's disk, with errors, or of a mode in which an
 * engine that has guarded PostgreSQL does not start: the engine goes on with
 * what it read before, and would not start again. That of this host hactl reads
 * itself, as it is at this moment; of the others their engines say it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hactl/way.h"
#include "hactl/wrong.h"

/* As its engine says what it is; what it left on the disk only root sees. */
static bool
file_unguards(const struct conf *conf, const json_t *status)
{
	const char *mode =
	    get_str(status_node(status, get_str(status, "self")), "mode");

	return conf->mode == MODE_OBSERVE &&
	       conf->node[conf->self].role == ROLE_DATA && mode[0] != '\0' &&
	       strcmp(mode, conf_mode_str(MODE_OBSERVE)) != 0;
}

/* What its engine saw of its own file within the last seconds. */
static void
file_there(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	long long errors = get_int(node, "config.file.errors");
	char next[120];

	if (errors == 0)
		return;
	(void)snprintf(next, sizeof(next), "ssh %s hactl config check", name);
	if (get_bool(node, "config.file.observe"))
		wrong_text(l, next,
		    "%s: %s there says mode observe, which is for hosts that "
		    "were never guarded: its engine goes on with what it read "
		    "before, and would not start again",
		    name, get_str(node, "config.file.path"));
	else
		wrong_text(l, next,
		    "%s: its configuration has %lld error%s, %s%s: its engine "
		    "goes on with what it read before, and would not start "
		    "again",
		    name, errors, errors == 1 ? "" : "s",
		    errors == 1 ? "in " : "the first in ",
		    get_str(node, "config.file.at"));
}

/* Of this host, as it is now; false: it is not for hactl to read. */
static bool
file_here(struct wrong_list *l, const json_t *status)
{
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;

	if (next_is_away() || !get_has(status, "self") ||
	    access(CONF_PATH, R_OK) == -1)
		return false;
	conf = conf_load(CONF_PATH, get_str(status, "self"), &errors);
	if (conf == NULL)
		wrong_text(l, "hactl config check",
		    "%s of this host has %d error%s: its engine goes on with "
		    "what it read before, and would not start again",
		    CONF_PATH, errors.count, errors.count == 1 ? "" : "s");
	else if (file_unguards(conf, status))
		wrong_text(l, "hactl config check",
		    "%s of this host says mode observe, which is for hosts "
		    "that were never guarded: its engine goes on with what it "
		    "read before, and would not start again",
		    CONF_PATH);
	conf_free(conf);
	conf_errors_free(&errors);
	return true;
}

void
wrong_file(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	bool here = file_here(l, status);
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!here || !wrong_is(node, "node", get_str(status, "self")))
			file_there(l, node);
	}
}
