/*
 * XML-RPC: answers as supervisord 4.2.5 gives them, every way to cut one short,
 * and what somebody else might send instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/mem.h"
#include "supervisor/xmlrpc.h"

#define HEAD "<?xml version='1.0'?>\n<methodResponse>\n"
#define PARAM(v) HEAD "<params>\n<param>\n" v "</param>\n</params>\n" TAIL
#define TAIL "</methodResponse>\n"
#define MEMBER(n, v) \
	"<member>\n<name>" n "</name>\n<value>" v "</value>\n</member>\n"

/* clang-format off */
static const char info[] = PARAM(
    "<value><array><data>\n<value><struct>\n"
    MEMBER("name", "<string>iam &amp; &lt;co&gt; &#xe9;</string>")
    MEMBER("group", "<string></string>")
    MEMBER("pid", "<int>24941</int>")
    MEMBER("start", "<i4>-1</i4>")
    MEMBER("plain", "text")
    MEMBER("empty", "")
    MEMBER("up", "<boolean>1</boolean>")
    "</struct></value>\n<value><struct>\n</struct></value>\n"
    "</data></array></value>\n");

static const char fault[] = HEAD
    "<fault>\n<value><struct>\n"
    MEMBER("faultCode", "<int>10</int>")
    MEMBER("faultString", "<string>BAD_NAME: nosuch</string>")
    "</struct></value>\n</fault>\n" TAIL;
/* clang-format on */

static void
refuse(const char *text, enum err_code code)
{
	struct xmlrpc_answer a;
	struct error err;

	assert_int_equal(xmlrpc_parse(text, strlen(text), &a, &err), -1);
	assert_int_equal(err.code, code);
	assert_true(err.msg[0] != '\0');
}

static void
test_answer(void **state)
{
	const struct xmlrpc_value *v;
	struct xmlrpc_answer a;
	struct error err;

	assert_int_equal(xmlrpc_parse(info, strlen(info), &a, &err), 0);
	assert_int_equal(a.fault, 0);
	assert_int_equal(a.value->type, XMLRPC_ARRAY);
	v = a.value->first;
	assert_string_equal(xmlrpc_string(v, "name"), "iam & <co> \xc3\xa9");
	assert_string_equal(xmlrpc_string(v, "group"), "");
	assert_string_equal(xmlrpc_string(v, "plain"), "text");
	assert_string_equal(xmlrpc_string(v, "empty"), "");
	assert_int_equal(*xmlrpc_int(v, "pid"), 24941);
	assert_int_equal(*xmlrpc_int(v, "start"), -1);
	/* Not there, and there as something else. */
	assert_null(xmlrpc_int(v, "stop"));
	assert_null(xmlrpc_int(v, "name"));
	assert_null(xmlrpc_int(v, "up"));
	assert_null(xmlrpc_string(v, "pid"));
	v = v->next;
	assert_int_equal(v->type, XMLRPC_STRUCT);
	assert_null(v->first);
	assert_null(v->next);
	assert_null(xmlrpc_string(a.value, "name"));
	xmlrpc_answer_fini(&a);
}

static void
test_scalar(void **state)
{
	static const char yes[] =
	    PARAM("<value><boolean>1</boolean></value>\n");
	struct xmlrpc_answer a;
	struct error err;

	assert_int_equal(xmlrpc_parse(yes, strlen(yes), &a, &err), 0);
	assert_int_equal(a.value->type, XMLRPC_BOOLEAN);
	assert_int_equal(a.value->num, 1);
	assert_null(xmlrpc_string(a.value, "name"));
	xmlrpc_answer_fini(&a);
}

static void
test_fault(void **state)
{
	struct xmlrpc_answer a;
	struct error err;

	assert_int_equal(xmlrpc_parse(fault, strlen(fault), &a, &err), 0);
	assert_int_equal(a.fault, 10);
	assert_string_equal(a.fault_string, "BAD_NAME: nosuch");
	xmlrpc_answer_fini(&a);
	refuse(HEAD "<fault><value><struct>" MEMBER("faultCode",
		   "<int>10</int>") "</struct></value></fault>" TAIL,
	    ERR_PROTOCOL);
	refuse(HEAD "<fault><value><struct>" MEMBER("faultCode", "10")
		   MEMBER("faultString", "x") "</struct></value></fault>" TAIL,
	    ERR_PROTOCOL);
	refuse(HEAD "<fault><value><struct>" MEMBER("faultCode", "<int>0</int>")
		   MEMBER("faultString", "x") "</struct></value></fault>" TAIL,
	    ERR_PROTOCOL);
	refuse(HEAD "<fault><value>10</value></fault>" TAIL, ERR_PROTOCOL);
}

/* Whatever is missing at the end, it is no answer. */
static void
test_truncated(void **state)
{
	struct xmlrpc_answer a;
	struct error err;
	size_t len, whole = strlen(info) - 1;

	for (len = 0; len < whole; len++)
		assert_int_equal(xmlrpc_parse(info, len, &a, &err), -1);
	assert_int_equal(xmlrpc_parse(info, whole, &a, &err), 0);
	xmlrpc_answer_fini(&a);
	for (len = 0; len < strlen(fault) - 1; len++)
		assert_int_equal(xmlrpc_parse(fault, len, &a, &err), -1);
}

static void
test_shape(void **state)
{
	refuse("", ERR_PROTOCOL);
	refuse("<html><body>502</body></html>", ERR_PROTOCOL);
	refuse("{\"a\":1}", ERR_PROTOCOL);
	refuse(HEAD TAIL, ERR_PROTOCOL);
	refuse(HEAD "<params></params>" TAIL, ERR_PROTOCOL);
	refuse(PARAM(""), ERR_PROTOCOL);
	refuse(PARAM("<value>1</value><value>2</value>"), ERR_PROTOCOL);
	refuse(PARAM("<value><int>1</int><int>2</int></value>"), ERR_PROTOCOL);
	refuse(PARAM("<value>x<int>1</int></value>"), ERR_PROTOCOL);
	refuse(PARAM("<value><int>1</int>x</value>"), ERR_PROTOCOL);
	refuse(PARAM("<value><double>1.0</double></value>"), ERR_PROTOCOL);
	refuse(PARAM("<value><array></array></value>"), ERR_PROTOCOL);
	refuse(PARAM("<value><struct><member><name>a</name></member></struct>"
		     "</value>"),
	    ERR_PROTOCOL);
	refuse(PARAM("<value><struct><member><value>a</value></member></struct>"
		     "</value>"),
	    ERR_PROTOCOL);
	refuse(PARAM("<value><struct><member><name>a</name><value>b</value>"
		     "<value>c</value></member></struct></value>"),
	    ERR_PROTOCOL);
	refuse(PARAM("<value><struct><value>a</value></struct></value>"),
	    ERR_PROTOCOL);
	refuse(HEAD "<params><param><value>1</value></param></params>"
		    "<fault><value>1</value></fault>" TAIL,
	    ERR_PROTOCOL);
	refuse(
	    "<params><param><value>1</value></param></params>", ERR_PROTOCOL);
}

static void
test_numbers(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "0x10", "1.5", "a",
		"99999999999999999999", "--1" };
	char text[300];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
		    PARAM("<value><int>%s</int></value>"), bad[i]);
		refuse(text, ERR_PROTOCOL);
	}
	refuse(PARAM("<value><boolean>2</boolean></value>"), ERR_PROTOCOL);
	refuse(PARAM("<value><boolean>true</boolean></value>"), ERR_PROTOCOL);
}

/* Entities, and what else a document type could do. */
static void
test_doctype(void **state)
{
	refuse("<?xml version='1.0'?><!DOCTYPE x ["
	       "<!ENTITY a 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>"
	       "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
	       "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
	       "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>]>"
	       "<methodResponse><params><param><value>&d;</value></param>"
	       "</params></methodResponse>",
	    ERR_PROTOCOL);
	refuse("<?xml version='1.0'?><!DOCTYPE methodResponse>"
	       "<methodResponse><params><param><value>1</value></param>"
	       "</params></methodResponse>",
	    ERR_PROTOCOL);
	refuse("<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'>"
	       "<methodResponse/>",
	    ERR_PROTOCOL);
	refuse(PARAM("<value>&nosuch;</value>"), ERR_PROTOCOL);
}

static char *
nested(int levels)
{
	char *text = xcalloc(1, 200 + (size_t)levels * 64);
	int i;

	strcpy(text, HEAD "<params><param>");
	for (i = 0; i < levels; i++)
		strcat(text, "<value><array><data>");
	for (i = 0; i < levels; i++)
		strcat(text, "</data></array></value>");
	strcat(text, "</param></params>" TAIL);
	return text;
}

static void
test_depth(void **state)
{
	struct xmlrpc_answer a;
	struct error err;
	char *text;

	text = nested(9);
	assert_int_equal(xmlrpc_parse(text, strlen(text), &a, &err), 0);
	xmlrpc_answer_fini(&a);
	free(text);
	text = nested(10);
	refuse(text, ERR_LIMIT);
	free(text);
	text = nested(2000);
	refuse(text, ERR_LIMIT);
	free(text);
}

static char *
filled(const char *before, const char *unit, size_t n, const char *after)
{
	char *text, *to;
	size_t i;

	text =
	    xcalloc(1, strlen(before) + strlen(unit) * n + strlen(after) + 1);
	to = stpcpy(text, before);
	for (i = 0; i < n; i++)
		to = stpcpy(to, unit);
	strcpy(to, after);
	return text;
}

static void
test_limits(void **state)
{
	static const char *const end = "</value></param></params>" TAIL;
	static const char *const list =
	    HEAD "<params><param><value><array><data>";
	static const char *const list_end =
	    "</data></array></value></param></params>" TAIL;
	struct xmlrpc_answer a;
	struct error err;
	char *text;

	text = filled(HEAD "<params><param><value>", "x", XMLRPC_TEXT_MAX, end);
	assert_int_equal(xmlrpc_parse(text, strlen(text), &a, &err), 0);
	assert_int_equal(strlen(a.value->string), XMLRPC_TEXT_MAX);
	xmlrpc_answer_fini(&a);
	free(text);
	text = filled(
	    HEAD "<params><param><value>", "x", XMLRPC_TEXT_MAX + 1, end);
	refuse(text, ERR_LIMIT);
	free(text);
	text = filled(list, "<value/>", XMLRPC_ELEMENTS_MAX - 6, list_end);
	assert_int_equal(xmlrpc_parse(text, strlen(text), &a, &err), 0);
	xmlrpc_answer_fini(&a);
	free(text);
	text = filled(list, "<value/>", XMLRPC_ELEMENTS_MAX - 5, list_end);
	refuse(text, ERR_LIMIT);
	free(text);
	text = filled(list, "                ", XMLRPC_SIZE_MAX / 16, list_end);
	refuse(text, ERR_LIMIT);
	free(text);
}

static void
test_bytes(void **state)
{
	static const char zero[] = PARAM("<value>a\0b</value>");
	struct xmlrpc_answer a;
	struct error err;

	assert_int_equal(xmlrpc_parse(zero, sizeof(zero) - 1, &a, &err), -1);
	refuse(PARAM("<value>\xff\xfe</value>"), ERR_PROTOCOL);
	refuse(PARAM("<value>&#0;</value>"), ERR_PROTOCOL);
}

static void
test_request(void **state)
{
	static const bool no = false, yes = true;
	char *text;

	text = xmlrpc_request("supervisor.getAllProcessInfo", NULL, NULL);
	assert_string_equal(text,
	    "<?xml version=\"1.0\"?><methodCall><methodName>"
	    "supervisor.getAllProcessInfo</methodName><params></params>"
	    "</methodCall>");
	free(text);
	text = xmlrpc_request("m", "<a>&b]]>", &no);
	assert_string_equal(text,
	    "<?xml version=\"1.0\"?><methodCall><methodName>m</methodName>"
	    "<params><param><value><string>&lt;a&gt;&amp;b]]&gt;</string>"
	    "</value></param><param><value><boolean>0</boolean></value>"
	    "</param></params></methodCall>");
	free(text);
	text = xmlrpc_request("m", "", &yes);
	assert_non_null(strstr(text, "<boolean>1</boolean>"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_scalar),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_doctype),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
