/*
 * Which cells of the node table and which rows of the plans were entered: a
 * table that does not drive is worse than none.
 */
#include <string.h>

#include "sim.h"

/* A row that is done within one turn is seen by what is told of it. */
void
cover_tell(struct world *w, const char *text)
{
	const struct plan_doc *rows;
	size_t i, plan, row, count = core_plan_doc(&rows);

	for (i = 0; i < count && i < 128; i++) {
		plan = strlen(rows[i].plan);
		row = strlen(rows[i].row);
		if (strncmp(text, rows[i].plan, plan) == 0 &&
		    strncmp(text + plan, ": ", 2) == 0 &&
		    strncmp(text + plan + 2, rows[i].row, row) == 0 &&
		    text[plan + 2 + row] == ' ')
			w->tot->row[i]++;
	}
}

void
cover_turn(struct world *w, int n)
{
	const struct core_status *st = &w->host[n].e.st;
	const struct plan_doc *rows;
	size_t i, count;

	w->tot->duty[st->rel][st->pg]++;
	if (st->plan == NULL)
		return;
	count = core_plan_doc(&rows);
	for (i = 0; i < count && i < 128; i++)
		if (strcmp(rows[i].row, st->row) == 0 &&
		    strcmp(rows[i].plan, st->plan) == 0)
			w->tot->row[i]++;
}

/* How many were never entered. */
int
cover_print(const struct totals *tot)
{
	const struct duty_doc *cells;
	const struct plan_doc *rows;
	size_t i, count;
	int never = 0;
	uint64_t n;

	count = core_duty_doc(&cells);
	for (i = 0; i < count && i < (size_t)REL_COUNT * PGS_COUNT; i++) {
		n = tot->duty[i / PGS_COUNT][i % PGS_COUNT];
		printf("duty %-10s %-9s %-12s %10llu\n", cells[i].rel,
		    cells[i].pg, cells[i].duty, (unsigned long long)n);
		never += n == 0;
	}
	count = core_plan_doc(&rows);
	for (i = 0; i < count && i < 128; i++) {
		printf("row  %-10s %-22s %10llu\n", rows[i].plan, rows[i].row,
		    (unsigned long long)tot->row[i]);
		never += tot->row[i] == 0;
	}
	return never;
}
