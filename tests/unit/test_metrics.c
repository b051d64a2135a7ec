/*
 * /metrics: what the real front makes of a status document, as Prometheus'
 * own tool reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fronttest.h"
#include "hawatch/types.h"

static const char document[] =
    "{\"schema\":1,\"version\":\"1.2\",\"node\":\"s1\",\"cluster\":\"v\","
    "\"mode\":\"auto\",\"role\":\"primary\","
    "\"record\":{\"epoch\":7,\"holder\":\"s1\",\"candidates\":[\"s2\"]},"
    "\"paused\":{\"until\":\"x\",\"left_ms\":61500},"
    "\"register\":{\"read\":true},\"lease\":{\"endless\":false},"
    "\"fence\":{\"writers\":\"open\",\"armed\":\"yes\"},"
    "\"durable\":{\"latch\":false},"
    "\"plan\":{\"name\":\"takeover\",\"row\":\"converge\"},"
    "\"postgres\":{\"state\":\"primary\",\"timeline\":3,\"senders\":"
    "[{\"node\":\"s2\",\"lag_bytes\":120}]},"
    "\"checks\":[{\"name\":\"iam\",\"type\":\"http\",\"up\":\"yes\","
    "\"seen_ms\":250,\"took_us\":1500},"
    "{\"name\":\"a \\\"b\\\" \\\\ c\",\"type\":\"tcp\",\"up\":\"no\","
    "\"seen_ms\":10,\"took_us\":7},"
    "{\"name\":\"new\",\"type\":\"tcp\",\"up\":\"unknown\","
    "\"seen_ms\":null,\"took_us\":0}],"
    "\"drift\":{\"count\":1,\"items\":[{\"name\":\"db\",\"type\":\"line\","
    "\"holds\":\"no\"}]},"
    "\"traffic\":[{\"name\":\"lb\",\"ok\":\"yes\"},"
    "{\"name\":\"new\",\"ok\":\"unknown\"}],"
    "\"hosts\":[{\"node\":\"s2\",\"heard_ms\":400}]}";

/* Until it says the line; buf gets the body. */
static void
scrape(const char *line, char *buf, size_t size)
{
	usec_t end = fh_now() + 5 * USEC_SEC;
	const char *body;

	do {
		if (fh_now() > end)
			fail_msg("never said %s: %s", line, buf);
		assert_int_equal(
		    fh_get(fh.health_port, "/metrics", buf, size), 200);
	} while (!fh_has(buf, line));
	assert_true(fh_has(buf, "text/plain; version=0.0.4"));
	body = strstr(buf, "\r\n\r\n");
	assert_non_null(body);
	memmove(buf, body + 4, strlen(body + 4) + 1);
}

static void
says(const char *text, const char *line)
{
	if (strstr(text, line) == NULL)
		fail_msg("does not say \"%s\": %s", line, text);
}

/* Prometheus' own reading: names, types, help, labels. */
static void
promtool(const char *text)
{
	FILE *out;
	int rc;

	if (access("/usr/bin/promtool", X_OK) != 0)
		return;
	out = popen("/usr/bin/promtool check metrics", "w");
	assert_non_null(out);
	fputs(text, out);
	rc = pclose(out);
	if (rc != 0)
		fail_msg("promtool: %d: %s", rc, text);
}

static void
test_metrics(void **state)
{
	struct fh_snap s = { .fresh = 60 * USEC_SEC,
		.primary = 30 * USEC_SEC,
		.status = document };
	static char buf[65536];

	fh_snap(&fh, &s);
	scrape("\nhawatch_epoch 7\n", buf, sizeof(buf));
	says(buf, "\nhawatch_up 1\n");
	says(buf, "\nhawatch_build_info{version=\"1.2\",node=\"s1\",");
	says(buf, "\nhawatch_health 1\n");
	says(buf, "\nhawatch_primary 1\n");
	says(buf, "\nhawatch_standby 0\n");
	says(buf, "\nhawatch_lease_remaining_seconds 29.");
	says(buf, "\nhawatch_candidates 1\n");
	says(buf, "\nhawatch_paused 1\n");
	says(buf, "\nhawatch_pause_remaining_seconds 61.5\n");
	says(buf, "\nhawatch_replication_lag_bytes{node=\"s2\"} 120\n");
	says(buf, "\nhawatch_check_up{check=\"iam\",type=\"http\"} 1\n");
	says(buf, "\nhawatch_check_up{check=\"a \\\"b\\\" \\\\ c\",type=");
	says(buf, "\nhawatch_check_duration_seconds{check=\"iam\","
		  "type=\"http\"} 0.0015\n");
	says(buf, "\nhawatch_check_age_seconds{check=\"iam\",type=\"http\"} "
		  "0.25\n");
	says(buf, "\nhawatch_drift_items 1\n");
	says(buf, "\nhawatch_item_holds{item=\"db\",type=\"line\"} 0\n");
	says(buf, "\nhawatch_traffic_ok{balancer=\"lb\"} 1\n");
	says(buf, "\nhawatch_plan_running{plan=\"takeover\",step=");
	says(buf, "\nhawatch_peer_heard_seconds{node=\"s2\"} 0.4\n");
	assert_null(strstr(buf, "\"new\""));
	promtool(buf);
	/* Without end. */
	s.primary = USEC_NEVER;
	fh_snap(&fh, &s);
	scrape("\nhawatch_lease_remaining_seconds +Inf\n", buf, sizeof(buf));
	promtool(buf);
}

/* A standby; and a witness, which has next to nothing to say. */
static void
test_others(void **state)
{
	struct fh_snap s = { .fresh = 60 * USEC_SEC,
		.standby = 60 * USEC_SEC,
		.lag = 77,
		.unhealthy = true,
		.status = "{\"node\":\"s2\",\"postgres\":{\"state\":"
			  "\"standby\"}}" };
	static char buf[65536];

	fh_snap(&fh, &s);
	scrape("lag_bytes{node=\"s2\"} 77\n", buf, sizeof(buf));
	says(buf, "\nhawatch_standby 1\n");
	says(buf, "\nhawatch_health 0\n");
	says(buf, "\nhawatch_lease_remaining_seconds 0\n");
	promtool(buf);
	s = (struct fh_snap){ .fresh = 60 * USEC_SEC,
		.status = "{\"node\":\"w\",\"mode\":\"manual\"}" };
	fh_snap(&fh, &s);
	scrape("mode=\"manual\"", buf, sizeof(buf));
	promtool(buf);
	/* Whatever the document is, it is no document. */
	s.status = "not JSON";
	fh_snap(&fh, &s);
	scrape("\nhawatch_up 0\n", buf, sizeof(buf));
	promtool(buf);
}

/* The engine is silent: what it said last is not passed on as if it were so
 * now. */
static void
test_silent(void **state)
{
	struct fh_snap s = { .fresh = 300 * USEC_MSEC,
		.primary = 300 * USEC_MSEC,
		.status = document };
	static char buf[65536];

	fh_snap(&fh, &s);
	scrape("\nhawatch_up 1\n", buf, sizeof(buf));
	scrape("\nhawatch_up 0\n", buf, sizeof(buf));
	says(buf, "\nhawatch_primary 0\n");
	says(buf, "\nhawatch_health 0\n");
	assert_null(strstr(buf, "hawatch_check"));
	assert_null(strstr(buf, "hawatch_epoch"));
	promtool(buf);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fh_test_start, fh_test_stop)
	const struct CMUnitTest tests[] = {
		T(test_metrics),
		T(test_others),
		T(test_silent),
	};

	return cmocka_run_group_tests(tests, fh_group_setup, fh_group_teardown);
}
