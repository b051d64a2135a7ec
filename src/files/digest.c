/*
 * A child that reads directories to their end: for each one line, the digest
 * of the names and contents of all regular files and symbolic links in it, how
 * many there are, and how many bytes. In the order of their names, so that it
 * is the same wherever the same files are. It goes easy on the disk and on the
 * processor: clients are served meanwhile.
 */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/files.h"

#define DIGEST_CHUNK (256 * 1024)
#define IOPRIO_BEST_LAST ((2 << 13) | 7) /* class best effort, level 7 */

struct digest {
	EVP_MD_CTX *all, *one;
	uint64_t files, bytes;
	char buf[DIGEST_CHUNK];
};

static int
digest_compare(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
digest_wrong(const char *path)
{
	printf("%s: %s\n", path, strerror(errno));
	return -1;
}

/* Name, kind and content, each ended, so that nothing can be moved from one to
 * the next. */
static void
digest_entry(struct digest *d, const char *name, char kind, const void *content,
    size_t len)
{
	EVP_DigestUpdate(d->all, name, strlen(name) + 1);
	EVP_DigestUpdate(d->all, &kind, 1);
	EVP_DigestUpdate(d->all, content, len);
	d->files++;
}

static int
digest_file(struct digest *d, const char *path, const char *name)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	ssize_t n = -1;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return digest_wrong(path);
	EVP_DigestInit_ex(d->one, EVP_sha256(), NULL);
	while ((n = read(fd, d->buf, sizeof(d->buf))) > 0) {
		EVP_DigestUpdate(d->one, d->buf, (size_t)n);
		d->bytes += (uint64_t)n;
	}
	if (n == -1) {
		(void)digest_wrong(path);
		close(fd);
		return -1;
	}
	close(fd);
	EVP_DigestFinal_ex(d->one, md, NULL);
	digest_entry(d, name, 'f', md, 32);
	return 0;
}

static int
digest_link(struct digest *d, const char *path, const char *name)
{
	ssize_t n = readlink(path, d->buf, sizeof(d->buf));

	if (n == -1)
		return digest_wrong(path);
	digest_entry(d, name, 'l', d->buf, (size_t)n);
	return 0;
}

static int
digest_tree(struct digest *d, FTS *tree, size_t root)
{
	const FTSENT *e;

	while (errno = 0, (e = fts_read(tree)) != NULL) {
		switch (e->fts_info) {
		case FTS_F:
			if (digest_file(
				d, e->fts_accpath, e->fts_path + root) == -1)
				return -1;
			break;
		case FTS_SL:
		case FTS_SLNONE:
			if (digest_link(
				d, e->fts_accpath, e->fts_path + root) == -1)
				return -1;
			break;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			errno = e->fts_errno;
			return digest_wrong(e->fts_path);
		default:
			break;
		}
	}
	return errno == 0 ? 0 : digest_wrong("reading directories");
}

static int
digest_path(struct digest *d, char *path)
{
	char *const roots[] = { path, NULL };
	unsigned char md[EVP_MAX_MD_SIZE];
	FTS *tree;
	int rc, i;

	d->files = d->bytes = 0;
	EVP_DigestInit_ex(d->all, EVP_sha256(), NULL);
	tree = fts_open(
	    roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, digest_compare);
	if (tree == NULL)
		return digest_wrong(path);
	rc = digest_tree(d, tree, strlen(path));
	fts_close(tree);
	if (rc == -1)
		return -1;
	EVP_DigestFinal_ex(d->all, md, NULL);
	for (i = 0; i < 32; i++)
		printf("%02x", md[i]);
	printf(" %" PRIu64 " %" PRIu64 "\n", d->files, d->bytes);
	return 0;
}

int
files_digest_main(int argc, char **argv)
{
	struct digest *d = calloc(1, sizeof(*d));
	int i, rc = 0;

	if (d == NULL || (d->all = EVP_MD_CTX_new()) == NULL ||
	    (d->one = EVP_MD_CTX_new()) == NULL)
		abort();
	/* Where it cannot be gentle, it is not. */
	errno = 0;
	if (nice(10) == -1 && errno != 0)
		errno = 0;
	(void)syscall(SYS_ioprio_set, 1, 0, IOPRIO_BEST_LAST);
	for (i = 0; i < argc && rc == 0; i++)
		rc = digest_path(d, argv[i]);
	EVP_MD_CTX_free(d->all);
	EVP_MD_CTX_free(d->one);
	free(d);
	return rc == 0 ? 0 : 1;
}
