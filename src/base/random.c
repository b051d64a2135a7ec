/*
 * Random identifiers from the kernel.
 */
#include "hawatch/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static void random_fill(void *data, size_t len);

void
random_hex(char *dst, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	if (size == 0)
		return;
	random_fill(dst, size - 1);
	for (i = 0; i < size - 1; i++)
		dst[i] = digits[(unsigned char)dst[i] & 15];
	dst[size - 1] = '\0';
}

uint64_t
random_u64(void)
{
	uint64_t value;

	random_fill(&value, sizeof(value));
	return value;
}

/* getrandom fails only where the kernel has no such call; an identifier that
 * somebody can guess, or that repeats, would be worse than no daemon. */
static void
random_fill(void *data, size_t len)
{
	char *p = data;
	ssize_t n;

	while (len > 0) {
		n = getrandom(p, len, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();
		p += n;
		len -= (size_t)n;
	}
}
