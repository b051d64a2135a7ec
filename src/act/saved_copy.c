/*
 * What the saving of data and its putting back have in common: a file is
 * copied to the disk, and which files are meant.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/disk_work.h"
#include "act/saved_i.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"

#define CHUNK ((size_t)1 << 18)

int
saved_path(char *out, const char *dir, const char *name, struct error *err)
{
	if (snprintf(out, SAVED_MAX, "%s/%s", dir, name) >= SAVED_MAX)
		return error_set(err, ERR_LIMIT, "%s: too long a path", dir);
	return 0;
}

static int
saved_pump(int in, int out, const char *what, const struct disk_work *work,
    struct error *err)
{
	char *buf = xcalloc(1, CHUNK);
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = read(in, buf, CHUNK)) != 0) {
		rc = disk_work_goes_on(work, err);
		if (rc == -1)
			break;
		if (n == -1)
			rc = error_sys(err, "read %s", what);
		else if (file_write(out, buf, (size_t)n) == -1)
			rc = error_sys(err, "write a copy of %s", what);
	}
	if (rc == 0 && fsync(out) == -1)
		rc = error_sys(err, "fsync a copy of %s", what);
	free(buf);
	return rc;
}

/* What is there keeps its rights, and is a file. */
static int
saved_mode(const char *to, mode_t *mode, struct error *err)
{
	struct stat st;

	*mode = 0600;
	if (lstat(to, &st) == -1)
		return errno == ENOENT ? 0 : error_sys(err, "stat %s", to);
	if (!S_ISREG(st.st_mode))
		return error_set(
		    err, ERR_PROTOCOL, "%s is not a regular file", to);
	*mode = st.st_mode & 07777;
	return 0;
}

static int
saved_fill(int in, const char *from, const char *to, uid_t uid, gid_t gid,
    const struct disk_work *work, struct error *err)
{
	char part[SAVED_MAX];
	int out, rc = -1;
	mode_t mode;

	if (saved_mode(to, &mode, err) == -1)
		return -1;
	if (snprintf(part, sizeof(part), "%s.hawatch", to) >= SAVED_MAX)
		return error_set(err, ERR_LIMIT, "%s: too long a path", to);
	out = open(
	    part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out == -1)
		return error_sys(err, "create %s", part);
	if (geteuid() == 0 && uid != (uid_t)-1 && fchown(out, uid, gid) == -1)
		error_sys(err, "chown %s", part);
	else if (fchmod(out, mode) == -1)
		error_sys(err, "chmod %s", part);
	else
		rc = saved_pump(in, out, from, work, err);
	close(out);
	if (rc == 0 && rename(part, to) == -1)
		rc = error_sys(err, "rename %s", part);
	if (rc == -1)
		unlink(part);
	return rc;
}

int
saved_copy(const char *from, const char *to, uid_t uid, gid_t gid,
    const struct disk_work *work, struct error *err)
{
	int in, rc;

	in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in == -1)
		return error_sys(err, "open %s", from);
	rc = saved_fill(in, from, to, uid, gid, work, err);
	close(in);
	return rc;
}

/* This host's own, where they lie in the data directory: a rewind puts the
 * primary's in their place. */
const char *const saved_settings[] = { "postgresql.conf", "pg_hba.conf",
	"pg_ident.conf", NULL };

int
saved_each(
    const char *from, const char *to, uid_t uid, gid_t gid, struct error *err)
{
	char a[SAVED_MAX], b[SAVED_MAX];
	struct stat st;
	size_t i;

	for (i = 0; saved_settings[i] != NULL; i++) {
		if (saved_path(a, from, saved_settings[i], err) == -1 ||
		    saved_path(b, to, saved_settings[i], err) == -1)
			return -1;
		if (lstat(a, &st) == -1) {
			if (errno == ENOENT)
				continue;
			return error_sys(err, "stat %s", a);
		}
		if (!S_ISREG(st.st_mode))
			continue;
		if (saved_copy(a, b, uid, gid, NULL, err) == -1)
			return -1;
		if (chmod(b, st.st_mode & 07777) == -1)
			return error_sys(err, "chmod %s", b);
	}
	return 0;
}
