/*
 * One line to HAProxy's runtime API and the whole answer to it.
 */
#ifndef TRAFFIC_HAPROXY_TALK_H
#define TRAFFIC_HAPROXY_TALK_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct watch;

#define HAP_ANSWER_MAX ((size_t)1024 * 1024)

/* Embedded; zeroed memory is one that does nothing. */
struct hap_talk {
	struct watch *watch; /* NULL: no connection */
	int fd;
	char *line;
	size_t line_len, sent;
	char *answer;
	size_t answer_len, answer_size;
	/* answer is borrowed and may be written to; NULL: none, wrong says
	 * why. */
	void (*done)(void *arg, char *answer, const char *wrong);
	void *arg;
};

/* Takes line, a whole one with its end. done is called once, never from within,
 * unless stopped or -1. It has no limit in time of its own. */
int hap_talk_start(struct hap_talk *t, struct loop *loop, const char *endpoint,
    char *line, struct error *err) MUST_CHECK;
void hap_talk_stop(struct hap_talk *t);

#endif
