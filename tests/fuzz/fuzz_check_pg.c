/*
 * Answers to the queries of the checks, of a server that may be anything: rows
 * by '\n', columns by '\t', "\N" is NULL. The first byte says to which query.
 */
#include <stdlib.h>
#include <string.h>

#include "check/modules.h"
#include "check/pgwatch_priv.h"
#include "fuzz.h"
#include "hawatch/mem.h"
#include "hawatch/pgc.h"

#define CELLS 64

static struct {
	const char *cell[CELLS];
	struct check_env env;
	void *priv;
	void (*done)(void *arg, const struct pgc_result *r);
	void *arg;
	int ended;
} fake;

static const char *
get(const struct pgc_result *r, int row, int col)
{
	if (row < 0 || row >= r->rows || col < 0 || col >= r->cols)
		return NULL;
	return fake.cell[row * r->cols + col];
}

/* What the framework and libpq would be. */

struct pgc *
pgc_new(struct loop *loop, const struct pgc_conf *conf)
{
	return NULL;
}

void
pgc_free(struct pgc *c)
{
}

int
pgc_query(struct pgc *c, const char *sql, usec_t deadline,
    void (*done)(void *arg, const struct pgc_result *r), void *arg,
    struct error *err)
{
	fake.done = done;
	fake.arg = arg;
	return 0;
}

void *
check_priv(struct check *c)
{
	return fake.priv;
}

const struct check_env *
check_env(const struct check *c)
{
	return &fake.env;
}

const struct conf_check *
check_conf(const struct check *c)
{
	return &fuzz_conf()->check[0];
}

void
check_done(struct check *c, enum answer ans, const char *reason)
{
	fake.ended++;
	FUZZ_CHECK(ans != ANS_UNKNOWN);
	FUZZ_CHECK((ans == ANS_YES) == (reason[0] == '\0'));
}

static void
repmgr(const struct pgc_result *r)
{
	struct error err = { 0 };

	fake.env.conf = fuzz_conf();
	fake.env.pg = (struct pgwatch *)(void *)&fake; /* not NULL */
	fake.priv = xcalloc(1, check_repmgr.priv_size);
	fake.ended = 0;
	FUZZ_CHECK(check_repmgr.start(NULL, &err) == 0);
	fake.done(fake.arg, r);
	FUZZ_CHECK(fake.ended == 1);
	free(fake.priv);
}

static void
view(const struct pgc_result *r)
{
	struct pg_mark mark[NODES_MAX] = { 0 };
	struct pg_view v, was;
	int n;

	memset(&v, 0xa5, sizeof(v));
	memcpy(&was, &v, sizeof(v));
	if (pg_view_read(fuzz_conf(), r, &v) == -1) {
		FUZZ_CHECK(memcmp(&v, &was, sizeof(v)) == 0);
		return;
	}
	FUZZ_CHECK(v.recovery != ANS_UNKNOWN && v.timeline > 0);
	FUZZ_CHECK(v.receiver_age >= 0 && v.version >= 0);
	FUZZ_CHECK(v.sync_names >> fuzz_conf()->node_count == 0);
	for (n = 0; n < NODES_MAX; n++) {
		FUZZ_CHECK(!v.sender[n].streaming || !v.sender[n].doubled);
		FUZZ_CHECK(!v.sender[n].streaming || v.sender[n].flush != 0);
	}
	pg_view_behind(&v, mark);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct fuzz_in in = { text + (size > 0), text + size }, row;
	struct pgc_result r = { .ok = ANS_YES, .get = get, .reason = "x" };
	char *line[CELLS], *cell[CELLS];
	size_t lines = 0, cells = 0, len, first;

	while (lines < CELLS &&
	       (line[lines] = fuzz_part(&in, '\n', &len)) != NULL) {
		row = (struct fuzz_in){ line[lines], line[lines] + len };
		first = cells;
		while (cells < CELLS &&
		       (cell[cells] = fuzz_part(&row, '\t', &len)) != NULL) {
			fake.cell[cells] = strcmp(cell[cells], "\\N") == 0 ?
					       NULL :
					       cell[cells];
			cells++;
		}
		if (lines++ == 0)
			r.cols = (int)(cells - first);
	}
	r.rows = r.cols == 0 ? 0 : (int)(cells / (size_t)r.cols);
	if (size > 0 && text[0] == 'R')
		repmgr(&r);
	else
		view(&r);
	while (cells > 0)
		free(cell[--cells]);
	while (lines > 0)
		free(line[--lines]);
	return 0;
}
