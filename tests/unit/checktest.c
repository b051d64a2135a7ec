/*
 * Checks, one look at a time; see checktest.h.
 */
#include "checktest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/match.h"
#include "hawatch/emit.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "probetest.h"

char checktest_pki[64], checktest_reason[160];

static void
no_line(void *arg, enum level level, const char *line)
{
}

int
checktest_group_setup(void **state)
{
	emit_to(no_line, NULL);
	httptest_pki(checktest_pki, (const char *const[]){ "prod-s2", NULL });
	return 0;
}

int
checktest_group_teardown(void **state)
{
	httptest_pki_free(checktest_pki);
	return 0;
}

int
checktest_setup(void **state)
{
	struct checktest *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->web = http_new(f->loop, NULL, &err);
	f->probe = probe_new(f->loop, probetest_program(), &err);
	if (f->probe == NULL)
		fail_msg("%s", err.msg);
	f->env = (struct check_env){ .loop = f->loop,
		.conf = &f->conf,
		.web = f->web,
		.probe = f->probe,
		.matcher = matcher_new(f->loop) };
	snprintf(f->socket, sizeof(f->socket), "%s/web.sock", checktest_pki);
	snprintf(f->ca, sizeof(f->ca), "%s/ca.crt", checktest_pki);
	*state = f;
	return 0;
}

int
checktest_teardown(void **state)
{
	struct checktest *f = *state;

	httptest_free(f->server);
	matcher_free(f->env.matcher);
	unlink(f->socket);
	probe_free(f->probe);
	http_free(f->web);
	loop_free(f->loop);
	free(f);
	return 0;
}

struct conf_check
checktest_row(const char *type)
{
	return (struct conf_check){ .name = type,
		.type = type,
		.interval = 20 * USEC_MSEC,
		.timeout = 5 * USEC_SEC,
		.window = 1,
		.threshold = 1,
		.address = "",
		.socket = "",
		.ca = "",
		.host = "prod-s2",
		.path = "",
		.nonce = "",
		.status = 200,
		.body = "",
		.json = "",
		.header = "",
		.run_as = "" };
}

void
checktest_settled(void *arg, struct check *c)
{
	struct checktest *f = arg;

	check_state(c, &f->st);
	f->settled++;
	loop_stop(f->loop);
}

const char *
checktest_once(struct checktest *f, const struct conf_check *conf)
{
	struct check *c;

	c = check_new(
	    &f->env, checks_type(conf->type), conf, checktest_settled, f);
	loop_run(f->loop, NULL, NULL);
	snprintf(
	    checktest_reason, sizeof(checktest_reason), "%s", f->st.reason);
	if (f->st.last == ANS_UNKNOWN)
		snprintf(checktest_reason, sizeof(checktest_reason),
		    "unknown: %s", f->st.reason);
	assert_true((f->st.last == ANS_YES) == (checktest_reason[0] == '\0'));
	check_free(c);
	return checktest_reason;
}
