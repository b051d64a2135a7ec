/*
 * The client that an application would have without knowing of us: libpq as
 * it comes, one connection, every call waits.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "voter.h"

/* "a,b" of the hosts, or of the port, as libpq wants its lists. */
static void
stock_conninfo(const struct voter *v, char *buf, size_t size)
{
	char hosts[160] = "";
	int i;

	for (i = 0; i < v->hosts; i++) {
		if (i > 0)
			strncat(hosts, ",", sizeof hosts - strlen(hosts) - 1);
		strncat(hosts, v->host[i], sizeof hosts - strlen(hosts) - 1);
	}
	snprintf(buf, size,
	    "host=%s port=%d dbname=%s user=%s "
	    "target_session_attrs=read-write connect_timeout=2 "
	    "tcp_user_timeout=1000 gssencmode=disable sslmode=disable",
	    hosts, v->port, v->dbname, v->user);
}

static void
stock_rest(nsec_t ns)
{
	struct timespec ts;

	ts.tv_sec = ns / 1000000000;
	ts.tv_nsec = ns % 1000000000;
	nanosleep(&ts, NULL);
}

int
voter_stock(const struct voter *v)
{
	struct attempt a = { .seq = 1, .server = "-" };
	PGconn *conn = NULL;
	PGresult *res;
	enum outcome out;
	const char *detail;
	char info[512], sql[256];
	bool warned;

	stock_conninfo(v, info, sizeof info);
	while (!voter_stop) {
		a.start = voter_now();
		if (conn == NULL) {
			conn = PQconnectdb(info);
			if (PQstatus(conn) != CONNECTION_OK) {
				a.server = "-";
				voter_log(v, &a, OUT_REFUSED, "connect");
				PQfinish(conn);
				conn = NULL;
				stock_rest(v->retry);
				continue;
			}
			PQsetNoticeReceiver(conn, voter_notice_cb, &warned);
			a.start = voter_now();
		}
		a.server = PQhostaddr(conn);
		warned = false;
		voter_sql(v, &a, sql, sizeof sql);
		res = PQexec(conn, sql);
		out = voter_outcome(res, warned, &detail);
		voter_log(v, &a, out, detail);
		PQclear(res);
		a.seq++;
		if (out != OUT_ACK && out != OUT_ACK_WARNING) {
			PQfinish(conn);
			conn = NULL;
			stock_rest(v->retry);
		} else
			stock_rest(v->interval);
	}
	PQfinish(conn);
	return 0;
}
