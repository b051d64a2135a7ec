/*
 * The configuration on this host's disk, with errors, or of a mode in which an
 * engine that has guarded PostgreSQL does not start: the engine goes on with
 * what it read before, and would not start again. It is hactl that reads it,
 * so that no disk can hold the engine up.
 */
#include <string.h>
#include <unistd.h>

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

void
wrong_file(struct wrong_list *l, const json_t *status)
{
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;

	if (!get_has(status, "self") || access(CONF_PATH, R_OK) == -1)
		return;
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
}
