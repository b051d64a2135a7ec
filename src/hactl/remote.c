/*
 * Asking a node from an operator's machine, which is no node: where to, with
 * which certificate, and what is said when that does not work. The bytes are
 * remote_tls.c's.
 */
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/way.h"
#include "hawatch/client.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

/* For each of several hosts: the next one may answer. */
#define REMOTE_EACH (2 * USEC_SEC)

bool
remote_meant(const struct call *call)
{
	const char *env =
	    getenv("HACTL_CLIENT"); /* NOLINT(concurrency-mt-unsafe) */

	if (call->opt[OPT_SOCKET] != NULL)
		return false;
	return call->opt[OPT_HOST] != NULL || call->opt[OPT_CLIENT] != NULL ||
	       (env != NULL && env[0] != '\0');
}

static void
remote_set(char **field, const char *option)
{
	if (option == NULL)
		return;
	free(*field);
	*field = xstrdup(option);
}

/* The file, and over it the options. */
static int
remote_client(const struct call *call, struct client *client)
{
	char *file = remote_file(call);
	struct error err;
	int rc = 0;

	memset(client, 0, sizeof(*client));
	if (file != NULL && client_load(file, client, &err) == -1) {
		remote_file_wrong(call, err.msg);
		rc = -1;
	}
	free(file);
	if (rc == -1)
		return -1;
	remote_set(&client->ca, call->opt[OPT_CA]);
	remote_set(&client->cert, call->opt[OPT_CERT]);
	remote_set(&client->key, call->opt[OPT_KEY]);
	if (client->ca != NULL && client->cert != NULL && client->key != NULL)
		return 0;
	print_wrong("which certificate to ask with is not known: ca, cert or "
		    "key is neither an option nor in a file for --client",
	    verb_again("", " --ca ca.pem --cert NAME.pem --key NAME.key"));
	client_free(client);
	return -1;
}

/* One by its name in the file, or by its address as given. */
static int
remote_named(const struct client *client, const char *text,
    struct remote_host *host, struct error *err)
{
	int i;

	for (i = 0; i < client->hosts; i++) {
		if (remote_host_parse(client->host[i], host, err) == -1)
			return -1;
		if (strcmp(host->name, text) == 0)
			return 0;
	}
	return remote_host_parse(text, host, err);
}

static int
remote_hosts(const struct call *call, const struct client *client,
    struct remote_host *hosts)
{
	struct error err;
	int i;

	if (call->opt[OPT_HOST] != NULL) {
		if (remote_named(
			client, call->opt[OPT_HOST], &hosts[0], &err) == 0)
			return 1;
		print_wrong(err.msg, "hactl ping --host prod-s1=10.77.0.1");
		return -1;
	}
	for (i = 0; i < client->hosts; i++) {
		if (remote_host_parse(client->host[i], &hosts[i], &err) == 0)
			continue;
		remote_file_wrong(call, err.msg);
		return -1;
	}
	if (client->hosts == 0)
		print_wrong("no host is named", verb_again("", " --host HOST"));
	if (client->hosts < 2 || call->verb->reach == VERB_READ)
		return client->hosts == 0 ? -1 : client->hosts;
	/* An order is for one host: not for whoever answers first. */
	remote_which(call, hosts, client->hosts);
	return -1;
}

static int
remote_finish(int fd, usec_t until, struct error *err)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int why = 0;

	while (poll(&pfd, 1, 0) != 1)
		if (way_wait(fd, POLLOUT, until, err) == -1)
			return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) == 0 && why == 0)
		return 0;
	errno = why;
	return error_sys(err, "connect");
}

static int
remote_socket(const struct addrinfo *ai, usec_t until, struct error *err)
{
	int fd = socket(ai->ai_family,
	    ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);

	if (fd == -1)
		return error_sys(err, "socket");
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	if (errno != EINPROGRESS)
		error_sys(err, "connect");
	else if (remote_finish(fd, until, err) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
remote_connect(const struct remote_host *host, usec_t until, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *ai;
	int fd = -1, rc;

	rc = getaddrinfo(host->address, host->port, &hints, &list);
	if (rc != 0)
		return error_set(
		    err, ERR_CONFIG, "%s: %s", host->address, gai_strerror(rc));
	for (ai = list; ai != NULL && fd == -1; ai = ai->ai_next)
		fd = remote_socket(ai, until, err);
	freeaddrinfo(list);
	return fd;
}

static int
remote_try(struct ssl_ctx_st *ctx, const struct remote_host *host,
    struct way *w, usec_t until, struct error *err)
{
	int fd;

	(void)snprintf(w->where, sizeof(w->where), "%.63s%s%.200s port %s",
	    host->name, host->name[0] == '\0' ? "" : " at ", host->address,
	    host->port);
	fd = remote_connect(host, until, err);
	if (fd == -1)
		return -1;
	if (remote_tls_open(ctx, fd, host, w, until, err) == 0)
		return 0;
	way_close(w);
	return -1;
}

int
remote_open(
    const struct call *call, struct way *w, usec_t until, enum exitcode *code)
{
	struct remote_host hosts[CLIENT_HOSTS_MAX] = { 0 };
	struct ssl_ctx_st *ctx = NULL;
	struct client client;
	struct error err;
	usec_t each;
	int i, n, rc = -1;

	*code = EXITCODE_CONFIG;
	signal(SIGPIPE, SIG_IGN);
	if (remote_client(call, &client) == -1)
		return -1;
	n = remote_hosts(call, &client, hosts);
	if (n == -1) {
		*code = EXITCODE_USAGE;
		goto out;
	}
	ctx = remote_tls(client.ca, client.cert, client.key, &err);
	if (ctx == NULL) {
		remote_keys_wrong(&client, &err);
		goto out;
	}
	for (i = 0; i < n && rc == -1; i++) {
		each = ask_now() + REMOTE_EACH;
		rc = remote_try(ctx, &hosts[i], w,
		    i + 1 < n && each < until ? each : until, &err);
	}
	str_cut(w->cert, sizeof(w->cert), client.cert);
	if (rc == -1 && err.code == ERR_CONFIG && call->opt[OPT_HOST] != NULL) {
		remote_unknown(call, &err);
		*code = EXITCODE_USAGE;
	} else if (rc == -1)
		*code = remote_silent(w, &err);
	else
		next_away(call);
out:
	remote_tls_free(ctx);
	client_free(&client);
	return rc;
}
