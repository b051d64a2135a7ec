/*
 * What nodes say to each other: the first byte is the kind of message. What is
 * understood and said again is the same; a host's report that comes along is
 * passed on as it is, and read as one.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/report.h"
#include "engine/wire.h"
#include "fuzz.h"

static const struct names *names;
static struct error err;

static void
report(const json_t *host)
{
	struct host_report rep, again;
	json_t *obj;

	if (host == NULL)
		return;
	if (report_parse(&rep, host, fuzz_conf(), &err) == -1) {
		fuzz_refused(&err);
		return;
	}
	obj = report_json(&rep, fuzz_conf());
	FUZZ_CHECK(report_parse(&again, obj, fuzz_conf(), &err) == 0);
	FUZZ_CHECK(report_same(&rep, &again) && rep.seq == again.seq);
	FUZZ_CHECK(rep.fails >> fuzz_conf()->check_count == 0);
	FUZZ_CHECK(rep.passes >> fuzz_conf()->check_count == 0);
	json_decref(obj);
}

static int
ask(const char *json, size_t len, char **text)
{
	struct ask m;
	json_t *host;
	int rc = wire_ask_parse(&m, json, len, names, &host, &err);

	FUZZ_CHECK(rc == 0 || host == NULL);
	if (rc == -1)
		return -1;
	FUZZ_CHECK(m.from >= 0 && m.from < names->count && m.ttl > 0);
	report(host);
	*text = wire_ask_str(&m, names, host);
	return 0;
}

static int
answer(const char *json, size_t len, char **text)
{
	struct ask_answer m;
	json_t *host;
	int rc = wire_answer_parse(&m, json, len, names, &host, &err);

	FUZZ_CHECK(rc == 0 || host == NULL);
	if (rc == -1)
		return -1;
	FUZZ_CHECK(m.from >= 0 && m.from < names->count);
	FUZZ_CHECK(m.running <= ANS_NO && m.recovery <= ANS_NO);
	report(host);
	*text = wire_answer_str(&m, names, host);
	return 0;
}

static int
cas(const char *json, size_t len, char **text)
{
	struct do_cas m;

	if (wire_cas_parse(&m, json, len, names, &err) == -1)
		return -1;
	FUZZ_CHECK(m.rec.state != REC_NONE);
	*text = wire_cas_str(&m, names);
	return 0;
}

static int
value(const char *json, size_t len, char **text)
{
	struct reg_value m;

	if (wire_value_parse(&m, json, len, names, &err) == -1)
		return -1;
	FUZZ_CHECK(m.reported >> names->count == 0);
	*text = wire_value_str(&m, names);
	return 0;
}

static int
result(const char *json, size_t len, char **text)
{
	char instance[ID_MAX];
	uint64_t revision;
	enum cas_result res;

	if (wire_result_parse(&res, &revision, instance, json, len, &err) == -1)
		return -1;
	*text = wire_result_str(res, revision, instance);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		char kind;
		int (*take)(const char *json, size_t len, char **text);
	} table[] = { { 'q', ask }, { 'a', answer }, { 'c', cas },
		{ 'v', value }, { 'r', result } };
	char *text, *again;
	size_t i;

	names = &fuzz_conf()->names;
	for (i = 0; size > 0 && i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].kind != (char)data[0])
			continue;
		memset(&err, 0, sizeof(err));
		if (table[i].take((const char *)data + 1, size - 1, &text) ==
		    -1) {
			fuzz_refused(&err);
			return 0;
		}
		FUZZ_CHECK(table[i].take(text, strlen(text), &again) == 0);
		fuzz_same(text, again);
	}
	return 0;
}
