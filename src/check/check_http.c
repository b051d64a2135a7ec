/*
 * Check "http": one request, and what its answer must be. Redirects are an
 * answer like any other. What an answer must contain is judged in answer.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/answer.h"
#include "check/match.h"
#include "check/modules.h"
#include "hawatch/http.h"
#include "hawatch/mem.h"
#include "hawatch/random.h"
#include "hawatch/reason.h"

#define CHECK_HTTP_MAX ((size_t)64 * 1024)

struct check_http_priv {
	struct http_call *call; /* while a probe runs */
	struct http_way way;
};

static int check_http_start(struct check *c, struct error *err);
static void check_http_cancel(struct check *c);

const struct check_ops check_http = {
	.name = "http",
	.priv_size = sizeof(struct check_http_priv),
	.start = check_http_start,
	.cancel = check_http_cancel,
};

static void
check_http_cancel(struct check *c)
{
	struct check_http_priv *p = check_priv(c);

	http_cancel(p->call);
	p->call = NULL;
	matcher_cancel(check_env(c)->matcher);
}

static enum reason
check_http_judge(const struct conf_check *conf, const struct http_answer *ans)
{
	if (conf->header[0] != '\0' && !answer_header(conf->header, ans))
		return REASON_http_header;
	if (conf->json[0] != '\0' &&
	    !answer_json(conf->json, ans->body, ans->len))
		return REASON_http_json;
	return REASON_ok;
}

static void
check_http_end(struct check *c, enum reason reason)
{
	check_done(c, reason == REASON_ok ? ANS_YES : ANS_NO,
	    reason == REASON_ok ? "" : reason_str(reason));
}

static void
check_http_matched(void *arg, bool yes)
{
	check_http_end(arg, yes ? REASON_ok : REASON_http_body);
}

/* A search that is still under way is that of an earlier probe. */
static void
check_http_match(struct check *c, const char *body)
{
	struct matcher *m = check_env(c)->matcher;

	if (matcher_busy(m))
		check_http_end(c, REASON_timeout);
	else
		matcher_start(
		    m, check_conf(c)->body, body, check_http_matched, c);
}

static void
check_http_done(void *arg, const struct http_answer *ans)
{
	struct check *c = arg;
	struct check_http_priv *p = check_priv(c);
	const struct conf_check *conf = check_conf(c);
	enum reason reason;
	char text[64];

	p->call = NULL;
	if (ans->status == 0) {
		check_done(c, ANS_NO, ans->reason);
		return;
	}
	if (ans->status != conf->status) {
		(void)snprintf(text, sizeof(text), "%s %d",
		    reason_str(REASON_http_status), ans->status);
		check_done(c, ANS_NO, text);
		return;
	}
	reason = check_http_judge(conf, ans);
	if (reason == REASON_ok && conf->body[0] != '\0')
		check_http_match(c, ans->body);
	else
		check_http_end(c, reason);
}

/* With a value that no cache has seen. Caller frees. */
static char *
check_http_path(const struct conf_check *conf)
{
	if (conf->nonce[0] == '\0')
		return xstrdup(conf->path);
	return xasprintf("%s%c%s=%016llx", conf->path,
	    strchr(conf->path, '?') == NULL ? '?' : '&', conf->nonce,
	    (unsigned long long)random_u64());
}

static int
check_http_start(struct check *c, struct error *err)
{
	struct check_http_priv *p = check_priv(c);
	const struct conf_check *conf = check_conf(c);
	const char *address = check_address(c, err);
	struct http_request req = { .way = &p->way,
		.name = conf->host,
		.address = address,
		.port = conf->port,
		.deadline = conf->timeout,
		.answer_max = CHECK_HTTP_MAX };
	char *path;

	if (address == NULL)
		return -1;
	if (check_env(c)->web == NULL)
		return error_set(err, ERR_CONFIG, "there is no HTTP client");
	if (conf->body[0] != '\0' && check_env(c)->matcher == NULL)
		return error_set(err, ERR_CONFIG, "there is no matcher");
	p->way.socket = conf->socket[0] == '\0' ? NULL : conf->socket;
	p->way.tls = conf->tls;
	p->way.ca = conf->ca;
	path = check_http_path(conf);
	req.path = path;
	p->call = http_post(check_env(c)->web, &req, check_http_done, c, err);
	free(path);
	return p->call == NULL ? -1 : 0;
}
