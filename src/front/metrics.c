/*
 * /metrics: the last status document, as text for Prometheus. It is made here
 * and when it is asked for: the engine, which holds the lease, spends nothing
 * on it, a host that nobody scrapes spends nothing at all, and a flood of
 * scrapes costs what a flood of any path costs, since the text is kept until
 * there is something new to say. What the engine no longer vouches for is left
 * out, so that an alert sees the absence and not an old number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/exposition.h"
#include "front/route.h"
#include "hawatch/json.h"

struct metrics {
	FILE *out;
	const struct route_snap *snap;
	const json_t *doc; /* NULL: the engine is silent */
	usec_t now;
};

struct metric {
	const char *name, *help;
	bool always; /* said while the engine is silent, too */
	void (*say)(const struct metrics *m, const char *name);
};

static json_int_t
int_at(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

static void
say_value(const struct metrics *m, const char *name, double value)
{
	exposition_sample(m->out, name, NULL, NULL, NULL, NULL, value);
}

static void
say_word(const struct metrics *m, const char *name, const char *group,
    const char *key, const char *word)
{
	const json_t *obj = json_object_get(m->doc, group);

	if (obj != NULL)
		say_value(m, name, strcmp(json_string_at(obj, key), word) == 0);
}

static void
say_up(const struct metrics *m, const char *name)
{
	say_value(m, name, m->doc != NULL);
}

static void
say_build(const struct metrics *m, const char *name)
{
	fprintf(m->out, "%s{", name);
	exposition_label(m->out, "version", json_string_at(m->doc, "version"));
	fputc(',', m->out);
	exposition_label(m->out, "node", json_string_at(m->doc, "node"));
	fputc(',', m->out);
	exposition_label(m->out, "cluster", json_string_at(m->doc, "cluster"));
	fputs("} 1\n", m->out);
}

static void
say_mode(const struct metrics *m, const char *name)
{
	exposition_sample(m->out, name, "mode", json_string_at(m->doc, "mode"),
	    NULL, NULL, 1);
}

static void
say_health(const struct metrics *m, const char *name)
{
	say_value(m, name, m->now < m->snap->fresh_until && m->snap->healthy);
}

static void
say_primary(const struct metrics *m, const char *name)
{
	say_value(m, name, m->now < m->snap->primary_until);
}

static void
say_standby(const struct metrics *m, const char *name)
{
	say_value(m, name, m->now < m->snap->standby_until);
}

static void
say_epoch(const struct metrics *m, const char *name)
{
	const json_t *rec = json_object_get(m->doc, "record");

	if (json_is_object(rec))
		say_value(m, name, (double)int_at(rec, "epoch"));
}

static void
say_holder(const struct metrics *m, const char *name)
{
	const char *node =
	    json_string_at(json_object_get(m->doc, "record"), "holder");

	if (node[0] != '\0')
		exposition_sample(m->out, name, "node", node, NULL, NULL, 1);
}

static void
say_candidates(const struct metrics *m, const char *name)
{
	const json_t *rec = json_object_get(m->doc, "record");

	if (json_is_object(rec))
		say_value(m, name,
		    (double)json_array_size(
			json_object_get(rec, "candidates")));
}

/* What the front would answer for, to the moment; the engine's own deadline
 * may be later, never earlier. */
static void
say_lease(const struct metrics *m, const char *name)
{
	const json_t *lease = json_object_get(m->doc, "lease");
	usec_t left = m->snap->primary_until - m->now;

	if (left > 0 && (m->snap->primary_until == USEC_NEVER ||
			    json_is_true(json_object_get(lease, "endless"))))
		fprintf(m->out, "%s +Inf\n", name);
	else
		say_value(m, name, left > 0 ? (double)left / USEC_SEC : 0);
}

static void
say_open(const struct metrics *m, const char *name)
{
	say_word(m, name, "fence", "writers", "open");
}

static void
say_armed(const struct metrics *m, const char *name)
{
	say_word(m, name, "fence", "armed", "yes");
}

static void
say_latched(const struct metrics *m, const char *name)
{
	const json_t *obj = json_object_get(m->doc, "durable");

	if (obj != NULL)
		say_value(m, name, json_is_true(json_object_get(obj, "latch")));
}

static void
say_paused(const struct metrics *m, const char *name)
{
	if (json_object_get(m->doc, "record") != NULL)
		say_value(
		    m, name, json_is_object(json_object_get(m->doc, "paused")));
}

static void
say_pause_left(const struct metrics *m, const char *name)
{
	if (json_object_get(m->doc, "record") != NULL)
		say_value(m, name,
		    (double)int_at(
			json_object_get(m->doc, "paused"), "left_ms") /
			1e3);
}

static void
say_register(const struct metrics *m, const char *name)
{
	const json_t *obj = json_object_get(m->doc, "register");

	if (obj != NULL)
		say_value(m, name, json_is_true(json_object_get(obj, "read")));
}

static void
say_plan(const struct metrics *m, const char *name)
{
	const json_t *plan = json_object_get(m->doc, "plan");

	if (plan != NULL)
		exposition_sample(m->out, name, "plan",
		    json_string_at(plan, "name"), "step",
		    json_string_at(plan, "row"), 1);
}

static void
say_postgres(const struct metrics *m, const char *name)
{
	const json_t *pg = json_object_get(m->doc, "postgres");
	const char *state = json_string_at(pg, "state");

	if (pg != NULL)
		say_value(m, name,
		    strcmp(state, "primary") == 0 ||
			strcmp(state, "standby") == 0);
}

static void
say_timeline(const struct metrics *m, const char *name)
{
	const json_t *pg = json_object_get(m->doc, "postgres");

	if (int_at(pg, "timeline") > 0)
		say_value(m, name, (double)int_at(pg, "timeline"));
}

static void
say_lag(const struct metrics *m, const char *name)
{
	const json_t *pg = json_object_get(m->doc, "postgres"), *list, *s;
	size_t i;

	if (m->now < m->snap->standby_until)
		exposition_sample(m->out, name, "node",
		    json_string_at(m->doc, "node"), NULL, NULL,
		    (double)m->snap->lag);
	list = json_object_get(pg, "senders");
	if (strcmp(json_string_at(pg, "state"), "primary") != 0)
		return;
	for (i = 0; i < json_array_size(list); i++) {
		s = json_array_get(list, i);
		exposition_sample(m->out, name, "node",
		    json_string_at(s, "node"), NULL, NULL,
		    (double)int_at(s, "lag_bytes"));
	}
}

/* Yes 1, no 0, unknown nothing. */
static void
say_answers(const struct metrics *m, const char *name, const json_t *list,
    const char *label, const char *second, const char *key)
{
	const char *ans;
	const json_t *obj;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		ans = json_string_at(obj, key);
		if (strcmp(ans, "yes") == 0 || strcmp(ans, "no") == 0)
			exposition_sample(m->out, name, label,
			    json_string_at(obj, "name"), second,
			    second == NULL ? "" : json_string_at(obj, second),
			    strcmp(ans, "yes") == 0);
	}
}

static void
say_check_up(const struct metrics *m, const char *name)
{
	say_answers(
	    m, name, json_object_get(m->doc, "checks"), "check", "type", "up");
}

/* A number of each check, scaled to seconds; null is left out. */
static void
say_check_seconds(
    const struct metrics *m, const char *name, const char *key, double scale)
{
	const json_t *list = json_object_get(m->doc, "checks"), *obj;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		if (json_is_integer(json_object_get(obj, key)) &&
		    json_is_integer(json_object_get(obj, "seen_ms")))
			exposition_sample(m->out, name, "check",
			    json_string_at(obj, "name"), "type",
			    json_string_at(obj, "type"),
			    (double)int_at(obj, key) / scale);
	}
}

static void
say_check_age(const struct metrics *m, const char *name)
{
	say_check_seconds(m, name, "seen_ms", 1e3);
}

static void
say_check_took(const struct metrics *m, const char *name)
{
	say_check_seconds(m, name, "took_us", 1e6);
}

static void
say_drift(const struct metrics *m, const char *name)
{
	const json_t *drift = json_object_get(m->doc, "drift");

	if (drift != NULL)
		say_value(m, name, (double)int_at(drift, "count"));
}

static void
say_item(const struct metrics *m, const char *name)
{
	const json_t *drift = json_object_get(m->doc, "drift");

	say_answers(
	    m, name, json_object_get(drift, "items"), "item", "type", "holds");
}

static void
say_traffic(const struct metrics *m, const char *name)
{
	say_answers(m, name, json_object_get(m->doc, "traffic"), "balancer",
	    NULL, "ok");
}

static void
say_heard(const struct metrics *m, const char *name)
{
	const json_t *list = json_object_get(m->doc, "hosts"), *obj;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		if (json_is_integer(json_object_get(obj, "heard_ms")))
			exposition_sample(m->out, name, "node",
			    json_string_at(obj, "node"), NULL, NULL,
			    (double)int_at(obj, "heard_ms") / 1e3);
	}
}

/* clang-format off */
static const struct metric metrics_table[] = {
	{ "hawatch_up", "1 while the engine gives snapshots.", true, say_up },
	{ "hawatch_build_info", "Version, host and cluster, as labels.", false, say_build },
	{ "hawatch_mode", "1 for the mode in which the engine runs.", false, say_mode },
	{ "hawatch_health", "1 when /health says 200: this host should get traffic.", true, say_health },
	{ "hawatch_primary", "1 when clients can write to PostgreSQL here at this moment.", true, say_primary },
	{ "hawatch_standby", "1 when PostgreSQL here is a standby that receives.", true, say_standby },
	{ "hawatch_epoch", "Epoch of the record that this host believes.", false, say_epoch },
	{ "hawatch_holder", "1 for the host that holds the cluster by that record.", false, say_holder },
	{ "hawatch_candidates", "Hosts that may take over from the holder; 0: what is written now is on one host.", false, say_candidates },
	{ "hawatch_lease_remaining_seconds", "Time for which this host may accept writes; +Inf: without end, 0: not at all.", true, say_lease },
	{ "hawatch_fence_open", "1 when the kernel lets clients write here.", false, say_open },
	{ "hawatch_fence_armed", "1 when this host could be fenced with certainty.", false, say_armed },
	{ "hawatch_latched", "1 when this host stays stopped until a person clears it.", false, say_latched },
	{ "hawatch_paused", "1 while a person has paused failover: nobody takes over by itself.", false, say_paused },
	{ "hawatch_pause_remaining_seconds", "Time until that pause ends by itself; 0: there is none.", false, say_pause_left },
	{ "hawatch_register_read", "1 when the register was read recently.", false, say_register },
	{ "hawatch_plan_running", "1 for the plan and step that run.", false, say_plan },
	{ "hawatch_postgres_up", "1 when PostgreSQL here answers, as primary or standby.", false, say_postgres },
	{ "hawatch_timeline", "Timeline of PostgreSQL here.", false, say_timeline },
	{ "hawatch_replication_lag_bytes", "WAL that a standby has not flushed (seen by the primary) or replayed (seen by itself).", false, say_lag },
	{ "hawatch_check_up", "1 when the check passes, 0 when it fails; absent while it is not known.", false, say_check_up },
	{ "hawatch_check_age_seconds", "Time since the check was answered last.", false, say_check_age },
	{ "hawatch_check_duration_seconds", "Duration of the check's last probe.", false, say_check_took },
	{ "hawatch_drift_items", "Items of converge that are not as the role of this host demands.", false, say_drift },
	{ "hawatch_item_holds", "1 when the item is as the role demands; absent while it is not known.", false, say_item },
	{ "hawatch_traffic_ok", "1 when the balancer was read back as wanted; absent while it is not known.", false, say_traffic },
	{ "hawatch_peer_heard_seconds", "Time since another host said how it is.", false, say_heard },
};
/* clang-format on */

char *
metrics_text(const struct route_snap *snap, const char *doc, usec_t now)
{
	struct metrics m = { .snap = snap, .now = now };
	json_t *obj = NULL;
	struct error err;
	const struct metric *row;
	char *text = NULL;
	size_t size = 0, i;

	if (now < snap->fresh_until)
		obj = json_read(doc, strlen(doc), &err);
	m.doc = obj;
	m.out = open_memstream(&text, &size);
	if (m.out == NULL)
		abort();
	for (i = 0; i < sizeof(metrics_table) / sizeof(*metrics_table); i++) {
		row = &metrics_table[i];
		if (m.doc == NULL && !row->always)
			continue;
		fprintf(m.out, "# HELP %s %s\n# TYPE %s gauge\n", row->name,
		    row->help, row->name);
		row->say(&m, row->name);
	}
	if (fclose(m.out) != 0)
		abort();
	json_decref(obj);
	return text;
}
