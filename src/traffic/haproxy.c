/*
 * Provider "haproxy": reads the servers of a backend by the runtime API, sends
 * what changes those that differ, and reads them back with the same line. What
 * differs is decided in haproxy_state.c and haproxy_address.c.
 *
 * HAProxy executes the commands of a line one after another and closes; each
 * answer ends with an empty line, and is nothing else when the command was
 * obeyed.
 */
#include "traffic/haproxy.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"

static int haproxy_start(struct traffic_part *p, struct error *err);
static void haproxy_cancel(struct traffic_part *p);
static void haproxy_line(struct haproxy *h);
static int haproxy_send(struct haproxy *h, struct error *err);
static void haproxy_answer_cb(void *arg, char *answer, const char *wrong);
static bool haproxy_commands(struct haproxy *h, char **rest);
static int haproxy_read(struct haproxy *h, char *text, struct error *err);
static void haproxy_changed(struct haproxy *h, const struct hap_server *s,
    const struct hap_server *was);
static void haproxy_step(struct haproxy *h);

const struct traffic_ops traffic_haproxy = {
	.name = "haproxy",
	.priv_size = sizeof(struct haproxy),
	.start = haproxy_start,
	.cancel = haproxy_cancel,
};

static int
haproxy_start(struct traffic_part *p, struct error *err)
{
	struct haproxy *h = p->priv;
	char why[TRAFFIC_REASON_MAX];

	h->part = p;
	h->mode = p->lb->address[0] == '\0' ? &hap_by_state : &hap_by_address;
	h->talk.done = haproxy_answer_cb;
	h->talk.arg = h;
	h->read = h->readied = h->taken = false;
	h->asked = h->closing = h->closed = false;
	h->refused[0] = h->note[0] = '\0';
	haproxy_line(h);
	if (!h->mode->servers(h, why, sizeof(why)))
		return error_set(err, ERR_REFUSED, "%s", why);
	return haproxy_send(h, err);
}

static void
haproxy_cancel(struct traffic_part *p)
{
	struct haproxy *h = p->priv;

	hap_talk_stop(&h->talk);
}

const char *
hap_backend(const struct haproxy *h)
{
	return h->part->lb->backend;
}

int
hap_command(struct haproxy *h, int server, const char *verb, const char *rest)
{
	size_t len = strlen(h->line);
	int n;

	assert(h->commands < HAP_COMMANDS_MAX);
	n = snprintf(h->line + len, sizeof(h->line) - len, "%s %s/%s%s;", verb,
	    hap_backend(h), h->server[server].name, rest);
	assert(n > 0 && (size_t)n < sizeof(h->line) - len);
	h->about[h->commands] = server;
	return h->commands++;
}

static void
haproxy_line(struct haproxy *h)
{
	h->line[0] = '\0';
	h->commands = 0;
	h->chatty = h->shutdown = -1;
}

/* The commands, if any, and then the reading: one line, one connection. */
static int
haproxy_send(struct haproxy *h, struct error *err)
{
	h->part->doing = h->commands > 0 ? "set server" : "show servers state";
	return hap_talk_start(&h->talk, h->part->loop, h->part->endpoint,
	    xasprintf("%sshow servers state %s\n", h->line, hap_backend(h)),
	    err);
}

static void
haproxy_answer_cb(void *arg, char *answer, const char *wrong)
{
	struct haproxy *h = arg;
	char *rest = answer, *text = NULL;
	char quote[HAP_TEXT_MAX], cut[TRAFFIC_REASON_MAX];
	struct error err;

	if (answer == NULL) {
		traffic_part_done(h->part, ANS_UNKNOWN, wrong);
		return;
	}
	if (haproxy_commands(h, &rest))
		text = hap_answer_next(&rest);
	if (text == NULL || rest[0] != '\0') {
		(void)snprintf(cut, sizeof(cut), "%s: \"%s\"",
		    text == NULL ? "it closed in the middle of an answer" :
				   "it answered more than it was asked",
		    hap_answer_quote(text == NULL ? answer : rest, quote));
		traffic_part_done(h->part, ANS_UNKNOWN, cut);
		return;
	}
	if (haproxy_read(h, text, &err) == -1)
		traffic_part_done(h->part, ANS_NO, err.msg);
	else
		haproxy_step(h);
}

/* Whether every command of the line has a whole answer. */
static bool
haproxy_commands(struct haproxy *h, char **rest)
{
	char quote[HAP_TEXT_MAX];
	char *text;
	int i;

	for (i = 0; i < h->commands; i++) {
		text = hap_answer_next(rest);
		if (text == NULL)
			return false;
		if (i == h->shutdown)
			h->closed = text[0] == '\0';
		hap_answer_quote(text, quote);
		if (i == h->chatty)
			str_cut(h->note, sizeof(h->note), quote);
		else if (text[0] != '\0' && h->refused[0] == '\0')
			(void)snprintf(h->refused, sizeof(h->refused), "%s: %s",
			    h->server[h->about[i]].name, quote);
	}
	return true;
}

static int
haproxy_read(struct haproxy *h, char *text, struct error *err)
{
	int i, n;

	memcpy(h->was, h->server, sizeof(h->was));
	if (hap_answer_servers(
		text, hap_backend(h), h->server, h->count, err) == -1)
		return -1;
	h->part->seen = true;
	for (i = 0; i < h->count; i++)
		for (n = 0; n < h->commands; n++)
			if (h->about[n] == i) {
				haproxy_changed(h, &h->server[i], &h->was[i]);
				break;
			}
	return 0;
}

static void
haproxy_changed(
    struct haproxy *h, const struct hap_server *s, const struct hap_server *was)
{
	char what[HAP_NAME_MAX + 256];

	if (!s->there || !was->there)
		return;
	if (s->port != was->port || strcmp(s->address, was->address) != 0) {
		(void)snprintf(what, sizeof(what),
		    "%s/%s has address %s port %d, had %s port %d",
		    hap_backend(h), s->name, s->address, s->port, was->address,
		    was->port);
		traffic_part_changed(h->part, what);
	}
	if (strcmp(hap_server_str(s), hap_server_str(was)) != 0) {
		(void)snprintf(what, sizeof(what), "%s/%s is %s, was %s",
		    hap_backend(h), s->name, hap_server_str(s),
		    hap_server_str(was));
		traffic_part_changed(h->part, what);
	}
}

/* After a reading: change what differs and read again, or judge. */
static void
haproxy_step(struct haproxy *h)
{
	char why[TRAFFIC_REASON_MAX] = "", text[2 * TRAFFIC_REASON_MAX];
	struct error err;
	bool holds;

	haproxy_line(h);
	if (!h->part->look)
		h->mode->next(h);
	if (h->commands > 0) {
		if (haproxy_send(h, &err) == -1)
			traffic_part_done(h->part, ANS_UNKNOWN, err.msg);
		return;
	}
	holds = h->mode->judge(h, why, sizeof(why));
	if (h->refused[0] != '\0')
		(void)snprintf(
		    text, sizeof(text), "%s/%s", hap_backend(h), h->refused);
	else
		(void)snprintf(text, sizeof(text), "%s%s",
		    h->part->look ? "mode observe changes nothing: " : "", why);
	traffic_part_done(h->part, holds ? ANS_YES : ANS_NO, text);
}
