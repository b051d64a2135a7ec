/*
 * The second table of hactl status: what is around the database of each host.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hawatch/str.h"

#define SITE_COLUMNS 5

/* The balancers that this host has steered, each with who is kept out. */
static void
site_traffic(char *buf, size_t size, const json_t *node)
{
	const json_t *list = get_at(node, "traffic");
	char out[PRINT_CELL_MAX];
	const json_t *obj;
	size_t i, len = 0;
	bool kept;

	(void)snprintf(buf, size, "-");
	for (i = 0; i < json_array_size(list) && len < size; i++) {
		obj = json_array_get(list, i);
		if (!get_has(obj, "seen_ms") &&
		    get_str(obj, "reason")[0] == '\0')
			continue;
		get_list(obj, "out", out, sizeof(out));
		kept = json_array_size(get_at(obj, "out")) > 0;
		len += (size_t)snprintf(buf + len, size - len, "%s%s %s%s%s",
		    len == 0 ? "" : ", ", get_str(obj, "name"),
		    strcmp(get_str(obj, "ok"), "yes") == 0 ? "ok" :
		    observe_is(node)			   ? "differs" :
							     "wrong",
		    kept ? " without " : "", kept ? out : "");
	}
}

static void
site_row(struct print_row *row, const json_t *node)
{
	const json_t *list = get_at(node, "checks");
	size_t i, up = 0, count = json_array_size(list);

	memset(row, 0, sizeof(*row));
	for (i = 0; i < count; i++)
		if (strcmp(get_str(json_array_get(list, i), "up"), "yes") == 0)
			up++;
	str_cut(row->cell[0], PRINT_CELL_MAX, get_str(node, "node"));
	str_cut(row->cell[1], PRINT_CELL_MAX,
	    !get_has(node, "health")	? "-" :
	    get_bool(node, "health.ok") ? "200" :
					  "503");
	(void)snprintf(row->cell[2], PRINT_CELL_MAX, "%zu of %zu", up, count);
	if (get_has(node, "drift.doing"))
		(void)snprintf(row->cell[3], PRINT_CELL_MAX, "changes %s",
		    get_str(node, "drift.doing"));
	else
		print_drift(row->cell[3], PRINT_CELL_MAX, node);
	site_traffic(row->cell[4], PRINT_CELL_MAX, node);
	if (get_has(node, "health") && !get_bool(node, "health.ok"))
		row->colour = COLOUR_BAD;
}

/* What is around the database, where anything is configured for it. */
void
print_site(const json_t *nodes)
{
	static const char *const head[SITE_COLUMNS] = { "HOST", "HEALTH",
		"CHECKS UP", "DRIFT", "TRAFFIC" };
	struct print_row rows[NODES_MAX];
	const json_t *node;
	size_t i, n = 0;

	for (i = 0; i < json_array_size(nodes) && n < NODES_MAX; i++) {
		node = json_array_get(nodes, i);
		if (json_array_size(get_at(node, "checks")) > 0 ||
		    json_array_size(get_at(node, "drift.items")) > 0 ||
		    json_array_size(get_at(node, "traffic")) > 0)
			site_row(&rows[n++], node);
	}
	if (n == 0)
		return;
	print_table(head, SITE_COLUMNS, rows, n);
	putchar('\n');
}
