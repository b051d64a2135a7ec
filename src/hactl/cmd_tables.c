/*
 * hactl plan --tables: the tables that run, from the core itself.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/plan.h"
#include "hawatch/core.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

static void plan_json(void);
static void plan_print_duties(void);
static void plan_print_steps(void);

enum exitcode
cmd_plan(const struct call *call)
{
	if (call->opt[OPT_JSON] != NULL) {
		plan_json();
	} else {
		plan_print_duties();
		plan_print_steps();
	}
	return EXITCODE_DONE;
}

static void
plan_json(void)
{
	json_t *obj = json_object(), *list = json_array(), *row;
	const struct duty_doc *cells;
	const struct plan_doc *rows;
	size_t i, n = core_duty_doc(&cells);

	for (i = 0; i < n; i++) {
		row = json_object();
		json_put_string(row, "record", cells[i].rel);
		json_put_string(row, "postgres", cells[i].pg);
		json_put_string(row, "duty", cells[i].duty);
		json_put_string(row, "why", cells[i].why);
		json_array_append_new(list, row);
	}
	json_put(obj, "duties", list);
	list = json_array();
	n = core_plan_doc(&rows);
	for (i = 0; i < n; i++) {
		row = json_object();
		json_put_string(row, "plan", rows[i].plan);
		json_put_string(row, "row", rows[i].row);
		json_put_bool(row, "forward", rows[i].forward);
		if (rows[i].limit > 0 && rows[i].limit != USEC_NEVER)
			json_put_i64(
			    row, "limit_ms", rows[i].limit / USEC_MSEC);
		json_put_string(row, "late", rows[i].limit_name);
		json_put_string(row, "goal", rows[i].goal);
		json_put_string(row, "why", rows[i].why);
		json_array_append_new(list, row);
	}
	json_put(obj, "rows", list);
	print_json(obj, EXITCODE_DONE);
	json_decref(obj);
}

static void
plan_print_duties(void)
{
	const struct duty_doc *cells;
	size_t i, n = core_duty_doc(&cells);
	char first[64];

	printf("What a node does: by the record and by its PostgreSQL\n");
	(void)snprintf(first, sizeof(first), "%-9s %-9s %-12s ", "record",
	    "postgres", "duty");
	print_wrapped(first, "because");
	for (i = 0; i < n; i++) {
		(void)snprintf(first, sizeof(first), "%-9s %-9s %-12s ",
		    cells[i].rel, cells[i].pg, cells[i].duty);
		print_wrapped(first, cells[i].why);
	}
}

static void
plan_print_steps(void)
{
	const struct plan_doc *rows;
	size_t i, n = core_plan_doc(&rows);
	int number = 0;

	for (i = 0; i < n; i++) {
		if (i == 0 || strcmp(rows[i].plan, rows[i - 1].plan) != 0) {
			printf("\nPlan %s\n"
			       "    %-11s %-7s %-10s %s\n",
			    rows[i].plan, "step", "within", "else",
			    "goal, and why");
			number = 0;
		}
		plan_step(++number, rows[i].forward, rows[i].row, rows[i].limit,
		    rows[i].limit_name, rows[i].goal);
		print_wrapped(
		    "                                 - ", rows[i].why);
	}
	printf("\n!  past the point of no return: only forward\n");
}

void
plan_step(int number, bool forward, const char *row, usec_t limit,
    const char *late, const char *goal)
{
	char first[64], buf[USEC_STR_MAX];

	(void)snprintf(first, sizeof(first), "%2d%c %-11s %-7s %-10s ", number,
	    forward ? '!' : ' ', row,
	    limit <= 0 || limit == USEC_NEVER ? "-" : usec_str(limit, buf),
	    late);
	print_wrapped(first, goal);
}
