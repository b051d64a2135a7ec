/*
 * Two directories change their names, and all that is in them goes with them: a
 * disk that is mounted in one, too, and the next boot would mount it where the
 * other one is then. So nothing may be mounted there, and nothing lie
 * elsewhere. Whether the file system exchanges names at all is tried, before
 * hours of copying.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/clone_dir_i.h"
#include "hawatch/file.h"
#include "hawatch/str.h"

#define MOUNTS "/proc/self/mounts"
#define LINE ((size_t)4 * PATH_MAX)

static bool
layout_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return str_starts(path, top) && (path[len] == '\0' || path[len] == '/');
}

/* By their names, however deep: what is mounted from another place of the same
 * file system has the same device. */
static int
layout_mounts(const char *data, struct error *err)
{
	char line[LINE], *real = realpath(data, NULL);
	struct mntent one;
	int rc = 0;
	FILE *f;

	if (real == NULL)
		return error_sys(err, "realpath %s", data);
	f = setmntent(MOUNTS, "re");
	if (f == NULL)
		rc = error_sys(err, "open " MOUNTS);
	while (rc == 0 && getmntent_r(f, &one, line, (int)sizeof(line)) != NULL)
		if (layout_below(one.mnt_dir, real))
			rc = error_set(err, ERR_REFUSED,
			    "%s is a mount point: clone it by hand",
			    one.mnt_dir);
	if (rc == 0 && ferror(f))
		rc = error_sys(err, "read " MOUNTS);
	if (f != NULL)
		endmntent(f);
	free(real);
	return rc;
}

/* A volume in a volume is in no list, and is not removed as a directory is. Of
 * files a file system of layers says another device. */
static int
layout_volume(int fd, const char *data, const char *name,
    const struct stat *own, struct error *err)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ?
			   0 :
			   error_sys(err, "stat %s/%s", data, name);
	if (!S_ISDIR(st.st_mode) || st.st_dev == own->st_dev)
		return 0;
	return error_set(err, ERR_REFUSED,
	    "%s/%s is on another file system: clone it by hand", data, name);
}

/* own: NULL for a directory that may hold nothing. */
static int
layout_entries(const char *data, const struct stat *own, struct error *err)
{
	struct dirent *entry;
	DIR *d = opendir(data);
	int rc = 0, more = 0;

	if (d == NULL)
		return own == NULL && errno == ENOENT ?
			   0 :
			   error_sys(err, "open %s", data);
	while (rc == 0 && (more = file_next(d, data, &entry, err)) == 1) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (own != NULL)
			rc = layout_volume(
			    dirfd(d), data, entry->d_name, own, err);
		else
			rc = error_set(err, ERR_REFUSED,
			    "%s/%s is a tablespace, which a copy would share "
			    "with the old data: clone it by hand",
			    data, entry->d_name);
	}
	closedir(d);
	return more == -1 ? -1 : rc;
}

int
clone_layout(const char *data, struct error *err)
{
	char path[PATH_MAX];
	struct stat own, above;

	if (clone_path(path, data, "/..", err) == -1)
		return -1;
	if (lstat(data, &own) == -1 || stat(path, &above) == -1)
		return error_sys(err, "stat %s", data);
	if (!S_ISDIR(own.st_mode) || own.st_dev != above.st_dev)
		return error_set(err, ERR_REFUSED,
		    "%s is a mount point or a link: clone it by hand", data);
	if (layout_mounts(data, err) == -1 ||
	    layout_entries(data, &own, err) == -1 ||
	    clone_path(path, data, "/pg_wal", err) == -1)
		return -1;
	if (lstat(path, &own) == -1 || !S_ISDIR(own.st_mode))
		return error_set(err, ERR_REFUSED,
		    "%s lies elsewhere: clone it by hand", path);
	if (clone_path(path, data, "/pg_tblspc", err) == -1)
		return -1;
	return layout_entries(path, NULL, err);
}

/* What the kernel does not do now, it does at no other time. */
int
clone_exchange(const char *a, const char *b, struct error *err)
{
	char why[80];

	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		return 0;
	str_cut(why, sizeof(why), strerror(errno));
	return error_set(err, ERR_REFUSED,
	    "%s and %s cannot change places: %s: clone it by hand", a, b, why);
}

int
clone_trial(const char *data, struct error *err)
{
	char a[PATH_MAX], b[PATH_MAX];
	int rc = 0;

	if (clone_path(a, data, ".try1", err) == -1 ||
	    clone_path(b, data, ".try2", err) == -1)
		return -1;
	/* An earlier life's. */
	(void)rmdir(a);
	(void)rmdir(b);
	if (mkdir(a, 0700) == -1)
		rc = error_sys(err, "mkdir %s", a);
	else if (mkdir(b, 0700) == -1)
		rc = error_sys(err, "mkdir %s", b);
	else
		rc = clone_exchange(a, b, err);
	(void)rmdir(a);
	(void)rmdir(b);
	return rc;
}
