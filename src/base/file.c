/*
 * Whole files: read with a limit, replaced atomically and durably. Nothing
 * here is for the loop, because fsync waits for the disk.
 */
#include "hawatch/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hawatch/mem.h"

static int file_fsync_error(struct error *err, const char *path);

char *
file_read(const char *path, size_t max, size_t *len, struct error *err)
{
	struct stat st;
	char *data = NULL;
	size_t used = 0, size = 0;
	ssize_t n;
	int fd;

	/* A FIFO in the place of a file must not stop us: O_NONBLOCK. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1) {
		error_sys(err, "open %s", path);
		return NULL;
	}
	if (fstat(fd, &st) == -1) {
		error_sys(err, "stat %s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERR_PROTOCOL, "%s is %s, not a regular file",
		    path, S_ISDIR(st.st_mode) ? "a directory" : "special");
		goto out;
	}
	do {
		if (used + 1 >= size) {
			size = size == 0 ? 4096 : size * 2;
			data = xrealloc(data, size, 1);
		}
		n = read(fd, data + used, size - used - 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			error_sys(err, "read %s", path);
			goto out;
		}
		used += (size_t)n;
		if (used > max) {
			error_set(err, ERR_LIMIT, "%s is longer than %zu bytes",
			    path, max);
			goto out;
		}
	} while (n != 0);
	close(fd);
	data[used] = '\0';
	if (len != NULL)
		*len = used;
	return data;
out:
	free(data);
	close(fd);
	return NULL;
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct error *err)
{
	char *temp = xasprintf("%s.XXXXXX", path);
	int fd;
	int rc = -1;

	fd = mkostemp(temp, O_CLOEXEC);
	if (fd == -1) {
		error_sys(err, "create %s", temp);
		free(temp);
		return -1;
	}
	if (file_write(fd, data, len) == -1)
		error_sys(err, "write %s", temp);
	else if (fchmod(fd, mode) == -1)
		error_sys(err, "chmod %s", temp);
	else if (fsync(fd) == -1)
		file_fsync_error(err, temp);
	else if (rename(temp, path) == -1)
		error_sys(err, "rename %s to %s", temp, path);
	else
		rc = 0;
	close(fd);
	if (rc == -1)
		unlink(temp);
	else
		rc = file_sync_dir(path, err);
	free(temp);
	return rc;
}

int
file_next(DIR *dir, const char *path, struct dirent **entry, struct error *err)
{
	errno = 0;
	*entry = readdir(dir);
	if (*entry != NULL)
		return 1;
	return errno == 0 ? 0 : error_sys(err, "read %s", path);
}

int
file_sync_dir(const char *path, struct error *err)
{
	char *copy = xstrdup(path);
	const char *dir = dirname(copy);
	int rc = 0;
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1)
		rc = file_fsync_error(err, dir);
	if (fd != -1)
		close(fd);
	free(copy);
	return rc;
}

static int
file_fsync_error(struct error *err, const char *path)
{
	error_sys(err, "fsync %s", path);
	err->code = ERR_FSYNC;
	return -1;
}

int
file_write(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, at, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
