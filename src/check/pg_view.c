/*
 * One query for everything that is to be known of an instance, in either role,
 * and the reading of its answer. Its rows: one, or one for each walsender.
 */
#include <string.h>

#include "check/pglink.h"
#include "check/pgwatch_priv.h"
#include "hawatch/conninfo.h"
#include "hawatch/pgsync.h"

/* pg_last_wal_receive_lsn() falls back to the start of a segment after a
 * restart, so the greater of both is what is on disk. On a standby the
 * timeline of the last restartpoint may be an old one, and the receiver's is
 * gone with the primary: then the WAL that it wrote tells. The offset keeps the
 * role from being evaluated twice with two results during a promotion.
 * primary_conninfo may hold a password: it is told to whom the server lets read
 * it, and never over the network, where others ask the same. A walsender in
 * startup waits for a command and confirms nothing; of a host that lost its
 * power it stays for hours, and is no second one of that name. */
const char pg_view_sql[] =
    "SELECT s.*, r.application_name, host(r.client_addr),"
    " r.state = 'streaming', r.sent_lsn - '0/0'::pg_lsn,"
    " r.flush_lsn - '0/0'::pg_lsn, r.replay_lsn - '0/0'::pg_lsn"
    " FROM (SELECT x.rec,"
    " (SELECT system_identifier FROM pg_control_system()),"
    " CASE WHEN x.rec THEN greatest("
    "(SELECT timeline_id FROM pg_control_checkpoint()),"
    "(SELECT min_recovery_end_timeline FROM pg_control_recovery()),"
    "coalesce(w.received_tli, (SELECT max(('x' || substr(name, 1, 8))"
    "::bit(32)::int) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'), 0))"
    " ELSE "
    "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)"
    "::int END,"
    " CASE WHEN x.rec THEN greatest(pg_last_wal_receive_lsn(),"
    " pg_last_wal_replay_lsn()) ELSE pg_current_wal_flush_lsn() END"
    " - '0/0'::pg_lsn,"
    " CASE WHEN NOT x.rec THEN pg_current_wal_insert_lsn()"
    " - '0/0'::pg_lsn END,"
    " CASE WHEN x.rec THEN pg_last_wal_replay_lsn() - '0/0'::pg_lsn END,"
    " x.rec AND pg_is_wal_replay_paused(),"
    " coalesce(w.status = 'streaming', false),"
    " w.latest_end_lsn - '0/0'::pg_lsn,"
    " coalesce((extract(epoch FROM clock_timestamp()"
    " - w.last_msg_receipt_time) * 1e6)::bigint, 0),"
    " current_setting('synchronous_standby_names'),"
    " current_setting('restart_after_crash')::bool,"
    " current_setting('fsync')::bool,"
    " current_setting('full_page_writes')::bool,"
    " current_setting('server_version_num')::int,"
    " CASE WHEN inet_client_addr() IS NULL"
    " AND pg_has_role('pg_read_all_settings', 'USAGE')"
    " THEN current_setting('primary_conninfo') END"
    " FROM (SELECT pg_is_in_recovery() AS rec OFFSET 0) x"
    " LEFT JOIN pg_stat_wal_receiver w ON true) s"
    " LEFT JOIN pg_stat_replication r ON NOT s.rec"
    " AND r.state <> 'startup'";

/* Of a record that ends with its page, pg_current_wal_insert_lsn() tells where
 * the next page's header ends: 24 bytes, 40 in a file's first. */
#define PAGE 8192
#define PAGE_HEADER 40

enum pg_view_col {
	COL_RECOVERY,
	COL_SYSTEM_ID,
	COL_TIMELINE,
	COL_WAL_END,
	COL_INSERT,
	COL_REPLAY,
	COL_PAUSED,
	COL_RECEIVER,
	COL_UPSTREAM,
	COL_RECEIVER_AGE,
	COL_SYNC_NAMES,
	COL_RESTART,
	COL_FSYNC,
	COL_FULL_PAGES,
	COL_VERSION,
	COL_CONNINFO,
	COL_APP,
	COL_ADDRESS,
	COL_STREAMING,
	COL_SENT,
	COL_FLUSH,
	COL_SENDER_REPLAY,
	COL_COUNT
};

static void
pg_view_sender(const struct conf *conf, const struct pgc_result *r, int row,
    struct pg_view *view)
{
	struct pg_sender *sender;
	const char *app, *address;
	node_t node;
	bool streaming;

	app = r->get(r, row, COL_APP);
	if (app == NULL)
		return;
	node = names_find(&conf->names, app);
	if (node == NODE_NONE)
		return;
	sender = &view->sender[node];
	address = r->get(r, row, COL_ADDRESS);
	if (address == NULL || sender->sent != 0 || sender->doubled ||
	    !pglink_same_address(address, conf->node[node].address)) {
		sender->doubled = true;
		sender->streaming = false;
		return;
	}
	if (pglink_bool(r, row, COL_STREAMING, &streaming) == -1 ||
	    pglink_lsn(r, row, COL_SENT, &sender->sent) == -1 ||
	    pglink_lsn(r, row, COL_FLUSH, &sender->flush) == -1 ||
	    pglink_lsn(r, row, COL_SENDER_REPLAY, &sender->replay) == -1)
		return;
	/* A position of 0 would let a second one of this name go unseen. */
	if (sender->sent == 0)
		sender->sent = 1;
	sender->streaming = streaming && sender->flush != 0;
}

/* A primary may be a standby next: it can be pointed to another host, but as
 * whom to replicate a person has said. */
static enum answer
pg_view_names_user(const char *conninfo)
{
	struct conninfo c;
	struct error err;

	return conninfo[strspn(conninfo, " ")] != '\0' &&
		       conninfo_read(conninfo, &c, &err) == 0 ?
		   ANS_YES :
		   ANS_NO;
}

int
pg_view_read(
    const struct conf *conf, const struct pgc_result *r, struct pg_view *view)
{
	struct pg_view v = { 0 };
	int64_t system_id, timeline, age, version;
	const char *names, *conninfo;
	bool recovery;
	node_t source;
	int row;

	if (r->rows < 1 || r->cols != COL_COUNT)
		return -1;
	names = r->get(r, 0, COL_SYNC_NAMES);
	if (names == NULL || pglink_bool(r, 0, COL_RECOVERY, &recovery) == -1 ||
	    pglink_num(r, 0, COL_SYSTEM_ID, &system_id) == -1 ||
	    pglink_num(r, 0, COL_TIMELINE, &timeline) == -1 || timeline < 1 ||
	    timeline > UINT32_MAX ||
	    pglink_lsn(r, 0, COL_WAL_END, &v.wal_end) == -1 ||
	    pglink_lsn(r, 0, COL_INSERT, &v.insert) == -1 ||
	    pglink_lsn(r, 0, COL_REPLAY, &v.replay) == -1 ||
	    pglink_bool(r, 0, COL_PAUSED, &v.paused) == -1 ||
	    pglink_bool(r, 0, COL_RECEIVER, &v.receiver) == -1 ||
	    pglink_lsn(r, 0, COL_UPSTREAM, &v.upstream) == -1 ||
	    pglink_num(r, 0, COL_RECEIVER_AGE, &age) == -1 ||
	    pglink_bool(r, 0, COL_RESTART, &v.restart_after_crash) == -1 ||
	    pglink_bool(r, 0, COL_FSYNC, &v.fsync) == -1 ||
	    pglink_bool(r, 0, COL_FULL_PAGES, &v.full_page_writes) == -1 ||
	    pglink_num(r, 0, COL_VERSION, &version) == -1 || version < 0 ||
	    version > INT32_MAX)
		return -1;
	if (v.insert % PAGE <= PAGE_HEADER)
		v.insert -= v.insert % PAGE;
	v.recovery = recovery ? ANS_YES : ANS_NO;
	v.system_id = (uint64_t)system_id;
	v.timeline = (uint32_t)timeline;
	v.receiver_age = age < 0 ? 0 : age;
	v.version = (int)version;
	pgsync_parse(names, &conf->names, &v.sync_names, &v.sync_other);
	conninfo = r->get(r, 0, COL_CONNINFO);
	if (conninfo != NULL)
		v.conninfo = pg_view_names_user(conninfo);
	source = conninfo == NULL ? NODE_NONE : pglink_source(conf, conninfo);
	if (recovery && source != NODE_NONE)
		v.source = NODE_BIT(source);
	for (row = 0; row < r->rows; row++)
		pg_view_sender(conf, r, row, &v);
	*view = v;
	return 0;
}

/* A standby is behind when it has not flushed what the primary had flushed at
 * an earlier observation. The mark stays until it is passed, so that a sender
 * that comes and goes without ever flushing does not look well. */
void
pg_view_behind(struct pg_view *view, struct pg_mark *mark)
{
	struct pg_sender *sender;
	node_t node;

	for (node = 0; node < NODES_MAX; node++) {
		sender = &view->sender[node];
		if (!sender->streaming)
			continue;
		if (mark[node].lsn != 0 && sender->flush < mark[node].lsn) {
			sender->behind_since = mark[node].at;
			continue;
		}
		mark[node].lsn = view->wal_end;
		mark[node].at = view->seen_at;
	}
}
