/*
 * What this host's PostgreSQL says before it is told to hand over, by one
 * query: transactions that the stop would end, files that it would wait for,
 * slots that the target does not have. Each is refused unless it was accepted
 * by name. What costs time alone, or nothing, is a note. The target is not its
 * concern.
 */
#include "engine/switchover_look.h"

#include <stdlib.h>

#include "check/pglink.h"
#include "engine/engine.h"
#include "engine/orders.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define LOOK_LIMIT (2 * USEC_SEC)
#define LOOK_OLD 10   /* seconds: what is shorter ends by itself as a rule */
#define LOOK_READY 16 /* files: more are a backlog, not the archiver's pace */
#define LOOK_FAR \
	((int64_t)1024 * 1024 * 1024) /* bytes since the redo point \
				       */

/* The names are looked up as PostgreSQL's own, whatever a database's owner has
 * made; and the backend does not outlive the question by long. */
#define LOOK_OPTIONS "-c search_path=pg_catalog -c statement_timeout=2s"

/* The columns, in their order. */
enum look_column {
	COL_PID,
	COL_AGE,
	COL_USER,
	COL_APP,
	COL_READY,
	COL_FAILED,
	COL_SLOTS,
	COL_WAL,
	COL_CHECKPOINT,
	COL_PREPARED,
};

static const char look_sql[] =
    "SELECT x.pid, x.age, x.usename, x.application_name,"
    /* The files, and where the archiver stopped; nothing is behind that has
     * no file. */
    " a.ready, CASE WHEN a.ready > 0 THEN a.failed END,"
    " (SELECT string_agg(slot_name, ', ' ORDER BY slot_name)"
    "  FROM pg_replication_slots"
    "  WHERE slot_type = 'logical' AND NOT temporary),"
    " pg_wal_lsn_diff(pg_current_wal_lsn(), c.redo_lsn)::bigint,"
    " floor(extract(epoch FROM clock_timestamp() - c.checkpoint_time))::bigint,"
    " (SELECT count(*) FROM pg_prepared_xacts)"
    " FROM pg_control_checkpoint() c"
    " LEFT JOIN (SELECT pid, usename, application_name, floor(extract("
    "  epoch FROM clock_timestamp() - xact_start))::bigint AS age"
    "  FROM pg_stat_activity WHERE backend_type = 'client backend'"
    "  AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    "  ORDER BY xact_start LIMIT 1) x ON true"
    " LEFT JOIN (SELECT CASE WHEN current_setting('archive_mode') = 'off'"
    "  THEN 0 ELSE (SELECT count(*) FROM pg_ls_archive_statusdir()"
    "   WHERE name LIKE '%.ready') END AS ready,"
    "  CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')"
    "   THEN last_failed_wal END AS failed"
    "  FROM pg_stat_archiver) a ON true";

/* One question, until its callback. */
struct order_look {
	TAILQ_ENTRY(order_look) entry;
	struct engine *e;
	struct pgc *pgc;
	uint64_t id;
	node_t to;
	unsigned accept;
	usec_t since;
};

static void look_free(struct order_look *look);
static void look_done_cb(void *arg, const struct pgc_result *r);
static int look_num(
    const struct pgc_result *r, enum look_column col, int64_t *out);
static void look_silent(const struct order_look *look, const char *why);
static bool look_refuses(
    const struct order_look *look, const struct pgc_result *r);
static bool look_transactions(
    const struct order_look *look, const struct pgc_result *r);
static bool look_archive(
    const struct order_look *look, const struct pgc_result *r);
static bool look_slots(
    const struct order_look *look, const struct pgc_result *r);
static void look_refuse(
    const struct order_look *look, enum order_accept bit, char *why);
static void look_notes(
    const struct order_look *look, const struct pgc_result *r);
static void look_note(const struct order_look *look, char *text);

void
switchover_look(struct engine *e, uint64_t id, node_t to, unsigned accept)
{
	struct order_look *look = xcalloc(1, sizeof(*look));
	struct error err;

	look->e = e;
	look->id = id;
	look->to = to;
	look->accept = accept;
	look->since = clock_now().raw;
	look->pgc = pglink_local(e->loop, e->conf, NULL, LOOK_OPTIONS);
	TAILQ_INSERT_TAIL(&e->orders->looks, look, entry);
	if (pgc_query(look->pgc, look_sql, LOOK_LIMIT, look_done_cb, look,
		&err) == -1) {
		look_silent(look, err.msg);
		look_free(look);
	}
}

void
switchover_look_free_all(struct orders *o)
{
	struct order_look *look;

	while ((look = TAILQ_FIRST(&o->looks)) != NULL)
		look_free(look);
}

static void
look_free(struct order_look *look)
{
	TAILQ_REMOVE(&look->e->orders->looks, look, entry);
	pgc_free(look->pgc);
	free(look);
}

static void
look_done_cb(void *arg, const struct pgc_result *r)
{
	struct order_look *look = arg;

	if (r->ok != ANS_YES) {
		look_silent(
		    look, r->message[0] == '\0' ? r->reason : r->message);
	} else if (!look_refuses(look, r)) {
		look_notes(look, r);
		orders_ask(look->e, look->id, ASK_SWITCHOVER, look->to, NULL);
	}
	look_free(look);
}

/* NULL is 0: there is none. -1: it is no number. */
static int
look_num(const struct pgc_result *r, enum look_column col, int64_t *out)
{
	*out = 0;
	if (r->get(r, 0, (int)col) == NULL)
		return 0;
	return pglink_num(r, 0, (int)col, out);
}

/* What is not known is not accepted. */
static void
look_silent(const struct order_look *look, const char *why)
{
	char *text;

	text = xasprintf("this PostgreSQL does not say what its stop would "
			 "break: %s",
	    why);
	orders_refuse(
	    look->e, look->id, EXITCODE_REFUSED, text, "hactl status");
	free(text);
}

/* The first that is found; the command that comes next keeps what was
 * accepted before. */
static bool
look_refuses(const struct order_look *look, const struct pgc_result *r)
{
	static const enum look_column numbers[] = { COL_PID, COL_AGE, COL_READY,
		COL_WAL, COL_CHECKPOINT, COL_PREPARED };
	bool understood = r->rows == 1;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		understood = understood && look_num(r, numbers[i], &n) == 0;
	if (!understood) {
		look_silent(look, "its answer is not understood");
		return true;
	}
	return look_transactions(look, r) || look_archive(look, r) ||
	       look_slots(look, r);
}

static bool
look_transactions(const struct order_look *look, const struct pgc_result *r)
{
	const char *user = r->get(r, 0, COL_USER);
	const char *app = r->get(r, 0, COL_APP);
	int64_t pid, age;

	(void)look_num(r, COL_PID, &pid);
	(void)look_num(r, COL_AGE, &age);
	if (age < LOOK_OLD || (look->accept & ACCEPT_TRANSACTIONS) != 0)
		return false;
	look_refuse(look, ACCEPT_TRANSACTIONS,
	    xasprintf("a transaction is open for %lld s, and would be rolled "
		      "back: pid %lld, user %s, application %s. Wait for its "
		      "end, or accept that",
		(long long)age, (long long)pid, user == NULL ? "?" : user,
		app == NULL || app[0] == '\0' ? "without a name" : app));
	return true;
}

static bool
look_archive(const struct order_look *look, const struct pgc_result *r)
{
	const char *failed = r->get(r, 0, COL_FAILED);
	int64_t ready;

	(void)look_num(r, COL_READY, &ready);
	if ((failed == NULL && ready <= LOOK_READY) ||
	    (look->accept & ACCEPT_ARCHIVE) != 0)
		return false;
	look_refuse(look, ACCEPT_ARCHIVE,
	    failed != NULL ?
		xasprintf("the archiver fails, at %s: the stop would wait for "
			  "it, and the archive have a gap. Repair it, or "
			  "accept that",
		    failed) :
		xasprintf("%lld files wait for the archiver: the stop would "
			  "wait for them, or the archive have a gap. Wait for "
			  "it, or accept that",
		    (long long)ready));
	return true;
}

static bool
look_slots(const struct order_look *look, const struct pgc_result *r)
{
	const char *slots = r->get(r, 0, COL_SLOTS);

	if (slots == NULL || (look->accept & ACCEPT_SLOTS) != 0)
		return false;
	look_refuse(look, ACCEPT_SLOTS,
	    xasprintf("logical replication slots are not on the target, and "
		      "their subscribers would have to begin anew: %s. Drop "
		      "them, or accept that",
		slots));
	return true;
}

/* Takes why. */
static void
look_refuse(const struct order_look *look, enum order_accept bit, char *why)
{
	static const struct {
		enum order_accept bit;
		const char *flag;
	} rows[] = {
		{ ACCEPT_TRANSACTIONS, "--end-transactions" },
		{ ACCEPT_ARCHIVE, "--leave-archive" },
		{ ACCEPT_SLOTS, "--leave-slots" },
	};
	char *next, *longer;
	size_t i;

	next = xasprintf(
	    "hactl switchover %s", look->e->conf->names.node[look->to]);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (((look->accept | bit) & rows[i].bit) == 0)
			continue;
		longer = xasprintf("%s %s", next, rows[i].flag);
		free(next);
		next = longer;
	}
	orders_refuse(look->e, look->id, EXITCODE_REFUSED, why, next);
	free(next);
	free(why);
}

/* The plan's own checkpoint comes while clients write, and a transaction that
 * is prepared is in the log, so on the target too: neither breaks anything. */
static void
look_notes(const struct order_look *look, const struct pgc_result *r)
{
	int64_t wal, age, prepared;

	(void)look_num(r, COL_WAL, &wal);
	(void)look_num(r, COL_CHECKPOINT, &age);
	(void)look_num(r, COL_PREPARED, &prepared);
	if (wal > LOOK_FAR)
		look_note(look,
		    xasprintf("the last checkpoint was %lld s ago, with %lld "
			      "MiB written since it began: the one that comes "
			      "first may take a while, and clients can write "
			      "meanwhile",
			(long long)age, (long long)(wal / 1024 / 1024)));
	if (prepared > 0)
		look_note(look,
		    xasprintf("transactions that are prepared stay so, and "
			      "are to be ended on the target: %lld",
			(long long)prepared));
}

/* Takes text. */
static void
look_note(const struct order_look *look, char *text)
{
	json_t *obj = json_object();

	json_put_string(obj, "note", text);
	json_put_i64(obj, "ms", (clock_now().raw - look->since) / USEC_MSEC);
	orders_reply(look->e, look->id, obj);
	free(text);
}
