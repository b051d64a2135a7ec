/* Small changes of an input, the same for the same seed. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data;
	size_t len;
};

struct mutate {
	uint64_t state;		  /* of xorshift; not 0 */
	const struct bytes *word; /* of the dictionary */
	size_t words;
};

/* Below n, which is not 0. */
size_t mutate_dice(struct mutate *m, size_t n);
/* Changes buf, which has room for size bytes; other is one to splice with.
 * Returns the new length. */
size_t mutate(struct mutate *m, uint8_t *buf, size_t len, size_t size,
    const struct bytes *other);

#endif
