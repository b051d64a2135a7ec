/*
 * An order that came to nothing, in words: at which step of its plan, and who
 * said no there, or that it did not come to be in time.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"

const char *
orders_step_goal(const char *plan, const char *row)
{
	const struct plan_doc *rows;
	size_t i, n = core_plan_doc(&rows);

	for (i = 0; i < n; i++) {
		if (strcmp(rows[i].plan, plan) == 0 &&
		    strcmp(rows[i].row, row) == 0)
			return rows[i].goal;
	}
	return "";
}

/* A token as a person reads it. */
static const char *
over_words(const char *token)
{
	int r;

	for (r = 0; r < REASON_COUNT; r++)
		if (strcmp(reason_str((enum reason)r), token) == 0)
			return reason_text((enum reason)r);
	return token;
}

void
orders_failed(
    struct engine *e, const struct order_wait *w, const struct core_status *st)
{
	const char *goal, *said;
	char *why;

	if (st->rel == REL_OTHER && st->rec.epoch > w->epoch)
		why = xstrdup("another node took over");
	else if (w->what == LONG_PAUSE || w->what == LONG_RESUME)
		why = xstrdup("it was not written: this node holds the record "
			      "no more");
	else if (st->over_plan == NULL)
		why = xstrdup("the plan was abandoned");
	else {
		said = over_words(st->over_why);
		goal = orders_step_goal(st->over_plan, st->over_row);
		why = xasprintf("the plan was abandoned at %s (%s): %s",
		    st->over_row, goal,
		    said[0] != '\0' ? said :
		    st->over_late   ? "not so in time" :
				      "it is not so");
	}
	orders_refuse(e, w->id, EXITCODE_UNKNOWN, why,
	    w->what == LONG_REJOIN && st->stuck ? "hactl rejoin --clone" :
						  "hactl status");
	free(why);
}
