/*
 * The small world of coretest.h. It keeps no rule of its own: writes go
 * through the arbiter, everything else is told as the test set it.
 */
#include "coretest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const ct_node[] = { "a", "b", "c", "d" };
static struct names ct_names = { .cluster = "test", .count = 4 };

static void ct_do(struct ct *t, const struct action *a);

void
ct_init(struct ct *t, node_t self, bool three)
{
	int k;

	memset(t, 0, sizeof(*t));
	for (k = 0; k < 4; k++)
		ct_names.node[k] = ct_node[k];
	t->conf.names = &ct_names;
	t->conf.self = self;
	t->conf.data = three ? BIT_A | BIT_B | BIT_C : BIT_A | BIT_B;
	t->conf.mode = CORE_AUTO;
	t->conf.ttl = CT_T;
	t->conf.slack = 50 * MSEC;
	t->conf.clock_ppm = 1000;
	t->conf.min_interval = 600 * SEC;
	t->conf.proof_lease = true;
	t->conf.standby_timeout = 500 * MSEC;
	t->conf.start_timeout = 60 * SEC;
	t->now.raw = 1000 * SEC;
	t->now.wall = 1700000000 * SEC;
	t->read_ok = t->disk_ok = t->probe = true;
	t->fence = ANS_YES;
	t->armed = ANS_YES;
	t->yes = t->tells = t->conf.data;
	for (k = 0; k < ACT_COUNT; k++)
		t->act[k] = ANS_YES;
}

void
ct_free(struct ct *t)
{
	core_free(t->c);
	t->c = NULL;
}

void
ct_start(struct ct *t, const struct durable *disk, usec_t element)
{
	static unsigned incarnation;
	char seed[ID_MAX] = "seed-";

	seed[5] = (char)('a' + incarnation / 26 % 26);
	seed[6] = (char)('a' + incarnation++ % 26);
	t->c = core_new(&t->conf, disk, seed, &t->now);
	core_on_start_fence(t->c, element);
	core_on_armed(t->c, &t->now, t->armed, "");
}

void
ct_restart(struct ct *t, usec_t element)
{
	struct durable disk = t->disk;

	ct_free(t);
	ct_clear(t);
	ct_start(t, &disk, element);
}

struct record *
ct_record(
    struct ct *t, enum rec_state state, node_t holder, nodeset_t candidates)
{
	struct reg_value *v = &t->reg.value;

	memset(&t->reg, 0, sizeof(t->reg));
	strcpy(v->instance, "I0");
	v->revision = 10;
	v->rec.epoch = 5;
	v->rec.seq = 10;
	v->rec.state = state;
	v->rec.holder = v->rec.written_by = holder;
	v->rec.target = NODE_NONE;
	v->rec.candidates = candidates;
	v->rec.ttl = CT_T;
	v->rec.timeline = 1;
	v->rec.system_id = CT_SYSTEM;
	v->rec.lsn = 100;
	strcpy(v->rec.nonce, "n10");
	return &v->rec;
}

void
ct_read(struct ct *t)
{
	t->read_at = t->now.raw;
	if (!t->read_ok) {
		core_on_read_failed(t->c, &t->now);
		return;
	}
	t->revision_seen = t->reg.value.revision;
	core_on_read(t->c, &t->now, t->now.raw, &t->reg.value);
}

void
ct_view(struct ct *t)
{
	t->view_at = t->now.raw;
	if (t->pg_silent)
		return;
	t->pg.seen_at = t->now.raw;
	if (t->probe && t->pg.recovery == ANS_NO && t->pg.running == ANS_YES)
		t->pg.probe_at = t->now.raw;
	core_on_pg(t->c, &t->now, &t->pg);
}

void
ct_primary(struct ct *t, nodeset_t sync, lsn_t wal)
{
	t->pg.running = ANS_YES;
	t->pg.recovery = ANS_NO;
	t->pg.timeline = 1;
	t->pg.system_id = CT_SYSTEM;
	t->pg.wal_end = t->pg.insert = wal;
	t->pg.signal = false;
	t->pg.sync_names = sync;
	t->pg.fsync = true;
}

void
ct_standby(struct ct *t, lsn_t wal)
{
	ct_primary(t, 0, wal);
	t->pg.recovery = ANS_YES;
	t->pg.signal = true;
	t->pg.receiver = true;
	t->pg.source = BIT_A;
	/* The names that a standby prepares. */
	t->pg.sync_names = t->conf.data & ~NODE_BIT(t->conf.self);
}

void
ct_streams(struct ct *t, node_t n, lsn_t flush)
{
	t->pg.sender[n] = (struct pg_sender){ .streaming = true,
		.sent = flush,
		.flush = flush,
		.replay = flush };
}

void
ct_act(struct ct *t, enum act_kind kind, enum answer result)
{
	const struct action *a = ct_last_act(t, kind);
	struct goal goal;

	assert(a != NULL);
	goal = a->goal;
	/* standby.signal alone decides the role; nobody starts the other. */
	if (result == ANS_YES && kind == ACT_START &&
	    goal.standby != (t->pg.running == ANS_YES ?
				    t->pg.recovery == ANS_YES :
				    t->pg.signal))
		result = ANS_NO;
	if (result == ANS_YES && kind == ACT_NAMES)
		t->pg.sync_names = goal.names;
	else if (result == ANS_YES && kind == ACT_FOLLOW)
		t->pg.source = NODE_BIT(goal.node);
	else if (result == ANS_YES && kind == ACT_SIGNAL)
		t->pg.signal = true;
	else if (result == ANS_YES && kind == ACT_STOP)
		t->pg.running = ANS_NO;
	else if (result == ANS_YES && kind == ACT_START) {
		t->pg.running = ANS_YES;
		t->pg.recovery = goal.standby ? ANS_YES : ANS_NO;
	} else if (result == ANS_YES && kind == ACT_PROMOTE) {
		t->pg.recovery = ANS_NO;
		t->pg.signal = false;
		t->pg.timeline++;
	} else if (kind == ACT_WAITING)
		goal.lsn = t->pg.insert;
	else if (kind == ACT_COMPARE) {
		goal.fork = t->fork;
		strcpy(goal.why, t->fork == FORK_CLONE ? "no-hints" : "");
	}
	core_on_act(t->c, &t->now, kind, &goal, result,
	    result == ANS_NO ? "refused" : "");
	ct_view(t);
}

static void
ct_do_cas(struct ct *t, const struct do_cas *cas)
{
	struct arbiter next;
	enum cas_result res;
	bool changed;

	if (t->cas == CT_CAS_LOST)
		return;
	if (t->cas == CT_CAS_FAIL) {
		core_on_cas(t->c, &t->now, cas->id, CAS_UNKNOWN, 0, "");
		return;
	}
	res = arbiter_cas(&t->reg, cas, t->conf.data, &next, &changed);
	if (res == CAS_CONFIRMED && changed)
		t->reg = next;
	if (t->cas == CT_CAS_OK)
		core_on_cas(t->c, &t->now, cas->id, res, t->reg.value.revision,
		    t->reg.value.instance);
}

static void
ct_do_ask(struct ct *t, node_t to, const struct ask *ask)
{
	struct ask_answer ans = { .id = ask->id,
		.from = to,
		.yes = true,
		.epoch = ask->epoch,
		.seq = ask->seq,
		.running = ANS_YES,
		.recovery = ANS_YES };

	if (ask->position) {
		ans.yes = false;
		ans.timeline = 1;
		ans.wal_end = t->position[to];
		if (t->tells & NODE_BIT(to))
			core_on_answer(t->c, &t->now, &ans);
		return;
	}
	if ((t->yes & NODE_BIT(to)) && !ask->abdicate)
		core_on_answer(t->c, &t->now, &ans);
}

static void
ct_do_report(struct ct *t, const struct action *a)
{
	struct arbiter next;
	bool ok = arbiter_report(&t->reg, t->conf.self, a->instance, a->epoch,
	    a->seq, t->conf.data, &next);

	if (ok)
		t->reg = next;
	core_on_reported(t->c, &t->now, ok);
}

static void
ct_do(struct ct *t, const struct action *a)
{
	struct core_status st;

	switch (a->kind) {
	case DO_READ:
		ct_read(t);
		break;
	case DO_CAS:
		ct_do_cas(t, &a->cas);
		break;
	case DO_REPORT:
		ct_do_report(t, a);
		break;
	case DO_ASK:
		ct_do_ask(t, a->node, &a->ask);
		break;
	case DO_SAVE:
		core_status(t->c, &t->now, &st);
		if (t->disk_ok && !t->disk_silent)
			t->disk = *st.durable;
		if (!t->disk_silent)
			core_on_saved(t->c, a->version, t->disk_ok);
		break;
	case DO_FENCE:
		core_on_fence(t->c, &t->now, a->op, a->deadline, t->fence);
		break;
	case DO_READERS:
		core_on_readers(t->c, &t->now, a->life, true);
		break;
	case DO_ACT:
		if (t->act[a->act] != ANS_UNKNOWN)
			ct_act(t, a->act, t->act[a->act]);
		break;
	case DO_LOOK:
		ct_view(t);
		break;
	case DO_ANSWER:
	case DO_NUDGE:
	case DO_ACT_CANCEL:
	case DO_TELL:
	case DO_REJOINED:
		break;
	}
}

/* What is asked for in a turn is carried out; its results are for the next. */
void
ct_turn(struct ct *t)
{
	const struct action *a;
	int before, round;

	for (round = 0; round < 20; round++) {
		core_on_armed(t->c, &t->now, t->armed, "socket");
		core_turn(t->c, &t->now);
		before = t->n;
		while ((a = core_take(t->c)) != NULL) {
			assert(t->n < CT_OUT);
			t->out[t->n++] = *a;
			ct_do(t, &t->out[t->n - 1]);
		}
		if (t->n == before)
			return;
	}
}

void
ct_run(struct ct *t, usec_t us)
{
	usec_t end = t->now.raw + us, step = 20 * MSEC;

	while (t->now.raw < end) {
		if (step > end - t->now.raw)
			step = end - t->now.raw;
		t->now.raw += step;
		t->now.wall += step;
		if (t->now.raw - t->read_at >= 200 * MSEC ||
		    (t->read_ok && t->revision_seen != t->reg.value.revision))
			ct_read(t);
		if (t->now.raw - t->view_at >= 100 * MSEC)
			ct_view(t);
		ct_turn(t);
	}
}

void
ct_renewed(struct ct *t, usec_t us)
{
	static unsigned n;
	usec_t end = t->now.raw + us;

	for (; t->now.raw < end; ct_run(t, CT_T / 5)) {
		t->reg.value.revision++;
		t->reg.value.head += t->reg.value.head > 0;
		snprintf(t->reg.value.rec.nonce, sizeof(t->reg.value.rec.nonce),
		    "r%u", ++n);
	}
}

void
ct_holder(struct ct *t, nodeset_t candidates)
{
	node_t n;

	ct_record(t, REC_HELD, t->conf.self, candidates);
	ct_start(t, NULL, 0);
	ct_primary(t, candidates, 110);
	for (n = 0; n < NODES_MAX; n++)
		if (candidates & NODE_BIT(n))
			ct_streams(t, n, 110);
	ct_view(t);
	ct_read(t);
	ct_run(t, CT_W + 500 * MSEC);
	assert(ct_status(t).writers == WRITERS_OPEN);
	ct_clear(t);
}

void
ct_candidate(struct ct *t)
{
	ct_record(t, REC_HELD, A, NODE_BIT(t->conf.self));
	ct_start(t, NULL, 0);
	ct_standby(t, 120);
	/* The hold-off passes before the record is seen. */
	t->read_ok = false;
	ct_run(t, CT_W + 500 * MSEC);
	t->read_ok = true;
	ct_view(t);
	ct_read(t);
	ct_turn(t);
	ct_clear(t);
}

void
ct_clear(struct ct *t)
{
	t->n = 0;
}

const struct action *
ct_last(const struct ct *t, enum do_kind kind)
{
	int i;

	for (i = t->n - 1; i >= 0; i--)
		if (t->out[i].kind == kind)
			return &t->out[i];
	return NULL;
}

const struct action *
ct_last_act(const struct ct *t, enum act_kind act)
{
	int i;

	for (i = t->n - 1; i >= 0; i--)
		if (t->out[i].kind == DO_ACT && t->out[i].act == act)
			return &t->out[i];
	return NULL;
}

int
ct_count(const struct ct *t, enum do_kind kind)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == kind;
	return n;
}

struct core_status
ct_status(struct ct *t)
{
	struct core_status st;

	core_status(t->c, &t->now, &st);
	return st;
}

static const struct ask_answer *
ct_asked(struct ct *t, struct ask *ask)
{
	static uint64_t ids = 1000;
	const struct action *a;

	ask->id = ++ids;
	strcpy(ask->instance, "I0");
	ct_clear(t);
	core_on_ask(t->c, &t->now, ask);
	ct_turn(t);
	a = ct_last(t, DO_ANSWER);
	return a != NULL && a->answer.id == ask->id ? &a->answer : NULL;
}

const struct ask_answer *
ct_ask(struct ct *t, node_t from, uint64_t epoch, usec_t ttl, bool abdicate,
    uint64_t seq)
{
	struct ask ask = { .from = from,
		.epoch = epoch,
		.seq = seq,
		.ttl = ttl,
		.abdicate = abdicate };

	return ct_asked(t, &ask);
}

const struct ask_answer *
ct_position(struct ct *t, node_t from, uint64_t seq)
{
	struct ask ask = { .from = from,
		.epoch = 5,
		.seq = seq,
		.ttl = CT_T,
		.position = true };

	return ct_asked(t, &ask);
}

const struct do_cas *
ct_claim(const struct ct *t)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_CAS &&
		    t->out[i].cas.rec.state == REC_CLAIMED)
			return &t->out[i].cas;
	return NULL;
}

int
ct_names_at(const struct ct *t, int i, nodeset_t names)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == ACT_NAMES &&
		    t->out[i].goal.names == names)
			break;
	return i;
}

int
ct_cas_at(const struct ct *t, int i, nodeset_t candidates)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_CAS &&
		    t->out[i].cas.rec.candidates == candidates)
			break;
	return i;
}
