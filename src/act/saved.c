/*
 * Copies of a few files, each on the disk before the next step begins. They
 * are copies and not links: a file of the log is written to in place.
 */
#include "act/saved.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define SEGMENT_NAME 24
#define HEX "0123456789ABCDEF"
#define ROOM ((uint64_t)64 << 20) /* that is left free */
#define CHUNK ((size_t)1 << 18)

static int
saved_path(char *out, const char *dir, const char *name, struct error *err)
{
	if (snprintf(out, SAVED_MAX, "%s/%s", dir, name) >= SAVED_MAX)
		return error_set(err, ERR_LIMIT, "%s: too long a path", dir);
	return 0;
}

static int
saved_pump(int in, int out, const char *what, struct error *err)
{
	char *buf = xcalloc(1, CHUNK);
	ssize_t n, done;
	int rc = 0;

	while (rc == 0 && (n = read(in, buf, CHUNK)) != 0) {
		if (n == -1) {
			rc = error_sys(err, "read %s", what);
			break;
		}
		for (done = 0; done < n && rc == 0;) {
			ssize_t m = write(out, buf + done, (size_t)(n - done));

			if (m == -1)
				rc = error_sys(err, "write a copy of %s", what);
			else
				done += m;
		}
	}
	if (rc == 0 && fsync(out) == -1)
		rc = error_sys(err, "fsync a copy of %s", what);
	free(buf);
	return rc;
}

/* owner: -1, -1: as we are. */
static int
saved_copy(
    const char *from, const char *to, uid_t uid, gid_t gid, struct error *err)
{
	int in, out, rc = -1;

	in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in == -1)
		return error_sys(err, "open %s", from);
	out = open(
	    to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out == -1)
		error_sys(err, "create %s", to);
	else if (geteuid() == 0 && uid != (uid_t)-1 &&
		 fchown(out, uid, gid) == -1)
		error_sys(err, "chown %s", to);
	else
		rc = saved_pump(in, out, from, err);
	if (out != -1)
		close(out);
	close(in);
	return rc;
}

/* A file of the log, and the position after its end. */
static bool
saved_segment(const char *name, uint64_t size, uint32_t *timeline, lsn_t *end)
{
	unsigned tl, high, low;

	if (strlen(name) != SEGMENT_NAME || strspn(name, HEX) != SEGMENT_NAME ||
	    sscanf(name, "%8X%8X%8X", &tl, &high, &low) != 3 || size == 0)
		return false;
	*timeline = tl;
	*end = ((uint64_t)high << 32) + ((uint64_t)low + 1) * size;
	return true;
}

/* Files of the log are made before they are written to, from old ones or from
 * nothing: the first page says of which place it is, 16 bytes into it. */
static bool
saved_written(const char *path, lsn_t begins)
{
	unsigned char head[16];
	uint64_t address;
	bool whole;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return true; /* to be told of when it is copied */
	whole = pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head);
	close(fd);
	memcpy(&address, head + 8, sizeof(address));
	return !whole || address == begins;
}

static bool
saved_wanted(const char *path, const char *name, uint64_t size, lsn_t from,
    uint32_t *timeline)
{
	size_t len = strlen(name);
	lsn_t end;

	if (len > 8 && strcmp(name + len - 8, ".history") == 0)
		return true;
	return saved_segment(name, size, timeline, &end) && end > from &&
	       saved_written(path, end - size);
}

/* Copies, or with to NULL counts, the files of the log that are wanted. */
static int
saved_log(const char *dir, const char *to, lsn_t from, struct saved *out,
    struct error *err)
{
	char a[SAVED_MAX], b[SAVED_MAX];
	struct dirent *entry;
	uint32_t timeline;
	struct stat st;
	int rc = 0;
	DIR *d = opendir(dir);

	if (d == NULL)
		return error_sys(err, "open %s", dir);
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		timeline = 0;
		if (saved_path(a, dir, entry->d_name, err) == -1 ||
		    lstat(a, &st) == -1 || !S_ISREG(st.st_mode) ||
		    !saved_wanted(a, entry->d_name, (uint64_t)st.st_size, from,
			&timeline))
			continue;
		if (to == NULL) {
			out->bytes += (uint64_t)st.st_size;
			if (out->timeline < timeline)
				out->timeline = timeline;
			continue;
		}
		rc = saved_path(b, to, entry->d_name, err);
		if (rc == 0)
			rc = saved_copy(a, b, (uid_t)-1, (gid_t)-1, err);
	}
	closedir(d);
	return rc;
}

static int
saved_mkdir(const char *dir, struct error *err)
{
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return error_sys(err, "mkdir %s", dir);
	return 0;
}

static int
saved_room(const char *dir, const struct saved *out, struct error *err)
{
	struct statvfs fs;
	uint64_t left;

	if (statvfs(dir, &fs) == -1)
		return error_sys(err, "statvfs %s", dir);
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left >= out->bytes + ROOM)
		return 0;
	return error_set(err, ERR_LIMIT,
	    "%s has %llu MB left, the log to be kept takes %llu MB", dir,
	    (unsigned long long)left >> 20,
	    (unsigned long long)out->bytes >> 20);
}

static int
saved_name(const struct saved_goal *goal, struct saved *out, struct error *err)
{
	char stamp[64], name[120];
	time_t t = (time_t)(goal->wall / USEC_SEC);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(name, sizeof(name), "saved/%s-epoch%llu", stamp,
	    (unsigned long long)goal->epoch);
	return saved_path(out->dir, goal->state_dir, name, err);
}

/* This host's own, where they lie in the data directory: a rewind puts the
 * primary's in their place. */
static const char *const saved_settings[] = { "postgresql.conf", "pg_hba.conf",
	"pg_ident.conf" };

static int
saved_each(
    const char *from, const char *to, uid_t uid, gid_t gid, struct error *err)
{
	char a[SAVED_MAX], b[SAVED_MAX];
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(saved_settings) / sizeof(*saved_settings); i++) {
		if (saved_path(a, from, saved_settings[i], err) == -1 ||
		    saved_path(b, to, saved_settings[i], err) == -1)
			return -1;
		if (lstat(a, &st) == -1 || !S_ISREG(st.st_mode))
			continue;
		if (saved_copy(a, b, uid, gid, err) == -1)
			return -1;
		if (chmod(b, st.st_mode & 07777) == -1)
			return error_sys(err, "chmod %s", b);
	}
	return 0;
}

int
saved_own(const char *dir, const char *data, struct error *err)
{
	struct stat st;

	if (stat(data, &st) == -1)
		return error_sys(err, "stat %s", data);
	return saved_each(dir, data, st.st_uid, st.st_gid, err);
}

int
saved_make(const struct saved_goal *goal, struct saved *out, struct error *err)
{
	char log[SAVED_MAX], to[SAVED_MAX], from[SAVED_MAX];

	memset(out, 0, sizeof(*out));
	if (saved_path(log, goal->data_directory, "pg_wal", err) == -1 ||
	    saved_log(log, NULL, goal->from, out, err) == -1 ||
	    saved_path(to, goal->state_dir, "saved", err) == -1 ||
	    saved_mkdir(to, err) == -1 || saved_room(to, out, err) == -1 ||
	    saved_name(goal, out, err) == -1 ||
	    saved_mkdir(out->dir, err) == -1 ||
	    saved_path(to, out->dir, "pg_wal", err) == -1 ||
	    saved_mkdir(to, err) == -1 ||
	    saved_log(log, to, goal->from, out, err) == -1 ||
	    saved_path(from, goal->data_directory, "global/pg_control", err) ==
		-1 ||
	    saved_path(to, out->dir, "pg_control", err) == -1 ||
	    saved_each(goal->data_directory, out->dir, (uid_t)-1, (gid_t)-1,
		err) == -1)
		return -1;
	return saved_copy(from, to, (uid_t)-1, (gid_t)-1, err);
}

static bool
saved_has(const char *dir, const char *name)
{
	char path[SAVED_MAX];
	struct error ignored;

	return saved_path(path, dir, name, &ignored) == 0 &&
	       access(path, F_OK) == 0;
}

static int
saved_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
saved_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Whatever is in it, one level of directories deep. */
static void
saved_remove(const char *dir, int depth)
{
	char path[SAVED_MAX];
	struct dirent *entry;
	struct error ignored;
	DIR *d = opendir(dir);

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    saved_path(path, dir, entry->d_name, &ignored) == -1)
			continue;
		if (unlink(path) == -1 && depth > 0)
			saved_remove(path, depth - 1);
	}
	closedir(d);
	rmdir(dir);
}

/* All but the newest few. */
static void
saved_prune(const char *dir)
{
	char top[SAVED_MAX], path[SAVED_MAX], *slash;
	struct dirent **list;
	struct error ignored;
	int i, n;

	str_cut(top, sizeof(top), dir);
	slash = strrchr(top, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	n = scandir(top, &list, saved_shown, saved_by_name);
	for (i = 0; i < n; i++) {
		if (i < n - SAVED_KEEP &&
		    saved_path(path, top, list[i]->d_name, &ignored) == 0)
			saved_remove(path, 1);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

int
saved_complete(
    const char *dir, const char *listing, size_t len, struct error *err)
{
	static const char about[] =
	    "What PostgreSQL here had written and the primary had not, saved "
	    "before it was\nrewound: pg_wal, the control file, and what "
	    "pg_waldump reads in them (listing).\nMore of it: pg_waldump "
	    "--path=pg_wal FIRST-FILE\n";
	char path[SAVED_MAX];

	if (saved_path(path, dir, "listing", err) == -1 ||
	    file_replace(path, listing, len, 0600, err) == -1 ||
	    saved_path(path, dir, "README", err) == -1 ||
	    file_replace(path, about, sizeof(about) - 1, 0600, err) == -1 ||
	    file_sync_dir(dir, err) == -1 ||
	    saved_path(path, dir, "pg_wal/.", err) == -1 ||
	    file_sync_dir(path, err) == -1 ||
	    saved_path(path, dir, "complete", err) == -1 ||
	    file_replace(path, "", 0, 0600, err) == -1)
		return -1;
	saved_prune(dir);
	return 0;
}

/* The newest that is complete. */
static int
saved_newest(const char *state_dir, char *dir, struct error *err)
{
	char top[SAVED_MAX], path[SAVED_MAX];
	struct dirent **list;
	int n;

	dir[0] = '\0';
	if (saved_path(top, state_dir, "saved", err) == -1)
		return -1;
	n = scandir(top, &list, saved_shown, saved_by_name);
	if (n == -1)
		return error_sys(err, "read %s", top);
	while (n-- > 0) {
		if (dir[0] == '\0' &&
		    saved_path(path, top, list[n]->d_name, err) == 0 &&
		    saved_has(path, "complete"))
			str_cut(dir, SAVED_MAX, path);
		free(list[n]);
	}
	free(list);
	if (dir[0] == '\0')
		return error_set(
		    err, ERR_REFUSED, "%s holds nothing complete", top);
	return 0;
}

static int
saved_back(const char *dir, const char *data, struct error *err)
{
	char from[SAVED_MAX], to[SAVED_MAX], a[SAVED_MAX], b[SAVED_MAX];
	struct dirent *entry;
	struct stat st;
	int rc = 0;
	DIR *d;

	if (stat(data, &st) == -1)
		return error_sys(err, "stat %s", data);
	if (saved_path(from, dir, "pg_wal", err) == -1 ||
	    saved_path(to, data, "pg_wal", err) == -1)
		return -1;
	d = opendir(from);
	if (d == NULL)
		return error_sys(err, "open %s", from);
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		rc = saved_path(a, from, entry->d_name, err) == 0 &&
			     saved_path(b, to, entry->d_name, err) == 0 ?
			 saved_copy(a, b, st.st_uid, st.st_gid, err) :
			 -1;
	}
	closedir(d);
	if (rc == -1 || saved_path(a, data, "backup_label", err) == -1)
		return -1;
	unlink(a);
	if (saved_path(a, dir, "pg_control", err) == -1 ||
	    saved_path(b, data, "global/pg_control", err) == -1)
		return -1;
	return saved_copy(a, b, st.st_uid, st.st_gid, err);
}

int
saved_begin(const char *state_dir, const char *data, char *dir, size_t size,
    struct error *err)
{
	char found[SAVED_MAX], path[SAVED_MAX];

	if (saved_newest(state_dir, found, err) == -1)
		return -1;
	str_cut(dir, size, found);
	if (saved_has(found, "begun") && saved_back(found, data, err) == -1)
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
