/*
 * An HTTP server for tests; see httptest.h.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hawatch/loop.h"
#include "httptest.h"

#define need(cond) \
	do { \
		if (!(cond)) { \
			fprintf( \
			    stderr, "httptest.c:%d: %s\n", __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

#define BIG ((size_t)1024 * 1024)

struct httptest {
	struct loop *loop;
	SSL_CTX *ctx;
	struct evconnlistener *listener;
	int port, accepted, requests, open;
	struct conn *conns;
};

struct conn {
	struct httptest *t;
	struct conn *next;
	struct bufferevent *bev;
	struct timer *timer;
	bool close_later;
};

static void conn_free(struct conn *c);

static void
run(const char *const *argv)
{
	int status;
	pid_t pid = fork();

	need(pid != -1);
	if (pid == 0) {
		need(freopen("/dev/null", "w", stderr) != NULL);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	need(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
make_cert(const char *dir, const char *file, const char *name, const char *ca)
{
	char subject[100], san[100], crt[200], key[200], ca_crt[200],
	    ca_key[200];
	const char *argv[] = { "/usr/bin/openssl", "req", "-x509", "-newkey",
		"ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
		"2", "-subj", subject, "-addext", san, "-out", crt, "-keyout",
		key, ca == NULL ? NULL : "-CA", ca_crt, "-CAkey", ca_key,
		NULL };

	snprintf(subject, sizeof(subject), "/CN=%s", name);
	snprintf(san, sizeof(san), "subjectAltName=DNS:%s", name);
	snprintf(crt, sizeof(crt), "%s/%s.crt", dir, file);
	snprintf(key, sizeof(key), "%s/%s.key", dir, file);
	snprintf(ca_crt, sizeof(ca_crt), "%s/%s.crt", dir, ca);
	snprintf(ca_key, sizeof(ca_key), "%s/%s.key", dir, ca);
	run(argv);
}

void
httptest_pki(char *dir, const char *const *names)
{
	strcpy(dir, "/tmp/httptest.XXXXXX");
	need(mkdtemp(dir) != NULL);
	make_cert(dir, "ca", "test authority", NULL);
	make_cert(dir, "other-ca", "another authority", NULL);
	make_cert(dir, "other", "prod-s2", "other-ca");
	for (; *names != NULL; names++)
		make_cert(dir, *names, *names, "ca");
}

void
httptest_pki_free(const char *dir)
{
	run((const char *const[]){ "/bin/rm", "-rf", dir, NULL });
}

static void
answer(struct conn *c, const char *status, const char *body, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	evbuffer_add_printf(out,
	    "HTTP/1.1 %s\r\nX-Test: yes\r\n%sContent-Length: %zu\r\n\r\n",
	    status, status[0] == '3' ? "Location: /seen\r\n" : "", len);
	evbuffer_add(out, body, len);
}

static void
headers_without_end(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	int i;

	evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\n");
	for (i = 0; i < 4000; i++)
		evbuffer_add_printf(out, "X-%d: 0123456789\r\n", i);
}

static void
on_timer(void *arg)
{
	struct conn *c = arg;

	if (c->close_later)
		conn_free(c);
	else
		answer(c, "200 OK", "later", 5);
}

static void
serve(
    struct conn *c, char *path, const char *head, const char *body, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	static const char json[] =
	    "{\"status\":\"ok\",\"events\":{\"id\":1,\"open\":true,"
	    "\"none\":null,\"list\":[{\"n\":7},\"x=y\"]}}\n";

	c->t->requests++;
	path[strcspn(path, "?")] = '\0';
	if (strcmp(path, "/echo") == 0) {
		answer(c, "200 OK", body, len);
	} else if (strcmp(path, "/seen") == 0) {
		answer(c, "200 OK", head, strlen(head));
	} else if (strcmp(path, "/json") == 0) {
		answer(c, "200 OK", json, sizeof(json) - 1);
	} else if (strcmp(path, "/moved") == 0) {
		answer(c, "302 Found", "", 0);
	} else if (strcmp(path, "/later") == 0) {
		timer_arm(c->timer, 150 * USEC_MSEC);
	} else if (strcmp(path, "/big") == 0) {
		char *big = calloc(1, BIG);

		answer(c, "200 OK", big, BIG);
		free(big);
	} else if (strcmp(path, "/close") == 0) {
		conn_free(c);
	} else if (strcmp(path, "/stale") == 0) {
		answer(c, "200 OK", "stale", 5);
		c->close_later = true;
		timer_arm(c->timer, 10 * USEC_MSEC);
	} else if (strcmp(path, "/noise") == 0) {
		evbuffer_add_printf(out, "220 mail.test ESMTP\r\n\r\n");
	} else if (strcmp(path, "/headers") == 0) {
		headers_without_end(c);
	} else if (strcmp(path, "/half") == 0) {
		evbuffer_add_printf(
		    out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
		c->close_later = true;
		timer_arm(c->timer, 10 * USEC_MSEC);
	} else if (strcmp(path, "/hold") != 0) {
		answer(c, "404 Not Found", "no", 2);
	}
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end;
	char method[8], path[64], *head, *field, *body;
	size_t len = 0, head_len;

	end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos == -1)
		return;
	head_len = (size_t)end.pos + 4;
	head = calloc(1, head_len + 1);
	evbuffer_copyout(in, head, head_len);
	need(sscanf(head, "%7s %63s HTTP/1.1\r\n", method, path) == 2);
	field = strstr(head, "Content-Length: ");
	if (field != NULL)
		len = (size_t)atol(field + 16);
	if (evbuffer_get_length(in) < head_len + len) {
		free(head);
		return;
	}
	evbuffer_drain(in, head_len);
	body = calloc(1, len + 1);
	evbuffer_remove(in, body, len);
	serve(c, path, head, body, len);
	free(head);
	free(body);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		conn_free(arg);
}

static void
conn_free(struct conn *c)
{
	struct conn **p = &c->t->conns;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->t->open--;
	timer_free(c->timer);
	bufferevent_free(c->bev);
	free(c);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct httptest *t = arg;
	struct conn *c = calloc(1, sizeof(*c));
	int one = 1;

	/* Else an answer waits 40 ms behind the session tickets. */
	if (sa->sa_family == AF_INET)
		need(setsockopt(
			 fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	c->t = t;
	c->next = t->conns;
	t->conns = c;
	t->accepted++;
	t->open++;
	c->timer = timer_new(t->loop, on_timer, c);
	if (t->ctx == NULL)
		c->bev = bufferevent_socket_new(loop_base(t->loop), fd,
		    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	else
		c->bev = bufferevent_openssl_socket_new(loop_base(t->loop), fd,
		    SSL_new(t->ctx), BUFFEREVENT_SSL_ACCEPTING,
		    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	need(c->bev != NULL);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static SSL_CTX *
make_ctx(const char *dir, const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char path[200];

	need(ctx != NULL);
	snprintf(path, sizeof(path), "%s/%s.crt", dir, name);
	need(SSL_CTX_use_certificate_chain_file(ctx, path) == 1);
	snprintf(path, sizeof(path), "%s/%s.key", dir, name);
	need(SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) == 1);
	snprintf(path, sizeof(path), "%s/ca.crt", dir);
	need(SSL_CTX_load_verify_locations(ctx, path, NULL) == 1);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	return ctx;
}

static struct httptest *
server_new(struct loop *loop, SSL_CTX *ctx, struct sockaddr *sa, size_t len)
{
	struct httptest *t = calloc(1, sizeof(*t));

	t->loop = loop;
	t->ctx = ctx;
	t->listener = evconnlistener_new_bind(loop_base(loop), on_accept, t,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, sa, (int)len);
	need(t->listener != NULL);
	return t;
}

static struct httptest *
server_on_port(struct loop *loop, SSL_CTX *ctx)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct httptest *t;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t = server_new(loop, ctx, (struct sockaddr *)&sin, sizeof(sin));
	need(getsockname(evconnlistener_get_fd(t->listener),
		 (struct sockaddr *)&sin, &len) == 0);
	t->port = ntohs(sin.sin_port);
	return t;
}

struct httptest *
httptest_new(struct loop *loop, const char *dir, const char *name)
{
	return server_on_port(loop, make_ctx(dir, name));
}

struct httptest *
httptest_public(struct loop *loop, const char *dir, const char *name)
{
	SSL_CTX *ctx = make_ctx(dir, name);

	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	return server_on_port(loop, ctx);
}

struct httptest *
httptest_plain(struct loop *loop, const char *socket)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (socket == NULL)
		return server_on_port(loop, NULL);
	need(strlen(socket) < sizeof(sun.sun_path));
	strcpy(sun.sun_path, socket);
	return server_new(loop, NULL, (struct sockaddr *)&sun, sizeof(sun));
}

void
httptest_free(struct httptest *t)
{
	if (t == NULL)
		return;
	while (t->conns != NULL)
		conn_free(t->conns);
	evconnlistener_free(t->listener);
	SSL_CTX_free(t->ctx);
	free(t);
}

void
httptest_old_tls(struct httptest *t)
{
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(t->ctx, TLS1_2_VERSION);
}

int
httptest_port(const struct httptest *t)
{
	return t->port;
}

int
httptest_accepted(const struct httptest *t)
{
	return t->accepted;
}

int
httptest_requests(const struct httptest *t)
{
	return t->requests;
}

int
httptest_open(const struct httptest *t)
{
	return t->open;
}
