/*
 * The page at "/": what each public path would answer now. For a person with
 * a browser; no scripts, no secrets, nothing that the paths do not say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/route.h"
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
	fputs("\n<table>\n<tr><th>path<th>now<th>reason<th>200 says\n", out);
	for (row = route_table; row->path != NULL; row++)
		page_row(out, r, row, now);
	fputs("</table>\n", out);
	if (fclose(out) != 0)
		abort();
	return html;
}
