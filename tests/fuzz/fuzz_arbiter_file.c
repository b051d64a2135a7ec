/* The register's file, of a disk that has seen better days or of a backup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_file.h"
#include "fuzz.h"
#include "hawatch/mem.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct names *names = &fuzz_conf()->names;
	struct arbiter_origin origin;
	struct arbiter a, b;
	struct error err = { 0 };
	char *text, *image;

	if (arbiter_file_load(fuzz_file((const char *)data, size), names, &a,
		&origin, &err) == -1) {
		fuzz_refused(&err);
		return 0;
	}
	FUZZ_CHECK(origin.found);
	FUZZ_CHECK(a.value.reported >> names->count == 0);
	FUZZ_CHECK(a.ahead >> names->count == 0);
	text = arbiter_file_str(&a, names);
	image = xasprintf("hawatch-register-1 1 2 m\n%s", text);
	FUZZ_CHECK(arbiter_file_load(fuzz_file(image, strlen(image)), names, &b,
		       &origin, &err) == 0);
	FUZZ_CHECK(!origin.same_file);
	free(image);
	fuzz_same(text, arbiter_file_str(&b, names));
	return 0;
}
