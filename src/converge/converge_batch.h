/*
 * The files of one run, or of one look, on their way through a worker.
 */
#ifndef CONVERGE_BATCH_H
#define CONVERGE_BATCH_H

#include "converge/converge_file.h"
#include "hawatch/queue.h"

struct batch;
struct loop;
struct worker;

/* A worker of its own for files that may lie on a disk, or on a network, that
 * hangs: nothing else is to wait behind them. */
struct lane {
	struct worker *worker; /* NULL until it is needed */
	struct loop *loop;
	const char *tag; /* of its new files */
	unsigned serial;
	void (*point)(const char *place);
	LIST_HEAD(batches, batch) batches;
};
void lane_init(struct lane *lane, struct loop *loop, const char *tag,
    void (*point)(const char *place));
/* Waits for what the worker does. */
void lane_fini(struct lane *lane);

enum batch_step {
	BATCH_LOOK,
	BATCH_PREPARE,
	BATCH_COMMIT,
	BATCH_DROP,
	BATCH_TIDY
};

struct batch *batch_new(struct lane *lane, uint64_t epoch);
/* text is taken; path and match are borrowed until the batch is freed. */
void batch_add(struct batch *b, int id, const char *path, const char *match,
    char *text, enum conf_item_many many, const struct cfile_sig *sig);
/* done is called once, never from within, unless the batch is dropped. */
void batch_start(
    struct batch *b, enum batch_step step, void (*done)(void *arg), void *arg);
bool batch_busy(const struct batch *b);
/* Ends it at any time: new files that were not committed are removed. */
void batch_drop(struct batch *b);

/* When it is not busy: line number i; NULL after the last. */
struct cfile_line *batch_line(struct batch *b, int i);

#endif
