/*
 * The public paths. Every answer is decided when it is given, from the last
 * snapshot and the clock: what the engine said is true until the time that it
 * named, and not a moment longer, whether the engine lives or not.
 */
#include "front/route.h"

#include <stdlib.h>
#include <string.h>

#include "front/conn.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define METRICS_KEPT (200 * USEC_MSEC)

static enum route_answer
route_health(const struct route_snap *s, usec_t now, uint64_t lag)
{
	if (now >= s->fresh_until)
		return ROUTE_SILENT;
	return s->healthy ? ROUTE_UP : ROUTE_DOWN;
}

static enum route_answer
route_ping(const struct route_snap *s, usec_t now, uint64_t lag)
{
	enum route_answer a = route_health(s, now, lag);

	return a == ROUTE_UP ? ROUTE_PING : a;
}

static enum route_answer
route_primary(const struct route_snap *s, usec_t now, uint64_t lag)
{
	if (s->primary_until == 0)
		return ROUTE_NOT_PRIMARY;
	return now < s->primary_until ? ROUTE_PRIMARY : ROUTE_EXPIRED;
}

static enum route_answer
route_standby(const struct route_snap *s, usec_t now, uint64_t lag)
{
	if (s->standby_until == 0)
		return ROUTE_NOT_STANDBY;
	if (now >= s->standby_until)
		return ROUTE_STALE;
	return s->lag <= lag ? ROUTE_STANDBY : ROUTE_BEHIND;
}

static enum route_answer
route_live(const struct route_snap *s, usec_t now, uint64_t lag)
{
	return now < s->fresh_until ? ROUTE_LIVE : ROUTE_SILENT;
}

static enum route_answer
route_ready(const struct route_snap *s, usec_t now, uint64_t lag)
{
	if (now >= s->fresh_until)
		return ROUTE_SILENT;
	return s->ready ? ROUTE_READY : ROUTE_UNREADY;
}

static enum route_answer
route_status(const struct route_snap *s, usec_t now, uint64_t lag)
{
	return now < s->fresh_until ? ROUTE_STATUS : ROUTE_OLD_STATUS;
}

static enum route_answer
route_page(const struct route_snap *s, usec_t now, uint64_t lag)
{
	return ROUTE_PAGE;
}

static enum route_answer
route_metrics(const struct route_snap *s, usec_t now, uint64_t lag)
{
	return ROUTE_METRICS;
}

/* clang-format off */
const struct route route_table[] = {
	{ "/health",  route_health,  "this host should get traffic" },
	{ "/ping",    route_ping,    "the same, with a body to match" },
	{ "/primary", route_primary, "PostgreSQL here is the primary" },
	{ "/standby", route_standby, "PostgreSQL here is a standby" },
	{ "/live",    route_live,    "the engine is alive" },
	{ "/ready",   route_ready,   "a takeover is possible now" },
	{ "/status",  route_status,  "everything, as JSON" },
	{ "/metrics", route_metrics, "the same, for Prometheus" },
	{ "/",        route_page,    "this page" },
	{ NULL, NULL, NULL },
};
/* clang-format on */

struct routes *
routes_new(const struct front_conf *conf)
{
	static const struct {
		int status;
		const char *reason, *body;
	} table[ROUTE_COUNT] = {
#define X(id, s, r, b) \
	[ROUTE_##id] = { .status = (s), .reason = (r), .body = (b) },
		ROUTE_ANSWERS(X)
#undef X
	};
	struct routes *r = xcalloc(1, sizeof(*r));
	struct response_spec spec;
	int i;

	r->conf = conf;
	for (i = 0; i < ROUTE_COUNT; i++) {
		spec = (struct response_spec){ .status = table[i].status,
			.reason = table[i].reason,
			.body = table[i].body };
		if (i == ROUTE_NO_METHOD)
			spec.allow = "GET, HEAD";
		if (i == ROUTE_STATUS)
			spec.type = "application/json";
		if (i == ROUTE_PING)
			spec.body = conf->ping_body;
		response_make(&r->answer[i], &spec);
	}
	return r;
}

void
routes_free(struct routes *r)
{
	int i;

	if (r == NULL)
		return;
	for (i = 0; i < ROUTE_COUNT; i++)
		response_fini(&r->answer[i]);
	response_fini(&r->metrics);
	free(r);
}

/* Renders anew what has changed: snapshots come often and say little new. */
static void
routes_render(struct routes *r, enum route_answer which, const char *reasons)
{
	struct response *down = &r->answer[which];
	char *body;

	if (reasons[0] == '\0')
		reasons = which == ROUTE_DOWN ? "unhealthy" : "not-ready";
	body = xasprintf("%s\n", reasons);
	if (strcmp(down->buf + down->head, body) != 0)
		response_make(
		    down, &(struct response_spec){
			      .status = 503, .reason = reasons, .body = body });
	free(body);
}

int
routes_document(struct routes *r, const json_t *doc, struct error *err)
{
	const char *text = json_string_value(doc);

	if (text == NULL)
		return error_set(err, ERR_PROTOCOL, "a document without text");
	response_make(
	    &r->answer[ROUTE_STATUS], &(struct response_spec){ .status = 200,
					  .reason = "ok",
					  .type = "application/json",
					  .body = text });
	r->metrics_until = 0;
	return 0;
}

int
routes_update(struct routes *r, const json_t *snap, struct error *err)
{
	struct route_snap s = { 0 };
	const char *reasons =
	    json_string_value(json_object_get(snap, "reasons"));
	const char *unready =
	    json_string_value(json_object_get(snap, "unready"));

	if (reasons == NULL)
		return error_set(err, ERR_PROTOCOL, "a snapshot without text");
	if (json_want_i64(snap, "fresh", 0, USEC_NEVER, &s.fresh_until, err) ==
		-1 ||
	    json_want_i64(
		snap, "primary", 0, USEC_NEVER, &s.primary_until, err) == -1 ||
	    json_want_i64(
		snap, "standby", 0, USEC_NEVER, &s.standby_until, err) == -1 ||
	    json_want_u64(snap, "lag", &s.lag, err) == -1 ||
	    json_want_bool(snap, "healthy", &s.healthy, err) == -1)
		return error_wrap(err, "snapshot");
	s.ready = json_is_true(json_object_get(snap, "ready"));
	r->snap = s;
	r->snapped = true;
	r->metrics_until = 0;
	routes_render(r, ROUTE_DOWN, reasons);
	routes_render(r, ROUTE_UNREADY, unready == NULL ? "" : unready);
	return 0;
}

/* "lag=" and a number of bytes. */
static bool
route_lag(const struct http1 *req, uint64_t *lag)
{
	size_t i;
	uint64_t n = 0;

	if (req->query_len < 5 || req->query_len > 4 + 18 ||
	    memcmp(req->query, "lag=", 4) != 0)
		return false;
	for (i = 4; i < req->query_len; i++) {
		if (req->query[i] < '0' || req->query[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(req->query[i] - '0');
	}
	*lag = n;
	return true;
}

static enum route_answer
route_decide(const struct routes *r, const struct http1 *req, usec_t now)
{
	const struct route *row;
	uint64_t lag = ROUTE_LAG_ANY;

	for (row = route_table; row->path != NULL; row++)
		if (strlen(row->path) == req->path_len &&
		    memcmp(row->path, req->path, req->path_len) == 0)
			break;
	if (row->path == NULL)
		return ROUTE_NO_PATH;
	if (!http1_method(req, "GET") && !http1_method(req, "HEAD"))
		return ROUTE_NO_METHOD;
	if (req->query != NULL) {
		if (row->decide != route_standby)
			return ROUTE_NO_PATH;
		if (!route_lag(req, &lag))
			return ROUTE_BAD_QUERY;
	}
	return row->decide(&r->snap, now, lag);
}

/* Kept for a moment: many may ask. */
static void
route_metrics_make(struct routes *r, usec_t now)
{
	const struct response *doc = &r->answer[ROUTE_STATUS];
	char *text;

	if (now < r->metrics_until)
		return;
	text = metrics_text(&r->snap, doc->buf + doc->head, now);
	response_make(
	    &r->metrics, &(struct response_spec){ .status = 200,
			     .reason = "ok",
			     .type = "text/plain; version=0.0.4; charset=utf-8",
			     .body = text });
	free(text);
	r->metrics_until = now + METRICS_KEPT;
}

void
route_handle(struct conn *c, const struct http1 *req, const char *body)
{
	struct routes *r = c->on->front->routes;
	const struct response *doc = &r->answer[ROUTE_STATUS];
	usec_t now = front_raw();
	enum route_answer a = route_decide(r, req, now);
	char *html;

	if (a < ROUTE_COUNT) {
		conn_answer(c, &r->answer[a]);
	} else if (a == ROUTE_OLD_STATUS) {
		conn_say(c, &(struct response_spec){ .status = 503,
				.reason = "engine-silent",
				.type = "application/json",
				.body = doc->buf + doc->head });
	} else if (a == ROUTE_METRICS) {
		route_metrics_make(r, now);
		conn_answer(c, &r->metrics);
	} else {
		html = page_html(r, now);
		conn_say(c, &(struct response_spec){ .status = 200,
				.reason = "ok",
				.type = "text/html; charset=utf-8",
				.body = html });
		free(html);
	}
}
