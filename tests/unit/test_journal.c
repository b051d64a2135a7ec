/*
 * The state file: what is saved comes back, a torn or foreign file is told
 * from an absent one, and the slot that is whole survives everything.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/journal.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"

#define SLOT 16384

static const struct names names = {
	.cluster = "votes", .count = 2, .node = { "prod-s1", "prod-s2" }
};
static const struct names others = {
	.cluster = "other", .count = 2, .node = { "prod-s1", "prod-s2" }
};

struct fixture {
	char dir[64], path[96];
	struct loop *loop;
	struct worker *worker;
	uint64_t saved;
	bool ok;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	str_cut(f->dir, sizeof(f->dir), "/tmp/hawatch-journal-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/state", f->dir);
	f->loop = loop_new(&err);
	f->worker = worker_new(f->loop);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	worker_free(f->worker);
	loop_free(f->loop);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static struct durable
sample(uint64_t epoch)
{
	struct durable d;

	memset(&d, 0, sizeof(d));
	str_cut(d.instance, sizeof(d.instance), "i1");
	d.epoch = epoch;
	d.seq = 9;
	d.t_max = 2 * USEC_SEC;
	d.claim = true;
	d.claim_revision = 17;
	str_cut(d.claim_instance, sizeof(d.claim_instance), "i1");
	str_cut(d.claim_nonce, sizeof(d.claim_nonce), "n0");
	d.claim_rec.epoch = epoch + 1;
	d.claim_rec.seq = 10;
	d.claim_rec.state = REC_CLAIMED;
	d.claim_rec.holder = 1;
	d.claim_rec.target = NODE_NONE;
	d.claim_rec.candidates = NODE_BIT(0);
	d.claim_rec.ttl = 2 * USEC_SEC;
	d.claim_rec.system_id = UINT64_MAX;
	d.claim_rec.lsn = UINT64_MAX - 1;
	str_cut(d.claim_rec.nonce, sizeof(d.claim_rec.nonce), "n1");
	d.claim_rec.written_by = 1;
	d.primary_epoch = 3;
	d.latch = true;
	str_cut(d.latch_why, sizeof(d.latch_why), "because \"of\" that");
	d.proof = PROOF_OPERATOR;
	d.proof_epoch = epoch + 1;
	str_cut(d.proof_why, sizeof(d.proof_why), "pulled the \"plug\"");
	d.left = NODE_BIT(0);
	d.left_epoch = 3;
	d.site_epoch = 2;
	d.told = UINT64_MAX - 2;
	d.told_epoch = 4;
	d.handed_epoch = 3;
	d.handed_to = 1;
	d.diverged = d.follower = true;
	d.rejoin = REJOIN_HALF;
	d.rejoin_from = 1;
	d.rejoin_epoch = 4;
	return d;
}

static void
saved(void *arg, uint64_t version, bool ok)
{
	struct fixture *f = arg;

	f->saved = version;
	f->ok = ok;
	loop_stop(f->loop);
}

/* Saves that many images, each known to be on disk before the next. */
static void
write_images(struct fixture *f, int count)
{
	struct durable d;
	struct error err;
	struct journal *j;
	bool found;
	int i;

	j = journal_open(f->path, f->worker, &names, &d, &found, &err);
	assert_non_null(j);
	for (i = 1; i <= count; i++) {
		d = sample((uint64_t)i);
		journal_save(j, (uint64_t)i, &d, saved, f);
		loop_run(f->loop, NULL, NULL);
		assert_int_equal(f->saved, i);
		assert_true(f->ok);
	}
	journal_free(j);
}

/* Epoch of the image that is found; 0 when there is none. */
static uint64_t
read_epoch(struct fixture *f, const struct names *n, struct error *err)
{
	struct durable d;
	struct journal *j;
	bool found;

	memset(&d, 0, sizeof(d));
	j = journal_open(f->path, f->worker, n, &d, &found, err);
	if (j == NULL)
		return UINT64_MAX;
	journal_free(j);
	return found ? d.epoch : 0;
}

static void
spoil(struct fixture *f, int slot, off_t at)
{
	int fd = open(f->path, O_RDWR);
	char c;

	assert_int_equal(pread(fd, &c, 1, slot * SLOT + at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, slot * SLOT + at), 1);
	close(fd);
}

static void
test_absent(void **state)
{
	struct error err;

	assert_int_equal(read_epoch(*state, &names, &err), 0);
}

static void
test_comes_back(void **state)
{
	struct fixture *f = *state;
	struct durable d, want = sample(4);
	struct error err;
	struct journal *j;
	bool found;

	write_images(f, 4);
	j = journal_open(f->path, f->worker, &names, &d, &found, &err);
	assert_non_null(j);
	assert_true(found);
	journal_free(j);
	assert_memory_equal(&d, &want, sizeof(d));
}

/* What was claimed above the highest epoch that a register may show. */
static void
test_far(void **state)
{
	struct durable d, want = sample(JSON_COUNT_MAX);
	struct error err;
	char *text = journal_str(&want, &names);

	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_memory_equal(&d, &want, sizeof(d));
	free(text);
}

/* Whichever slot is torn, at whatever byte: the other one counts. */
static void
test_torn(void **state)
{
	struct fixture *f = *state;
	struct error err;

	write_images(f, 5); /* 5 in slot 1, 4 in slot 0 */
	spoil(f, 1, 200);
	assert_int_equal(read_epoch(f, &names, &err), 4);
	spoil(f, 1, 200);
	spoil(f, 0, 0);
	assert_int_equal(read_epoch(f, &names, &err), 5);
}

/* The number of the older one becomes the greater: "4" is "6" but for one
 * bit. It must not bring back what was before. */
static void
test_number_damaged(void **state)
{
	struct fixture *f = *state;
	struct error err;
	char head[18];
	int fd;

	write_images(f, 5);
	fd = open(f->path, O_RDWR);
	assert_int_equal(pread(fd, head, 18, 0), 18);
	assert_memory_equal(head, "hawatch-state-2 4 ", 18);
	assert_int_equal(pwrite(fd, "6", 1, 16), 1);
	close(fd);
	assert_int_equal(read_epoch(f, &names, &err), 5);
}

/* The nodes of the configuration were put into another order. */
static void
test_order_of_nodes(void **state)
{
	const struct names other = { .cluster = names.cluster,
		.count = 2,
		.node = { names.node[1], names.node[0] } };
	struct durable want = sample(4), d = { 0 };
	char *text = journal_str(&want, &names), *left;
	struct error err;

	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &other, &err), 0);
	assert_int_equal(d.left, NODE_BIT(1));
	assert_int_equal(d.claim_rec.holder, 0);
	/* A number is of a version that went by the order; nobody left. */
	left = strstr(text, "\"left\":[");
	assert_non_null(left);
	*strchr(left, ']') = ' ';
	left[strlen("\"left\":")] = '1';
	memset(left + strlen("\"left\":1"), ' ',
	    strcspn(left + strlen("\"left\":1"), ","));
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_int_equal(d.left, 0);
	free(text);
}

static void
test_nothing_left(void **state)
{
	struct fixture *f = *state;
	struct error err;

	write_images(f, 2);
	spoil(f, 0, 0);
	spoil(f, 1, 300);
	assert_true(read_epoch(f, &names, &err) == UINT64_MAX);
	assert_non_null(strstr(err.msg, f->path));
	assert_non_null(strstr(err.msg, "move the file away"));
}

static void
test_of_another_cluster(void **state)
{
	struct fixture *f = *state;
	struct error err;

	write_images(f, 1);
	assert_true(read_epoch(f, &others, &err) == UINT64_MAX);
	assert_non_null(strstr(err.msg, "cluster"));
}

/* A write that fails must not touch the slot that is whole: here every write
 * fails, since the file is open for reading only behind the journal's back. */
static void
test_failed_write(void **state)
{
	struct fixture *f = *state;
	struct durable d = sample(8);
	struct error err;
	struct journal *j;
	bool found;
	int i, fd, null;

	write_images(f, 3);
	j = journal_open(f->path, f->worker, &names, &d, &found, &err);
	assert_non_null(j);
	/* Its descriptor is the highest one that names the file. */
	fd = dup(0);
	close(fd);
	null = open(f->path, O_RDONLY);
	for (i = fd + 8; i > 2; i--) {
		char link[64], name[128];
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", i);
		n = readlink(link, name, sizeof(name) - 1);
		if (n <= 0 || i == null)
			continue;
		name[n] = '\0';
		if (strcmp(name, f->path) == 0)
			assert_int_equal(dup2(null, i), i);
	}
	for (i = 0; i < 3; i++) {
		journal_save(j, 50, &d, saved, f);
		loop_run(f->loop, NULL, NULL);
		assert_false(f->ok);
	}
	close(null);
	journal_free(j);
	assert_int_equal(read_epoch(f, &names, &err), 3);
}

/* Of several that wait only the newest is written; its done covers all. */
static void
test_newest_counts(void **state)
{
	struct fixture *f = *state;
	struct durable d;
	struct error err;
	struct journal *j;
	bool found;
	uint64_t i;

	j = journal_open(f->path, f->worker, &names, &d, &found, &err);
	assert_non_null(j);
	for (i = 1; i <= 5; i++) {
		d = sample(i);
		journal_save(j, i, &d, saved, f);
	}
	while (f->saved != 5)
		loop_run(f->loop, NULL, NULL);
	journal_free(j);
	assert_int_equal(read_epoch(f, &names, &err), 5);
}

/* A file of an engine that knew nothing of the site is a first start of it. */
static void
test_without_site(void **state)
{
	struct durable d, want = sample(4);
	char *text = journal_str(&want, &names), *at;
	struct error err;

	at = strstr(text, "\"site_epoch\"");
	assert_non_null(at);
	memcpy(at, "\"was_epoch\" ", 12);
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_int_equal(d.site_epoch, 0);
	assert_int_equal(d.primary_epoch, want.primary_epoch);
	free(text);
}

/* By a person or by the engine; an older file says the latter. */
static void
test_fenced(void **state)
{
	struct durable d, want = sample(4);
	struct error err;
	char *text, *at;

	want.fenced = true;
	text = journal_str(&want, &names);
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_true(d.fenced);
	at = strstr(text, "\"fenced\"");
	assert_non_null(at);
	memcpy(at, "\"decnef\"", 8);
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_false(d.fenced);
	assert_int_equal(d.latch, want.latch);
	free(text);
}

/* A file of an engine that knew only strict durability: nothing was told. A
 * half of it is no such file. */
static void
test_without_told(void **state)
{
	struct durable d, want = sample(4);
	char *text = journal_str(&want, &names), *at;
	struct error err;

	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_true(d.told == want.told && d.told_epoch == want.told_epoch);
	at = strstr(text, "\"told_epoch\"");
	assert_non_null(at);
	memcpy(at, "\"epoch_told\"", 12);
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), -1);
	at = strstr(text, "\"told\"");
	assert_non_null(at);
	memcpy(at, "\"dlot\"", 6);
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_true(d.told == 0 && d.told_epoch == 0);
	assert_int_equal(d.site_epoch, want.site_epoch);
	free(text);
}

/* To whom it was handed over is a name; one that is none is nobody, and so is
 * what an older engine's file does not say. */
static void
test_handed(void **state)
{
	struct durable d, want = sample(4);
	char *text = journal_str(&want, &names), *at;
	struct error err;

	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_int_equal(d.handed_epoch, 3);
	assert_int_equal(d.handed_to, 1);
	at = strstr(text, "\"handed_to\":\"prod-s2\"");
	if (at == NULL)
		at = strstr(text, "\"handed_to\": \"prod-s2\"");
	assert_non_null(at);
	*strstr(at, "prod-s2") = 'q';
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_int_equal(d.handed_epoch, 0);
	assert_int_equal(d.handed_to, 0);
	memcpy(at, "\"to_handed\"", 11);
	at = strstr(text, "\"handed_epoch\"");
	assert_non_null(at);
	memcpy(at, "\"epoch_handed\"", 14);
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_int_equal(d.handed_epoch, 0);
	assert_int_equal(d.primary_epoch, want.primary_epoch);
	free(text);
	want.handed_epoch = 0;
	text = journal_str(&want, &names);
	assert_int_equal(
	    journal_parse(&d, text, strlen(text), &names, &err), 0);
	assert_int_equal(d.handed_epoch, 0);
	free(text);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_absent),
		T(test_comes_back),
		T(test_far),
		T(test_torn),
		T(test_number_damaged),
		T(test_order_of_nodes),
		T(test_nothing_left),
		T(test_of_another_cluster),
		T(test_failed_write),
		T(test_newest_counts),
		T(test_fenced),
		T(test_without_told),
		T(test_without_site),
		T(test_handed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
