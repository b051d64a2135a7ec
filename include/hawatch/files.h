/*
 * Files that a standby copies from the primary, beside the database: before a
 * switchover the target pulls them once more, by a command of the
 * configuration, and what both hosts have then is compared by digests.
 */
#ifndef HAWATCH_FILES_H
#define HAWATCH_FILES_H

#include "hawatch/conf.h"
#include "hawatch/error.h"
#include "hawatch/types.h"

struct files;
struct http;
struct loop;

struct files_env {
	struct loop *loop;
	const struct conf *conf;
	struct http *http;   /* to the peers */
	const char *program; /* whose "--digest PATH ..." is
				files_digest_main */
};

/* env's members must live longer. */
struct files *files_new(const struct files_env *env);
void files_free(struct files *f);

/* Of the target: the holder asks. A new id pulls, then reads what is here; the
 * same again is told how that goes. Caller frees. */
char *files_answer(struct files *f, node_t holder, uint64_t id) MUST_CHECK;
/* Nothing of a pull goes on: from now on this host's files are newer. */
void files_stop(struct files *f);
/* Whose files are pulled now; NODE_NONE: nobody's. */
node_t files_pulls(const struct files *f);

/* Of the holder: the target has pulled, and both have the same. done is called
 * once, never from within, unless cancelled: yes, or no, and reason says what
 * differs or went wrong. */
void files_hand(struct files *f, node_t to, uint64_t id,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg);
void files_hand_cancel(struct files *f);

/* The child: for each directory a line of the digest of all names and contents
 * in it, the number of files and of bytes. Exit status. */
int files_digest_main(int argc, char **argv);

#endif
