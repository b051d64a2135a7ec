/*
 * What is done in the directory of a file that is rewritten: found without
 * being led astray, copied with everything but its content, few backups kept.
 * The directory often belongs to the user of an application, who may put into
 * it whatever he likes while this runs as root: names are resolved once, then
 * everything goes through the directory's descriptor and follows no link.
 */
#include "converge/converge_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ACL_ACCESS "system.posix_acl_access"

static int
cdisk_split(
    const char *real, int *dir, char base[NAME_MAX + 1], struct error *err)
{
	char *copy = xstrdup(real), *other = xstrdup(real);
	int rc = str_copy(base, NAME_MAX + 1, basename(other));

	*dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir == -1)
		error_sys(err, "open its directory");
	else if (rc == -1) {
		error_set(err, ERR_LIMIT, "its name is too long");
		close(*dir);
	}
	free(copy);
	free(other);
	return *dir == -1 || rc == -1 ? -1 : 0;
}

/* A link counts if whoever made it could have written the file itself. */
static int
cdisk_fit(const char *path, const struct stat *st, struct error *err)
{
	struct stat link;

	if (!S_ISREG(st->st_mode))
		return error_set(err, ERR_REFUSED, "it is not a regular file");
	if (st->st_nlink != 1)
		return error_set(err, ERR_REFUSED,
		    "it has %llu names (hard links); the others would keep "
		    "the old content",
		    (unsigned long long)st->st_nlink);
	if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode) &&
	    link.st_uid != 0 && link.st_uid != st->st_uid)
		return error_set(err, ERR_REFUSED,
		    "it is a symbolic link that neither root nor the file's "
		    "owner made");
	return 0;
}

int
cdisk_open(const char *path, int *dir, char base[NAME_MAX + 1], struct stat *st,
    struct error *err)
{
	char *real = realpath(path, NULL);
	int fd;

	if (real == NULL)
		return error_sys(err, "open");
	if (cdisk_split(real, dir, base, err) == -1) {
		free(real);
		return -1;
	}
	free(real);
	/* A FIFO in its place must not stop us: O_NONBLOCK. */
	fd = openat(*dir, base,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		error_sys(err, "open");
	else if (fstat(fd, st) == -1)
		error_sys(err, "stat");
	else if (cdisk_fit(path, st, err) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	close(*dir);
	*dir = -1;
	return -1;
}

char *
cdisk_read(int fd, size_t max, size_t *len, struct error *err)
{
	char *data = NULL;
	size_t size = 0;
	ssize_t n = 1;

	*len = 0;
	while (n != 0) {
		if (*len + 1 >= size) {
			size = size == 0 ? 4096 : size * 2;
			data = xrealloc(data, size, 1);
		}
		n = read(fd, data + *len, size - *len - 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			error_sys(err, "read");
		else if ((*len += (size_t)n) > max)
			error_set(
			    err, ERR_LIMIT, "it is longer than %zu bytes", max);
		else
			continue;
		free(data);
		return NULL;
	}
	data[*len] = '\0';
	return data;
}

int
cdisk_name(char name[NAME_MAX + 1], const char *base, const char *what,
    struct error *err)
{
	if (snprintf(name, NAME_MAX + 1, ".%s.hawatch-%s", base, what) >
	    NAME_MAX)
		return error_set(err, ERR_LIMIT, "its name is too long");
	return 0;
}

int
cdisk_backup_name(char name[NAME_MAX + 1], const char *base, uint64_t epoch,
    struct error *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)epoch);
	return cdisk_name(name, base, text, err);
}

static int
cdisk_xattr(int fd, int like, const char *name, struct error *err)
{
	char *value = NULL;
	ssize_t len = fgetxattr(like, name, NULL, 0);
	int rc = -1;

	if (len >= 0) {
		value = xcalloc(1, (size_t)len + 1);
		len = fgetxattr(like, name, value, (size_t)len);
	}
	if (len >= 0 && fsetxattr(fd, name, value, (size_t)len, 0) == 0)
		rc = 0;
	else
		error_sys(err, "keep its attribute %s", name);
	free(value);
	return rc;
}

/* Labels and access lists. What the directory gives to new files, but the old
 * one does not have, goes. */
static int
cdisk_xattrs(int fd, int like, struct error *err)
{
	ssize_t len = flistxattr(like, NULL, 0);
	char *list, *name;
	bool acl = false;
	int rc = 0;

	if (len == -1 && errno == ENOTSUP)
		return 0;
	if (len == -1)
		return error_sys(err, "list its attributes");
	list = xcalloc(1, (size_t)len + 1);
	len = flistxattr(like, list, (size_t)len);
	if (len == -1)
		rc = error_sys(err, "list its attributes");
	for (name = list; rc == 0 && name < list + len;
	     name += strlen(name) + 1) {
		acl = acl || strcmp(name, ACL_ACCESS) == 0;
		rc = cdisk_xattr(fd, like, name, err);
	}
	free(list);
	if (rc == 0 && !acl && fremovexattr(fd, ACL_ACCESS) == -1 &&
	    errno != ENODATA && errno != ENOTSUP)
		rc = error_sys(err, "remove an access list");
	return rc;
}

static int
cdisk_fill(int fd, int like, const struct stat *st, const char *data,
    size_t len, struct error *err)
{
	if (file_write(fd, data, len) == -1)
		return error_sys(err, "write");
	if (fchown(fd, st->st_uid, st->st_gid) == -1)
		return error_sys(err, "keep its owner");
	if (cdisk_xattrs(fd, like, err) == -1)
		return -1;
	if (fchmod(fd, st->st_mode & 07777) == -1)
		return error_sys(err, "keep its mode");
	if (fsync(fd) == -1)
		return error_sys(err, "fsync");
	return 0;
}

int
cdisk_create(int dir, const char *name, int like, const struct stat *st,
    const char *data, size_t len, struct error *err)
{
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd == -1) {
		error_sys(err, "create");
		if (err->sys == EEXIST)
			err->code = ERR_REFUSED;
		return -1;
	}
	rc = cdisk_fill(fd, like, st, data, len, err);
	if (close(fd) == -1 && rc == 0)
		rc = error_sys(err, "close");
	if (rc == -1)
		unlinkat(dir, name, 0);
	return rc;
}

/* What follows ".base.hawatch-" in a name; NULL: it is none of ours. */
static const char *
cdisk_ours(const char *name, const char *base)
{
	size_t len = strlen(base);

	if (name[0] != '.' || strncmp(name + 1, base, len) != 0 ||
	    !str_starts(name + 1 + len, ".hawatch-"))
		return NULL;
	return name + 1 + len + strlen(".hawatch-");
}

static DIR *
cdisk_list(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);

	if (d == NULL && fd != -1)
		close(fd);
	return d;
}

static int
cdisk_backups(int dir, const char *base, uint64_t *oldest)
{
	DIR *d = cdisk_list(dir);
	struct dirent *entry;
	struct error err;
	const char *ours;
	uint64_t epoch;
	int n = 0, more;

	if (d == NULL)
		return 0;
	while ((more = file_next(d, base, &entry, &err)) == 1) {
		ours = cdisk_ours(entry->d_name, base);
		if (ours == NULL || str_parse_u64(ours, &epoch) != 0)
			continue;
		if (n++ == 0 || epoch < *oldest)
			*oldest = epoch;
	}
	closedir(d);
	/* The oldest of some need not be the oldest: none goes. */
	return more == -1 ? 0 : n;
}

void
cdisk_prune(int dir, const char *base, int keep)
{
	char name[NAME_MAX + 1];
	struct error err;
	uint64_t oldest = 0;

	while (cdisk_backups(dir, base, &oldest) > keep)
		if (cdisk_backup_name(name, base, oldest, &err) == -1 ||
		    unlinkat(dir, name, 0) == -1)
			return;
}

void
cdisk_tidy(int dir, const char *base, const char *what)
{
	DIR *d = cdisk_list(dir);
	struct dirent *entry;
	struct error err;
	const char *ours;

	if (d == NULL)
		return;
	while (file_next(d, base, &entry, &err) == 1) {
		ours = cdisk_ours(entry->d_name, base);
		if (ours != NULL && str_starts(ours, what))
			unlinkat(dir, entry->d_name, 0);
	}
	closedir(d);
}
