/*
 * hawatch-probe: asks what libmemcached can be asked, one question at a time,
 * and waits for it as libmemcached does, in poll(2). Nobody depends on it to
 * keep a deadline: the engine kills it when one has passed.
 *
 * Each question has a fresh memcached_st: one that has met a failure calls its
 * server dead for seconds after it is back. Addresses are numeric, since a
 * lookup would wait ten seconds for a silent DNS server.
 */
#include <errno.h>
#include <grp.h>
#include <libmemcached/memcached.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hawatch/companion.h"
#include "hawatch/reason.h"
#include "probe/wire.h"

#define PROBE_NOBODY 65534
/* A key that a crash leaves behind ends by itself. */
#define PROBE_KEY_SEC 60
/* Between two looks whether a flush has worked. */
#define PROBE_PAUSE_MS 50

static int probe_drop(void);
static void probe_answer(
    const struct probe_ask_wire *ask, struct probe_answer_wire *out);

int
main(void)
{
	struct probe_ask_wire ask;
	struct probe_answer_wire out;
	ssize_t n;

	if (probe_drop() == -1)
		return 1;
	for (;;) {
		n = recv(COMPANION_FD, &ask, sizeof(ask), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(ask))
			return 0;
		ask.address[sizeof(ask.address) - 1] = '\0';
		memset(&out, 0, sizeof(out));
		out.id = ask.id;
		probe_answer(&ask, &out);
		if (send(COMPANION_FD, &out, sizeof(out), MSG_NOSIGNAL) !=
		    (ssize_t)sizeof(out))
			return 0;
	}
}

/* It reads what strangers send, and needs no right to do so. */
static int
probe_drop(void)
{
	static const struct rlimit none = { 0, 0 }, files = { 16, 16 };

	signal(SIGPIPE, SIG_IGN);
	/* The end of the socket tells it too, but not while it waits. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		return -1;
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) == -1 ||
		setresgid(PROBE_NOBODY, PROBE_NOBODY, PROBE_NOBODY) == -1 ||
		setresuid(PROBE_NOBODY, PROBE_NOBODY, PROBE_NOBODY) == -1))
		return -1;
	/* A change of user clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1 ||
	    setrlimit(RLIMIT_NOFILE, &files) == -1)
		return -1;
	return 0;
}

static enum reason
probe_reason(memcached_st *memc, memcached_return_t rc)
{
	switch (memcached_last_error_errno(memc)) {
	case ECONNREFUSED:
		return REASON_connect_refused;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return REASON_unreachable;
	case ECONNRESET:
	case EPIPE:
		return REASON_server_closed;
	case 0:
		/* It calls an end of file so; a connect that fails has an
		 * errno. */
		if (rc == MEMCACHED_CONNECTION_FAILURE)
			return REASON_server_closed;
		break;
	default:
		break;
	}
	if (rc == MEMCACHED_TIMEOUT || rc == MEMCACHED_IN_PROGRESS)
		return REASON_timeout;
	if (rc == MEMCACHED_CONNECTION_FAILURE || rc == MEMCACHED_ERRNO ||
	    rc == MEMCACHED_HOST_LOOKUP_FAILURE ||
	    rc == MEMCACHED_SERVER_TEMPORARILY_DISABLED ||
	    rc == MEMCACHED_SERVER_MARKED_DEAD)
		return REASON_connect_failed;
	if (rc == MEMCACHED_WRITE_FAILURE ||
	    rc == MEMCACHED_CONNECTION_SOCKET_CREATE_FAILURE ||
	    rc == MEMCACHED_READ_FAILURE)
		return REASON_server_closed;
	if (rc == MEMCACHED_SERVER_ERROR || rc == MEMCACHED_NOTSTORED ||
	    rc == MEMCACHED_E2BIG ||
	    rc == MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE ||
	    rc == MEMCACHED_NOTFOUND)
		return REASON_not_stored;
	return REASON_garbage;
}

/* memcached_version() says success of servers that hang, and so may the code
 * of memcached_stat(): that there is a process is the proof. */
static enum reason
probe_stats(memcached_st *memc, struct probe_answer_wire *out)
{
	memcached_return_t rc;
	memcached_stat_st *st = memcached_stat(memc, NULL, &rc);
	enum reason reason = REASON_ok;

	if (st == NULL || rc != MEMCACHED_SUCCESS)
		reason = probe_reason(memc, rc);
	else if (st->pid <= 0)
		reason = REASON_garbage;
	if (reason == REASON_ok) {
		out->pid = (uint32_t)st->pid;
		out->uptime = (uint32_t)st->uptime;
		out->connections = (uint32_t)st->curr_connections;
		out->items = st->curr_items;
		out->bytes = st->bytes;
		out->limit = st->limit_maxbytes;
		out->gets = st->cmd_get;
		out->hits = st->get_hits;
		out->evictions = st->evictions;
	}
	memcached_stat_free(memc, st);
	return reason;
}

static void
probe_key(char *key, size_t size)
{
	static unsigned int n;
	char host[65] = "";

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(
	    key, size, "hawatch-probe:%s:%ld:%u", host, (long)getpid(), ++n);
}

static memcached_return_t
probe_set(memcached_st *memc, const char *key)
{
	/* The key is the value: another's could not be taken for it. */
	return memcached_set(
	    memc, key, strlen(key), key, strlen(key), PROBE_KEY_SEC, 0);
}

static memcached_return_t
probe_get(memcached_st *memc, const char *key)
{
	memcached_return_t rc;
	size_t len = 0;
	uint32_t flags;
	char *got = memcached_get(memc, key, strlen(key), &len, &flags, &rc);

	if (rc == MEMCACHED_SUCCESS &&
	    (got == NULL || len != strlen(key) || memcmp(got, key, len) != 0))
		rc = MEMCACHED_PROTOCOL_ERROR;
	free(got);
	return rc;
}

static enum reason
probe_key_round(memcached_st *memc)
{
	char key[128];
	memcached_return_t rc;

	probe_key(key, sizeof(key));
	rc = probe_set(memc, key);
	if (rc == MEMCACHED_SUCCESS)
		rc = probe_get(memc, key);
	if (rc == MEMCACHED_SUCCESS)
		rc = memcached_delete(memc, key, strlen(key), 0);
	return rc == MEMCACHED_SUCCESS ? REASON_ok : probe_reason(memc, rc);
}

/*
 * memcached forgets lazily: after flush_all, curr_items stays as it was until
 * each item is asked for or met by its crawler, so no count proves anything. A
 * key proves: written before, gone after, while what is written after stays.
 * A server without CAS (-C) judges by whole seconds and keeps what is as young
 * as the flush; then it is flushed again until the key is gone.
 */
static enum reason
probe_flush(memcached_st *memc, uint32_t ms)
{
	static const struct timespec pause = { .tv_nsec =
						   PROBE_PAUSE_MS * 1000000L };
	char key[128];
	memcached_return_t rc;
	uint32_t waited = 0;

	probe_key(key, sizeof(key));
	rc = probe_set(memc, key);
	if (rc == MEMCACHED_SUCCESS)
		rc = probe_get(memc, key);
	while (rc == MEMCACHED_SUCCESS) {
		rc = memcached_flush(memc, 0);
		if (rc != MEMCACHED_SUCCESS)
			break;
		rc = probe_get(memc, key);
		if (rc == MEMCACHED_NOTFOUND)
			return REASON_ok;
		if (rc != MEMCACHED_SUCCESS)
			break;
		waited += PROBE_PAUSE_MS;
		if (waited > ms / 3 * 2)
			return REASON_not_flushed;
		(void)nanosleep(&pause, NULL);
	}
	return probe_reason(memc, rc);
}

static void
probe_answer(const struct probe_ask_wire *ask, struct probe_answer_wire *out)
{
	uint64_t third = ask->ms / 3 == 0 ? 1 : ask->ms / 3;
	enum reason reason = REASON_connect_failed;
	memcached_st *memc = memcached_create(NULL);

	if (memc == NULL)
		abort();
	memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, third);
	memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, third);
	memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
	if (memcached_server_add(memc, ask->address, (in_port_t)ask->port) ==
	    MEMCACHED_SUCCESS) {
		if (ask->op == PROBE_MEMCACHED_FLUSH)
			reason = probe_flush(memc, ask->ms);
		else
			reason = probe_key_round(memc);
		if (reason == REASON_ok)
			reason = probe_stats(memc, out);
	}
	memcached_free(memc);
	out->ok = reason == REASON_ok;
	out->reason = reason;
}
