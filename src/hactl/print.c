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
	int width[PRINT_COLUMNS_MAX], gap = 2, last = columns - 1, sum = 0;
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
	if (sum + last * gap > PRINT_WIDTH)
		gap = 1;
	sum -= width[last];
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
	int depth = print_cell_width(first), column = depth, w;
	char word[PRINT_CELL_MAX];
	size_t len;

	printf("%s", first);
	while (*text != '\0') {
		len = strcspn(text, " ");
		print_clean(word,
		    len + 1 < sizeof(word) ? len + 1 : sizeof(word), text);
		w = print_cell_width(word);
		if (column > depth && column + 1 + w > PRINT_PARAGRAPH) {
			printf("\n%*s", depth, "");
			column = depth;
		} else if (column > depth) {
			putchar(' ');
			column++;
		}
		printf("%s", word);
		column += w;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
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

void
print_wrong(const char *text, const char *next)
{
	char clean[1024];

	fflush(stdout);
	print_clean(clean, sizeof(clean), text);
	fprintf(stderr, "hactl: %s\n", clean);
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

void
print_object(const json_t *obj, const char *prefix)
{
	char path[128], list[512], clean[512];
	const json_t *value;
	const char *key;
	char *text;

	/* jansson's walk takes no const object, and changes none. */
	json_object_foreach((json_t *)(uintptr_t)obj, key, value) {
		(void)snprintf(path, sizeof(path), "%s%s", prefix, key);
		if (json_is_object(value)) {
			(void)snprintf(
			    path, sizeof(path), "%s%s.", prefix, key);
			print_object(value, path);
			continue;
		}
		if (json_is_string(value)) {
			print_clean(
			    clean, sizeof(clean), json_string_value(value));
		} else if (json_is_array(value)) {
			get_list(value, "", list, sizeof(list));
			print_clean(clean, sizeof(clean), list);
		} else {
			text = json_dumps(value, JSON_ENCODE_ANY);
			print_clean(
			    clean, sizeof(clean), text == NULL ? "" : text);
			free(text);
		}
		printf("%-18s %s\n", path, clean);
	}
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

static void
print_line(const char *const cells[], const int *width, int columns, int gap)
{
	char clean[PRINT_CELL_MAX];
	int c, last = columns - 1;

	for (c = 0; c < last; c++) {
		print_clean(clean, sizeof(clean), cells[c]);
		print_cell(clean, width[c] + gap);
	}
	print_clean(clean, sizeof(clean), cells[last]);
	if (print_cell_width(clean) > width[last])
		print_cell(clean, width[last]);
	else
		printf("%s", clean);
	putchar('\n');
}
