/*
 * The etcd of a test.
 */
#include "etcdtest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/mem.h"

#define READY_MS 15000

static void etcdtest_exec(const struct etcdtest *e);
static char *etcdtest_tls(const struct etcdtest *e, bool server);

int
etcdtest_port(int *fd)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&in, sizeof(in)), 0);
	if (fd != NULL)
		assert_int_equal(listen(sock, 16), 0);
	assert_int_equal(getsockname(sock, (struct sockaddr *)&in, &len), 0);
	if (fd != NULL)
		*fd = sock;
	else
		close(sock);
	return ntohs(in.sin_port);
}

struct conf_register
etcdtest_register(const char *endpoint)
{
	return (struct conf_register){ .type = REGISTER_ETCD,
		.endpoints = { endpoint },
		.prefix = "/hawatch/",
		.server_name = "",
		.ca = "",
		.cert = "",
		.key = "",
		.user = "",
		.password_file = "" };
}

void
etcdtest_init(struct etcdtest *e, const char *pki)
{
	memset(e, 0, sizeof(*e));
	e->pki = pki;
	(void)snprintf(e->dir, sizeof(e->dir), "/tmp/hawatch-etcd-XXXXXX");
	assert_non_null(mkdtemp(e->dir));
	e->port = etcdtest_port(NULL);
	e->peer_port = etcdtest_port(NULL);
	(void)snprintf(
	    e->endpoint, sizeof(e->endpoint), "127.0.0.1:%d", e->port);
}

static char *
etcdtest_tls(const struct etcdtest *e, bool server)
{
	if (e->pki == NULL)
		return xstrdup("");
	if (server)
		return xasprintf(
		    "--cert-file %s/etcd.crt --key-file %s/etcd.key "
		    "--trusted-ca-file %s/ca.crt --client-cert-auth",
		    e->pki, e->pki, e->pki);
	return xasprintf("--cert %s/etcd.crt --key %s/etcd.key "
			 "--insecure-skip-tls-verify",
	    e->pki, e->pki);
}

static void
etcdtest_exec(const struct etcdtest *e)
{
	const char *scheme = e->pki == NULL ? "http" : "https";
	char *tls = etcdtest_tls(e, true);
	char *text = xasprintf(
	    "exec etcd --name m --data-dir data "
	    "--listen-client-urls %s://%s --advertise-client-urls %s://%s "
	    "--listen-peer-urls http://127.0.0.1:%d "
	    "--initial-advertise-peer-urls http://127.0.0.1:%d "
	    "--initial-cluster m=http://127.0.0.1:%d "
	    "--heartbeat-interval 50 --election-timeout 250 "
	    "--logger zap --log-outputs stderr %s >log 2>&1",
	    scheme, e->endpoint, scheme, e->endpoint, e->peer_port,
	    e->peer_port, e->peer_port, tls);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || chdir(e->dir) == -1)
		_exit(126);
	execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
}

void
etcdtest_start(struct etcdtest *e)
{
	int i;

	e->pid = fork();
	assert_true(e->pid >= 0);
	if (e->pid == 0)
		etcdtest_exec(e);
	for (i = 0; i < READY_MS / 20; i++) {
		if (etcdtest_ctl(e, "endpoint health"))
			return;
		assert_int_equal(waitpid(e->pid, NULL, WNOHANG), 0);
		(void)poll(NULL, 0, 20);
	}
	fail_msg("etcd does not answer; see %s/log", e->dir);
}

void
etcdtest_kill(struct etcdtest *e)
{
	if (e->pid <= 0)
		return;
	assert_int_equal(kill(e->pid, SIGKILL), 0);
	assert_int_equal(waitpid(e->pid, NULL, 0), e->pid);
	e->pid = 0;
}

void
etcdtest_freeze(const struct etcdtest *e)
{
	int status;

	assert_int_equal(kill(e->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(e->pid, &status, WUNTRACED), e->pid);
}

void
etcdtest_thaw(const struct etcdtest *e)
{
	assert_int_equal(kill(e->pid, SIGCONT), 0);
}

void
etcdtest_free(struct etcdtest *e)
{
	char *text;

	etcdtest_kill(e);
	text = xasprintf("rm -rf %s", e->dir);
	assert_int_equal(system(text), 0);
	free(text);
}

bool
etcdtest_ctl(const struct etcdtest *e, const char *fmt, ...)
{
	char words[1024], *text, *tls = etcdtest_tls(e, false);
	va_list ap;
	int rc;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	text = xasprintf("cd %s && ETCDCTL_API=3 etcdctl --endpoints %s://%s "
			 "--dial-timeout 5s --command-timeout 10s %s %s "
			 ">ctl 2>&1",
	    e->dir, e->pki == NULL ? "http" : "https", e->endpoint, tls, words);
	rc = system(text);
	free(text);
	free(tls);
	return rc == 0;
}

void
etcdtest_put_back(struct etcdtest *e, const char *snapshot, const char *token)
{
	char *text;

	etcdtest_kill(e);
	text = xasprintf("rm -rf %s/data", e->dir);
	assert_int_equal(system(text), 0);
	free(text);
	assert_true(etcdtest_ctl(e,
	    "snapshot restore %s --name m --data-dir data "
	    "--initial-cluster m=http://127.0.0.1:%d --initial-cluster-token "
	    "%s --initial-advertise-peer-urls http://127.0.0.1:%d",
	    snapshot, e->peer_port, token, e->peer_port));
	etcdtest_start(e);
}
