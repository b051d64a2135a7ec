/*
 * The sample configuration: it names every key, and however it is maimed the
 * loader says what is wrong instead of falling over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/conf.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"

#define SAMPLE SOURCE_ROOT "/conf/hawatch.conf"

/* A configuration or errors, never both and never neither. */
static void
try_text(const char *path, const char *text, size_t len)
{
	struct conf_errors errors;
	struct error err;
	struct conf *conf;
	int i;

	assert_int_equal(file_replace(path, text, len, 0600, &err), 0);
	conf = conf_load(path, "prod-s1", &errors);
	assert_true((conf == NULL) == (errors.count > 0));
	for (i = 0; i < errors.count; i++)
		assert_null(strchr(errors.text[i], '\n'));
	conf_errors_free(&errors);
	conf_free(conf);
}

/* Every value of the sample replaced by what does not belong there, and the
 * sample cut off everywhere; the sanitizers watch. */
static void
test_sample_maimed(void **state)
{
	static const char *const values[] = { "0", "-1", "1.5",
		"99999999999999", "\"\"", "\"x\"", "\"a\\nb\xff\"", "true",
		"{ }", "( )", "[ ]", "( ( ), { } )", "[ 1 ]" };
	char path[] = "/dev/shm/hawatch-conf-XXXXXX";
	struct error err;
	char *text = file_read(SAMPLE, 100000, NULL, &err);
	const char *from, *end;
	char *maimed;
	size_t i;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_non_null(text);
	for (i = 0; i < strlen(text); i += 31)
		try_text(path, text, i);
	for (from = strstr(text, " = "); from != NULL;
	     from = strstr(from + 1, " = ")) {
		end = strchr(from, ';');
		if (end == NULL)
			break;
		for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			maimed = xasprintf("%.*s = %s%s", (int)(from - text),
			    text, values[i], end);
			try_text(path, maimed, strlen(maimed));
			free(maimed);
		}
	}
	unlink(path);
	free(text);
}

/* The text of a group of the sample, or of its top; caller frees. */
static char *
sample_group(const char *text, const char *name, size_t len)
{
	char *head =
	    len == 0 ? xstrdup("\n") : xasprintf("\n%.*s = ", (int)len, name);
	const char *from = strstr(text, head);
	const char *end;

	assert_non_null(from);
	free(head);
	if (len == 0)
		return xstrdup(from);
	end = strstr(from, "\n}") != NULL ? strstr(from, "\n}") :
					    from + strlen(from);
	if (strstr(from, "\n)") != NULL && strstr(from, "\n)") < end)
		end = strstr(from, "\n)");
	return xstrndup(from, (size_t)(end - from));
}

/* Every key of the schema is in the sample, in its group, set or shown. */
static void
test_sample_complete(void **state)
{
	const struct conf_doc *rows;
	size_t count = conf_schema(&rows);
	struct error err;
	char *text = file_read(SAMPLE, 100000, NULL, &err);
	const char *dot, *found;
	char *group, *word;
	size_t i;

	assert_non_null(text);
	assert_true(count > 40);
	for (i = 0; i < count; i++) {
		dot = strchr(rows[i].key, '.');
		group = sample_group(text, rows[i].key,
		    dot == NULL ? 0 : (size_t)(dot - rows[i].key));
		word = xasprintf("%s = ", dot == NULL ? rows[i].key : dot + 1);
		found = strstr(group, word);
		while (found != NULL && strchr("\t\n ", found[-1]) == NULL)
			found = strstr(found + 1, word);
		if (found == NULL)
			fail_msg("%s is not in the sample", rows[i].key);
		assert_true(strlen(rows[i].type) > 3);
		assert_true(rows[i].doc[strlen(rows[i].doc) - 1] == '.');
		free(group);
		free(word);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample_maimed),
		cmocka_unit_test(test_sample_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
