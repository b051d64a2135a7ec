/*
 * What the two files of the chain share: its form on the disk.
 */
#ifndef HAWATCH_CHAIN_I_H
#define HAWATCH_CHAIN_I_H

#include "hawatch/chain.h"

/* "hawatch-history 1 SUM\n", the sum of the last line of the file before; then
 * lines "SUM TEXT\n". */
#define CHAIN_HEAD "hawatch-history 1 "
#define CHAIN_NONE \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"

void chain_sum(
    const char *before, const char *text, size_t len, char sum[CHAIN_SUM_MAX]);
/* PATH for 0, else PATH.N; caller frees. */
char *chain_path(const char *path, int n);
/* The text of a line, and its sum; NULL: it is of another form. */
const char *chain_line(const char *line, size_t len, char sum[CHAIN_SUM_MAX]);
/* The sum that a file's first line names; false: it is no head. */
bool chain_head(const char *line, size_t len, char sum[CHAIN_SUM_MAX]);
/* A file of at most so many bytes; NULL with err, where *gone: there is none.
 */
char *chain_load(const char *path, size_t *len, bool *gone, struct error *err);

#endif
