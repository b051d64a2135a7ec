/*
 * Whether PostgreSQL has room, on small file systems in a mount namespace of
 * the test's own: each of the places, the bound and the way back over it, and
 * what a look can end with else.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/pg_room.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"

#define LIMIT (300 * USEC_MSEC)
#define KIB 1024

static char root[] = "/tmp/hawatch-room.XXXXXX";
static char data[160];
static int unknowns, fulls, rooms;

struct seen {
	struct loop *loop;
	struct pg_room *room;
	bool runs;
	int news;
};

static void
on_line(void *arg, enum level level, const char *line)
{
	(void)arg;
	(void)level;
	unknowns += strstr(line, "ev=pg.room-unknown") != NULL;
	fulls += strstr(line, "ev=pg.no-room") != NULL;
	rooms += strstr(line, "ev=pg.room ") != NULL;
}

static const char *
at(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void
small(const char *path, const char *size)
{
	char options[40];

	(void)snprintf(options, sizeof(options), "size=%s", size);
	assert_int_equal(mount("none", path, "tmpfs", 0, options), 0);
}

/* Data, WAL and a tablespace, each on a file system of 8 MiB. */
static int
setup(void **state)
{
	(void)state;
	unknowns = fulls = rooms = 0;
	small(root, "1m");
	(void)snprintf(data, sizeof(data), "%s", at("data"));
	assert_int_equal(mkdir(data, 0700), 0);
	small(data, "8m");
	assert_int_equal(mkdir(at("wal"), 0700), 0);
	small(at("wal"), "8m");
	assert_int_equal(mkdir(at("space"), 0700), 0);
	small(at("space"), "8m");
	assert_int_equal(symlink("../wal", at("data/pg_wal")), 0);
	assert_int_equal(mkdir(at("data/pg_tblspc"), 0700), 0);
	assert_int_equal(symlink("../../space", at("data/pg_tblspc/9")), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return umount2(at("space"), MNT_DETACH) +
	       umount2(at("wal"), MNT_DETACH) + umount2(data, MNT_DETACH) +
	       umount2(root, MNT_DETACH);
}

/* What is left of that file system is so much. */
static void
leave(const char *name, int kib)
{
	char path[200];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/ballast", at(name));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    posix_fallocate(fd, 0, (off_t)(8 * KIB - kib) * KIB), 0);
	close(fd);
}

static void
on_news(void *arg)
{
	((struct seen *)arg)->news++;
}

static void
up(struct seen *s)
{
	struct error err;

	memset(s, 0, sizeof(*s));
	emit_to(on_line, NULL);
	s->runs = true;
	s->loop = loop_new(&err);
	s->room = pg_room_new(s->loop, data, LIMIT, on_news, s);
}

static void
down(struct seen *s)
{
	pg_room_free(s->room);
	loop_free(s->loop);
}

struct ticks {
	struct seen *s;
	struct timer *timer;
	const char *why;
	usec_t end;
	bool come;
};

static void
tick_cb(void *arg)
{
	struct ticks *t = arg;
	const char *where;

	t->come = strcmp(pg_room_why(t->s->room, &where), t->why) == 0;
	/* An answer that stays the same comes with a look, too. */
	if ((t->come && t->why[0] != '\0') || clock_now().raw >= t->end) {
		loop_stop(t->s->loop);
		return;
	}
	pg_room_look(t->s->room, t->s->runs);
	timer_arm(t->timer, 10 * USEC_MSEC);
}

/* Looks again and again; a good answer has to last. */
static void
becomes(struct seen *s, const char *why)
{
	struct ticks t = { .s = s, .why = why };

	t.end =
	    clock_now().raw + (why[0] == '\0' ? USEC_SEC / 3 : 5 * USEC_SEC);
	t.timer = timer_new(s->loop, tick_cb, &t);
	timer_arm(t.timer, 0);
	loop_run(s->loop, NULL, NULL);
	timer_free(t.timer);
	if (!t.come)
		fail_msg("never \"%s\"", why);
}

/* The bound, from above and from below. */
static void
test_bound(void **state)
{
	const char *where;
	struct seen s;

	(void)state;
	up(&s);
	becomes(&s, "");
	leave("data", 2 * KIB);
	becomes(&s, "");
	assert_int_equal(s.news, 0);
	leave("data", KIB - 64);
	becomes(&s, "disk-full");
	pg_room_why(s.room, &where);
	assert_string_equal(where, data);
	leave("data", 2 * KIB);
	pg_room_look(s.room, true);
	becomes(&s, "disk-full");
	assert_int_equal(s.news, 1);
	leave("data", 6 * KIB);
	becomes(&s, "");
	assert_int_equal(s.news, 2);
	assert_int_equal(fulls, 1);
	assert_int_equal(rooms, 1);
	assert_int_equal(unknowns, 0);
	down(&s);
}

static void
test_each_place(void **state)
{
	static const char *const places[][2] = { { "data", "data" },
		{ "wal", "data/pg_wal" }, { "space", "data/pg_tblspc/9" } };
	const char *where;
	struct seen s;
	size_t i;

	(void)state;
	up(&s);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		leave(places[i][0], 0);
		becomes(&s, "disk-full");
		pg_room_why(s.room, &where);
		assert_string_equal(where, at(places[i][1]));
		leave(places[i][0], 8 * KIB - 4);
		becomes(&s, "");
	}
	down(&s);
}

/* No word on the room: told once, and nothing follows. */
static void
test_not_seen(void **state)
{
	struct seen s;

	(void)state;
	assert_int_equal(symlink("nowhere", at("data/pg_tblspc/10")), 0);
	up(&s);
	s.runs = false;
	becomes(&s, "");
	assert_int_equal(unknowns, 0);
	s.runs = true;
	becomes(&s, "");
	becomes(&s, "");
	assert_int_equal(unknowns, 1);
	assert_int_equal(s.news, 0);
	/* What can be seen beside it still counts. */
	leave("space", 0);
	becomes(&s, "disk-full");
	down(&s);
}

/* A file system without a size has none to be full of. */
static void
test_no_sizes(void **state)
{
	struct seen s;

	(void)state;
	small(at("space"), "0");
	up(&s);
	becomes(&s, "");
	assert_int_equal(fulls, 0);
	down(&s);
	assert_int_equal(umount2(at("space"), MNT_DETACH), 0);
}

/* A look that is held is no room after the limit, and no second one begins;
 * when it comes back all is well. */
static void
test_hang(void **state)
{
	struct fanotify_event_metadata event, other;
	struct fanotify_response allow = { .response = FAN_ALLOW };
	struct seen s;
	usec_t began;
	int fan;

	(void)state;
	fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK,
	    O_RDONLY | O_CLOEXEC);
	if (fan == -1 ||
	    fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN_PERM | FAN_ONDIR,
		AT_FDCWD, at("data/pg_tblspc")) == -1)
		skip();
	up(&s);
	began = clock_now().raw;
	becomes(&s, "disk-busy");
	assert_true(clock_now().raw - began > LIMIT);
	assert_int_equal(s.news, 1);
	assert_int_equal(
	    read(fan, &event, sizeof(event)), (ssize_t)sizeof(event));
	assert_int_equal(read(fan, &other, sizeof(other)), -1);
	allow.fd = event.fd;
	assert_int_equal(
	    fanotify_mark(fan, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL), 0);
	assert_int_equal(
	    write(fan, &allow, sizeof(allow)), (ssize_t)sizeof(allow));
	close(event.fd);
	becomes(&s, "");
	assert_int_equal(s.news, 2);
	close(fan);
	down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_each_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hang, setup, teardown),
	};
	int failed;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) {
		perror("a mount namespace of its own");
		return 77;
	}
	if (mkdtemp(root) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(root);
	return failed;
}
