/*
 * Mode observe is for a host that was never anything else.
 *
 * Where an engine has guarded PostgreSQL (manual or auto), this node may hold
 * the record, be listed in it, or be latched: who only looks on from then on
 * removes no candidate, has no table in the kernel and denies no start, so
 * another would take over, and after a reboot both would accept writes. So an
 * engine in another mode leaves a file, which a person removes with all else
 * that hawatch keeps, when hawatch is taken off the site.
 */
#include <stdlib.h>
#include <unistd.h>

#include "hawatch/conf.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"

static const char text[] =
    "An engine in mode manual or auto has guarded PostgreSQL on this host: it\n"
    "is not for mode observe any more. hawatch(7), Modes, says how hawatch is\n"
    "taken off a site.\n";

static char *
guard_path(const char *state_dir)
{
	return xasprintf("%s/guarded", state_dir);
}

static bool
guard_there(const struct conf *conf)
{
	char *path = guard_path(conf->state_dir);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

bool
conf_only_looks(const struct conf *conf)
{
	return conf->mode == MODE_OBSERVE && !guard_there(conf);
}

int
conf_guard_check(const struct conf *conf, struct error *err)
{
	if (conf->mode != MODE_OBSERVE || !guard_there(conf))
		return 0;
	return error_set(err, ERR_REFUSED,
	    "mode observe, and %s/guarded is there: hawatch has guarded "
	    "PostgreSQL on this host, and nobody would, while others count on "
	    "it; set mode = \"manual\", in which only people act (man 7 "
	    "hawatch, Modes)",
	    conf->state_dir);
}

int
conf_guard_write(const char *state_dir, struct error *err)
{
	char *path = guard_path(state_dir);
	int rc = file_replace(path, text, sizeof(text) - 1, 0644, err);

	free(path);
	return rc;
}

int
conf_guard_mark(const struct conf *conf, struct error *err)
{
	if (conf->mode == MODE_OBSERVE)
		return conf_guard_check(conf, err);
	return guard_there(conf) ? 0 : conf_guard_write(conf->state_dir, err);
}
