/*
 * The report of a change of holder, from what the hosts have: whole, with lines
 * left out, and with nothing but what an engine sees now; and what its first
 * sentence says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hawatch/json.h"
#include "storytest.h"

/* s1 held 12, and s2 opens 13 after ms. */
static void
seen(size_t i)
{
	st_line(i, -20000, "record.seen", 12,
	    "\"state\":\"held\",\"holder\":\"s1\"");
	st_line(
	    i, 40, "record.seen", 13, "\"state\":\"held\",\"holder\":\"s2\"");
}

static void
opened(long long ms)
{
	st_line(1, ms, "fence.open", 13,
	    "\"text\":\"epoch 13\",\"proof\":\"lease\","
	    "\"durability\":\"strict\"");
}

static void
test_takeover(void **state)
{
	st_start(13);
	seen(0);
	seen(1);
	st_line(0, 0, "postmaster.gone", 12, "\"level\":\"warn\"");
	opened(73);
	assert_string_equal(st_report(),
	    "PostgreSQL on s1 ended at 2026-11-21 07:01:02 UTC; s2 took over "
	    "after 73 ms.");
	assert_int_equal(get_int(st_doc, "outage_ms"), 73);
	assert_string_equal(get_str(st_doc, "proof"), "lease");
	assert_int_equal(json_array_size(get_at(st_doc, "gaps")), 0);
	/* Another standby that ends is not the primary's end. */
	st_line(2, -20, "postmaster.gone", 12, "\"level\":\"warn\"");
	(void)st_report();
	assert_int_equal(get_int(st_doc, "outage_ms"), 73);
}

static void
test_handover(void **state)
{
	st_start(13);
	seen(0);
	seen(1);
	st_line(0, 0, "postmaster.gone", 12, "");
	st_line(0, 5, "fence.closed", 12, "\"text\":\"stepping-down\"");
	st_line(0, 8, "plan.end", 12,
	    "\"text\":\"switchover: done at release after 290 ms\"");
	opened(1204);
	assert_string_equal(st_report(),
	    "s1 handed over to s2 at 2026-11-21 07:01:02 UTC; nobody could "
	    "write for 1.204 s.");
}

static void
test_again_the_same(void **state)
{
	st_start(13);
	st_line(1, -9000, "record.seen", 12,
	    "\"state\":\"held\",\"holder\":\"s2\"");
	st_line(1, -8000, "fence.open", 12, "\"text\":\"epoch 12\"");
	st_line(1, 0, "lease.lost", 12, "\"text\":\"write-probe\"");
	opened(3000);
	assert_string_equal(st_report(),
	    "s2 lost its lease at 2026-11-21 07:01:02 UTC; clients can write "
	    "there again after 3.000 s.");
}

static void
test_silent(void **state)
{
	st_start(13);
	json_put_string(st_host(0), "silent", "connect-timeout");
	seen(1);
	st_line(1, 500, "plan.start", 12,
	    "\"text\":\"takeover: follow\",\"old\":\"s1\",\"heard_ms\":500");
	opened(600);
	assert_string_equal(st_report(),
	    "s1 was heard of last at 2026-11-21 07:01:02 UTC; s2 took over "
	    "after about 600 ms.");
	assert_int_equal(json_array_size(get_at(st_doc, "gaps")), 1);
	assert_string_equal(
	    get_str(json_array_get(get_at(st_doc, "gaps"), 0), "node"), "s1");
}

/* Cut off, it says when its lease ended: nobody could commit there long before.
 * Not so where it was heard until then. */
static void
test_cut_off(void **state)
{
	st_start(13);
	seen(0);
	seen(1);
	st_line(0, 2000, "lease.lost", 12, "\"level\":\"warn\"");
	st_line(1, 2050, "plan.start", 12,
	    "\"text\":\"takeover: follow\",\"old\":\"s1\",\"heard_ms\":2050");
	opened(2150);
	assert_string_equal(st_report(),
	    "s1 was heard of last at 2026-11-21 07:01:02 UTC; s2 took over "
	    "after about 2.150 s.");
	st_start(13);
	seen(0);
	seen(1);
	st_line(0, 0, "lease.lost", 12, "\"text\":\"write-probe\"");
	st_line(1, 2050, "plan.start", 12,
	    "\"text\":\"takeover: follow\",\"old\":\"s1\",\"heard_ms\":50");
	opened(2150);
	assert_string_equal(st_report(),
	    "s1 lost its lease at 2026-11-21 07:01:02 UTC; s2 took over after "
	    "2.150 s.");
}

/* What saw the record is left out: who opened in the epoch holds it, and by
 * which proof is said there. */
static void
test_lines_left_out(void **state)
{
	const json_t *gap;

	st_start(13);
	st_line(0, 0, "postmaster.gone", 12, "");
	opened(73);
	st_line(1, 3000, "history.left-out", 13,
	    "\"text\":\"12 of plan.row\",\"left_out\":12");
	assert_string_equal(st_report(),
	    "PostgreSQL on s1 ended at 2026-11-21 07:01:02 UTC; s2 took over "
	    "after 73 ms.");
	assert_string_equal(get_str(st_doc, "holder"), "s2");
	assert_string_equal(get_str(st_doc, "proof"), "lease");
	assert_int_equal(json_array_size(get_at(st_doc, "gaps")), 1);
	gap = json_array_get(get_at(st_doc, "gaps"), 0);
	assert_string_equal(get_str(gap, "node"), "s2");
	assert_string_equal(get_str(gap, "left_out"), "12 of plan.row");
	assert_string_equal(get_str(gap, "command"),
	    "ssh s2 \"journalctl -u hawatchd --utc --since "
	    "'2026-11-21 07:00:02 UTC' --until '2026-11-21 07:02:05 UTC'\"");
}

/* The record that was written, and the claim's proof, say it too. */
static void
test_what_the_holder_wrote(void **state)
{
	st_start(13);
	st_line(1, 10, "claim.proof", 12, "\"text\":\"released\"");
	st_line(1, 20, "record.written", 13,
	    "\"text\":\"released epoch 13 seq 4, candidates none\"");
	(void)st_report();
	assert_string_equal(get_str(st_doc, "holder"), "");
	st_line(1, 30, "record.written", 13,
	    "\"text\":\"held epoch 13 seq 9, candidates none\"");
	assert_string_equal(st_report(),
	    "s2 holds epoch 13; no line says that clients could write there.");
	assert_string_equal(get_str(st_doc, "proof"), "released");
	assert_int_equal(json_array_size(get_at(st_doc, "gaps")), 2);
}

/* Nothing of that epoch but what the engine sees now. */
static void
test_only_now(void **state)
{
	json_t *now = json_object();

	st_start(13);
	st_line(0, 0, "peer.lost", 12, "");
	assert_string_equal(st_report(),
	    "Who took over in epoch 13 is not in the lines that the hosts "
	    "have.");
	json_put_i64(now, "epoch", 13);
	json_put_string(now, "holder", "s2");
	json_put_bool(now, "primary", true);
	json_put(st_host(1), "now", now);
	assert_string_equal(st_report(),
	    "s2 took over and lets clients write now; since when is not in "
	    "the lines that the hosts have.");
	assert_int_equal(json_array_size(get_at(st_doc, "gaps")), 2);
	/* What it does by now in a later one says nothing of this one. */
	json_put_i64(now, "epoch", 14);
	assert_string_equal(st_report(),
	    "Who took over in epoch 13 is not in the lines that the hosts "
	    "have.");
	st_line(1, 20, "record.seen", 13, "\"holder\":\"s2\"");
	assert_string_equal(st_report(),
	    "s2 holds epoch 13; no line says that clients could write there.");
}

/* What a takeover may have lost, by the word of who took over: of this epoch,
 * not of one before, and not where a standby has every commit. */
static void
test_bounded(void **state)
{
	st_start(13);
	seen(0);
	seen(1);
	st_line(1, -9000, "takeover.loss", 12, "\"text\":\"at most 7 bytes\"");
	st_line(0, 0, "postmaster.gone", 12, "");
	st_line(1, 60, "fence.open", 13,
	    "\"proof\":\"lease\",\"durability\":\"bounded\"");
	(void)st_report();
	assert_string_equal(get_str(st_doc, "loss"), "");
	st_line(0, 50, "takeover.loss", 13, "\"text\":\"at most 8 bytes\"");
	st_line(1, 50, "takeover.loss", 13,
	    "\"text\":\"at most 4096 bytes are missing here\"");
	(void)st_report();
	assert_string_equal(
	    get_str(st_doc, "loss"), "at most 4096 bytes are missing here");
	assert_string_equal(get_str(st_doc, "durability"), "bounded");
}

static size_t
odd(void)
{
	return json_array_size(get_at(st_doc, "anomalies"));
}

/* What is bad long before and after is of something else. */
static void
test_what_to_look_at(void **state)
{
	st_start(13);
	seen(0);
	seen(1);
	st_line(0, -15000, "peer.lost", 12, "\"level\":\"warn\"");
	st_line(0, 0, "postmaster.gone", 12, "\"level\":\"warn\"");
	st_line(0, 30, "plan.late", 12, "\"level\":\"warn\"");
	opened(73);
	st_line(0, 40000, "postmaster.gone", 13, "\"level\":\"warn\"");
	st_line(1, 45000, "peer.lost", 13, "\"level\":\"warn\"");
	(void)st_report();
	assert_int_equal(odd(), 1);
	/* Of its own takeover, as long as that runs. */
	st_line(1, 20000, "plan.late", 13, "\"level\":\"warn\"");
	st_line(0, 20001, "peer.lost", 13, "\"level\":\"warn\"");
	st_line(1, 21000, "plan.end", 13, "\"text\":\"takeover: done\"");
	(void)st_report();
	assert_int_equal(odd(), 2);
}

static void
says(const char *ev, const char *text, const char *want)
{
	char buf[200];
	json_t *obj = json_object();

	json_put_string(obj, "ev", ev);
	json_put_i64(obj, "epoch", 5);
	json_put_string(obj, "text", text);
	json_put_i64(obj, "dropped", 1);
	story_text(buf, sizeof(buf), obj);
	assert_string_equal(buf, want);
	json_decref(obj);
}

static void
test_words(void **state)
{
	says("fence.open", "epoch 5", "clients can write here");
	says("fence.closed", "stepping-down",
	    "clients cannot write here: this node is stopping PostgreSQL");
	says("plan.end", "takeover: done", "takeover: done");
	says("act.done", "", "");
	/* How long it took, and not when it was. */
	says("plan.row", "takeover: claim after 120 ms",
	    "takeover: claim is done, the step took 120 ms");
	says("plan.end", "takeover: done at open after 1403 ms",
	    "takeover: done at open, the plan took 1403 ms");
	says("plan.end", "stepdown: refused at stop after a while",
	    "stepdown: refused at stop after a while");
}

/* Its first line of that kind. */
static const json_t *
of(const char *ev)
{
	const json_t *list = get_at(st_doc, "timeline"), *line;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		line = json_array_get(list, i);
		if (strcmp(get_str(line, "ev"), ev) == 0)
			return line;
	}
	return NULL;
}

static void
took(const char *ev, long long ms, const char *want)
{
	json_t *obj = json_object();
	char buf[200];

	json_put_string(obj, "ev", ev);
	json_put_i64(obj, "ms", ms);
	story_text(buf, sizeof(buf), obj);
	assert_string_equal(buf, want);
	json_decref(obj);
}

/* Of a line that took time the length, and the moment at which it was over. */
static void
test_durations(void **state)
{
	const json_t *line;

	took("act.done", 214, "took 214 ms");
	took("front.gone", 9000, "after 9000 ms of life");
	st_start(13);
	seen(0);
	seen(1);
	st_line(0, 0, "postmaster.gone", 12, "");
	st_line(
	    1, 50, "plan.row", 13, "\"text\":\"takeover: claim after 20 ms\"");
	st_line(1, 60, "act.done", 13, "\"ms\":30");
	opened(73);
	(void)st_report();
	assert_string_equal(
	    get_str(st_doc, "since"), "the last write was possible on s1");
	assert_true(get_int(st_doc, "since_at_ms") == ST_T0);
	line = of("plan.row");
	assert_int_equal(get_int(line, "after_ms"), 50);
	assert_int_equal(get_int(line, "took_ms"), 20);
	assert_int_equal(get_int(of("act.done"), "took_ms"), 30);
	assert_false(get_has(of("fence.open"), "took_ms"));
}

/* From what else the times are counted. */
static void
test_since(void **state)
{
	st_start(13);
	seen(0);
	seen(1);
	opened(73);
	(void)st_report();
	assert_string_equal(
	    get_str(st_doc, "since"), "clients can write on s2");
	assert_true(get_int(st_doc, "since_at_ms") == ST_T0 + 73);
	st_teardown(NULL);
	st_start(13);
	seen(0);
	seen(1);
	(void)st_report();
	assert_string_equal(
	    get_str(st_doc, "since"), "the first line of epoch 13");
}

/* What story_print writes, without its colours. */
static void
printed(char *buf, size_t size, bool markdown)
{
	FILE *out = tmpfile();
	int before = dup(STDOUT_FILENO);

	assert_non_null(out);
	fflush(stdout);
	assert_int_not_equal(dup2(fileno(out), STDOUT_FILENO), -1);
	story_print(st_doc, markdown);
	fflush(stdout);
	assert_int_not_equal(dup2(before, STDOUT_FILENO), -1);
	close(before);
	rewind(out);
	buf[fread(buf, 1, size - 1, out)] = '\0';
	fclose(out);
}

/* Another host's word reaches neither the terminal nor the document as more
 * than a text. */
static void
test_foreign_words(void **state)
{
	static char text[16384];
	int markdown;

	st_start(13);
	json_put_string(st_answer, "cluster", "<b>\033[2J");
	json_put_string(st_host(0), "node", "s1\033]0;x\007");
	st_line(1, 0, "record.seen", 13,
	    "\"holder\":\"s2\\u001b[31m](http://x)<img>\"");
	(void)st_report();
	assert_true(json_array_size(get_at(st_doc, "gaps")) > 0);
	for (markdown = 0; markdown < 2; markdown++) {
		printed(text, sizeof(text), markdown);
		assert_null(strchr(text, '\033'));
		assert_null(strchr(text, '\007'));
		if (markdown)
			assert_null(strstr(text, "<img>"));
	}
	assert_non_null(strstr(text, "# Epoch 13 of cluster "
				     "\\<b\\>?\\[2J: held by s2?\\[31m"));
}

/* The number of a person has a name on that person's host alone. */
static void
test_who(void **state)
{
	json_t *obj = json_object();
	char buf[200];

	json_put_string(obj, "ev", "order.taken");
	json_put_i64(obj, "uid", 0);
	story_text(buf, sizeof(buf), obj);
	assert_string_equal(buf, "by uid 0");
	json_put_string(obj, "node", "s2");
	story_text(buf, sizeof(buf), obj);
	assert_string_equal(buf, "by uid 0 of s2");
	story_here(obj, "");
	story_here(obj, "s1");
	story_text(buf, sizeof(buf), obj);
	assert_string_equal(buf, "by uid 0 of s2");
	story_here(obj, "s2");
	story_text(buf, sizeof(buf), obj);
	assert_string_equal(buf, "by root");
	/* Nor by the word of the host that sent it. */
	story_here(obj, "s1");
	story_text(buf, sizeof(buf), obj);
	assert_string_equal(buf, "by uid 0 of s2");
	json_decref(obj);
}

static void
who_ordered(bool away, const char *s1, const char *s2)
{
	const json_t *list, *line;
	char buf[200];
	size_t i;

	st_start(13);
	json_put_bool(st_answer, "away", away);
	st_line(0, 0, "order.taken", 13, "\"uid\":0");
	st_line(1, 0, "order.taken", 13, "\"uid\":0");
	(void)st_report();
	list = get_at(st_doc, "timeline");
	assert_int_equal(json_array_size(list), 2);
	for (i = 0; i < 2; i++) {
		line = json_array_get(list, i);
		story_text(buf, sizeof(buf), line);
		assert_string_equal(
		    buf, strcmp(get_str(line, "node"), "s1") == 0 ? s1 : s2);
	}
}

static void
test_who_in_a_report(void **state)
{
	who_ordered(false, "by root", "by uid 0 of s2");
	who_ordered(true, "by uid 0 of s1", "by uid 0 of s2");
}

/* That is the proof of a takeover, and of nothing that came after it. */
static void
test_proof(void **state)
{
	static const char *const lines[][3] = {
		{ "plan.end", "takeover: done", "takeover: done, proof lease" },
		{ "fence.open", "", "clients can write here, proof lease" },
		{ "plan.start", "stepdown: recover", "stepdown: recover" },
		{ "plan.start", "switchover: serve", "switchover: serve" },
	};
	char buf[200];
	json_t *obj;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		obj = json_object();
		json_put_string(obj, "ev", lines[i][0]);
		json_put_string(obj, "text", lines[i][1]);
		json_put_string(obj, "proof", "lease");
		story_text(buf, sizeof(buf), obj);
		assert_string_equal(buf, lines[i][2]);
		json_decref(obj);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_teardown(f, st_teardown)
	const struct CMUnitTest tests[] = {
		T(test_takeover),
		T(test_handover),
		T(test_again_the_same),
		T(test_silent),
		T(test_cut_off),
		T(test_lines_left_out),
		T(test_what_the_holder_wrote),
		T(test_only_now),
		T(test_bounded),
		T(test_what_to_look_at),
		T(test_words),
		T(test_durations),
		T(test_since),
		T(test_foreign_words),
		T(test_who),
		T(test_who_in_a_report),
		T(test_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
