/*
 * The part of the status document about what is around the database: checks,
 * drift, balancers, whether this host should get traffic, and what the other
 * hosts report of themselves. Texts of others are cut: the document has to fit
 * into one answer between peers.
 */
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/health.h"
#include "engine/ready.h"
#include "engine/reports.h"
#include "engine/status.h"
#include "hawatch/agent.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/json.h"
#include "hawatch/str.h"
#include "hawatch/traffic.h"

#define TEXT_MAX 160

static void
status_text(json_t *obj, const char *key, const char *text)
{
	char cut[TEXT_MAX];

	str_cut(cut, sizeof(cut), text == NULL ? "" : text);
	json_put_string(obj, key, cut);
}

/* What is asked, as a person would ask it; what was cut is no use. */
static void
status_target(json_t *obj, const struct check_state *cs)
{
	const struct conf_check *conf = cs->conf;
	bool v6 = strchr(cs->address, ':') != NULL;
	char text[TEXT_MAX];
	int n;

	json_put_string(obj, "address", cs->address);
	if (strcmp(cs->type, "http") != 0)
		return;
	n = snprintf(text, sizeof(text), "%s://%s%s%s:%d%s",
	    conf->tls ? "https" : "http", v6 ? "[" : "", cs->address,
	    v6 ? "]" : "", conf->port, conf->path);
	if (n > 0 && (size_t)n < sizeof(text))
		json_put_string(obj, "url", text);
}

json_t *
status_checks(const struct engine *e, const struct now *now)
{
	json_t *list = json_array(), *obj;
	struct check_state cs;
	int i;

	for (i = 0; i < checks_count(e->checks); i++) {
		checks_state(e->checks, i, &cs);
		obj = json_object();
		json_put_string(obj, "name", cs.name);
		json_put_string(obj, "type", cs.type);
		json_put_string(obj, "up", answer_str(cs.up));
		json_put_string(obj, "last", answer_str(cs.last));
		status_text(obj, "reason", cs.reason);
		json_put(obj, "seen_ms", status_age(cs.seen_at, now));
		json_put(obj, "since_ms", status_age(cs.since, now));
		json_put_i64(obj, "took_us", cs.took);
		json_put_bool(obj, "health", cs.health);
		json_put_bool(obj, "shared", cs.shared);
		json_put_bool(obj, "verify", cs.verify);
		if (cs.address != NULL && cs.address[0] != '\0')
			status_target(obj, &cs);
		json_array_append_new(list, obj);
	}
	return list;
}

/* This host's file would not start its engine again. */
static void
status_file(const struct engine *e, json_t *obj)
{
	const struct config_file_word *w = &e->file_word;
	json_t *file;

	if (w->errors == 0)
		return;
	file = json_object();
	json_put_string(file, "path", e->conf->path);
	json_put_i64(file, "errors", w->errors);
	json_put_string(file, "at", w->at);
	json_put_bool(file, "observe", w->observe);
	json_put(obj, "file", file);
}

/* Whose configuration differs from this host's, by its last word. */
json_t *
status_config(const struct engine *e)
{
	json_t *obj = json_object();
	nodeset_t differ = 0, vital = 0;
	node_t n;

	for (n = 0; n < e->conf->node_count; n++) {
		if (reports_config(e->reports, n, false) == ANS_NO)
			differ |= NODE_BIT(n);
		if (reports_config(e->reports, n, true) == ANS_NO)
			vital |= NODE_BIT(n);
	}
	json_put(obj, "differ", status_set(e, differ));
	json_put(obj, "unsafe", status_set(e, vital));
	status_file(e, obj);
	return obj;
}

/* Whether a takeover is possible now, as /ready says it. */
json_t *
status_ready(
    const struct engine *e, const struct core_status *st, const struct now *now)
{
	json_t *obj = json_object(), *list = json_array();
	json_t *texts = json_array();
	char reasons[READY_MAX], *word, *rest = reasons;

	ready_look(e, st, now, reasons, sizeof(reasons));
	json_put_bool(obj, "ok", reasons[0] == '\0');
	while ((word = strsep(&rest, ",")) != NULL)
		if (word[0] != '\0') {
			json_array_append_new(list, json_string(word));
			json_array_append_new(
			    texts, json_string(status_block_text(word)));
		}
	json_put(obj, "reasons", list);
	json_put(obj, "texts", texts);
	return obj;
}

json_t *
status_health(const struct engine *e)
{
	json_t *obj = json_object();

	json_put_bool(obj, "ok", e->health->ok);
	json_put_string(obj, "reasons", e->health->reasons);
	/* Down everywhere, so it counts nowhere. */
	json_put(obj, "spared", report_checks(e->health->spared, e->conf));
	return obj;
}

json_t *
status_site(const struct engine *e, const struct core_status *st)
{
	static const char *const words[] = {
		[SITE_UNKNOWN] = "unknown",
		[SITE_PRIMARY] = "primary",
		[SITE_STANDBY] = "standby",
	};
	json_t *obj = json_object();

	json_put_string(obj, "role", words[st->site.role]);
	json_put(obj, "primary", status_node(e, st->site.primary));
	json_put_u64(obj, "epoch", st->site.epoch);
	json_put_bool(obj, "converging", st->site.converging);
	json_put_bool(obj, "steering", st->site.steering);
	json_put(obj, "out", status_set(e, st->site.out));
	status_text(obj, "why", st->site.converge_why);
	return obj;
}

static json_t *
status_item(const struct converge_state *cs, const struct now *now)
{
	static const char *const types[] = {
		[ITEM_LINE] = "line",
		[ITEM_SERVICE] = "service",
		[ITEM_COMMAND] = "command",
		[ITEM_CACHE] = "cache",
	};
	json_t *obj = json_object();

	json_put_string(obj, "name", cs->name);
	json_put_string(obj, "type", types[cs->type]);
	json_put_string(obj, "holds", answer_str(cs->holds));
	status_text(obj, "reason", cs->reason);
	json_put_bool(obj, "required", cs->required);
	json_put(obj, "seen_ms", status_age(cs->seen_at, now));
	json_put(obj, "changed_ms", status_age(cs->changed_at, now));
	return obj;
}

json_t *
status_drift(const struct engine *e, const struct now *now)
{
	json_t *obj = json_object(), *list = json_array();
	struct converge_state cs;
	const char *doing;
	usec_t since = 0;
	int i;

	json_put_i64(obj, "count", converge_drift(e->converge));
	json_put_bool(obj, "stale", e->health->stale);
	doing = converge_doing(e->converge, &since);
	if (doing != NULL) {
		json_put_string(obj, "doing", doing);
		json_put(obj, "doing_ms", status_age(since, now));
	}
	for (i = 0; i < converge_count(e->converge); i++) {
		converge_state(e->converge, i, &cs);
		json_array_append_new(list, status_item(&cs, now));
	}
	json_put(obj, "items", list);
	return obj;
}

json_t *
status_traffic(const struct engine *e, const struct now *now)
{
	json_t *list = json_array(), *obj;
	struct traffic_state ts;
	struct core_status st;
	int i;

	core_status(e->core, now, &st);
	for (i = 0; i < traffic_count(e->traffic); i++) {
		traffic_state(e->traffic, i, &ts);
		/* What it knew as the holder is the new one's to say. */
		if (e->conf->traffic[i].from == FROM_HOLDER &&
		    st.site.primary != e->conf->self)
			ts = (struct traffic_state){ .name = ts.name,
				.reason = "" };
		obj = json_object();
		json_put_string(obj, "name", ts.name);
		json_put_string(obj, "ok", answer_str(ts.ok));
		status_text(obj, "reason", ts.reason);
		json_put(obj, "seen_ms", status_age(ts.seen_at, now));
		json_put(obj, "in", status_set(e, ts.in));
		json_put(obj, "out", status_set(e, ts.out));
		json_array_append_new(list, obj);
	}
	return list;
}

/* Those that this node would use, on others. */
json_t *
status_agents(const struct engine *e, const struct now *now)
{
	json_t *list = json_array(), *obj;
	struct agent_state st;
	int i;

	for (i = 0; i < agents_count(e->agents); i++) {
		agents_state(e->agents, i, &st);
		obj = json_object();
		json_put_string(obj, "name", st.conf->name);
		json_put_string(obj, "node", st.conf->node);
		json_put_i64(obj, "level", st.conf->level);
		json_put_string(obj, "ok", answer_str(st.ok));
		status_text(obj, "reason", st.why);
		json_put(obj, "seen_ms", status_age(st.seen_at, now));
		json_array_append_new(list, obj);
	}
	return list;
}

/* As the others say of themselves; who was not heard has only a name. */
json_t *
status_hosts(const struct engine *e, const struct now *now)
{
	json_t *list = json_array(), *obj;
	const struct host_report *rep;
	node_t n;

	for (n = 0; n < e->conf->node_count; n++) {
		if (n == e->conf->self || e->conf->node[n].role != ROLE_DATA)
			continue;
		obj = json_object();
		json_put(obj, "node", status_node(e, n));
		json_put(obj, "heard_ms",
		    status_age(reports_heard_at(e->reports, n), now));
		rep = reports_of(e->reports, n, now);
		if (rep != NULL) {
			json_put_bool(obj, "healthy", rep->healthy);
			json_put_u64(obj, "site_epoch", rep->site_epoch);
			json_put_bool(obj, "stale", rep->stale);
			json_put_i64(obj, "drift", rep->drift);
			json_put_string(
			    obj, "traffic", answer_str(rep->traffic));
			json_put(
			    obj, "passes", report_checks(rep->passes, e->conf));
			json_put(
			    obj, "fails", report_checks(rep->fails, e->conf));
		}
		json_array_append_new(list, obj);
	}
	return list;
}
