/*
 * One file: what is kept, what is refused, what a full disk or a crash leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "converge/converge_file.h"
#include "convtest.h"

#define OLD "a=1\nsecret=hunter2\nb=1\n"
#define NEW "a=2\nsecret=hunter2\nb=1\n"
#define TAG "new-after-1"

struct one {
	struct convtest t;
	struct cfile_line line;
	struct cfile f;
};

static void
open_one(struct one *o)
{
	conv_open(&o->t);
	conv_write(&o->t, "f", OLD);
	memset(&o->line, 0, sizeof(o->line));
	o->line.rule = (struct text_rule){ "^a=.*$", "a=2", MANY_ERROR };
	o->f = (struct cfile){ .path = conv_path(&o->t, "f"),
		.count = 1,
		.line = &o->line,
		.dir = -1 };
}

static void
make(struct one *o, uint64_t epoch)
{
	cfile_prepare(&o->f, TAG, epoch);
	if (!o->f.ready)
		return;
	cfile_commit(&o->f, TAG);
	cfile_sync(&o->f);
}

static int
names(struct one *o)
{
	DIR *d = opendir(o->t.dir);
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
refused(struct one *o, const char *why)
{
	int before = names(o);

	make(o, 7);
	assert_false(o->line.ok);
	assert_false(o->line.changed);
	if (strstr(o->line.reason, why) == NULL)
		fail_msg("%s", o->line.reason);
	assert_null(strstr(o->line.reason, "hunter2"));
	assert_int_equal(o->f.dir, -1);
	assert_int_equal(names(o), before);
	/* A look says the same. */
	o->line.reason[0] = '\0';
	cfile_look(&o->f);
	assert_false(o->line.ok);
	if (strstr(o->line.reason, why) == NULL)
		fail_msg("look: %s", o->line.reason);
}

static void
test_kept(void **state)
{
	struct one o;
	struct stat st, old;
	char value[16] = "";
	const char *path, *backup;

	open_one(&o);
	path = o.f.path;
	assert_int_equal(chmod(path, 0640), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 12345, 54321), 0);
	assert_int_equal(setxattr(path, "user.label", "secret", 6, 0), 0);
	assert_int_equal(stat(path, &old), 0);
	make(&o, 7);
	assert_true(o.line.ok && o.line.changed);
	conv_expect(&o.t, "f", NEW);
	assert_int_equal(stat(path, &st), 0);
	assert_int_not_equal(st.st_ino, old.st_ino);
	backup = conv_path(&o.t, ".f.hawatch-7");
	conv_expect(&o.t, ".f.hawatch-7", OLD);
	assert_int_equal(st.st_mode, old.st_mode);
	assert_int_equal(st.st_uid, old.st_uid);
	assert_int_equal(st.st_gid, old.st_gid);
	assert_int_equal(getxattr(path, "user.label", value, 16), 6);
	assert_string_equal(value, "secret");
	assert_int_equal(stat(backup, &st), 0);
	assert_int_equal(st.st_mode, old.st_mode);
	assert_int_equal(st.st_uid, old.st_uid);
	assert_int_equal(getxattr(backup, "user.label", value, 16), 6);
	/* Right already: the file is not touched. */
	assert_int_equal(stat(path, &old), 0);
	make(&o, 7);
	assert_true(o.line.ok);
	assert_false(o.line.changed);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_ino, old.st_ino);
	assert_int_equal(st.st_mtim.tv_nsec, old.st_mtim.tv_nsec);
	conv_close(&o.t);
}

static void
test_backups(void **state)
{
	struct one o;
	char text[40], name[40];
	uint64_t epoch;

	open_one(&o);
	conv_write(&o.t, ".g.hawatch-1", "another file's");
	conv_write(&o.t, ".f.hawatch-x", "nobody's");
	for (epoch = 3; epoch <= 10; epoch++) {
		(void)snprintf(text, sizeof(text), "a=%d\n", (int)epoch + 100);
		conv_write(&o.t, "f", text);
		make(&o, epoch);
		assert_true(o.line.ok);
		/* The second change of an epoch leaves the backup alone. */
		conv_write(&o.t, "f", "a=again\n");
		make(&o, epoch);
		(void)snprintf(name, sizeof(name), ".f.hawatch-%d", (int)epoch);
		conv_expect(&o.t, name, text);
	}
	for (epoch = 3; epoch <= 10; epoch++) {
		(void)snprintf(name, sizeof(name), ".f.hawatch-%d", (int)epoch);
		assert_int_equal(access(conv_path(&o.t, name), F_OK),
		    epoch > 10 - CFILE_BACKUPS ? 0 : -1);
	}
	conv_expect(&o.t, ".g.hawatch-1", "another file's");
	conv_expect(&o.t, ".f.hawatch-x", "nobody's");
	conv_close(&o.t);
}

/* The file behind a link is replaced, the link stays. */
static void
test_symlink(void **state)
{
	struct one o;
	struct stat st;

	open_one(&o);
	assert_int_equal(mkdir(conv_path(&o.t, "real"), 0755), 0);
	conv_write(&o.t, "real/g", OLD);
	assert_int_equal(unlink(o.f.path), 0);
	assert_int_equal(symlink("real/g", o.f.path), 0);
	make(&o, 7);
	assert_true(o.line.ok);
	assert_int_equal(lstat(o.f.path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	conv_expect(&o.t, "real/g", NEW);
	conv_expect(&o.t, "real/.g.hawatch-7", OLD);
	if (geteuid() == 0) {
		assert_int_equal(lchown(o.f.path, 12345, 12345), 0);
		refused(&o, "neither root nor the file's owner made");
	}
	conv_close(&o.t);
}

static void
test_refused(void **state)
{
	struct one o;
	const char *path;

	open_one(&o);
	path = o.f.path;
	assert_int_equal(link(path, conv_path(&o.t, "other")), 0);
	refused(&o, "it has 2 names (hard links)");
	assert_int_equal(unlink(path), 0);
	refused(&o, "No such file or directory");
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(&o, "not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	refused(&o, "not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("f", path), 0);
	refused(&o, "Too many levels of symbolic links");
	assert_int_equal(unlink(path), 0);
	conv_write(&o.t, "f", "b=1\n");
	refused(&o, "no line matches");
	conv_expect(&o.t, "f", "b=1\n");
	conv_close(&o.t);
}

/* Whoever writes between reading and renaming is not overwritten. */
static void
test_meanwhile(void **state)
{
	struct one o;

	open_one(&o);
	cfile_prepare(&o.f, TAG, 7);
	assert_true(o.f.ready);
	conv_write(&o.t, "f", "a=somebody else's\n");
	cfile_commit(&o.f, TAG);
	cfile_sync(&o.f);
	assert_false(o.line.ok);
	assert_string_equal(
	    o.line.reason, "somebody else changed it at the same time");
	conv_expect(&o.t, "f", "a=somebody else's\n");
	assert_int_equal(access(conv_path(&o.t, ".f.hawatch-" TAG), F_OK), -1);
	make(&o, 7);
	assert_true(o.line.ok);
	conv_expect(&o.t, "f", "a=2\n");
	conv_close(&o.t);
}

static void
test_crash_leaves(void **state)
{
	struct one o;
	struct stat st;

	open_one(&o);
	assert_int_equal(chmod(o.f.path, 0600), 0);
	conv_write(&o.t, ".f.hawatch-new-before-1", "of the other phase");
	conv_write(&o.t, ".f.hawatch-7", "a backup");
	conv_write(&o.t, ".ff.hawatch-new-after-1", "another file's");
	conv_write(&o.t, ".f.hawatch-new-after-17", "left");
	cfile_prepare(&o.f, TAG, 8);
	assert_true(o.f.ready);
	/* Nobody else may read the new one either. */
	assert_int_equal(stat(conv_path(&o.t, ".f.hawatch-" TAG), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close(o.f.dir);
	cfile_tidy(o.f.path, "new-after-");
	assert_int_equal(access(conv_path(&o.t, ".f.hawatch-" TAG), F_OK), -1);
	assert_int_equal(
	    access(conv_path(&o.t, ".f.hawatch-new-after-17"), F_OK), -1);
	conv_expect(&o.t, ".f.hawatch-new-before-1", "of the other phase");
	conv_expect(&o.t, ".f.hawatch-7", "a backup");
	conv_expect(&o.t, ".ff.hawatch-new-after-1", "another file's");
	conv_expect(&o.t, "f", OLD);
	conv_close(&o.t);
}

/* A file that did not change is not read again; one that is as old as a
 * moment is. */
static void
test_look(void **state)
{
	struct one o;
	struct cfile_sig sig;
	struct timespec old[2] = { { .tv_sec = 1000000 },
		{ .tv_sec = 1000000 } };

	open_one(&o);
	cfile_look(&o.f);
	assert_false(o.line.ok);
	assert_string_equal(o.line.reason, "line 1 differs");
	assert_false(o.line.sig.valid);
	assert_int_equal(utimensat(AT_FDCWD, o.f.path, old, 0), 0);
	/* ctime cannot be set: a known sig stands for an old file. */
	o.line.sig.valid = false;
	cfile_look(&o.f);
	sig = o.line.sig;
	sig.valid = true;
	o.line.sig = sig;
	cfile_look(&o.f);
	assert_true(o.line.known);
	conv_write(&o.t, "f", NEW);
	o.line.sig = sig;
	cfile_look(&o.f);
	assert_false(o.line.known);
	assert_true(o.line.ok);
	conv_close(&o.t);
}

/* In a child with a file system of its own: 5 pages. */
static int
full_child(struct one *o)
{
	char big[3 * 4096];
	int fd;

	memset(big, 'x', sizeof(big));
	memcpy(big, "a=1\n", 4);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", o->t.dir, "tmpfs", 0, "size=20k") == -1)
		return 10;
	fd = open(o->f.path, O_WRONLY | O_CREAT, 0600);
	if (write(fd, big, sizeof(big)) != sizeof(big))
		return 11;
	close(fd);
	cfile_prepare(&o->f, TAG, 7);
	if (o->f.ready || o->line.ok)
		return 12;
	if (strstr(o->line.reason, "No space left on device") == NULL)
		return 13;
	if (names(o) != 3)
		return 14;
	/* The backup fits, the new file does not. */
	if (truncate(o->f.path, 2 * 4096) == -1)
		return 15;
	cfile_prepare(&o->f, TAG, 7);
	if (o->f.ready || o->line.ok ||
	    strstr(o->line.reason,
		"write the new content: write: No space left") == NULL)
		return 16;
	if (access(conv_path(&o->t, ".f.hawatch-" TAG), F_OK) == 0)
		return 17;
	return memcmp(conv_text(&o->t, "f"), big, 8192) == 0 ? 0 : 18;
}

static void
test_disk_full(void **state)
{
	struct one o;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	open_one(&o);
	pid = fork();
	if (pid == 0)
		_exit(full_child(&o));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	conv_close(&o.t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_backups),
		cmocka_unit_test(test_symlink),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_crash_leaves),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
