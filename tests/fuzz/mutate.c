/*
 * Small changes of an input: bits, bytes, numbers, pieces moved, repeated or
 * cut out, words of a dictionary, and splices of two inputs.
 */
#include "mutate.h"

#include <string.h>

size_t
mutate_dice(struct mutate *m, size_t n)
{
	m->state ^= m->state << 13;
	m->state ^= m->state >> 7;
	m->state ^= m->state << 17;
	return (size_t)((m->state >> 11) % n);
}

/* Puts n bytes in the place of cut bytes at that offset, if there is room. */
static size_t
mutate_put(uint8_t *buf, size_t len, size_t size, size_t at, size_t cut,
    const uint8_t *from, size_t n)
{
	if (cut > len - at)
		cut = len - at;
	if (len - cut + n > size)
		return len;
	memmove(buf + at + n, buf + at + cut, len - at - cut);
	memcpy(buf + at, from, n);
	return len - cut + n;
}

static size_t
mutate_word(struct mutate *m, uint8_t *buf, size_t len, size_t size)
{
	static const char *const common[] = { "0", "-1", "1", "\"", "{", "}",
		"[", "]", "\n", "\r\n", "\\u0000", "\\", "2147483648",
		"4294967296", "9223372036854775807", "18446744073709551616",
		"null", "true", "1e308", "\xff", "\xc3\xa9", " ", "%n", "/" };
	size_t n = sizeof(common) / sizeof(common[0]);
	size_t i = mutate_dice(m, n + 3 * m->words);
	size_t at = mutate_dice(m, len + 1);
	const struct bytes *w;

	if (i < n)
		return mutate_put(buf, len, size, at, mutate_dice(m, 4),
		    (const uint8_t *)common[i], strlen(common[i]));
	w = &m->word[(i - n) % m->words];
	return mutate_put(buf, len, size, at,
	    mutate_dice(m, 2) == 0 ? 0 : w->len, w->data, w->len);
}

/* A piece of it once more, elsewhere. */
static size_t
mutate_copy(struct mutate *m, uint8_t *buf, size_t len, size_t size)
{
	uint8_t piece[256];
	size_t from = mutate_dice(m, len), n = 1 + mutate_dice(m, 64);

	if (n > len - from)
		n = len - from;
	memcpy(piece, buf + from, n);
	return mutate_put(buf, len, size, mutate_dice(m, len + 1),
	    mutate_dice(m, 2) == 0 ? 0 : n, piece, n);
}

static size_t
mutate_once(struct mutate *m, uint8_t *buf, size_t len, size_t size,
    const struct bytes *other)
{
	size_t at = len == 0 ? 0 : mutate_dice(m, len), from;
	uint8_t byte = (uint8_t)mutate_dice(m, 256);

	switch (len == 0 ? 5 : mutate_dice(m, 9)) {
	case 0:
		buf[at] ^= (uint8_t)(1U << mutate_dice(m, 8));
		return len;
	case 1:
		buf[at] = byte;
		return len;
	case 2:
		return mutate_put(buf, len, size, at, 0, &byte, 1);
	case 3: /* a piece cut out */
		return mutate_put(
		    buf, len, size, at, 1 + mutate_dice(m, 16), &byte, 0);
	case 4:
		return at; /* truncated */
	case 5:
	case 6:
		return mutate_word(m, buf, len, size);
	case 7:
		return mutate_copy(m, buf, len, size);
	default: /* the rest is another's */
		from = other->len == 0 ? 0 : mutate_dice(m, other->len);
		return mutate_put(buf, len, size, at, len, other->data + from,
		    other->len - from);
	}
}

size_t
mutate(struct mutate *m, uint8_t *buf, size_t len, size_t size,
    const struct bytes *other)
{
	size_t times = 1 + mutate_dice(m, 6);

	while (times-- > 0)
		len = mutate_once(m, buf, len, size, other);
	return len;
}
