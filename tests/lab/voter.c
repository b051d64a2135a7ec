/*
 * The vote client: casts numbered votes and writes down, for each, whether it
 * was acknowledged. It judges nothing; the auditor compares the log with the
 * database that survived. Modes:
 *   vote    connections that walk the hosts in order, each vote and each
 *           connect with a deadline of its own
 *   stock   libpq as an application uses it
 *   pinned  knows the old primary only and keeps coming back
 *   waiter  explicit transactions without any time-out
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "voter.h"

#define MSEC ((nsec_t)1000000)

/* DRAIN: acknowledged, the server's readiness for more is still to come. */
enum state { ST_REST, ST_CONNECT, ST_IDLE, ST_VOTE, ST_DRAIN };

struct seat {
	const struct voter *v;
	struct attempt a;
	enum state state;
	PGconn *conn;
	PostgresPollingStatusType want;
	nsec_t wake; /* rest, idle: go on; otherwise: give up */
	int host;    /* being tried */
	bool warned;
};

/* A closed socket says nothing more; whatever was in flight is unknown. */
static void
seat_close(struct seat *s)
{
	PQfinish(s->conn);
	s->conn = NULL;
}

/* Ends this round; the next starts at the first host again. */
static void
seat_rest(struct seat *s)
{
	seat_close(s);
	s->host = 0;
	s->state = ST_REST;
	s->wake = voter_now() + s->v->retry;
}

static nsec_t
seat_deadline(const struct seat *s)
{
	return s->v->deadline == 0 ? INT64_MAX : voter_now() + s->v->deadline;
}

static void
seat_connect(struct seat *s)
{
	char info[256];

	s->a.start = voter_now();
	s->a.server = s->v->host[s->host];
	snprintf(info, sizeof info,
	    "hostaddr=%s port=%d dbname=%s user=%s "
	    "gssencmode=disable sslmode=disable application_name=voter",
	    s->a.server, s->v->port, s->v->dbname, s->v->user);
	s->conn = PQconnectStart(info);
	s->want = PGRES_POLLING_WRITING;
	s->state = ST_CONNECT;
	s->wake = seat_deadline(s);
}

/* No vote was sent: the same number goes to the next host. */
static void
seat_refused(struct seat *s, const char *why)
{
	voter_log(s->v, &s->a, OUT_REFUSED, why);
	seat_close(s);
	if (++s->host < s->v->hosts)
		seat_connect(s);
	else
		seat_rest(s);
}

/* What was sent without an answer is unknown and its number is spent. */
static void
seat_unknown(struct seat *s, const char *why)
{
	voter_log(s->v, &s->a, OUT_UNKNOWN, why);
	s->a.seq++;
	seat_rest(s);
}

static void
seat_vote(struct seat *s)
{
	char sql[256];

	s->a.start = voter_now();
	s->warned = false;
	s->state = ST_VOTE;
	s->wake = seat_deadline(s);
	voter_sql(s->v, &s->a, sql, sizeof sql);
	if (!PQsendQuery(s->conn, sql))
		seat_unknown(s, "send");
}

static void
seat_connecting(struct seat *s)
{
	s->want = PQconnectPoll(s->conn);
	if (s->want == PGRES_POLLING_FAILED) {
		seat_refused(s, "connect");
		return;
	}
	if (s->want != PGRES_POLLING_OK)
		return;
	if (PQsetnonblocking(s->conn, 1) == -1) {
		seat_refused(s, "nonblocking");
		return;
	}
	PQsetNoticeReceiver(s->conn, voter_notice_cb, &s->warned);
	seat_vote(s);
}

/* Success of the last statement is the acknowledgement; an error of any ends
 * the attempt. A standby's refusal makes the walk go on to the next host. */
static void
seat_result(struct seat *s, const PGresult *res, bool last)
{
	const char *detail;
	enum outcome out;

	out = voter_outcome(res, s->warned, &detail);
	if (out == OUT_ACK && !last)
		return;
	if (out == OUT_ACK_WARNING && !last)
		return;
	voter_log(s->v, &s->a, out, detail);
	s->a.seq++;
	if (out == OUT_ACK || out == OUT_ACK_WARNING) {
		s->wake = seat_deadline(s);
		s->state = ST_DRAIN;
	} else if (out == OUT_ERROR && ++s->host < s->v->hosts) {
		seat_close(s);
		seat_connect(s);
	} else
		seat_rest(s);
}

static void
seat_voting(struct seat *s)
{
	PGresult *res;
	bool last;

	if (PQflush(s->conn) == -1 || !PQconsumeInput(s->conn)) {
		/* What came before the end may hold the answer. */
		if (PQisBusy(s->conn)) {
			seat_unknown(s, "connection");
			return;
		}
	}
	while (s->conn != NULL && !PQisBusy(s->conn)) {
		res = PQgetResult(s->conn);
		if (res == NULL) {
			if (s->state == ST_DRAIN) {
				s->state = ST_IDLE;
				s->wake = s->a.start + s->v->interval;
			} else
				seat_unknown(s, "no result");
			return;
		}
		last = !s->v->transaction ||
		       strcmp(PQcmdStatus(res), "COMMIT") == 0;
		if (s->state == ST_VOTE)
			seat_result(s, res, last);
		else if (PQresultStatus(res) != PGRES_COMMAND_OK)
			seat_rest(s);
		PQclear(res);
		if (s->state != ST_VOTE && s->state != ST_DRAIN)
			return;
	}
}

static void
seat_input(struct seat *s)
{
	switch (s->state) {
	case ST_CONNECT:
		seat_connecting(s);
		break;
	case ST_VOTE:
	case ST_DRAIN:
		seat_voting(s);
		break;
	case ST_IDLE:
		/* The server hung up, or says that it ends the session. */
		if (!PQconsumeInput(s->conn) ||
		    PQstatus(s->conn) != CONNECTION_OK)
			seat_rest(s);
		break;
	case ST_REST:
		break;
	}
}

static void
seat_wake(struct seat *s)
{
	switch (s->state) {
	case ST_REST:
		seat_connect(s);
		break;
	case ST_CONNECT:
		seat_refused(s, "timeout");
		break;
	case ST_VOTE:
		seat_unknown(s, "timeout");
		break;
	case ST_IDLE:
		seat_vote(s);
		break;
	case ST_DRAIN:
		seat_rest(s);
		break;
	}
}

static short
seat_events(const struct seat *s)
{
	if (s->state == ST_CONNECT)
		return s->want == PGRES_POLLING_READING ? POLLIN : POLLOUT;
	return POLLIN;
}

static void
turn(struct seat *seats, int n, const sigset_t *mask)
{
	struct pollfd pfd[VOTER_CONNS_MAX];
	struct timespec ts;
	nsec_t next = INT64_MAX, left;
	int i;

	for (i = 0; i < n; i++) {
		pfd[i].fd =
		    seats[i].conn == NULL ? -1 : PQsocket(seats[i].conn);
		pfd[i].events = seat_events(&seats[i]);
		pfd[i].revents = 0;
		if (seats[i].wake < next)
			next = seats[i].wake;
	}
	left = next == INT64_MAX ? 1000 * MSEC : next - voter_now();
	if (left < 0)
		left = 0;
	ts.tv_sec = left / 1000000000;
	ts.tv_nsec = left % 1000000000;
	if (ppoll(pfd, (nfds_t)n, &ts, mask) == -1 && errno != EINTR)
		err(1, "ppoll");
	for (i = 0; i < n; i++)
		if (pfd[i].revents != 0)
			seat_input(&seats[i]);
	for (i = 0; i < n; i++)
		if (seats[i].wake <= voter_now())
			seat_wake(&seats[i]);
}

static int
run(const struct voter *v, const sigset_t *mask)
{
	struct seat seats[VOTER_CONNS_MAX];
	int i;

	memset(seats, 0, sizeof seats);
	for (i = 0; i < v->conns; i++) {
		seats[i].v = v;
		seats[i].a.conn = i;
		seats[i].a.seq = 1;
		/* Spread over the interval, or all wait for one fsync. */
		seats[i].wake = voter_now() + i * v->interval / v->conns;
	}
	while (!voter_stop)
		turn(seats, v->conns, mask);
	for (i = 0; i < v->conns; i++) {
		if (seats[i].state == ST_VOTE)
			voter_log(v, &seats[i].a, OUT_UNKNOWN, "pending");
		seat_close(&seats[i]);
	}
	return 0;
}

static void
stop_cb(int sig)
{
	voter_stop = 1;
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: lab-voter vote|stock|pinned|waiter -i ID "
	    "-l LOG -h HOST[,HOST] [-p PORT] [-d DB] [-u USER] [-n CONNS] "
	    "[-t DEADLINE-MS] [-e EVERY-MS]\n");
	exit(2);
}

static void
voter_hosts(struct voter *v, char *list)
{
	char *p;

	for (p = strtok(list, ","); p != NULL; p = strtok(NULL, ",")) {
		if (v->hosts == VOTER_HOSTS_MAX)
			usage();
		v->host[v->hosts++] = p;
	}
}

static void
voter_args(struct voter *v, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "d:e:h:i:l:n:p:t:u:")) != -1) {
		switch (c) {
		case 'd':
			v->dbname = optarg;
			break;
		case 'e':
			v->interval = atoi(optarg) * MSEC;
			break;
		case 'h':
			voter_hosts(v, optarg);
			break;
		case 'i':
			v->id = optarg;
			break;
		case 'l':
			v->log = open(optarg,
			    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
			break;
		case 'n':
			v->conns = atoi(optarg);
			break;
		case 'p':
			v->port = atoi(optarg);
			break;
		case 't':
			v->deadline = atoi(optarg) * MSEC;
			break;
		case 'u':
			v->user = optarg;
			break;
		default:
			usage();
		}
	}
	if (v->id == NULL || v->log == -1 || v->hosts == 0 || v->conns < 1 ||
	    v->conns > VOTER_CONNS_MAX)
		usage();
}

int
main(int argc, char **argv)
{
	struct voter v = { .port = 5432,
		.dbname = "votes",
		.user = "voter",
		.conns = 4,
		.interval = 10 * MSEC,
		.retry = 5 * MSEC,
		.deadline = 250 * MSEC,
		.log = -1 };
	struct sigaction sa = { .sa_handler = stop_cb };
	sigset_t block, mask;
	const char *mode;

	if (argc < 2)
		usage();
	mode = argv[1];
	if (strcmp(mode, "vote") != 0)
		v.conns = 1;
	if (strcmp(mode, "waiter") == 0) {
		v.deadline = 0;
		v.transaction = true;
	}
	voter_args(&v, argc - 1, argv + 1);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(mode, "stock") == 0)
		return voter_stock(&v);
	/* Only ppoll takes the stop, so that no line is left half-made. */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &mask);
	return run(&v, &mask);
}
