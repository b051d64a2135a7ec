/*
 * What an operator writes for a host, and how a command that comes next is said
 * from his machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hactl/way.h"

static void
test_hosts(void **state)
{
	static const struct {
		const char *text, *name, *address, *port;
	} table[] = {
		{ "10.77.0.1", "", "10.77.0.1", "7400" },
		{ "10.77.0.1:7401", "", "10.77.0.1", "7401" },
		{ "prod-s1=10.77.0.1", "prod-s1", "10.77.0.1", "7400" },
		{ "prod-s1=127.0.0.1:9400", "prod-s1", "127.0.0.1", "9400" },
		{ "db.example.com:1", "", "db.example.com", "1" },
		{ "::1", "", "::1", "7400" },
		{ "2001:db8::2", "", "2001:db8::2", "7400" },
		{ "[::1]", "", "::1", "7400" },
		{ "[::1]:65535", "", "::1", "65535" },
		{ "s1=[2001:db8::2]:7400", "s1", "2001:db8::2", "7400" },
	};
	static const char *const wrong[] = { "", "=", "=10.77.0.1",
		"s1=", ":7400", "a:", "a:0", "a:65536", "a:7400x", "[]", "[]:1",
		"[::1]:x", "s1=[::1]:" };
	struct remote_host host;
	struct error err;
	char text[600];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (remote_host_parse(table[i].text, &host, &err) == -1)
			fail_msg("%s: %s", table[i].text, err.msg);
		assert_string_equal(host.name, table[i].name);
		assert_string_equal(host.address, table[i].address);
		assert_string_equal(host.port, table[i].port);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (remote_host_parse(wrong[i], &host, &err) == 0)
			fail_msg("not refused: %s", wrong[i]);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(remote_host_parse(text, &host, &err), -1);
	text[100] = '=';
	assert_int_equal(remote_host_parse(text, &host, &err), -1);
}

static void
test_next(void **state)
{
	static const struct {
		const char *said, *here, *away;
	} table[] = {
		{ "hactl status", "hactl status",
		    "hactl --host s2 --client c status" },
		{ "ssh prod-s1 hactl ack", "ssh prod-s1 hactl ack",
		    "hactl --host prod-s1 --client c ack" },
		{ "ssh prod-s1 'hactl pause --for 60s \"disks\"'",
		    "ssh -t prod-s1 'hactl pause --for 60s \"disks\"'",
		    "hactl --host prod-s1 --client c pause --for 60s "
		    "\"disks\"" },
		{ "ssh s2 hactl drift --apply", "ssh -t s2 hactl drift --apply",
		    "hactl --host s2 --client c drift --apply" },
		{ "ssh s2 hactl drift --apply --yes",
		    "ssh s2 hactl drift --apply --yes",
		    "hactl --host s2 --client c drift --apply --yes" },
		/* Another host's files are read there. */
		{ "ssh s1 hactl pki check", "ssh s1 hactl pki check",
		    "ssh s1 hactl pki check" },
		{ "hactl config check", "hactl config check",
		    "ssh s2 hactl config check" },
		{ "hactl --host s1 switchover s2",
		    "hactl --host s1 switchover s2",
		    "hactl --client c --host s1 switchover s2" },
		{ "hactl report --help", "hactl report --help",
		    "hactl report --help" },
		{ "ssh prod-s1 systemctl status hawatchd",
		    "ssh prod-s1 systemctl status hawatchd",
		    "ssh prod-s1 systemctl status hawatchd" },
		{ "ssh", "ssh", "ssh" },
		{ "ssh ", "ssh ", "ssh " },
		{ "ssh prod-s1", "ssh prod-s1", "ssh prod-s1" },
	};
	struct call call = { .verb = NULL };
	size_t i;

	call.opt[OPT_HOST] = "s2";
	call.opt[OPT_CLIENT] = "c";
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		next_away(NULL);
		assert_string_equal(next_command(table[i].said), table[i].here);
		next_away(&call);
		assert_string_equal(next_command(table[i].said), table[i].away);
	}
	/* Whoever answered. */
	call.opt[OPT_HOST] = call.opt[OPT_CLIENT] = NULL;
	next_away(&call);
	assert_string_equal(next_command("hactl status"), "hactl status");
	next_away(NULL);
}

static const struct verb *
verb(const char *words)
{
	size_t i;

	for (i = 0; i < verb_count(); i++)
		if (strcmp(verb_table[i].words, words) == 0)
			return &verb_table[i];
	fail_msg("%s", words);
	return NULL;
}

/* What was given to an order is given to it again elsewhere. */
static void
test_next_keeps(void **state)
{
	struct call call = { .verb = verb("promote") };

	call.opt[OPT_JSON] = "";
	assert_string_equal(next_kept(&call, "ssh s1 hactl promote s1"),
	    "ssh s1 hactl promote s1");
	call.opt[OPT_FENCED] = "off";
	assert_string_equal(next_kept(&call, "ssh s1 hactl promote s1"),
	    "ssh s1 hactl promote s1 --fenced off");
	call.opt[OPT_FENCED] = "power is off";
	assert_string_equal(next_kept(&call, "ssh s1 hactl promote s1"),
	    "ssh s1 'hactl promote s1 --fenced \"power is off\"'");
	call.opt[OPT_FENCED] = "it's $off";
	assert_string_equal(next_kept(&call, "ssh s1 hactl promote s1"),
	    "ssh s1 hactl promote s1 --fenced WHY");
	assert_string_equal(next_kept(&call, "hactl status"), "hactl status");
	assert_string_equal(next_kept(&call, "hactl promote s1 --fenced HOW"),
	    "hactl promote s1 --fenced HOW");
	call.verb = verb("switchover");
	call.opt[OPT_LEAVE_SLOTS] = "";
	assert_string_equal(
	    next_kept(&call, "hactl switchover s2 --leave-archive"),
	    "hactl switchover s2 --leave-archive --leave-slots");
	/* To look is not to order it again. */
	call.verb = verb("drift");
	call.opt[OPT_APPLY] = "";
	assert_string_equal(next_kept(&call, "hactl drift"), "hactl drift");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_next_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
