/*
 * Bounded copies and strict parsers of numbers, durations and positions.
 * Nothing here allocates.
 */
#include "hawatch/str.h"

#include <stdio.h>
#include <string.h>

static int str_hex_digit(char c);
static size_t str_distance(const char *a, const char *b);

/* From the greatest to the smallest, so that usec_str finds the shortest. */
static const struct {
	const char *name;
	usec_t length;
} str_units[] = {
	{ "h", 3600 * USEC_SEC },
	{ "min", 60 * USEC_SEC },
	{ "s", USEC_SEC },
	{ "ms", USEC_MSEC },
	{ "us", 1 },
};
#define STR_UNITS (sizeof(str_units) / sizeof(str_units[0]))

int
str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (size == 0)
		return -1;
	if (len >= size) {
		dst[0] = '\0';
		return -1;
	}
	memcpy(dst, src, len + 1);
	return 0;
}

void
str_cut(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size == 0 ? 0 : size - 1);

	if (size == 0)
		return;
	memcpy(dst, src, len);
	dst[len] = '\0';
}

bool
str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int
str_parse_u64(const char *s, uint64_t *out)
{
	uint64_t value = 0;
	uint64_t digit;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		digit = (uint64_t)(*s - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

int
str_parse_int(const char *s, int min, int max, int *out)
{
	bool negative = *s == '-';
	uint64_t value;
	int64_t signed_value;

	if (str_parse_u64(negative ? s + 1 : s, &value) == -1)
		return -1;
	if (value > INT32_MAX)
		return -1;
	signed_value = negative ? -(int64_t)value : (int64_t)value;
	if (signed_value < min || signed_value > max)
		return -1;
	*out = (int)signed_value;
	return 0;
}

int
usec_parse(const char *s, usec_t *out)
{
	char digits[20];
	size_t len = strspn(s, "0123456789");
	uint64_t value;
	size_t i;

	if (len == 0 || len >= sizeof(digits))
		return -1;
	memcpy(digits, s, len);
	digits[len] = '\0';
	if (str_parse_u64(digits, &value) == -1)
		return -1;
	for (i = 0; i < STR_UNITS; i++) {
		if (strcmp(s + len, str_units[i].name) != 0)
			continue;
		if (value > (uint64_t)((USEC_NEVER - 1) / str_units[i].length))
			return -1;
		*out = (usec_t)value * str_units[i].length;
		return 0;
	}
	return -1;
}

const char *
usec_str(usec_t t, char *buf)
{
	size_t i;

	if (t == USEC_NEVER) {
		(void)snprintf(buf, USEC_STR_MAX, "never");
		return buf;
	}
	for (i = 0; i < STR_UNITS - 1; i++)
		if (t != 0 && t % str_units[i].length == 0)
			break;
	if (t == 0)
		i = 2; /* "0s" */
	(void)snprintf(buf, USEC_STR_MAX, "%lld%s",
	    (long long)(t / str_units[i].length), str_units[i].name);
	return buf;
}

const char *
answer_str(enum answer ans)
{
	static const char *const words[] = {
		[ANS_UNKNOWN] = "unknown",
		[ANS_YES] = "yes",
		[ANS_NO] = "no",
	};

	return words[ans];
}

int
lsn_parse(const char *s, lsn_t *out)
{
	uint64_t half[2] = { 0, 0 };
	int digits;
	int i;

	for (i = 0; i < 2; i++) {
		for (digits = 0; str_hex_digit(*s) >= 0; s++, digits++) {
			if (digits == 8)
				return -1;
			half[i] = half[i] << 4 | (uint64_t)str_hex_digit(*s);
		}
		if (digits == 0 || *s != (i == 0 ? '/' : '\0'))
			return -1;
		s++;
	}
	*out = half[0] << 32 | half[1];
	return 0;
}

const char *
lsn_str(lsn_t lsn, char *buf)
{
	(void)snprintf(buf, LSN_STR_MAX, "%X/%X", (unsigned)(lsn >> 32),
	    (unsigned)(lsn & UINT32_MAX));
	return buf;
}

int
str_hex(char *dst, size_t size, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	size_t i;

	if (size == 0 || len > (size - 1) / 2)
		return -1;
	for (i = 0; i < len; i++) {
		dst[2 * i] = digits[p[i] >> 4];
		dst[2 * i + 1] = digits[p[i] & 15];
	}
	dst[2 * len] = '\0';
	return 0;
}

int
str_unhex(void *dst, size_t size, const char *hex)
{
	unsigned char *p = dst;
	size_t len = strlen(hex);
	size_t i;
	int high, low;

	if (len % 2 != 0 || len / 2 > size || len / 2 > INT32_MAX)
		return -1;
	for (i = 0; i < len / 2; i++) {
		high = str_hex_digit(hex[2 * i]);
		low = str_hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		p[i] = (unsigned char)(high << 4 | low);
	}
	return (int)(len / 2);
}

size_t
str_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t code, least;
	size_t len, i;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2, code = p[0] & 0x1f, least = 0xa0; /* no C1 */
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3, code = p[0] & 0x0f, least = 0x800;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4, code = p[0] & 0x07, least = 0x10000;
	} else {
		return 0;
	}
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff)
		return 0;
	return code >= 0xd800 && code <= 0xdfff ? 0 : len;
}

const char *
str_nearest(const char *word, const char *const *list, size_t n)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 3 + 2;
	size_t i, d;

	for (i = 0; i < n; i++) {
		d = str_distance(word, list[i]);
		if (d < best_distance) {
			best_distance = d;
			best = list[i];
		}
	}
	return best;
}

static int
str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Edits that turn a into b (Levenshtein); words over 63 bytes are far from
 * everything. */
static size_t
str_distance(const char *a, const char *b)
{
	size_t row[64];
	size_t la = strlen(a), lb = strlen(b);
	size_t i, j, above, corner, least;

	if (la >= 64 || lb >= 64)
		return SIZE_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			least = corner + (a[i - 1] != b[j - 1]);
			if (above + 1 < least)
				least = above + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
			corner = above;
		}
	}
	return row[lb];
}
