/*
 * What a member of etcd answers: the first byte is to what. What is under the
 * key, understood and written again, is the same; and no answer shows a key
 * that is newer than all of etcd.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/etcd_text.h"
#include "fuzz.h"

#define KEY "/hawatch/votes"

static void
shown(struct etcd_view *v)
{
	const struct names *names = &fuzz_conf()->names;
	struct arbiter a = v->image;
	char *text, *body;

	FUZZ_CHECK(v->head > 0 && v->revision <= v->head);
	FUZZ_CHECK((v->text == NULL) == (v->revision == 0));
	FUZZ_CHECK(a.value.cold == (strcmp(a.value.instance, v->cluster) != 0));
	FUZZ_CHECK(a.value.reported >> names->count == 0);
	text = etcd_image_str(&a, names);
	body = etcd_put_str(KEY, v, text);
	FUZZ_CHECK(strlen(body) > strlen(text));
	free(body);
	free(text);
	etcd_view_fini(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct names *names = &fuzz_conf()->names;
	const char *json;
	struct error err = { 0 };
	struct etcd_view v;
	char buf[64];
	bool taken;
	uint64_t head = 0;

	if (size-- == 0)
		return 0;
	json = (const char *)data + 1;
	switch (data[0]) {
	case 'r':
		if (etcd_range_parse(&v, KEY, json, size, names, &err) == -1)
			fuzz_refused(&err);
		else
			shown(&v);
		break;
	case 't':
		if (etcd_put_parse(&v, &taken, KEY, json, size, names, &err) ==
		    -1)
			fuzz_refused(&err);
		else if (taken)
			FUZZ_CHECK(v.text == NULL && v.revision == v.head);
		else
			shown(&v);
		break;
	case 'w':
		if (etcd_watch_parse(json, size, &head))
			FUZZ_CHECK(head > 0);
		break;
	case 'l':
		if (etcd_login_parse(buf, sizeof(buf), json, size, &err) == -1)
			fuzz_refused(&err);
		else
			FUZZ_CHECK(strpbrk(buf, "\r\n") == NULL);
		break;
	case 'e':
		etcd_error_str(buf, sizeof(buf), json, size);
		break;
	}
	return 0;
}
