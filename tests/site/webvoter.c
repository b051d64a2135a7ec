/*
 * The vote client over HTTP: casts numbered votes through a load balancer, or
 * at one web server, and writes down for each whether it was acknowledged,
 * which is when all of its 200 had arrived. The log is lab-voter's: "server"
 * is the database that took the vote, as the application says it, and the
 * detail of an acknowledgement the web server.
 *
 * Whatever was sent and not acknowledged is unknown, whoever answered: a proxy
 * does not know what became of it. The one certain no is the SQLSTATE of the
 * database that the application passes on.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "voter.h"

#define MSEC ((nsec_t)1000000)
#define ANSWER_MAX 4096

enum state { ST_REST, ST_CONNECT, ST_IDLE, ST_VOTE };

struct web {
	struct voter v;
	nsec_t connect; /* limit of a connect; the vote's is v.deadline */
	const char *election;
};

struct seat {
	const struct web *w;
	struct attempt a;
	enum state state;
	int fd;
	int host;
	nsec_t wake; /* rest, idle: go on; otherwise: give up */
	char buf[ANSWER_MAX];
	size_t len;
	char server[64], detail[64];
};

static void
seat_close(struct seat *s)
{
	if (s->fd != -1)
		(void)close(s->fd);
	s->fd = -1;
}

/* Ends this round; the next starts at the first host again. */
static void
seat_rest(struct seat *s)
{
	seat_close(s);
	s->host = 0;
	s->state = ST_REST;
	s->wake = voter_now() + s->w->v.retry;
}

static void seat_connect(struct seat *s);

/* No vote was sent: the same number goes to the next host. */
static void
seat_refused(struct seat *s, const char *why)
{
	voter_log(&s->w->v, &s->a, OUT_REFUSED, why);
	seat_close(s);
	if (++s->host < s->w->v.hosts)
		seat_connect(s);
	else
		seat_rest(s);
}

static void
seat_connect(struct seat *s)
{
	const struct voter *v = &s->w->v;
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)v->port) };
	int one = 1;

	s->a.start = voter_now();
	s->a.server = v->host[s->host];
	s->state = ST_CONNECT;
	s->wake = s->a.start + s->w->connect;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd == -1)
		err(1, "socket");
	if (inet_pton(AF_INET, s->a.server, &sin.sin_addr) != 1)
		errx(1, "%s: not an address", s->a.server);
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(s->fd, (struct sockaddr *)&sin, sizeof sin) == -1 &&
	    errno != EINPROGRESS)
		seat_refused(s, "connect");
}

/* What was sent without a clear answer is unknown and its number spent. */
static void
seat_unknown(struct seat *s, const char *why)
{
	voter_log(&s->w->v, &s->a, OUT_UNKNOWN, why);
	s->a.seq++;
	seat_rest(s);
}

static void
seat_vote(struct seat *s)
{
	char body[128], out[512];
	int n;

	s->a.start = voter_now();
	s->a.server = s->w->v.host[s->host];
	s->state = ST_VOTE;
	s->wake = s->a.start + s->w->v.deadline;
	s->len = 0;
	n = snprintf(body, sizeof body,
	    "{\"voter\": \"%s.%d\", \"vote\": %" PRId64 "}", s->w->v.id,
	    s->a.conn, s->a.seq);
	n = snprintf(out, sizeof out,
	    "POST /api/election/%s/vote HTTP/1.1\r\nHost: vote.example.com\r\n"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
	    s->w->election, n, body);
	if (send(s->fd, out, (size_t)n, MSG_NOSIGNAL) != n)
		seat_unknown(s, "send");
}

static void
seat_connected(struct seat *s)
{
	int fault = 0;
	socklen_t len = sizeof fault;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &fault, &len) == -1 ||
	    fault != 0)
		seat_refused(s, "connect");
	else
		seat_vote(s);
}

/* The value of a header of the answer in s->buf; "" if it has none. */
static void
seat_header(const struct seat *s, const char *name, char *to, size_t size)
{
	const char *p = strcasestr(s->buf, name), *end;

	to[0] = '\0';
	if (p == NULL)
		return;
	p += strlen(name);
	p += strspn(p, ": ");
	end = p + strcspn(p, "\r\n ");
	snprintf(to, size, "%.*s", (int)(end - p), p);
}

static bool
seat_complete(struct seat *s, int *status)
{
	const char *end;
	char length[24];

	s->buf[s->len] = '\0';
	end = strstr(s->buf, "\r\n\r\n");
	if (end == NULL || sscanf(s->buf, "HTTP/1.%*d %d", status) != 1)
		return false;
	seat_header(s, "\r\nContent-Length:", length, sizeof length);
	return (size_t)(end + 4 - s->buf) + (size_t)atoi(length) <= s->len;
}

static void
seat_answer(struct seat *s, int status)
{
	char word[64];
	enum outcome out = OUT_UNKNOWN;

	seat_header(s, "\r\nX-Database:", s->server, sizeof s->server);
	if (s->server[0] != '\0')
		s->a.server = s->server;
	snprintf(s->detail, sizeof s->detail, "%d", status);
	if (status == 200) {
		seat_header(s, "\r\nX-Warning:", word, sizeof word);
		out = word[0] == '\0' ? OUT_ACK : OUT_ACK_WARNING;
		seat_header(s, "\r\nX-Web:", s->detail, sizeof s->detail);
	} else {
		seat_header(s, "\r\nX-Sqlstate:", word, sizeof word);
		if (word[0] != '\0') {
			out = OUT_ERROR;
			memcpy(s->detail, word, sizeof s->detail);
		}
	}
	voter_log(&s->w->v, &s->a, out, s->detail);
	s->a.seq++;
	seat_header(s, "\r\nConnection:", word, sizeof word);
	if (status != 200 || strcasecmp(word, "close") == 0) {
		seat_rest(s);
		if (status == 200)
			s->wake = s->a.start + s->w->v.interval;
		return;
	}
	s->state = ST_IDLE;
	s->wake = s->a.start + s->w->v.interval;
}

static void
seat_voting(struct seat *s)
{
	ssize_t n;
	int status;

	n = recv(s->fd, s->buf + s->len, sizeof s->buf - 1 - s->len, 0);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		seat_unknown(s, n == 0 ? "closed" : "reset");
		return;
	}
	s->len += (size_t)n;
	if (seat_complete(s, &status))
		seat_answer(s, status);
	else if (s->len == sizeof s->buf - 1)
		seat_unknown(s, "long");
}

static void
seat_input(struct seat *s)
{
	switch (s->state) {
	case ST_CONNECT:
		seat_connected(s);
		break;
	case ST_VOTE:
		seat_voting(s);
		break;
	case ST_IDLE:
		seat_rest(s); /* the server hung up */
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
	}
}

static void
turn(struct seat *seats, int n, const sigset_t *mask)
{
	struct pollfd pfd[VOTER_CONNS_MAX];
	struct timespec ts;
	nsec_t next = INT64_MAX, left;
	int i;

	for (i = 0; i < n; i++) {
		pfd[i].fd = seats[i].fd;
		pfd[i].events = seats[i].state == ST_CONNECT ? POLLOUT : POLLIN;
		pfd[i].revents = 0;
		if (seats[i].wake < next)
			next = seats[i].wake;
	}
	left = next - voter_now();
	if (left < 0)
		left = 0;
	ts.tv_sec = left / 1000000000;
	ts.tv_nsec = left % 1000000000;
	if (ppoll(pfd, (nfds_t)n, &ts, mask) == -1) {
		if (errno != EINTR)
			err(1, "ppoll");
		return;
	}
	for (i = 0; i < n; i++)
		if (pfd[i].revents != 0)
			seat_input(&seats[i]);
	for (i = 0; i < n; i++)
		if (seats[i].wake <= voter_now())
			seat_wake(&seats[i]);
}

static void
run(const struct web *w, const sigset_t *mask)
{
	static struct seat seats[VOTER_CONNS_MAX];
	int i;

	for (i = 0; i < w->v.conns; i++) {
		seats[i].w = w;
		seats[i].a.conn = i;
		seats[i].a.seq = 1;
		seats[i].fd = -1;
		/* Spread over the interval, or all wait for one fsync. */
		seats[i].wake = voter_now() + i * w->v.interval / w->v.conns;
	}
	while (!voter_stop)
		turn(seats, w->v.conns, mask);
	for (i = 0; i < w->v.conns; i++)
		if (seats[i].state == ST_VOTE)
			voter_log(&w->v, &seats[i].a, OUT_UNKNOWN, "pending");
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
	    "usage: lab-webvoter -i ID -l LOG -h HOST[,HOST] [-p PORT] "
	    "[-E ELECTION] [-n CONNS] [-e EVERY-MS] [-c CONNECT-MS] "
	    "[-t VOTE-MS] [-r RETRY-MS]\n");
	exit(2);
}

static void
web_hosts(struct voter *v, char *list)
{
	char *p;

	for (p = strtok(list, ","); p != NULL; p = strtok(NULL, ",")) {
		if (v->hosts == VOTER_HOSTS_MAX)
			usage();
		v->host[v->hosts++] = p;
	}
}

static void
web_args(struct web *w, int argc, char **argv)
{
	struct voter *v = &w->v;
	int c;

	while ((c = getopt(argc, argv, "c:E:e:h:i:l:n:p:r:t:")) != -1) {
		switch (c) {
		case 'c':
			w->connect = atoi(optarg) * MSEC;
			break;
		case 'E':
			w->election = optarg;
			break;
		case 'e':
			v->interval = atoi(optarg) * MSEC;
			break;
		case 'h':
			web_hosts(v, optarg);
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
		case 'r':
			v->retry = atoi(optarg) * MSEC;
			break;
		case 't':
			v->deadline = atoi(optarg) * MSEC;
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
	struct web w = { .v = { .port = 80,
			     .conns = 4,
			     .interval = 10 * MSEC,
			     .retry = 20 * MSEC,
			     .deadline = 1000 * MSEC,
			     .log = -1 },
		.connect = 250 * MSEC,
		.election = "1" };
	struct sigaction sa = { .sa_handler = stop_cb };
	sigset_t block, mask;

	web_args(&w, argc, argv);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	/* Only ppoll takes the stop, so that no line is left half-made. */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &mask);
	run(&w, &mask);
	return 0;
}
