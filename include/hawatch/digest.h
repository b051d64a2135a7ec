/*
 * A digest of texts, to compare what is too long, or too secret, to be shown.
 */
#ifndef HAWATCH_DIGEST_H
#define HAWATCH_DIGEST_H

#include <stddef.h>

struct digest;

struct digest *digest_new(void);
/* Where one text ends and the next begins counts. */
void digest_text(struct digest *d, const char *text);
/* As much of it as fits, in hexadecimal; d is freed. */
void digest_end(struct digest *d, char *hex, size_t size);

#endif
