/*
 * Two slots of fixed size in one preallocated file. A slot is a line of header
 * (magic, number, length, SHA-256 of number, length and text) and the text. The
 * slot of the greater number counts, of those that are whole: the sum covers
 * the number, too, for a damaged one would make an older slot the newest, and
 * what this node has promised since would be forgotten.
 */
#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/crash.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"

#define SLOT 16384
#define MAGIC "hawatch-state-2"
#define MAGIC_OLD "hawatch-state-1" /* its sum is of the text alone */
#define HEADER_MAX 160
#define HEAD "%" PRIu64 " %zu "

struct journal {
	int fd;
	const struct names *names;
	struct worker *worker;
	bool busy; /* the worker has image */
	char image[SLOT];
	uint64_t version; /* of image */
	uint64_t slot;	  /* grows with each write that succeeded; its parity
			     is the slot, so a failed write never touches the
			     one that is whole */
	int result;
	char *next; /* the newest text that waits */
	uint64_t next_version;
	journal_fn done;
	void *arg;
};

static void
journal_sum(const char *head, const char *text, size_t len, char hex[65])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, head, strlen(head)) != 1 ||
	    EVP_DigestUpdate(ctx, text, len) != 1 ||
	    EVP_DigestFinal_ex(ctx, md, &n) != 1 ||
	    str_hex(hex, 65, md, 32) != 0)
		abort();
	EVP_MD_CTX_free(ctx);
}

/* The text of a slot, in place; NULL if it is not whole. */
static const char *
slot_text(char *slot, uint64_t *number, size_t *len)
{
	char sum[65], want[65], head[64] = "";
	char *text;
	size_t n;

	slot[SLOT - 1] = '\0';
	text = strchr(slot, '\n');
	if (text == NULL || text - slot > HEADER_MAX)
		return NULL;
	/* NOLINTNEXTLINE(cert-err34-c): too great a number is the greatest */
	if (sscanf(slot, MAGIC " %" SCNu64 " %zu %64s", number, &n, want) == 3)
		snprintf(head, sizeof(head), HEAD, *number, n);
	/* NOLINTNEXTLINE(cert-err34-c) */
	else if (sscanf(slot, MAGIC_OLD " %" SCNu64 " %zu %64s", number, &n,
		     want) != 3)
		return NULL;
	text++;
	if (n > (size_t)(slot + SLOT - 1 - text))
		return NULL;
	journal_sum(head, text, n, sum);
	*len = n;
	return strcmp(sum, want) == 0 ? text : NULL;
}

static int
journal_load(struct journal *j, const char *path, struct durable *dur,
    bool *found, struct error *err)
{
	char *slots = xcalloc(2, SLOT);
	const char *text[2];
	uint64_t number[2] = { 0, 0 };
	size_t len[2] = { 0, 0 };
	bool blank = true;
	ssize_t n;
	int i, best = -1, rc = -1;

	*found = false;
	n = pread(j->fd, slots, (size_t)2 * SLOT, 0);
	if (n < 0) {
		error_sys(err, "read %s", path);
		goto out;
	}
	for (i = 0; i < 2 * SLOT; i++)
		blank = blank && slots[i] == '\0';
	for (i = 0; i < 2; i++) {
		text[i] =
		    slot_text(slots + (size_t)i * SLOT, &number[i], &len[i]);
		if (text[i] != NULL && (best < 0 || number[i] > number[best]))
			best = i;
	}
	if (best < 0 && !blank) {
		error_set(err, ERR_PROTOCOL,
		    "%s: no part of it can be read, "
		    "so what this node promised is not known: if the register "
		    "and the other data node are well, move the file away and "
		    "restart; if not, see hawatch(7)",
		    path);
		goto out;
	}
	if (best >= 0) {
		j->slot = number[best];
		if (journal_parse(dur, text[best], len[best], j->names, err)) {
			error_wrap(err, "%s", path);
			goto out;
		}
		*found = true;
	}
	rc = 0;
out:
	free(slots);
	return rc;
}

struct journal *
journal_open(const char *path, struct worker *w, const struct names *names,
    struct durable *dur, bool *found, struct error *err)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	int rc;

	j->worker = w;
	j->names = names;
	j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->fd < 0) {
		error_sys(err, "open %s", path);
		goto fail;
	}
	if (journal_load(j, path, dur, found, err) != 0)
		goto fail;
	/* Its blocks are there before anything depends on them. */
	rc = posix_fallocate(j->fd, 0, (off_t)2 * SLOT);
	if (rc != 0) {
		errno = rc;
		error_sys(err, "%s: reserve %d bytes", path, 2 * SLOT);
		goto fail;
	}
	if (fsync(j->fd) != 0) {
		error_sys(err, "fsync %s", path);
		goto fail;
	}
	if (file_sync_dir(path, err) != 0)
		goto fail;
	return j;
fail:
	if (j->fd >= 0)
		close(j->fd);
	free(j);
	return NULL;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	close(j->fd);
	free(j->next);
	free(j);
}

/* In the worker's thread. */
static void
journal_work(void *arg)
{
	struct journal *j = arg;

	crash_point("fsync-before");
	j->result = pwrite(j->fd, j->image, SLOT,
			(off_t)((j->slot + 1) % 2) * SLOT) == SLOT ?
			fdatasync(j->fd) :
			-1;
	crash_point("fsync-after");
}

static void journal_next(struct journal *j);

static void
journal_done_cb(void *arg)
{
	struct journal *j = arg;
	uint64_t version = j->version;
	bool ok = j->result == 0;

	j->busy = false;
	if (ok)
		j->slot++;
	journal_next(j);
	j->done(j->arg, version, ok);
}

static void
journal_next(struct journal *j)
{
	char sum[65], head[64];
	size_t len;

	if (j->busy || j->next == NULL)
		return;
	len = strlen(j->next);
	if (len > SLOT - HEADER_MAX)
		abort();
	snprintf(head, sizeof(head), HEAD, j->slot + 1, len);
	journal_sum(head, j->next, len, sum);
	memset(j->image, 0, sizeof(j->image));
	snprintf(
	    j->image, sizeof(j->image), MAGIC " %s%s\n%s", head, sum, j->next);
	j->version = j->next_version;
	free(j->next);
	j->next = NULL;
	j->busy = true;
	worker_submit(j->worker, journal_work, journal_done_cb, j);
}

void
journal_save(struct journal *j, uint64_t version, const struct durable *dur,
    journal_fn done, void *arg)
{
	free(j->next);
	j->next = journal_str(dur, j->names);
	j->next_version = version;
	j->done = done;
	j->arg = arg;
	journal_next(j);
}
