/*
 * The way back: what is rewritten a second time begins as it was saved, and
 * this host's own settings return after that.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/kept.h"
#include "act/saved_i.h"
#include "hawatch/file.h"
#include "hawatch/str.h"

int
saved_own(const char *dir, const char *data, struct error *err)
{
	struct stat st;

	if (stat(data, &st) == -1)
		return error_sys(err, "stat %s", data);
	return saved_each(dir, data, st.st_uid, st.st_gid, err);
}

bool
saved_has(const char *dir, const char *name)
{
	char path[SAVED_MAX];
	struct error ignored;

	return saved_path(path, dir, name, &ignored) == 0 &&
	       access(path, F_OK) == 0;
}

/* The newest of this epoch that is complete. */
static int
saved_newest(const struct saved_goal *goal, char *dir, struct error *err)
{
	char top[SAVED_MAX], path[SAVED_MAX];
	struct kept_list kept;
	struct error ignored;
	size_t i;

	dir[0] = '\0';
	if (saved_path(top, goal->state_dir, "saved", err) == -1 ||
	    kept_read(&kept, top, "", err) == -1)
		return -1;
	for (i = kept.count; i-- > 0 && dir[0] == '\0';)
		if (kept.list[i].epoch == goal->epoch &&
		    saved_path(path, top, kept.list[i].name, &ignored) == 0 &&
		    saved_has(path, "complete"))
			str_cut(dir, SAVED_MAX, path);
	kept_free(&kept);
	if (dir[0] == '\0')
		return error_set(err, ERR_REFUSED,
		    "%s holds nothing complete of epoch %llu", top,
		    (unsigned long long)goal->epoch);
	return 0;
}

static int
saved_back(const char *dir, const struct saved_goal *goal, struct error *err)
{
	const char *data = goal->data_directory;
	char from[SAVED_MAX], to[SAVED_MAX], a[SAVED_MAX], b[SAVED_MAX];
	struct dirent *entry;
	struct stat st;
	int rc = 0, more = 1;
	DIR *d;

	if (stat(data, &st) == -1)
		return error_sys(err, "stat %s", data);
	if (saved_path(from, dir, "pg_wal", err) == -1 ||
	    saved_path(to, data, "pg_wal", err) == -1)
		return -1;
	d = opendir(from);
	if (d == NULL)
		return error_sys(err, "open %s", from);
	while (rc == 0 && (more = file_next(d, from, &entry, err)) == 1) {
		if (entry->d_name[0] == '.')
			continue;
		rc = saved_path(a, from, entry->d_name, err) == 0 &&
			     saved_path(b, to, entry->d_name, err) == 0 ?
			 saved_copy(
			     a, b, st.st_uid, st.st_gid, goal->work, err) :
			 -1;
	}
	closedir(d);
	if (rc == -1 || more == -1 ||
	    saved_path(a, data, "backup_label", err) == -1)
		return -1;
	unlink(a);
	if (saved_path(a, dir, "pg_control", err) == -1 ||
	    saved_path(b, data, "global/pg_control", err) == -1)
		return -1;
	return saved_copy(a, b, st.st_uid, st.st_gid, NULL, err);
}

int
saved_begin(
    const struct saved_goal *goal, char *dir, size_t size, struct error *err)
{
	const char *data = goal->data_directory;
	char found[SAVED_MAX], path[SAVED_MAX];

	if (saved_newest(goal, found, err) == -1)
		return -1;
	str_cut(dir, size, found);
	if (saved_has(found, "begun") && saved_back(found, goal, err) == -1)
		return -1;
	if (saved_path(path, found, "begun", err) == -1 ||
	    file_replace(path, "", 0, 0600, err) == -1 ||
	    saved_path(path, data, "standby.signal", err) == -1)
		return -1;
	/* Without it nobody may start what is half rewritten. */
	if (unlink(path) == -1 && errno != ENOENT)
		return error_sys(err, "remove %s", path);
	return file_sync_dir(path, err);
}
