/*
 * The register in a real etcd: what is read, written, watched, reported and
 * adopted there, and what becomes of it when etcd is put back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "etcdrun.h"
#include "hawatch/str.h"

/* Empty: cold, until both have reported; then one of two writes wins. */
static void
test_first(void **state)
{
	struct etcdrun a, b;
	struct do_cas cas, again;

	er_init(&a, 0);
	er_init(&b, 1);
	er_open(&a);
	er_open(&b);
	er_await(&a, &a.values);
	er_await(&b, &b.values);
	assert_true(a.value.cold);
	assert_int_equal(a.value.revision, 0);
	assert_int_equal(strlen(a.value.next), 16);
	er_report_sure(&a, 0, 0);
	assert_int_equal(a.value.reported, NODE_BIT(0));
	er_report_sure(&b, 0, 0);
	/* By the watch alone. */
	while (a.value.cold)
		er_await(&a, &a.values);
	assert_string_equal(a.value.instance, b.value.instance);
	assert_int_equal(a.value.rec.state, REC_NONE);
	er_read(&b);
	cas = er_cas(&a, 0, 1);
	again = er_cas(&b, 1, 1);
	er_ids--;
	er_write_sure(&a, &cas);
	assert_int_equal(a.res, CAS_CONFIRMED);
	assert_string_equal(a.instance, a.value.instance);
	er_ids++;
	er_write_sure(&b, &again);
	assert_int_equal(b.res, CAS_CONFLICT);
	er_read(&b);
	assert_int_equal(b.value.revision, a.revision);
	assert_string_equal(b.value.rec.nonce, cas.rec.nonce);
	assert_true(b.value.head >= b.value.revision);
	er_close(&a);
	er_close(&b);
}

/* Exactly what was seen is replaced, and the identical write again has won. */
static void
test_cas(void **state)
{
	struct do_cas cas, other;
	struct etcdrun c;

	er_init(&c, 0);
	er_open(&c);
	er_warm(&c);
	cas = er_cas(&c, 0, c.value.rec.seq);
	er_write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	er_write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	other = cas;
	other.id = ++er_ids;
	strcpy(other.rec.nonce, "other");
	er_write_sure(&c, &other);
	assert_int_equal(c.res, CAS_CONFLICT);
	other.revision = c.revision;
	er_read(&c);
	other.revision = c.value.revision;
	strcpy(other.nonce, "not what is there");
	other.id = ++er_ids;
	er_write_sure(&c, &other);
	assert_int_equal(c.res, CAS_CONFLICT);
	other = er_cas(&c, 0, c.value.rec.seq);
	strcpy(other.instance, "0000000000000001");
	er_write_sure(&c, &other);
	assert_int_equal(c.res, CAS_CONFLICT);
	er_close(&c);
}

/* The watch tells of every change, a compaction does not end it, and what is
 * not ours under the key is the register's loss. */
static void
test_watch_and_nonsense(void **state)
{
	struct etcdrun c;
	int i;

	er_init(&c, 0);
	er_open(&c);
	er_warm(&c);
	er_pass(&c, 100 * USEC_MSEC);
	for (i = 0; i < 2; i++) {
		assert_true(etcdtest_ctl(&er_etcd, "put " ER_KEY " nonsense"));
		while (strstr(c.why, "what is under the key") == NULL)
			er_await(&c, &c.fails);
		c.why[0] = '\0';
		assert_true(etcdtest_ctl(&er_etcd, "del " ER_KEY));
		er_await(&c, &c.values);
		assert_true(c.value.cold);
		assert_int_equal(c.value.revision, 0);
		assert_true(etcdtest_ctl(&er_etcd, "compaction %ju --physical",
		    (uintmax_t)c.value.head));
	}
	assert_true(etcdtest_ctl(&er_etcd,
	    "put " ER_KEY " -- \"$(head -c 70000 /dev/zero | tr '\\0' x)\""));
	er_await(&c, &c.fails);
	assert_true(etcdtest_ctl(&er_etcd, "del " ER_KEY));
	er_await(&c, &c.values);
	er_close(&c);
}

/* A snapshot as another cluster is cold and takes nothing meant for the one
 * before; as the same one it counts fewer writes. */
static void
test_put_back(void **state)
{
	struct etcdrun c;
	struct do_cas cas;
	uint64_t head;
	char before[ID_MAX];
	struct reg_value seen;

	er_init(&c, 0);
	er_open(&c);
	er_warm(&c);
	assert_true(etcdtest_ctl(&er_etcd, "snapshot save snap"));
	cas = er_cas(&c, 0, c.value.rec.seq + 1);
	er_write_sure(&c, &cas);
	er_read(&c);
	head = c.value.head;
	seen = c.value;
	str_cut(before, sizeof(before), c.value.instance);
	etcdtest_put_back(&er_etcd, "snap", "etcd-cluster");
	er_await(&c, &c.values);
	assert_string_equal(c.value.instance, before);
	assert_true(c.value.head < head);
	assert_int_equal(c.value.rec.seq, seen.rec.seq - 1);
	etcdtest_put_back(&er_etcd, "snap", "another");
	while (!c.value.cold)
		er_await(&c, &c.values);
	assert_string_equal(c.value.instance, before);
	assert_string_not_equal(c.value.next, before);
	cas = er_cas(&c, 0, 99);
	er_write(&c, &cas);
	assert_int_equal(c.res, CAS_REFUSED);
	register_etcd.adopt(c.reg, er_shown, &c);
	if (c.shows == 0)
		er_await(&c, &c.shows);
	er_read(&c);
	assert_false(c.value.cold);
	assert_int_equal(c.value.rec.epoch, 2);
	register_etcd.adopt(c.reg, er_shown, &c);
	assert_non_null(strstr(c.show, "nothing to adopt"));
	er_close(&c);
}

/* A living holder's new record on a register that was put back. */
static void
test_reseed(void **state)
{
	struct etcdrun c;
	struct do_cas cas;

	er_init(&c, 0);
	er_open(&c);
	er_await(&c, &c.values);
	assert_true(etcdtest_ctl(&er_etcd, "snapshot save snap"));
	etcdtest_put_back(&er_etcd, "snap", "a-third");
	while (!c.value.cold)
		er_await(&c, &c.values);
	er_report_sure(&c, 7, 1);
	assert_true(c.value.cold);
	cas = er_cas(&c, 0, 1);
	cas.rec.epoch = 8;
	cas.reseed = true;
	str_cut(cas.instance, sizeof(cas.instance), c.value.next);
	er_write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	assert_string_equal(c.instance, cas.instance);
	er_read(&c);
	assert_false(c.value.cold);
	assert_int_equal(c.value.rec.epoch, 8);
	er_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_cas),
		cmocka_unit_test(test_watch_and_nonsense),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_reseed),
	};

	return cmocka_run_group_tests(tests, er_setup, er_teardown);
}
