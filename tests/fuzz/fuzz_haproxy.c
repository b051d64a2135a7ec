/*
 * What HAProxy's runtime API answers, to a whole run over one endpoint: the
 * first byte says which, the rest are the answers, one after the other.
 * Whatever they say, a run ends, in one result, and what is sent is only ever
 * about the servers of the configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hawatch/mem.h"
#include "traffic/haproxy.h"

#define EXCHANGES 8 /* that a run can need */

static struct {
	struct hap_talk *talk; /* NULL: none waits */
	int sent, done;
} fake;

int
hap_talk_start(struct hap_talk *t, struct loop *loop, const char *endpoint,
    char *line, struct error *err)
{
	size_t len = strlen(line);

	FUZZ_CHECK(fake.talk == NULL && fake.done == 0);
	FUZZ_CHECK(len < 2 * HAP_LINE_MAX && line[len - 1] == '\n');
	FUZZ_CHECK(strchr(line, '\n') == line + len - 1);
	FUZZ_CHECK(strstr(line, "show servers state web\n") != NULL);
	FUZZ_CHECK(++fake.sent <= EXCHANGES);
	fake.talk = t;
	free(line);
	return 0;
}

void
hap_talk_stop(struct hap_talk *t)
{
	fake.talk = NULL;
}

void
traffic_part_done(struct traffic_part *p, enum answer ans, const char *reason)
{
	FUZZ_CHECK(++fake.done == 1);
	FUZZ_CHECK(ans == ANS_YES || reason[0] != '\0');
	FUZZ_CHECK(ans != ANS_YES || p->seen);
}

void
traffic_part_changed(struct traffic_part *p, const char *what)
{
	FUZZ_CHECK(what[0] != '\0');
}

static void
answers(struct fuzz_in *in)
{
	struct hap_talk *t;
	char *text;
	size_t len;

	while ((t = fake.talk) != NULL) {
		fake.talk = NULL;
		text = fuzz_part(in, '\xff', &len);
		t->done(t->arg, text, text == NULL ? "closed" : NULL);
		free(text);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct fuzz_in in = { text + (size > 0), text + size };
	uint8_t kind = size > 0 ? data[0] : 0;
	struct conf_traffic lb = { .backend = "web",
		.server = (kind & 1) != 0 ? "db" : "${node}",
		.address = (kind & 1) != 0 ? "${primary.address}" : "",
		.port = 5432,
		.out = (kind & 2) != 0 ? OUT_DRAIN : OUT_MAINT };
	struct traffic_part part = { .conf = fuzz_conf(),
		.lb = &lb,
		.endpoint = "/run/haproxy.sock",
		.goal = { .primary = (kind & 4) != 0 ? 0 : 1,
		    .out = (kind & 8) != 0 ? 3 : 1 },
		.look = (kind & 16) != 0 };
	struct error err = { 0 };
	int run;

	part.priv = xcalloc(1, traffic_haproxy.priv_size);
	/* Twice, since something is kept from one run to the next. */
	for (run = 0; run < 2; run++) {
		memset(&fake, 0, sizeof(fake));
		if (traffic_haproxy.start(&part, &err) == -1)
			fuzz_refused(&err);
		else
			answers(&in);
		FUZZ_CHECK(fake.done == 1 || err.code != ERR_NONE);
		traffic_haproxy.cancel(&part);
	}
	free(part.priv);
	return 0;
}
