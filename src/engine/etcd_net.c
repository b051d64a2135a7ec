/*
 * Which member is asked, as whom, and by when. What is asked, and what an
 * answer means, is not known here.
 */
#include "engine/etcd_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/etcd_text.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define NET_ANSWER_MAX ((size_t)64 * 1024)
#define NET_PEM_MAX ((size_t)256 * 1024)
#define NET_WHY_MAX 240
/* One that is signed has some 500 bytes, or more where the key is long. */
#define NET_TOKEN_MAX 4096
/* etcd spends some 90 ms of a processor on a password. */
#define NET_LOGIN_DEADLINE (2 * USEC_SEC)
#define NET_LOGIN_AGAIN USEC_SEC
/* Who has not answered for so long gets nothing new. */
#define NET_SLOW (150 * USEC_MSEC)

struct etcd_call {
	TAILQ_ENTRY(etcd_call) entry;
	struct etcd_net *net;
	struct http_call *http;
	int member;
	bool endless;
	usec_t sent;
	void (*part)(void *arg, const char *data, size_t len);
	etcd_done done;
	void *arg;
};

struct net_member {
	const char *text; /* borrowed: "[::1]:2379" */
	char name[256];	  /* of the URL and of the certificate */
	char address[64];
	int port;
};

struct etcd_net {
	const struct conf_register *conf;
	struct http *http;
	struct http_way way;
	char *cert, *key, *password; /* texts; NULL none */
	struct net_member member[CONF_LIST_MAX];
	int members, good;
	TAILQ_HEAD(, etcd_call) calls;
	char token[NET_TOKEN_MAX], authorization[NET_TOKEN_MAX + 32];
	const char *headers[3];
	struct etcd_call *login;
	usec_t login_at;
	char why[NET_WHY_MAX];
};

static void net_member(struct etcd_net *n, const char *text);
static int net_secrets(struct etcd_net *n, struct error *err);
static char *net_password(const char *path, struct error *err);
static int net_pick(struct etcd_net *n);
static void net_login(struct etcd_net *n);
static void net_login_cb(void *arg, const struct etcd_reply *reply);
static struct etcd_call *net_send(struct etcd_net *n,
    const struct etcd_request *req, etcd_done done, void *arg);
static void net_part_cb(void *arg, const char *data, size_t len);
static void net_done_cb(void *arg, const struct http_answer *ans);
static void net_refused(
    struct etcd_net *n, int member, const struct http_answer *ans);

struct etcd_net *
etcd_net_new(struct loop *loop, struct http *http,
    const struct conf_register *conf, struct error *err)
{
	struct etcd_net *n = xcalloc(1, sizeof(*n));
	int i;

	n->conf = conf;
	n->http = http;
	TAILQ_INIT(&n->calls);
	for (i = 0; conf->endpoints[i] != NULL; i++)
		net_member(n, conf->endpoints[i]);
	if (net_secrets(n, err) != 0) {
		etcd_net_free(n);
		return NULL;
	}
	/* Without it a member that has lost its leader holds a request for
	 * seconds, and answers from what it had. */
	n->headers[0] = "Grpc-Metadata-hasleader: true";
	n->way.tls = conf->ca[0] != '\0';
	n->way.ca = conf->ca;
	n->way.cert = n->cert;
	n->way.key = n->key;
	n->way.headers = n->headers;
	http_trust(http, conf->ca);
	return n;
}

/* The configuration has made sure that it is an address and a port. */
static void
net_member(struct etcd_net *n, const char *text)
{
	struct net_member *m = &n->member[n->members++];
	const char *colon = strrchr(text, ':');
	bool v6 = text[0] == '[';
	size_t len = (size_t)(colon - text);

	m->text = text;
	(void)snprintf(m->name, sizeof(m->name), "%.*s", (int)len, text);
	(void)snprintf(m->address, sizeof(m->address), "%.*s",
	    (int)len - 2 * v6, text + v6);
	if (str_parse_int(colon + 1, 1, 65535, &m->port) == -1)
		abort();
	if (n->conf->server_name[0] != '\0')
		str_cut(m->name, sizeof(m->name), n->conf->server_name);
}

static int
net_secrets(struct etcd_net *n, struct error *err)
{
	const struct conf_register *conf = n->conf;

	if (conf->cert[0] != '\0') {
		n->cert = file_read(conf->cert, NET_PEM_MAX, NULL, err);
		if (n->cert == NULL)
			return error_wrap(err, "register.cert");
		n->key = file_read(conf->key, NET_PEM_MAX, NULL, err);
		if (n->key == NULL)
			return error_wrap(err, "register.key");
	}
	if (conf->user[0] == '\0')
		return 0;
	n->password = net_password(conf->password_file, err);
	if (n->password == NULL)
		return error_wrap(err, "register.password_file");
	return 0;
}

static char *
net_password(const char *path, struct error *err)
{
	struct stat st;
	char *text = file_read(path, 4096, NULL, err);

	if (text == NULL)
		return NULL;
	if (stat(path, &st) != 0 || (st.st_mode & 077) != 0) {
		error_set(err, ERR_REFUSED,
		    "%s may be read by others; chmod 0600 it", path);
		goto fail;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (text[0] != '\0')
		return text;
	error_set(err, ERR_CONFIG,
	    "%s has an empty first line; write the password there", path);
fail:
	free(text);
	return NULL;
}

void
etcd_net_free(struct etcd_net *n)
{
	struct etcd_call *c;

	if (n == NULL)
		return;
	while ((c = TAILQ_FIRST(&n->calls)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): taken out */
		etcd_net_cancel(c);
	free(n->cert);
	if (n->key != NULL)
		explicit_bzero(n->key, strlen(n->key));
	free(n->key);
	if (n->password != NULL)
		explicit_bzero(n->password, strlen(n->password));
	free(n->password);
	free(n);
}

struct etcd_call *
etcd_net_post(struct etcd_net *n, const struct etcd_request *req,
    etcd_done done, void *arg)
{
	if (n->password != NULL && n->token[0] == '\0') {
		net_login(n);
		return NULL;
	}
	return net_send(n, req, done, arg);
}

static struct etcd_call *
net_send(struct etcd_net *n, const struct etcd_request *req, etcd_done done,
    void *arg)
{
	int member = req->member == ETCD_GOOD ? net_pick(n) : req->member;
	const struct net_member *m = &n->member[member];
	struct etcd_call *c = xcalloc(1, sizeof(*c));
	const struct http_request http = { .way = &n->way,
		.name = m->name,
		.address = m->address,
		.port = m->port,
		.path = req->path,
		.body = req->body,
		.body_len = strlen(req->body),
		.deadline = req->deadline,
		.answer_max = NET_ANSWER_MAX,
		.part = req->part == NULL ? NULL : net_part_cb };
	struct error err;

	c->net = n;
	c->member = member;
	c->endless = req->part != NULL;
	c->part = req->part;
	c->done = done;
	c->arg = arg;
	c->sent = clock_now().raw;
	c->http = http_post(n->http, &http, net_done_cb, c, &err);
	if (c->http == NULL) {
		(void)snprintf(
		    n->why, sizeof(n->why), "%s: %.200s", m->text, err.msg);
		free(c);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&n->calls, c, entry);
	return c;
}

void
etcd_net_cancel(struct etcd_call *c)
{
	if (c == NULL)
		return;
	TAILQ_REMOVE(&c->net->calls, c, entry);
	http_cancel(c->http);
	free(c);
}

void
etcd_net_refuse(struct etcd_net *n, int member)
{
	if (n->good == member)
		n->good = (member + 1) % n->members;
}

/* The good one, unless something that it was asked is overdue. */
static int
net_pick(struct etcd_net *n)
{
	usec_t now = clock_now().raw;
	struct etcd_call *c;

	TAILQ_FOREACH(c, &n->calls, entry)
		if (!c->endless && now - c->sent > NET_SLOW)
			etcd_net_refuse(n, c->member);
	return n->good;
}

static void
net_part_cb(void *arg, const char *data, size_t len)
{
	struct etcd_call *c = arg;

	c->part(c->arg, data, len);
}

static void
net_done_cb(void *arg, const struct http_answer *ans)
{
	struct etcd_call *c = arg;
	struct etcd_net *n = c->net;
	struct etcd_reply reply = { .ok = ans->status == 200,
		.member = c->member,
		.body = ans->body,
		.len = ans->len,
		.why = "",
		.sent = c->sent };
	etcd_done done = c->done;
	void *done_arg = c->arg;

	/* What has no end by itself has lived for as long as it may. */
	if (!reply.ok && c->endless &&
	    strcmp(ans->reason, reason_str(REASON_timeout)) == 0) {
		reply.why = ans->reason;
	} else if (!reply.ok) {
		net_refused(n, c->member, ans);
		reply.why = n->why;
	}
	TAILQ_REMOVE(&n->calls, c, entry);
	free(c);
	done(done_arg, &reply);
}

/* It has ended, is of another life of etcd, or is signed and older than the
 * last change of etcd's users and roles. */
static bool
net_token_over(int status, const char *said)
{
	static const char *const texts[] = { "user name is empty",
		"invalid auth token", "revision of auth store is old",
		"revision in header is old" };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strstr(said, texts[i]) != NULL)
			return true;
	return status == 401;
}

static void
net_refused(struct etcd_net *n, int member, const struct http_answer *ans)
{
	const char *text = n->member[member].text;
	char said[160];

	etcd_net_refuse(n, member);
	if (ans->status == 0) {
		(void)snprintf(n->why, sizeof(n->why), "%s: %s%s%.120s", text,
		    ans->reason, ans->message[0] == '\0' ? "" : ": ",
		    ans->message);
		return;
	}
	etcd_error_str(said, sizeof(said), ans->body, ans->len);
	(void)snprintf(
	    n->why, sizeof(n->why), "%s: %d, %s", text, ans->status, said);
	if (net_token_over(ans->status, said))
		n->token[0] = '\0';
}

static void
net_login(struct etcd_net *n)
{
	usec_t now = clock_now().raw;
	struct etcd_request req = { .member = ETCD_GOOD,
		.path = "/v3/auth/authenticate",
		.deadline = NET_LOGIN_DEADLINE };
	char *body;

	if (n->login != NULL ||
	    (n->login_at != 0 && now - n->login_at < NET_LOGIN_AGAIN))
		return;
	if (n->why[0] == '\0')
		str_cut(n->why, sizeof(n->why), "the login is under way");
	n->login_at = now;
	n->headers[1] = NULL;
	body = etcd_login_str(n->conf->user, n->password);
	req.body = body;
	n->login = net_send(n, &req, net_login_cb, n);
	explicit_bzero(body, strlen(body));
	free(body);
}

static void
net_login_cb(void *arg, const struct etcd_reply *reply)
{
	struct etcd_net *n = arg;
	struct error err;

	n->login = NULL;
	if (!reply->ok)
		return;
	if (etcd_login_parse(n->token, sizeof(n->token), reply->body,
		reply->len, &err) != 0) {
		etcd_net_refuse(n, reply->member);
		(void)snprintf(n->why, sizeof(n->why), "%s: %.200s",
		    etcd_net_member(n, reply->member), err.msg);
		n->token[0] = '\0';
		return;
	}
	n->login_at = 0;
	(void)snprintf(n->authorization, sizeof(n->authorization),
	    "Authorization: %s", n->token);
	n->headers[1] = n->authorization;
}

const char *
etcd_net_why(const struct etcd_net *n)
{
	return n->why;
}

int
etcd_net_members(const struct etcd_net *n)
{
	return n->members;
}

const char *
etcd_net_member(const struct etcd_net *n, int member)
{
	return n->member[member].text;
}

int
etcd_net_good(const struct etcd_net *n)
{
	return n->good;
}
