/*
 * Telling people: the commands of the configuration are run with what has
 * happened on their standard input. Nothing waits for them, each is one child
 * at a time with a limit, and so many a minute at most.
 */
#ifndef HAWATCH_ENGINE_TELL_H
#define HAWATCH_ENGINE_TELL_H

#include "hawatch/conf.h"
#include "hawatch/emit.h"
#include "hawatch/types.h"

struct loop;
struct tell;

struct tell *tell_new(struct loop *loop, const struct conf *conf);
/* Children that run are killed. */
void tell_free(struct tell *t);
/* Any event; those that a person should hear of are kept until the turn. */
void tell_event(struct tell *t, const struct now *now, enum event_name ev,
    const struct kv *kv, size_t n);
/* At the end of every turn: starts what can be started. */
void tell_turn(struct tell *t, const struct now *now);

struct tell_result {
	const char *name;
	bool ok;
	char text[200]; /* how it ended, and its first words */
	int left;	/* commands that still run */
};
/* Runs every command once with a text that says so. Returns how many; -1: such
 * a test runs already. done is called for each unless tell_free comes before.
 */
int tell_test(struct tell *t, const struct now *now,
    void (*done)(void *arg, const struct tell_result *res),
    void *arg) MUST_CHECK;

#endif
