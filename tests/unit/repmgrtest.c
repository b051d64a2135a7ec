/*
 * repmgr's files and registrations for tests; see repmgrtest.h.
 */
#include "repmgrtest.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "pgpair_i.h"

static char repmgrtest_program[128], repmgrtest_config[4][128];

void
repmgrtest_configure(struct pghost *h, int i)
{
	FILE *f;

	snprintf(repmgrtest_config[i], sizeof(repmgrtest_config[i]),
	    "%s/repmgr.conf", h->dir);
	f = fopen(repmgrtest_config[i], "w");
	need(f != NULL);
	/* A start and a promotion by it would be seen at once. */
	fprintf(f,
	    "node_id=%d\nnode_name='s%d'\n"
	    "conninfo='host=%s port=%d user=postgres dbname=postgres"
	    " connect_timeout=2'\n"
	    "data_directory='%s'\npg_bindir='%s'\n"
	    "service_start_command='touch %s/started'\n"
	    "service_promote_command='touch %s/promoted'\n",
	    i + 1, i + 1, h->conf.node[i].address, h->conf.pg.port, h->data,
	    h->conf.pg.bin_directory, h->dir, h->dir);
	need(fclose(f) == 0);
	snprintf(repmgrtest_program, sizeof(repmgrtest_program), "%s/repmgr",
	    h->conf.pg.bin_directory);
	h->conf.repmgr.enabled = true;
	h->conf.repmgr.program = repmgrtest_program;
	h->conf.repmgr.config = repmgrtest_config[i];
	h->conf.repmgr.dbname = "postgres";
}

bool
repmgrtest_says(struct pghost *h, const char *sql, const char *want)
{
	char text[40] = "";

	return pghost_sql(h, sql, text, sizeof(text)) == 0 &&
	       strcmp(text, want) == 0;
}

static bool
repmgrtest_primary(struct pghost *h)
{
	return repmgrtest_says(
	    h, "SELECT count(*) FROM repmgr.nodes WHERE type = 'primary'", "1");
}

void
repmgrtest_register(struct pghost *h, const char *type)
{
	double end = pair_ms() + PAIR_WAIT_MS;

	/* repmgr looks for the primary's row on the standby, and but once. */
	while (strcmp(type, "standby") == 0 && !repmgrtest_primary(h)) {
		need(pair_ms() < end);
		poll(NULL, 0, 5);
	}
	need(pgpair_run((const char *const[]){ repmgrtest_program, "-f",
		 h->conf.repmgr.config, type, "register", NULL }) == 0);
}

bool
repmgrtest_both(struct pghost *h)
{
	return repmgrtest_says(h, "SELECT count(*) FROM repmgr.nodes", "2");
}
