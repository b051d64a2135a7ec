#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

char scratch[] = "/tmp/hawatch-test-XXXXXX";

int
scratch_make(void)
{
	if (mkdtemp(scratch) != NULL)
		return 0;
	perror(scratch);
	return -1;
}

void
scratch_free(void)
{
	char line[100];

	snprintf(line, sizeof(line), "rm -rf --one-file-system %s", scratch);
	if (system(line) != 0)
		fprintf(stderr, "%s stays\n", scratch);
}

const char *
scratch_path(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return path;
}

void
shell(const char *text)
{
	char line[900];

	assert_in_range(
	    snprintf(line, sizeof(line), "cd %s && %s", scratch, text), 1,
	    sizeof(line) - 1);
	assert_int_equal(system(line), 0);
}
