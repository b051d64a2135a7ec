#include "storytest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

json_t *st_answer, *st_doc;

json_t *
st_host(size_t i)
{
	return json_array_get(json_object_get(st_answer, "hosts"), i);
}

void
st_start(long long epoch)
{
	struct error err;
	char *text = xasprintf("{\"cluster\":\"prod\",\"self\":\"s1\","
			       "\"epoch\":%lld,\"hosts\":["
			       "{\"node\":\"s1\",\"data\":true,\"records\":[]},"
			       "{\"node\":\"s2\",\"data\":true,\"records\":[]},"
			       "{\"node\":\"a1\",\"data\":false,"
			       "\"records\":[]}]}",
	    epoch);

	json_decref(st_answer);
	st_answer = json_read(text, strlen(text), &err);
	assert_non_null(st_answer);
	free(text);
}

void
st_line(
    size_t i, long long ms, const char *ev, long long epoch, const char *more)
{
	struct error err;
	char *text = xasprintf("{\"at_ms\":%lld,\"ev\":\"%s\",\"epoch\":%lld"
			       "%s%s}",
	    ST_T0 + ms, ev, epoch, more[0] == '\0' ? "" : ",", more);
	json_t *obj = json_read(text, strlen(text), &err);

	assert_non_null(obj);
	free(text);
	json_array_append_new(json_object_get(st_host(i), "records"), obj);
}

const char *
st_report(void)
{
	json_decref(st_doc);
	st_doc = story_report(st_answer);
	return get_str(st_doc, "summary");
}

int
st_teardown(void **state)
{
	json_decref(st_answer);
	json_decref(st_doc);
	st_answer = st_doc = NULL;
	return 0;
}
