/*
 * Writing a chain. A write that failed is taken back by cutting the file, and a
 * line that a crash left half is cut off when the file is opened. A file that
 * is of no form at all is kept beside, and a chain begun anew: what is damaged
 * is for whoever reads to say, and does not keep the next line from being
 * written.
 */
#include "hawatch/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/chain_i.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

struct chain {
	char *path;
	size_t full;
	int files;
	int fd; /* -1: not open */
	off_t size;
	bool cut;		 /* a write failed; size is where it began */
	char sum[CHAIN_SUM_MAX]; /* of the last line */
};

struct chain *
chain_new(const char *path, size_t full, int files)
{
	struct chain *c = xcalloc(1, sizeof(*c));

	c->path = xstrdup(path);
	c->full = full;
	c->files = files;
	c->fd = -1;
	return c;
}

static void
chain_close(struct chain *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

void
chain_free(struct chain *c)
{
	if (c == NULL)
		return;
	chain_close(c);
	free(c->path);
	free(c);
}

/* How much of the file is whole lines; its last sum is the one to go on from.
 * -1: no form that is known. */
static ssize_t
chain_whole(struct chain *c, const char *text, size_t len)
{
	const char *at = text, *end, *last = NULL;
	size_t n = 0;

	while ((end = memchr(at, '\n', (size_t)(text + len - at))) != NULL) {
		last = at;
		n++;
		at = end + 1;
	}
	if (n == 0)
		return -1;
	if (n == 1 && !chain_head(last, (size_t)(at - 1 - last), c->sum))
		return -1;
	if (n > 1 && chain_line(last, (size_t)(at - 1 - last), c->sum) == NULL)
		return -1;
	return at - text;
}

static char *
chain_next(const struct chain *c)
{
	return xasprintf("%s.next", c->path);
}

/* The first number that no file has, or the oldest's. */
static int
chain_free_number(const struct chain *c)
{
	int i, oldest = c->files - 1;
	bool gone = false;
	char *path;

	for (i = 1; i < oldest && !gone; i += !gone) {
		path = chain_path(c->path, i);
		gone = access(path, F_OK) == -1 && errno == ENOENT;
		free(path);
	}
	return i < oldest ? i : oldest;
}

/* PATH becomes PATH.1, and so on; the oldest goes, if none has gone before: a
 * crash in the midst of this leaves a number free, which is filled. */
static int
chain_shift(struct chain *c, struct error *err)
{
	char *from, *to;
	int i, rc = 0;

	for (i = chain_free_number(c) - 1; i >= 0 && rc == 0; i--) {
		from = chain_path(c->path, i);
		to = chain_path(c->path, i + 1);
		if (rename(from, to) == -1 && errno != ENOENT)
			rc = error_sys(err, "rename %s", from);
		free(from);
		free(to);
	}
	return rc;
}

/* The next file, after the one that there is: it names that one's last sum, and
 * is there, as PATH.next, before that one is moved. So nothing is moved where a
 * disk is full, and after a crash in between it is known that no file is
 * missing. */
static int
chain_begin(struct chain *c, bool after, struct error *err)
{
	char *head = xasprintf("%s%s\n", CHAIN_HEAD, c->sum);
	char *next = chain_next(c);
	int rc = file_replace(next, head, strlen(head), 0600, err);

	if (rc == 0 && after)
		rc = chain_shift(c, err);
	if (rc == 0 && rename(next, c->path) == -1)
		rc = error_sys(err, "rename %s", next);
	if (rc == 0)
		rc = file_sync_dir(c->path, err);
	c->size = (off_t)strlen(head);
	free(head);
	free(next);
	return rc;
}

/* A crash came between: that file is the one to go on with. */
static void
chain_crashed(struct chain *c)
{
	char *next = chain_next(c);

	if (access(c->path, F_OK) == -1 && errno == ENOENT)
		(void)!rename(next, c->path);
	free(next);
}

static int
chain_open(struct chain *c, struct error *err)
{
	bool gone;
	char *text;
	size_t len;
	ssize_t whole;

	chain_crashed(c);
	str_cut(c->sum, sizeof(c->sum), CHAIN_NONE);
	text = chain_load(c->path, &len, &gone, err);
	whole = text == NULL ? -1 : chain_whole(c, text, len);
	free(text);
	if (text == NULL && !gone && err->code != ERR_LIMIT)
		return -1;
	if (whole == -1) {
		str_cut(c->sum, sizeof(c->sum), CHAIN_NONE);
		if (chain_begin(c, !gone, err) == -1)
			return -1;
		whole = c->size;
	}
	c->fd = open(c->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (c->fd == -1)
		return error_sys(err, "open %s", c->path);
	c->size = whole;
	c->cut = true; /* what a crash left half goes */
	return 0;
}

/* Somebody has moved, removed or changed it meanwhile. */
static bool
chain_is_other(const struct chain *c)
{
	struct stat mine, there;

	return fstat(c->fd, &mine) == -1 || stat(c->path, &there) == -1 ||
	       mine.st_ino != there.st_ino || mine.st_dev != there.st_dev ||
	       (!c->cut && mine.st_size != c->size);
}

/* Where that fails, what the disk has is not known: it is looked at anew. */
static int
chain_sync(struct chain *c, struct error *err)
{
	if (c->fd == -1 || fdatasync(c->fd) == 0)
		return 0;
	error_sys(err, "fsync %s", c->path);
	chain_close(c);
	return -1;
}

static int
chain_ready(struct chain *c, size_t more, struct error *err)
{
	if (c->fd != -1 && chain_is_other(c))
		chain_close(c);
	if (c->fd == -1 && chain_open(c, err) == -1)
		return -1;
	if (c->cut && ftruncate(c->fd, c->size) == -1)
		return error_sys(err, "cut %s", c->path);
	c->cut = false;
	if ((size_t)c->size + more <= c->full)
		return 0;
	/* What is in it is durable before the next file follows it, which names
	 * its last sum. */
	if (chain_sync(c, err) == -1)
		return -1;
	chain_close(c);
	if (chain_begin(c, true, err) == -1)
		return -1;
	c->fd = open(c->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return c->fd == -1 ? error_sys(err, "open %s", c->path) : 0;
}

static int
chain_write(struct chain *c, const char *text, struct error *err)
{
	char sum[CHAIN_SUM_MAX], *line;
	size_t len;
	ssize_t n;

	if (strlen(text) > CHAIN_LINE_MAX || strchr(text, '\n') != NULL)
		return error_set(err, ERR_LIMIT, "a line does not fit");
	len = CHAIN_SUM_MAX + strlen(text) + 1;
	if (chain_ready(c, len, err) == -1)
		return -1;
	chain_sum(c->sum, text, strlen(text), sum);
	line = xasprintf("%s %s\n", sum, text);
	errno = ENOSPC; /* of a write that is short */
	n = pwrite(c->fd, line, len, c->size);
	free(line);
	if (n != (ssize_t)len) {
		error_sys(err, "write %s", c->path);
		c->cut = true;
		return -1;
	}
	c->size += n;
	str_cut(c->sum, sizeof(c->sum), sum);
	return 0;
}

int
chain_append_all(struct chain *c, char *const *texts, size_t n, size_t *done,
    struct error *err)
{
	struct error ignored;
	int rc = 0;

	for (*done = 0; *done < n && rc == 0; *done += rc == 0)
		rc = chain_write(c, texts[*done], err);
	/* The first error is the one to tell. */
	if (chain_sync(c, rc == 0 ? err : &ignored) == -1)
		rc = -1;
	return rc;
}

int
chain_append(struct chain *c, const char *text, struct error *err)
{
	char *copy = xstrdup(text);
	size_t done;
	int rc = chain_append_all(c, &copy, 1, &done, err);

	free(copy);
	return rc;
}
