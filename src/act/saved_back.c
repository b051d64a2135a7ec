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

/* In what was saved: its settings are not, or not surely, where they were. */
#define OWED "owed"

int
saved_lend(const char *dir, const char *to, struct error *err)
{
	char path[SAVED_MAX];
	struct stat st;

	if (stat(to, &st) == -1)
		return error_sys(err, "stat %s", to);
	if (saved_each(dir, to, st.st_uid, st.st_gid, err) == -1 ||
	    saved_path(path, to, ".", err) == -1)
		return -1;
	return file_sync_dir(path, err);
}

static int
saved_pay(const char *dir, struct error *err)
{
	char path[SAVED_MAX];

	if (saved_path(path, dir, OWED, err) == -1)
		return -1;
	if (unlink(path) == -1)
		return errno == ENOENT ? 0 : error_sys(err, "remove %s", path);
	return file_sync_dir(path, err);
}

int
saved_own(const char *dir, const char *data, struct error *err)
{
	if (saved_lend(dir, data, err) == -1)
		return -1;
	return saved_pay(dir, err);
}

bool
saved_has(const char *dir, const char *name)
{
	char path[SAVED_MAX];
	struct error ignored;

	return saved_path(path, dir, name, &ignored) == 0 &&
	       access(path, F_OK) == 0;
}

/* The newest that is complete, and of that epoch; 0: of any. "": none. */
static int
saved_newest(
    const char *top, uint64_t epoch, char *dir, size_t size, struct error *err)
{
	char path[SAVED_MAX];
	struct kept_list kept;
	struct error ignored;
	size_t i;

	dir[0] = '\0';
	if (kept_read(&kept, top, "", err) == -1)
		return -1;
	for (i = kept.count; i-- > 0 && dir[0] == '\0';)
		if ((epoch == 0 || kept.list[i].epoch == epoch) &&
		    saved_path(path, top, kept.list[i].name, &ignored) == 0 &&
		    saved_has(path, "complete"))
			str_cut(dir, size, path);
	kept_free(&kept);
	return 0;
}

/* What was saved later, was so of data that nothing was owed to. */
int
saved_owes(const char *state_dir, char *dir, size_t size, struct error *err)
{
	char top[SAVED_MAX];

	dir[0] = '\0';
	if (saved_path(top, state_dir, "saved", err) == -1 ||
	    saved_newest(top, 0, dir, size, err) == -1)
		return -1;
	if (dir[0] != '\0' && !saved_has(dir, OWED))
		dir[0] = '\0';
	return 0;
}

int
saved_paid(const char *state_dir, struct error *err)
{
	char dir[SAVED_MAX];

	if (saved_owes(state_dir, dir, sizeof(dir), err) == -1)
		return -1;
	return dir[0] == '\0' ? 0 : saved_pay(dir, err);
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
	if (saved_path(a, to, ".", err) == -1 || file_sync_dir(a, err) == -1 ||
	    saved_path(a, dir, "pg_control", err) == -1 ||
	    saved_path(b, data, "global/pg_control", err) == -1 ||
	    saved_copy(a, b, st.st_uid, st.st_gid, NULL, err) == -1)
		return -1;
	return file_sync_dir(b, err);
}

int
saved_begin(
    const struct saved_goal *goal, char *dir, size_t size, struct error *err)
{
	const char *data = goal->data_directory;
	char top[SAVED_MAX], found[SAVED_MAX], path[SAVED_MAX];

	if (saved_path(top, goal->state_dir, "saved", err) == -1 ||
	    saved_newest(top, goal->epoch, found, sizeof(found), err) == -1)
		return -1;
	str_cut(dir, size, found);
	if (found[0] == '\0')
		return error_set(err, ERR_REFUSED,
		    "%s holds nothing complete of epoch %llu", top,
		    (unsigned long long)goal->epoch);
	if (saved_has(found, "begun") && saved_back(found, goal, err) == -1)
		return -1;
	if (saved_path(path, found, OWED, err) == -1 ||
	    file_replace(path, "", 0, 0600, err) == -1 ||
	    saved_path(path, found, "begun", err) == -1 ||
	    file_replace(path, "", 0, 0600, err) == -1 ||
	    saved_path(path, data, "standby.signal", err) == -1)
		return -1;
	/* Without it nobody may start what is half rewritten. */
	if (unlink(path) == -1 && errno != ENOENT)
		return error_sys(err, "remove %s", path);
	return file_sync_dir(path, err);
}
