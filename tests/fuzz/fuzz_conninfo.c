/*
 * primary_conninfo, as repmgr or a person wrote it. Pointed at a server it
 * names that one and no other, keeps a password, and stays as it is when it is
 * pointed there again; no error text quotes any of it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hawatch/conninfo.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conninfo to = { .host = "s'1\\",
		.hostaddr = "10.77.0.1",
		.app = "s2",
		.port = 5433 };
	char *text = fuzz_text(data, size), *point, *again;
	struct conninfo was, now;
	struct error err = { 0 };

	if (conninfo_read(text, &was, &err) == -1) {
		fuzz_refused(&err);
		FUZZ_CHECK(strlen(text) < 6 || strstr(err.msg, text) == NULL);
	}
	point = conninfo_point(text, &to, &err);
	if (point == NULL) {
		fuzz_refused(&err);
		free(text);
		return 0;
	}
	FUZZ_CHECK(conninfo_read(point, &now, &err) == 0);
	FUZZ_CHECK(strcmp(now.host, to.host) == 0 && now.port == to.port);
	FUZZ_CHECK(strcmp(now.hostaddr, to.hostaddr) == 0 && !now.several);
	FUZZ_CHECK(strcmp(now.app, to.app) == 0);
	FUZZ_CHECK(now.password == was.password);
	again = conninfo_point(point, &to, &err);
	FUZZ_CHECK(again != NULL);
	fuzz_same(point, again);
	free(text);
	return 0;
}
