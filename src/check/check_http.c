/*
 * Check "http": one request, and what its answer must be. Redirects are an
 * answer like any other. What an answer must contain is judged in answer.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/answer.h"
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
}

static enum reason
check_http_judge(const struct conf_check *conf, const struct http_answer *ans)
{
	if (conf->header[0] != '\0' && !answer_header(conf->header, ans))
		return REASON_http_header;
	if (conf->body[0] != '\0' && !answer_body(conf->body, ans->body))
		return REASON_http_body;
	if (conf->json[0] != '\0' &&
	    !answer_json(conf->json, ans->body, ans->len))
		return REASON_http_json;
	return REASON_ok;
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
	check_done(c, reason == REASON_ok ? ANS_YES : ANS_NO,
	    reason == REASON_ok ? "" : reason_str(reason));
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
	p->way.socket = conf->socket[0] == '\0' ? NULL : conf->socket;
	p->way.tls = conf->tls;
	p->way.ca = conf->ca;
	path = check_http_path(conf);
	req.path = path;
	p->call = http_post(check_env(c)->web, &req, check_http_done, c, err);
	free(path);
	return p->call == NULL ? -1 : 0;
}
