/*
 * One file whose lines are to read as demanded: compared, prepared beside it,
 * put in its place. All of it may wait for a disk: for a worker only.
 */
#ifndef CONVERGE_FILE_H
#define CONVERGE_FILE_H

#include <limits.h>
#include <sys/stat.h>

#include "converge/converge_text.h"
#include "hawatch/types.h"

#define CFILE_BACKUPS 5

/* By what a file is known not to have changed. */
struct cfile_sig {
	bool valid;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct cfile_line {
	int id; /* the caller's */
	struct text_rule rule;
	char *text;	      /* what rule.text is; the caller's */
	struct cfile_sig sig; /* cfile_look: of the last look; and of this */
	bool known;	      /* cfile_look: as at the last look */
	bool fits;	      /* the file has one that can read so */
	bool ok;	      /* it reads so, or will once committed */
	bool changed;	      /* it did not before */
	char reason[200];     /* why not ok */
};

struct cfile {
	const char *path;
	int count;
	struct cfile_line *line;
	/* Between prepare and commit. */
	bool ready; /* a new file lies beside the old one */
	int dir;    /* -1: none */
	char base[NAME_MAX + 1];
	struct cfile_sig seen;
};

/* Compares each line by itself; changes nothing. A line whose sig is still
 * that of the file is only known. */
void cfile_look(struct cfile *f);

/* Makes the new content, keeps the old one once for that epoch and writes the
 * new file beside it, with owner, mode and attributes of the old one; tag
 * tells apart who may be at it at one time. A line that cannot be rendered
 * is not ok and stays as it is. */
void cfile_prepare(struct cfile *f, const char *tag, uint64_t epoch);
/* Puts the new file in the place of the old one, if that is still the one
 * that was read. */
void cfile_commit(struct cfile *f, const char *tag);
/* Makes a commit durable, drops the oldest backups, ends it. */
void cfile_sync(struct cfile *f);
/* Without commit: what prepare wrote goes away. */
void cfile_drop(struct cfile *f, const char *tag);
/* What a crash left beside that file under tags that begin so goes away. */
void cfile_tidy(const char *path, const char *tag);

#endif
