/*
 * What stands against a takeover: each reason, one at a time, on the holder
 * and on a candidate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/ready.h"
#include "engine/reports.h"
#include "hawatch/agent.h"

#define A 0 /* this host, where it is the holder */
#define B 1

static struct {
	enum answer room;
	bool silent;
	enum answer config;
	int agents;
	enum answer agent;
} fake;

static struct conf conf;
static struct engine eng;
static struct core_status st;
static struct now now = { .raw = 1000 * USEC_SEC };

/* What the engine's other parts would be. */

const struct host_report *
reports_of(const struct reports *r, node_t node, const struct now *at)
{
	static struct host_report report;

	report.room = fake.room;
	return fake.silent ? NULL : &report;
}

enum answer
reports_config(const struct reports *r, node_t node, bool vital)
{
	assert_true(vital);
	return node == B ? fake.config : ANS_UNKNOWN;
}

int
agents_count(const struct agents *a)
{
	return fake.agents;
}

void
agents_state(const struct agents *a, int i, struct agent_state *as)
{
	static struct conf_agent agent[] = { { .target = B }, { .target = A } };

	*as = (struct agent_state){ .conf = &agent[i], .ok = fake.agent };
}

static const char *
look(void)
{
	static char reasons[READY_MAX];

	ready_look(&eng, &st, &now, reasons, sizeof(reasons));
	return reasons;
}

static int
setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	memset(&conf, 0, sizeof(conf));
	memset(&st, 0, sizeof(st));
	conf.node_count = 3;
	conf.mode = MODE_AUTO;
	conf.proof_lease = true;
	eng.conf = &conf;
	eng.core = (struct core *)&fake;
	eng.agents = (struct agents *)&fake;
	st.rel = REL_HELD;
	st.register_ok = true;
	st.armed = ANS_YES;
	st.rec.state = REC_HELD;
	st.rec.holder = A;
	st.rec.candidates = NODE_BIT(B);
	st.claim_block = "is-holder";
	return 0;
}

static void
test_holder(void **state)
{
	assert_string_equal(look(), "");
	fake.silent = true;
	assert_string_equal(look(), "no-candidate");
	fake.silent = false;
	fake.room = ANS_NO;
	assert_string_equal(look(), "no-candidate");
	fake.room = ANS_YES;
	assert_string_equal(look(), "");
	st.paused_until = 1;
	st.rec.candidates = 0;
	assert_string_equal(look(), "paused,no-candidate");
	st.paused_until = 0;
	st.rec.candidates = NODE_BIT(B);
	fake.config = ANS_NO;
	assert_string_equal(look(), "config-differs");
	fake.config = ANS_UNKNOWN;
	st.plan = "switchover";
	st.armed = ANS_NO;
	assert_string_equal(look(), "plan-runs,not-armed");
	conf.mode = MODE_MANUAL;
	st.register_ok = false;
	st.cold = st.amnesiac = true;
	st.rec.state = REC_NONE;
	assert_string_equal(look(),
	    "mode,register-down,register-cold,register-amnesiac,no-record,"
	    "plan-runs,not-armed");
	eng.core = NULL;
	assert_string_equal(look(), "witness");
}

/* What it waits for anyway is nothing against it; no reason comes twice. */
static void
test_candidate(void **state)
{
	st.rel = REL_OTHER;
	st.claim_block = "lease-runs";
	assert_string_equal(look(), "");
	st.claim_block = "wal-behind";
	assert_string_equal(look(), "wal-behind");
	st.claim_block = "paused";
	st.paused_until = 1;
	assert_string_equal(look(), "paused");
	st.paused_until = 0;
	st.claim_block = "not-armed";
	st.armed = ANS_NO;
	assert_string_equal(look(), "not-armed");
}

/* Where only agents are a proof, one of the holder's has to answer; where
 * nothing is, that is no fault: a lost host is left to people. */
static void
test_proof(void **state)
{
	st.rel = REL_OTHER;
	st.claim_block = "lease-runs";
	conf.proof_lease = false;
	assert_string_equal(look(), "");
	conf.proof_agent = true;
	assert_string_equal(look(), "no-proof");
	fake.agents = 1;
	fake.agent = ANS_YES;
	assert_string_equal(look(), "no-proof");
	fake.agents = 2;
	assert_string_equal(look(), "");
	fake.agent = ANS_NO;
	assert_string_equal(look(), "no-proof");
	st.claim_block = "no-proof";
	assert_string_equal(look(), "no-proof");
}

#define T(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_holder), T(test_candidate),
		T(test_proof) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
