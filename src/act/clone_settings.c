/*
 * This host's own settings, for the copy that takes the place of its data: from
 * the data directory, or, where a rewind has begun and not ended, as they were
 * saved before that, since what lies there may be the primary's by now.
 *
 * Who may write to that directory says what a link in it leads to: it is not
 * followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/clone_dir_i.h"
#include "act/saved.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"

#define OWN_MAX ((off_t)1 << 20)

static int
settings_owner(const char *path, const struct stat *st, struct error *err)
{
	if (geteuid() == 0 && lchown(path, st->st_uid, st->st_gid) == -1)
		return error_sys(err, "chown %s", path);
	return 0;
}

/* The same link: it leads from the copy's place to where it led. */
static int
settings_link(
    const char *from, const char *to, const struct stat *st, struct error *err)
{
	char target[PATH_MAX];
	ssize_t len = readlink(from, target, sizeof(target));

	if (len == -1)
		return error_sys(err, "read the link %s", from);
	if (len == (ssize_t)sizeof(target))
		return error_set(err, ERR_LIMIT, "%s: too long a link", from);
	target[len] = '\0';
	if (unlink(to) == -1 && errno != ENOENT)
		return error_sys(err, "remove %s", to);
	if (symlink(target, to) == -1)
		return error_sys(err, "create %s", to);
	if (settings_owner(to, st, err) == -1)
		return -1;
	return file_sync_dir(to, err);
}

static int
settings_write(int fd, const char *from, const char *to, const struct stat *st,
    struct error *err)
{
	size_t size = (size_t)st->st_size, used = 0;
	char *text = xcalloc(1, size + 1);
	ssize_t n;
	int rc;

	while (used < size && (n = read(fd, text + used, size - used)) > 0)
		used += (size_t)n;
	if (used < size)
		rc = error_set(err, ERR_PROTOCOL, "%s: cut short", from);
	else
		rc = file_replace(to, text, used, st->st_mode & 07777, err);
	free(text);
	return rc == -1 ? -1 : settings_owner(to, st, err);
}

static int
settings_file(const char *from, const char *to, struct error *err)
{
	struct stat st;
	int fd, rc;

	/* A FIFO must not stop us. */
	fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return error_sys(err, "open %s", from);
	if (fstat(fd, &st) == -1)
		rc = error_sys(err, "stat %s", from);
	else if (!S_ISREG(st.st_mode))
		rc = error_set(err, ERR_REFUSED,
		    "%s is neither a file nor a link: clone it by hand", from);
	else if (st.st_size > OWN_MAX)
		rc = error_set(err, ERR_LIMIT, "%s is longer than %lld bytes",
		    from, (long long)OWN_MAX);
	else
		rc = settings_write(fd, from, to, &st, err);
	close(fd);
	return rc;
}

/* Where it has one there. */
static int
settings_one(const struct clone_dir *dir, const char *name, struct error *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;

	if (clone_entry(from, dir->data, name, err) == -1 ||
	    clone_entry(to, dir->made, name, err) == -1)
		return -1;
	if (lstat(from, &st) == -1)
		return errno == ENOENT ? 0 : error_sys(err, "stat %s", from);
	return S_ISLNK(st.st_mode) ? settings_link(from, to, &st, err) :
				     settings_file(from, to, err);
}

int
clone_settings(const struct clone_dir *dir, struct error *err)
{
	char saved[SAVED_MAX] = "";
	size_t i;

	for (i = 0; saved_settings[i] != NULL; i++)
		if (settings_one(dir, saved_settings[i], err) == -1)
			return -1;
	if (dir->state_dir != NULL &&
	    saved_owes(dir->state_dir, saved, sizeof(saved), err) == -1)
		return -1;
	return saved[0] == '\0' ? 0 : saved_lend(saved, dir->made, err);
}
