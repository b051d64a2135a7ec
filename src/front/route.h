/* The public paths, for route.c and page.c. */
#ifndef FRONT_ROUTE_H
#define FRONT_ROUTE_H

#include "front/front.h"

#define ROUTE_LAG_ANY UINT64_MAX

/* What was pushed last, without its text. Times are raw. */
struct route_snap {
	usec_t fresh_until, primary_until, standby_until;
	uint64_t lag;
	bool healthy, ready;
};

/* id, status, reason, body (NULL: the reason) */
#define ROUTE_ANSWERS(X) \
	X(UP, 200, "ok", NULL) \
	X(DOWN, 503, "unhealthy", NULL) \
	X(PING, 200, "ok", NULL) \
	X(PRIMARY, 200, "primary", NULL) \
	X(NOT_PRIMARY, 503, "not-primary", NULL) \
	X(EXPIRED, 503, "lease-expired", NULL) \
	X(STANDBY, 200, "standby", NULL) \
	X(NOT_STANDBY, 503, "not-standby", NULL) \
	X(STALE, 503, "standby-stale", NULL) \
	X(BEHIND, 503, "lag", NULL) \
	X(LIVE, 200, "live", NULL) \
	X(SILENT, 503, "engine-silent", NULL) \
	X(READY, 200, "ready", NULL) \
	X(UNREADY, 503, "not-ready", NULL) \
	X(STATUS, 200, "ok", "{}") \
	X(BAD_QUERY, 400, "bad-query", NULL) \
	X(NO_PATH, 404, "no-such-path", NULL) \
	X(NO_METHOD, 405, "method", NULL)

enum route_answer {
#define X(id, status, reason, body) ROUTE_##id,
	ROUTE_ANSWERS(X)
#undef X
	    ROUTE_COUNT,
	ROUTE_PAGE = ROUTE_COUNT, /* made when asked for */
	ROUTE_OLD_STATUS,
	ROUTE_METRICS
};

struct route {
	const char *path;
	enum route_answer (*decide)(
	    const struct route_snap *s, usec_t now, uint64_t lag);
	const char *text; /* for the page */
};

struct routes {
	const struct front_conf *conf;
	struct route_snap snap;
	bool snapped; /* at least one snapshot came */
	struct response answer[ROUTE_COUNT];
	struct response metrics;
	usec_t metrics_until; /* raw: it is made anew then; 0 now */
};

/* All rows, ended by one without a path. */
extern const struct route route_table[];

/* metrics.c: the text for Prometheus; caller frees. */
char *metrics_text(
    const struct route_snap *snap, const char *doc, usec_t now) MUST_CHECK;

/* page.c: HTML of the small status page; caller frees. */
char *page_html(const struct routes *r, usec_t now) MUST_CHECK;

#endif
