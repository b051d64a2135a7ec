/*
 * A whole configuration file: read into a configuration, or into faults of
 * which each says where it is. What @include names is the administrator's own
 * and would be read from this machine, so it is left out.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hawatch/endpoint.h"
#include "hawatch/str.h"
#include "hawatch/template.h"

/* libconfig forgets the string that an error stands in. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static void
faults(struct conf_errors *e)
{
	int i;

	FUZZ_CHECK(e->count > 0);
	for (i = 0; i < e->count; i++) {
		FUZZ_CHECK(strlen(e->text[i]) > 5);
		FUZZ_CHECK(strstr(e->text[i], "hawatch-fuzz") != NULL ||
			   strchr(e->text[i], ';') != NULL);
	}
	conf_errors_free(e);
}

static void
expand(const struct conf *conf, const char *text)
{
	size_t longest = strlen(text) * 64 + 1;
	char *out = template_expand(conf, text, NODE_NONE);

	FUZZ_CHECK(strlen(out) <= longest);
	free(out);
}

static void
whole(const struct conf *c)
{
	int i;

	FUZZ_CHECK(c->node_count > 0 && c->node_count <= NODES_MAX);
	FUZZ_CHECK(c->self >= 0 && c->self < c->node_count);
	FUZZ_CHECK(c->arbiter >= 0 && c->arbiter < c->node_count);
	FUZZ_CHECK(c->names.count == c->node_count);
	FUZZ_CHECK(c->ttl > 0 && c->slack > 0 && conf_data_nodes(c) != 0);
	FUZZ_CHECK(c->check_count >= 0 && c->check_count <= CONF_CHECKS_MAX);
	FUZZ_CHECK(c->item_count >= 0 && c->item_count <= CONF_ITEMS_MAX);
	FUZZ_CHECK(
	    c->traffic_count >= 0 && c->traffic_count <= CONF_TRAFFIC_MAX);
	for (i = 0; i < c->node_count; i++)
		FUZZ_CHECK(names_find(&c->names, c->node[i].name) == i);
	for (i = 0; i < c->check_count; i++) {
		FUZZ_CHECK(c->check[i].timeout > 0);
		FUZZ_CHECK(c->check[i].name[0] != '\0');
		(void)conf_on(c, c->check[i].on, c->self);
	}
	for (i = 0; i < c->item_count; i++) {
		expand(c, c->item[i].primary);
		expand(c, c->item[i].standby);
	}
	for (i = 0; i < c->traffic_count; i++)
		expand(c, c->traffic[i].address);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errors;
	struct conf *conf;

	if (size > 0 && memmem(data, size, "@include", 8) != NULL)
		return 0;
	conf = conf_load(fuzz_file((const char *)data, size), NULL, &errors);
	if (conf == NULL) {
		faults(&errors);
		return 0;
	}
	FUZZ_CHECK(errors.count == 0);
	whole(conf);
	conf_free(conf);
	return 0;
}
