/*
 * The reports that the hosts give each other: this host's own, sent along with
 * what flows anyway and else by requests of its own, and the others', as heard
 * last.
 */
#ifndef HAWATCH_ENGINE_REPORTS_H
#define HAWATCH_ENGINE_REPORTS_H

#include "engine/report.h"
#include "hawatch/core.h"

struct engine;
struct reports;

struct reports *reports_new(struct engine *e);
void reports_free(struct reports *r);
/* At the end of every turn, after health_look: sends what is due. Returns the
 * raw time at which it wants the next turn. */
usec_t reports_turn(struct reports *r, const struct now *now);

/* This host's own, to go along with a message to that node; NULL: it needs
 * none now. Caller json_decref()s. */
json_t *reports_along(struct reports *r, node_t to, const struct now *now);
/* The same as an answer, whatever was sent before. */
json_t *reports_answer(struct reports *r, node_t to, const struct now *now);
/* What came from that node; obj NULL: nothing did. asked: raw time at which
 * the request left that it answers; 0: it came unasked. */
void reports_take(struct reports *r, node_t from, const json_t *obj,
    usec_t asked, const struct now *now);

/* The last one of that node; NULL when it is older than three seconds (fifteen
 * on a witness, which hears less often) or there was none. */
const struct host_report *reports_of(
    const struct reports *r, node_t node, const struct now *now);
/* Whether that node's configuration is as this one's, by its last word;
 * unknown: it has not said. vital: in what matters for safety. */
enum answer reports_config(const struct reports *r, node_t node, bool vital);
/* The configuration here is another now; checks: the checks, too. */
void reports_renew(struct reports *r, bool checks);
usec_t reports_heard_at(const struct reports *r, node_t node);
/* Another data node, which would serve voters better, passes that check now, in
 * a probe that is known to have begun after raw time since. own: the shared
 * checks that this host passes. */
bool reports_pass(const struct reports *r, int check, usec_t since,
    checkset_t own, const struct core_status *st, const struct now *now);
/* Another data node has no fault at all, is brought to its role, and is known
 * not to have been stale after raw time since; with 0, one that has not been
 * heard yet will do. */
bool reports_fit(const struct reports *r, usec_t since,
    const struct core_status *st, const struct now *now);

#endif
