/* The record, as any register may show it. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hawatch/record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct names *names = &fuzz_conf()->names;
	struct record rec, was, again;
	struct error err = { 0 };
	char *text;

	memset(&rec, 0xa5, sizeof(rec));
	memcpy(&was, &rec, sizeof(was));
	if (record_parse(&rec, (const char *)data, size, names, &err) == -1) {
		fuzz_refused(&err);
		FUZZ_CHECK(memcmp(&rec, &was, sizeof(rec)) == 0);
		return 0;
	}
	FUZZ_CHECK(rec.holder >= 0 && rec.holder < names->count);
	FUZZ_CHECK(rec.candidates >> names->count == 0);
	FUZZ_CHECK(rec.ttl > 0 && rec.epoch > 0 && rec.state != REC_NONE);
	text = record_str(&rec, names);
	FUZZ_CHECK(strlen(text) <= RECORD_MAX);
	FUZZ_CHECK(record_parse(&again, text, strlen(text), names, &err) == 0);
	FUZZ_CHECK(again.taken_at == rec.taken_at && again.ttl == rec.ttl);
	fuzz_same(text, record_str(&again, names));
	return 0;
}
