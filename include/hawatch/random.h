/*
 * Unpredictable identifiers: nonces, instances, request ids. Not for the core,
 * whose randomness is an argument.
 */
#ifndef HAWATCH_RANDOM_H
#define HAWATCH_RANDOM_H

#include <stddef.h>

#include "hawatch/types.h"

/* Fills dst with size - 1 random hexadecimal digits and a final 0. */
void random_hex(char *dst, size_t size);
uint64_t random_u64(void);

#endif
