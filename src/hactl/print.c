/*
 * Printing for people: tables and paragraphs within 80 columns, colour on a
 * terminal only, and never a control character that came from elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hawatch/str.h"

#define PRINT_LAST_MIN 16 /* so much of the last column is to be seen */

static bool print_in_colour(void);
static int print_cell_width(const char *text);
static void print_cell(const char *text, int width);
static void print_line(
    const char *const cells[], const int *width, int columns, int gap);

void
print_table(const char *const *head, int columns, const struct print_row *rows,
    size_t n)
{
	const char *cells[PRINT_COLUMNS_MAX];
	int width[PRINT_COLUMNS_MAX] = { 0 };
	int gap = 2, last = columns - 1, sum = 0;
	int c, w;
	size_t i;

	for (c = 0; c < columns; c++) {
		width[c] = print_cell_width(head[c]);
		for (i = 0; i < n; i++) {
			w = print_cell_width(rows[i].cell[c]);
			width[c] = w > width[c] ? w : width[c];
		}
		sum += width[c];
	}
	sum -= width[last];
	w = width[last] < PRINT_LAST_MIN ? width[last] : PRINT_LAST_MIN;
	if (sum + w + last * gap > PRINT_WIDTH)
		gap = 1;
	width[last] = PRINT_WIDTH - sum - last * gap;
	if (width[last] < 4)
		width[last] = 4;
	print_coloured(COLOUR_HEAD, NULL);
	print_line(head, width, columns, gap);
	print_coloured(COLOUR_NONE, NULL);
	for (i = 0; i < n; i++) {
		for (c = 0; c < columns; c++)
			cells[c] = rows[i].cell[c];
		print_coloured(rows[i].colour, NULL);
		print_line(cells, width, columns, gap);
		print_coloured(COLOUR_NONE, NULL);
	}
}

void
print_wrapped(const char *first, const char *text)
{
	print_folded(stdout, first, print_cell_width(first), text);
}

void
print_folded(FILE *out, const char *first, int depth, const char *text)
{
	int column = print_cell_width(first), w;
	bool begun = false;
	char word[1024];
	size_t len;

	fputs(first, out);
	while (*text != '\0') {
		len = strcspn(text, " ");
		print_clean(word,
		    len + 1 < sizeof(word) ? len + 1 : sizeof(word), text);
		w = print_cell_width(word);
		if (begun && column + 1 + w > PRINT_PARAGRAPH) {
			fprintf(out, "\n%*s", depth, "");
			column = depth;
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

	fflush(stdout);
	print_folded(stderr, "hactl: ", 7, text);
	if (next != NULL && next[0] != '\0') {
		print_clean(clean, sizeof(clean), next);
		fprintf(stderr, "next:  %s\n", clean);
	}
}

void
print_ms(char *buf, size_t size, long long ms)
{
	(void)snprintf(buf, size, "%lld.%03lld s", ms / 1000, ms % 1000);
}

static bool
print_in_colour(void)
{
	const char *term = getenv("TERM");

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

static void
print_cell(const char *text, int width)
{
	int used = 0;

	for (; *text != '\0'; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80 && used++ == width)
			return;
		putchar(*text);
	}
	printf("%*s", width - used, "");
}

/* No blanks at the end. */
static void
print_line(const char *const cells[], const int *width, int columns, int gap)
{
	char clean[PRINT_CELL_MAX];
	int c, last = columns - 1;

	while (last > 0 && cells[last][0] == '\0')
		last--;
	for (c = 0; c < last; c++) {
		print_clean(clean, sizeof(clean), cells[c]);
		print_cell(clean, width[c] + gap);
	}
	print_clean(clean, sizeof(clean), cells[last]);
	if (last == columns - 1 && print_cell_width(clean) > width[last])
		print_cell(clean, width[last]);
	else
		printf("%s", clean);
	putchar('\n');
}
