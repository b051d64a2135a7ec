/*
 * The page at "/": what each public path would answer now. For a person with
 * a browser; no scripts, no secrets, nothing that the paths do not say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/route.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

/* Text that cannot become markup. */
static void
page_text(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '>')
			fputs("&gt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else
			fputc(*s, out);
	}
}

static void
page_row(FILE *out, const struct routes *r, const struct route *row, usec_t now)
{
	enum route_answer a = row->decide(&r->snap, now, ROUTE_LAG_ANY);

	if (a == ROUTE_PAGE)
		return;
	if (a == ROUTE_OLD_STATUS)
		a = ROUTE_SILENT;
	if (a == ROUTE_METRICS)
		a = ROUTE_STATUS;
	fprintf(out, "<tr><td><a href=\"%s\">%s</a><td>%d<td>", row->path,
	    row->path, r->answer[a].status);
	page_text(out, r->answer[a].reason);
	fprintf(out, "<td>%s\n", row->text);
}

/* What the engine says that a visitor should know, while it says it. */
static void
page_paused(FILE *out, const struct routes *r, usec_t now)
{
	const struct response *doc = &r->answer[ROUTE_STATUS];
	const json_t *paused;
	struct error err;
	json_t *obj;

	/* Most of the time there is nothing to be read. */
	if (now >= r->snap.fresh_until ||
	    strstr(doc->buf + doc->head, "\"paused\":{") == NULL)
		return;
	obj = json_read(doc->buf + doc->head, doc->len - doc->head, &err);
	paused = json_object_get(obj, "paused");
	if (json_is_object(paused)) {
		fputs("\n<p><b>failover is paused</b> until ", out);
		page_text(out, json_string_at(paused, "until"));
		fputs(" by ", out);
		page_text(out, json_string_at(paused, "by"));
		fputs(": ", out);
		page_text(out, json_string_at(paused, "why"));
	}
	json_decref(obj);
}

char *
page_html(const struct routes *r, usec_t now)
{
	char *html = NULL;
	size_t size = 0;
	const struct route *row;
	FILE *out = open_memstream(&html, &size);

	if (out == NULL)
		abort();
	fputs("<!DOCTYPE html>\n<title>hawatch</title>\n<h1>", out);
	page_text(out, r->conf->self);
	fputs("</h1>\n<p>cluster ", out);
	page_text(out, r->conf->cluster);
	page_paused(out, r, now);
	fputs("\n<table>\n<tr><th>path<th>now<th>reason<th>200 says\n", out);
	for (row = route_table; row->path != NULL; row++)
		page_row(out, r, row, now);
	fputs("</table>\n", out);
	if (fclose(out) != 0)
		abort();
	return html;
}
