/*
 * The register of each of the two hosts of its tests, as its engine has it:
 * what it tells is written down, what is written by it is waited for.
 */
#include "pairtest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/str.h"

static void
value_cb(void *arg, usec_t sent, const struct reg_value *v)
{
	struct pairhost *h = arg;

	assert_true(sent > 0 && sent <= clock_now().raw);
	h->value = *v;
	h->values++;
}

static void
failed_cb(void *arg, const char *why)
{
	struct pairhost *h = arg;

	str_cut(h->why, sizeof(h->why), why);
	h->fails++;
}

static void
written_cb(void *arg, uint64_t id, enum cas_result res, uint64_t revision,
    const char *instance)
{
	struct pairhost *h = arg;
	const struct reg_value *v = &pairtest_copy(h)->value;

	if (res == CAS_CONFIRMED) {
		assert_true(revision == v->revision);
		assert_string_equal(instance, v->instance);
	}
	h->res = res;
	h->written = id;
	h->writes++;
}

static void
reported_cb(void *arg, bool ok)
{
	struct pairhost *h = arg;

	assert_false(ok);
	h->reports++;
}

static void
heard_cb(void *arg, node_t node)
{
	core_on_heard(arg, NULL, node);
}

void
pairtest_join(struct pairhost *h)
{
	const struct register_env env = { .loop = pt.loop,
		.conf = &h->conf,
		.http = (struct http *)h,
		.copy = h->e.copy,
		.calls = { .value = value_cb,
		    .failed = failed_cb,
		    .written = written_cb,
		    .reported = reported_cb,
		    .heard = heard_cb,
		    .arg = h } };
	struct error err;

	h->reg = register_none.new(&env, &err);
	register_none.start(h->reg);
}

bool
pairtest_shows(const struct pairhost *h, const char *nonce)
{
	return h->values > 0 && strcmp(h->value.rec.nonce, nonce) == 0;
}

struct do_cas
pairtest_reg_put(struct pairhost *h, const char *nonce, nodeset_t without)
{
	struct do_cas cas = pairtest_cas(h, h->self, nonce);

	cas.without = without;
	h->writes = 0;
	register_none.cas(h->reg, &cas);
	return cas;
}

void
pairtest_reg_write(struct pairhost *h, const char *nonce, nodeset_t without,
    enum cas_result res)
{
	struct do_cas cas = pairtest_reg_put(h, nonce, without);

	UNTIL(h->writes);
	assert_true(h->written == cas.id);
	assert_int_equal(h->res, res);
}

void
pairtest_shown(void *arg, const char *json, const char *why)
{
	struct pairhost *h = arg;

	h->shown = json != NULL;
	str_cut(h->show, sizeof(h->show), json != NULL ? json : why);
	h->shows++;
}

const char *
pairtest_reg_show(struct pairhost *h)
{
	int n = h->shows;

	register_none.show(h->reg, pairtest_shown, h);
	UNTIL(h->shows > n);
	assert_true(h->shown);
	return h->show;
}

const char *
pairtest_reg_adopt(struct pairhost *h)
{
	int n = h->shows;

	register_none.adopt(h->reg, pairtest_shown, h);
	UNTIL(h->shows > n);
	return h->show;
}

/* Both are read, and have the one name. */
static void
setup_joined(void **state)
{
	struct pairhost *a = &pt.host[A], *b = &pt.host[B];

	(void)pairtest_setup(state);
	pairtest_join(a);
	pairtest_join(b);
	UNTIL(strcmp(pairtest_copy(a)->value.instance,
		  pairtest_copy(b)->value.instance) == 0 &&
	      a->values && b->values);
}

int
pairtest_setup_written(void **state)
{
	struct pairhost *a = &pt.host[A], *b = &pt.host[B];

	setup_joined(state);
	pairtest_reg_write(a, "n1", 0, CAS_CONFIRMED);
	UNTIL(pairtest_shows(a, "n1") && !a->value.half &&
	      pairtest_shows(b, "n1"));
	assert_non_null(strstr(b->polled, "\"wait_ms\":2000"));
	return 0;
}
