/* What the files of reports share: the reports, as kept. */
#ifndef HAWATCH_ENGINE_REPORTS_KEPT_H
#define HAWATCH_ENGINE_REPORTS_KEPT_H

#include "engine/config_word.h"
#include "engine/reports.h"

struct report_peer {
	struct host_report rep, sent;
	usec_t at;			   /* raw, of rep; 0 never */
	usec_t passed_at[CONF_CHECKS_MAX]; /* raw: a probe that passed began
					      then or later */
	usec_t fit_at;	  /* raw: it was not stale then, or later; 0 never */
	usec_t sent_at;	  /* raw, of sent, by whatever way; 0 never */
	usec_t posted_at; /* raw, by a request of its own; 0 never */
	bool bad;	  /* the last one could not be read */
	struct config_word config;
};

struct reports {
	struct engine *e;
	struct host_report own;
	struct report_peer peer[NODES_MAX];
};

/* reports_fault.c. The report of p came as the answer to what left at raw time
 * asked. */
void reports_passed(const struct reports *r, struct report_peer *p,
    const struct host_report *rep, usec_t asked);
/* That node alone can say more, as an answer. */
bool reports_must_ask(const struct reports *r, node_t n, const struct now *now);

#endif
