/*
 * What a standby's own settings say of whom it follows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "act/auto_conf.h"

static void
test_auto_conf(void **arg)
{
	static const struct {
		const char *text, *conninfo;
	} table[] = {
		{ "", NULL },
		{ "primary_conninfo = ''\n", NULL },
		{ "primary_conninfo = 'a=''b'' c'\n", "a='b' c" },
		{ "Primary_Conninfo='x=1'\nother = 'y'\n", "x=1" },
		{ "primary_conninfo = 'x=1'\nprimary_conninfo = 'x=2'", "x=2" },
		{ "primary_conninfo = 'x=1'\nhawatch.aside_begin = 'on'\n"
		  "primary_conninfo = ''\nhawatch.aside_end = 'on'\n",
		    "x=1" },
		{ "hawatch.aside_begin = 'on'\nrestore_command = ''\n"
		  "hawatch.aside_end = 'on'\nprimary_conninfo = 'x=2'\n",
		    "x=2" },
		{ "hawatch.aside_begin = 'on'\nprimary_conninfo = 'x=3'\n",
		    "x=3" },
		{ "primary_conninfo_x = 'x=1'\n", NULL },
		{ "primary_conninfo = 'x=1", "x=1" },
	};
	char *found;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		found = auto_conf_conninfo(table[i].text);
		if (table[i].conninfo == NULL)
			assert_null(found);
		else
			assert_string_equal(found, table[i].conninfo);
		free(found);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
