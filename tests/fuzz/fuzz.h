/*
 * What the targets share. A target is one file with LLVMFuzzerTestOneInput:
 * it gives foreign bytes to one parser and checks what must hold whatever they
 * are. libFuzzer calls it, or replay.c does.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "hawatch/conf.h"
#include "hawatch/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold; not an assert, so that no build can leave it out. */
#define FUZZ_CHECK(cond) \
	((cond) ? (void)0 : fuzz_broken(#cond, __FILE__, __LINE__))
void fuzz_broken(const char *what, const char *file, int line)
    __attribute__((noreturn));

/* A refusal says why, in one line. */
void fuzz_refused(const struct error *err);
/* Texts that came from the same value. Takes both. */
void fuzz_same(char *a, char *b);

/* The bytes and a final 0; caller frees. */
char *fuzz_text(const uint8_t *data, size_t size) MUST_CHECK;
/* What is left of an input that has several parts. */
struct fuzz_in {
	const char *at, *end;
};
/* Cuts the part before the next such byte off, all of it when there is none:
 * a copy, caller frees; NULL when nothing is left. */
char *fuzz_part(struct fuzz_in *in, char byte, size_t *len) MUST_CHECK;

/* The path of a file with these bytes, the same at each call of a process. */
const char *fuzz_file(const char *data, size_t size);

/* Three nodes, s1, s2 and a1, of which s2 is this host, and some checks. */
const struct conf *fuzz_conf(void);

#endif
