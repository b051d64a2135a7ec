/*
 * The engine's state file. 'T': the text of a slot. 'S': texts, each in a slot
 * whose header is right, so that what follows the checksum is reached. Else the
 * file as it is.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journal.h"
#include "fuzz.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define SLOT ((size_t)16384)

static const struct names *names;

static void
text_of_a_slot(const char *json, size_t len)
{
	struct durable d, was, again;
	struct error err = { 0 };
	char *text;

	memset(&d, 0xa5, sizeof(d));
	memcpy(&was, &d, sizeof(d));
	if (journal_parse(&d, json, len, names, &err) == -1) {
		fuzz_refused(&err);
		FUZZ_CHECK(memcmp(&d, &was, sizeof(d)) == 0);
		return;
	}
	FUZZ_CHECK(!d.claim || d.claim_rec.state != REC_NONE);
	text = journal_str(&d, names);
	FUZZ_CHECK(strlen(text) < SLOT - 160);
	FUZZ_CHECK(journal_parse(&again, text, strlen(text), names, &err) == 0);
	fuzz_same(text, journal_str(&again, names));
}

/* The image of a file with one slot or two. */
static char *
slots(const char *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	char *image = xcalloc(2, SLOT + 1), *text, sum[65];
	unsigned char md[EVP_MAX_MD_SIZE];
	size_t i, len;
	int n;

	for (i = 0; i < 2 && (text = fuzz_part(&in, '\0', &len)) != NULL; i++) {
		FUZZ_CHECK(
		    EVP_Digest(text, len, md, NULL, EVP_sha256(), NULL) == 1 &&
		    str_hex(sum, sizeof(sum), md, 32) == 0);
		/* Of the version whose sum is of the text alone. */
		n = snprintf(image + i * SLOT, SLOT,
		    "hawatch-state-1 %zu %zu %s\n", i + 5, len, sum);
		if ((size_t)n + len < SLOT)
			memcpy(image + i * SLOT + n, text, len);
		free(text);
	}
	return image;
}

static void
file(const char *data, size_t size)
{
	struct durable d = { .epoch = 77 };
	struct error err = { 0 };
	bool found = false;
	struct journal *j;

	j = journal_open(fuzz_file(data, size), NULL, names, &d, &found, &err);
	if (j == NULL)
		fuzz_refused(&err);
	FUZZ_CHECK(found || d.epoch == 77);
	FUZZ_CHECK(j != NULL || !found);
	journal_free(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char *image;

	names = &fuzz_conf()->names;
	if (size > 0 && text[0] == 'T') {
		text_of_a_slot(text + 1, size - 1);
	} else if (size > 0 && text[0] == 'S') {
		image = slots(text + 1, size - 1);
		file(image, 2 * SLOT);
		free(image);
	} else {
		file(text, size);
	}
	return 0;
}
