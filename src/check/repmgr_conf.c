/*
 * Later lines of repmgr's file win over earlier ones, so that the operator's
 * file is included first. Ours holds whatever the account's connection string
 * does, a password perhaps: it has no name, and nobody else can open it.
 */
#include "check/repmgr_conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hawatch/conninfo.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define PASSED "/proc/self/fd/3"

/* As repmgr's file has it between single quotes. Caller frees. */
static char *
repmgr_quoted(const char *value)
{
	char *made = xcalloc(1, 2 * strlen(value) + 1), *to = made;

	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			*to++ = *value;
		*to++ = *value;
	}
	return made;
}

char *
repmgr_conf_text(const struct conf *conf, const char *account, const char *data,
    struct error *err)
{
	const struct conf_postgres *pg = &conf->pg;
	struct conninfo to = { .port = pg->port };
	char *conninfo, *quoted, *made;

	str_cut(to.host, sizeof(to.host), pg->socket_directory);
	str_cut(to.app, sizeof(to.app), "hawatch-repmgr");
	conninfo = conninfo_point(account, &to, err);
	if (conninfo == NULL)
		return NULL;
	quoted = repmgr_quoted(conninfo);
	made = xasprintf("include '%s'\n"
			 "node_id=%d\n"
			 "node_name='%s'\n"
			 "conninfo='%s'\n"
			 "data_directory='%s'\n"
			 "pg_bindir='%s'\n"
			 "service_start_command='/bin/true'\n"
			 "service_stop_command='/bin/false'\n"
			 "service_restart_command='/bin/false'\n"
			 "service_reload_command='%s/pg_ctl reload -s -D %s'\n"
			 "service_promote_command=''\n",
	    conf->repmgr.config, conf->node[conf->self].repmgr_id,
	    conf->names.node[conf->self], quoted, data, pg->bin_directory,
	    pg->bin_directory, data);
	free(quoted);
	free(conninfo);
	return made;
}

int
repmgr_conf_file(const struct conf *conf, const char *account, const char *data,
    struct error *err)
{
	char *text = repmgr_conf_text(conf, account, data, err);
	size_t len;
	int fd;

	if (text == NULL)
		return -1;
	len = strlen(text);
	fd = memfd_create("repmgr.conf", MFD_CLOEXEC);
	if (fd == -1)
		error_sys(err, "memfd_create");
	else if (file_write(fd, text, len) == -1) {
		error_sys(err, "write repmgr's settings");
		close(fd);
		fd = -1;
	}
	free(text);
	return fd;
}

void
repmgr_conf_argv(const struct conf *conf, const char *const *words,
    const char *argv[REPMGR_WORDS])
{
	size_t n = 0;

	argv[n++] = conf->repmgr.program;
	argv[n++] = "-f";
	argv[n++] = PASSED;
	while (n < REPMGR_WORDS - 1 && *words != NULL)
		argv[n++] = *words++;
	argv[n] = NULL;
}
