/*
 * Whether the file that this engine was started by could start it again: so
 * that every host's status can say it, and not only who logs in there.
 */
#ifndef HAWATCH_ENGINE_CONFIG_FILE_H
#define HAWATCH_ENGINE_CONFIG_FILE_H

#include "hawatch/conf.h"
#include "hawatch/types.h"

struct config_file;
struct loop;

/* As of the last look. It goes to the other hosts and to the front, which shows
 * it to everybody: no word of the file is in it. */
struct config_file_word {
	int errors;   /* 0: it is right, as far as is known */
	bool observe; /* but of a mode in which this host does not start */
	char at[200]; /* the first error: "FILE:LINE", or "FILE"; "" none */
};

/* The file of conf is read each period, aside: a disk that hangs holds nobody
 * up. word is written to on the loop, and outlives it. */
struct config_file *config_file_new(struct loop *loop, const struct conf *conf,
    struct config_file_word *word, usec_t period);
void config_file_free(struct config_file *f);

#endif
