/*
 * synchronous_standby_names, as anybody may have set it. What it is said to
 * wait for, written as hawatch writes it, is read as the same; and the core
 * may only rely on names that stand in the text.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hawatch/pgsync.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct names *names = &fuzz_conf()->names;
	char *text = fuzz_text(data, size), buf[PGSYNC_MAX];
	nodeset_t nodes = 0xff, again;
	bool other;
	node_t n;

	pgsync_parse(text, names, &nodes, &other);
	FUZZ_CHECK(nodes >> names->count == 0);
	for (n = 0; n < names->count; n++)
		if ((nodes & NODE_BIT(n)) != 0)
			FUZZ_CHECK(strcasestr(text, names->node[n]) != NULL);
	FUZZ_CHECK(pgsync_render(buf, sizeof(buf), nodes, names) == 0);
	pgsync_parse(buf, names, &again, &other);
	FUZZ_CHECK(again == nodes && !other);
	free(text);
	return 0;
}
