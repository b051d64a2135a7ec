/*
 * Printing for people: tables and paragraphs within 80 columns, colour on a
 * terminal only, and never a control character that came from elsewhere.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define PRINT_LAST_MIN 16 /* so much of the last column is to be seen */
#define PRINT_COLUMN_MIN 6
#define PRINT_DEPTH_MAX \
	48 /* deeper, a paragraph would be a column of words \
	    */

/* As --color said; like the standard output, there is one a process. */
static enum { PRINT_AUTO, PRINT_ALWAYS, PRINT_NEVER } print_colours;
static struct {
	bool on;
	char *text, *next; /* NULL: nothing */
} print_later;

static bool print_in_colour(void);
static int print_fit(int *width, int columns);
static int print_cell_width(const char *text);
static const char *print_skip(const char *text, int characters);
static void print_cell(const char *text, int width);
static void print_middle(const char *text, int width);
static void print_row(
    const char *const cells[], const int *width, int columns, int gap);

void
print_table(const char *const *head, int columns, const struct print_row *rows,
    size_t n)
{
	const char *cells[PRINT_COLUMNS_MAX];
	int width[PRINT_COLUMNS_MAX] = { 0 };
	int gap, c, w;
	size_t i;

	for (c = 0; c < columns; c++) {
		width[c] = print_cell_width(head[c]);
		for (i = 0; i < n; i++) {
			w = print_cell_width(rows[i].cell[c]);
			width[c] = w > width[c] ? w : width[c];
		}
	}
	gap = print_fit(width, columns);
	print_coloured(COLOUR_HEAD, NULL);
	print_row(head, width, columns, gap);
	print_coloured(COLOUR_NONE, NULL);
	for (i = 0; i < n; i++) {
		for (c = 0; c < columns; c++)
			cells[c] = rows[i].cell[c];
		print_coloured(rows[i].colour, NULL);
		print_row(cells, width, columns, gap);
		print_coloured(COLOUR_NONE, NULL);
	}
}

/* The last column gives way first, then the gaps, then the widest column. */
static int
print_fit(int *width, int columns)
{
	int gap = 2, last = columns - 1, sum = 0, c, i, widest;

	for (c = 0; c < last; c++)
		sum += width[c];
	c = width[last] < PRINT_LAST_MIN ? width[last] : PRINT_LAST_MIN;
	if (sum + c + last * gap > PRINT_WIDTH)
		gap = 1;
	while (sum + c + last * gap > PRINT_WIDTH) {
		widest = 0;
		for (i = 1; i < last; i++)
			widest = width[i] > width[widest] ? i : widest;
		if (width[widest] <= PRINT_COLUMN_MIN)
			break;
		width[widest]--;
		sum--;
	}
	width[last] = PRINT_WIDTH - sum - last * gap;
	if (width[last] < 4)
		width[last] = 4;
	return gap;
}

void
print_wrapped(const char *first, const char *text)
{
	print_folded(stdout, first, print_cell_width(first), text);
}

void
print_line(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_folded(stdout, "", 8, text);
}

void
print_folded(FILE *out, const char *first, int depth, const char *text)
{
	int column = print_cell_width(first), w, at;
	bool begun = false;
	char word[1024], *whole;
	size_t len;

	if (column > PRINT_DEPTH_MAX) {
		whole = xasprintf("%s%s", first + strspn(first, " "), text);
		print_folded(out, "", 8, whole);
		free(whole);
		return;
	}
	print_clean(word, sizeof(word), first);
	fputs(word, out);
	while (*text != '\0') {
		len = strcspn(text, " ");
		print_clean(word,
		    len + 1 < sizeof(word) ? len + 1 : sizeof(word), text);
		w = print_cell_width(word);
		/* A long name goes on a line where it fits. */
		at = depth + w > PRINT_WIDTH && depth > 8 ? 8 : depth;
		if ((begun && column + 1 + w > PRINT_PARAGRAPH) || at < depth) {
			fprintf(out, "\n%*s", at, "");
			column = at;
		} else if (begun) {
			fputc(' ', out);
			column++;
		}
		fputs(word, out);
		begun = true;
		column += w;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* With a text: that text alone in the colour. Without: from here on. */
void
print_coloured(enum colour colour, const char *text)
{
	static const char *const codes[] = {
		[COLOUR_NONE] = "\033[0m",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_BAD] = "\033[31m",
		[COLOUR_HEAD] = "\033[1m",
	};
	bool on = print_in_colour();

	if (on)
		printf("%s", codes[colour]);
	if (text != NULL) {
		printf("%s", text);
		if (on)
			printf("%s", codes[COLOUR_NONE]);
	}
}

void
print_clean(char *dst, size_t size, const char *src)
{
	size_t used = 0, len;

	while (*src != '\0') {
		len = str_utf8(src);
		if (used + (len == 0 ? 1 : len) >= size)
			break;
		if (len == 0) {
			dst[used++] = '?';
			src++;
			continue;
		}
		memcpy(dst + used, src, len);
		used += len;
		src += len;
	}
	dst[used] = '\0';
}

/* A command is not folded: it is there to be copied. */
void
print_wrong(const char *text, const char *next)
{
	char clean[1024];

	/* An engine of another version may not say it. */
	if (next == NULL || next[0] == '\0')
		next = "hactl status";
	next = next_command(next);
	print_json_refused(text, next);
	if (print_later.on) {
		free(print_later.text);
		free(print_later.next);
		print_later.text = xstrdup(text);
		print_later.next = xstrdup(next);
		return;
	}
	fflush(stdout);
	print_folded(stderr, "hactl: ", 7, text);
	print_clean(clean, sizeof(clean), next);
	fprintf(stderr, "next:  %s\n", clean);
}

void
print_next(const char *first, const char *next)
{
	char clean[1024];

	print_clean(clean, sizeof(clean), next_command(next));
	printf("%s%s\n", first, clean);
}

void
print_hold(bool hold)
{
	print_later.on = hold;
	if (!hold)
		return;
	free(print_later.text);
	free(print_later.next);
	print_later.text = print_later.next = NULL;
}

void
print_held(void)
{
	print_later.on = false;
	if (print_later.text != NULL)
		print_wrong(print_later.text, print_later.next);
	print_hold(true);
	print_later.on = false;
}

/* What a flush could not write is discarded, and the next one succeeds. */
bool
print_flush(void)
{
	return fflush(stdout) == 0 && ferror(stdout) == 0;
}

void
print_ms(char *buf, size_t size, long long ms)
{
	(void)snprintf(buf, size, "%lld.%03lld s", ms / 1000, ms % 1000);
}

bool
print_colour(const char *when)
{
	if (strcmp(when, "auto") == 0)
		print_colours = PRINT_AUTO;
	else if (strcmp(when, "always") == 0)
		print_colours = PRINT_ALWAYS;
	else if (strcmp(when, "never") == 0)
		print_colours = PRINT_NEVER;
	else
		return false;
	return true;
}

static bool
print_in_colour(void)
{
	const char *term = getenv("TERM");

	if (print_colours != PRINT_AUTO)
		return print_colours == PRINT_ALWAYS;
	return isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL &&
	       term != NULL && strcmp(term, "dumb") != 0;
}

/* Characters, not bytes. */
static int
print_cell_width(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80)
			width++;
	}
	return width;
}

static const char *
print_skip(const char *text, int characters)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80 && characters-- == 0)
			break;
	return text;
}

static void
print_cell(const char *text, int width)
{
	int used = print_cell_width(text);

	if (used > width)
		used = width;
	printf("%.*s%*s", (int)(print_skip(text, width) - text), text,
	    width - used, "");
}

/* Names of hosts differ at their ends. */
static void
print_middle(const char *text, int width)
{
	int used = print_cell_width(text), head = (width - 1) / 2;

	if (used <= width)
		print_cell(text, width);
	else
		printf("%.*s~%s", (int)(print_skip(text, head) - text), text,
		    print_skip(text, used - (width - 1 - head)));
}

/* No blanks at the end. */
static void
print_row(const char *const cells[], const int *width, int columns, int gap)
{
	char clean[PRINT_CELL_MAX];
	int c, last = columns - 1;

	while (last > 0 && cells[last][0] == '\0')
		last--;
	for (c = 0; c < last; c++) {
		print_clean(clean, sizeof(clean), cells[c]);
		print_middle(clean, width[c]);
		printf("%*s", gap, "");
	}
	print_clean(clean, sizeof(clean), cells[last]);
	if (print_cell_width(clean) <= width[last])
		printf("%s", clean);
	else if (last == columns - 1)
		print_cell(clean, width[last]);
	else
		print_middle(clean, width[last]);
	putchar('\n');
}
