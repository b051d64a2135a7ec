/*
 * Which events are in the history, and the bucket of each.
 */
#include "engine/history_limit.h"

#include <stdio.h>
#include <string.h>

#include "hawatch/json.h"

#define LIMIT_MINUTE (60 * USEC_SEC)

/* Events of the log that are not here are in neither the history nor the report
 * of a takeover. */
static const unsigned char limit_ranks[EMIT_COUNT] = {
	/* Who ordered, who decided, who may write. */
	[EMIT_order_taken] = HISTORY_CHANGE,
	[EMIT_order_over] = HISTORY_CHANGE,
	[EMIT_order_refused] = HISTORY_DECISION,
	[EMIT_node_latched] = HISTORY_CHANGE,
	[EMIT_plan_start] = HISTORY_DECISION,
	[EMIT_plan_end] = HISTORY_CHANGE,
	[EMIT_claim_proof] = HISTORY_DECISION,
	[EMIT_claim_gives_way] = HISTORY_DECISION,
	[EMIT_claim_goes_first] = HISTORY_DECISION,
	[EMIT_record_written] = HISTORY_DECISION,
	[EMIT_act_refused] = HISTORY_DECISION,
	[EMIT_takeover_loss] = HISTORY_CHANGE,
	[EMIT_duty_change] = HISTORY_DECISION,
	[EMIT_fence_open] = HISTORY_CHANGE,
	[EMIT_fence_closed] = HISTORY_CHANGE,
	[EMIT_fence_lost] = HISTORY_DECISION,
	[EMIT_fence_error] = HISTORY_DECISION,
	[EMIT_fence_turn] = HISTORY_DECISION,
	[EMIT_lease_lost] = HISTORY_CHANGE,
	[EMIT_shoot_start] = HISTORY_CHANGE,
	[EMIT_shoot_off] = HISTORY_CHANGE,
	[EMIT_shoot_failed] = HISTORY_CHANGE,
	[EMIT_shoot_void] = HISTORY_CHANGE,
	[EMIT_rogue_primary] = HISTORY_CHANGE,
	[EMIT_postmaster_gone] = HISTORY_CHANGE,
	[EMIT_standby_added] = HISTORY_CHANGE,
	[EMIT_standby_removed] = HISTORY_CHANGE,
	[EMIT_standby_alone] = HISTORY_DECISION,
	[EMIT_failover_paused] = HISTORY_CHANGE,
	[EMIT_failover_resumed] = HISTORY_CHANGE,
	[EMIT_register_adopt] = HISTORY_CHANGE,
	[EMIT_register_start] = HISTORY_CHANGE,
	[EMIT_register_warm] = HISTORY_CHANGE,
	[EMIT_register_cold] = HISTORY_DECISION,
	[EMIT_register_amnesiac] = HISTORY_DECISION,
	[EMIT_register_alone] = HISTORY_DECISION,
	[EMIT_register_both] = HISTORY_DECISION,
	[EMIT_site_reached] = HISTORY_DECISION,
	[EMIT_rejoin_compared] = HISTORY_CHANGE,
	[EMIT_rejoin_saved] = HISTORY_CHANGE,
	[EMIT_rejoin_kept] = HISTORY_CHANGE,
	[EMIT_rejoin_stuck] = HISTORY_DECISION,
	[EMIT_config_reloaded] = HISTORY_CHANGE,
	[EMIT_daemon_stop] = HISTORY_CHANGE,
	[EMIT_armed_change] = HISTORY_DECISION,
	[EMIT_clock_suspend] = HISTORY_DECISION,
	[EMIT_state_unsaved] = HISTORY_DECISION,
	[EMIT_guarded_unsaved] = HISTORY_DECISION,
	[EMIT_would_do] = HISTORY_CHANGE,
	/* What was done for it, and what was seen on the way. */
	[EMIT_plan_row] = HISTORY_STEP,
	[EMIT_plan_late] = HISTORY_STEP,
	[EMIT_act_done] = HISTORY_STEP,
	[EMIT_agent_run] = HISTORY_STEP,
	[EMIT_rejoin_tool] = HISTORY_STEP,
	[EMIT_standby_not_added] = HISTORY_STEP,
	[EMIT_standby_follow] = HISTORY_STEP,
	[EMIT_register_lost] = HISTORY_STEP,
	[EMIT_register_found] = HISTORY_STEP,
	[EMIT_register_stray] = HISTORY_STEP,
	[EMIT_peer_lost] = HISTORY_STEP,
	[EMIT_peer_found] = HISTORY_STEP,
	[EMIT_traffic_out] = HISTORY_STEP,
	[EMIT_traffic_change] = HISTORY_STEP,
	[EMIT_traffic_failed] = HISTORY_STEP,
	[EMIT_converge_change] = HISTORY_STEP,
	[EMIT_converge_failed] = HISTORY_STEP,
	[EMIT_health_change] = HISTORY_STEP,
	[EMIT_pg_no_room] = HISTORY_STEP,
	[EMIT_pg_room] = HISTORY_STEP,
};

enum history_rank
history_rank(int kind)
{
	return kind == HISTORY_OTHER ? HISTORY_DECISION :
				       (enum history_rank)limit_ranks[kind];
}

int
history_kind(const char *name)
{
	int kind;

	for (kind = 0; kind < EMIT_COUNT; kind++) {
		if (limit_ranks[kind] != HISTORY_NOT &&
		    strcmp(emit_name((enum event_name)kind), name) == 0)
			return kind;
	}
	return HISTORY_OTHER;
}

bool
history_limit_take(struct history_limit *l, int kind, size_t bytes, usec_t raw)
{
	bool step = history_rank(kind) == HISTORY_STEP;
	long long full = step ? HISTORY_STEP_BURST : HISTORY_DECISION_BURST;
	long long more = step ? HISTORY_STEP_MINUTE : HISTORY_DECISION_MINUTE;
	usec_t since = raw - l->kind[kind].at;
	long long got = since * more / LIMIT_MINUTE;

	if (l->kind[kind].at == 0 || since > full / more * LIMIT_MINUTE ||
	    l->kind[kind].left + got > full) {
		l->kind[kind].left = full;
		l->kind[kind].at = raw;
	} else {
		/* What is less than a byte is not lost by asking often. */
		l->kind[kind].left += got;
		l->kind[kind].at += got * LIMIT_MINUTE / more;
	}
	if (l->kind[kind].left < (long long)bytes)
		return false;
	l->kind[kind].left -= (long long)bytes;
	return true;
}

void
history_limit_out(struct history_limit *l, int kind, usec_t raw)
{
	l->kind[kind].out++;
	if (l->since == 0)
		l->since = raw;
}

json_t *
history_limit_told(struct history_limit *l, enum history_rank *worst)
{
	json_t *told = json_object(), *kinds = json_object();
	const char *name;
	char text[400] = "";
	long long sum = 0;
	size_t len = 0;
	int kind;

	*worst = HISTORY_STEP;
	for (kind = 0; kind < HISTORY_KINDS; kind++) {
		if (l->kind[kind].out == 0)
			continue;
		name = kind == HISTORY_OTHER ? "record.seen" :
					       emit_name((enum event_name)kind);
		sum += l->kind[kind].out;
		json_put_i64(kinds, name, l->kind[kind].out);
		if (len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s%u of %s", len == 0 ? "" : ", ",
			    l->kind[kind].out, name);
		if (history_rank(kind) > *worst)
			*worst = history_rank(kind);
		l->kind[kind].out = 0;
	}
	l->since = 0;
	json_put_i64(told, "left_out", sum);
	json_put(told, "kinds", kinds);
	json_put_string(told, "text", text);
	return told;
}
