/*
 * Prometheus' text format: how a sample is written. What is said is in
 * metrics.c.
 */
#include "front/exposition.h"

void
exposition_label(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s=\"", key);
	/* cppcheck-suppress ctunullpointer; a label that has a key has one */
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

void
exposition_sample(FILE *out, const char *name, const char *k1, const char *v1,
    const char *k2, const char *v2, double value)
{
	fputs(name, out);
	if (k1 != NULL) {
		fputc('{', out);
		exposition_label(out, k1, v1);
		if (k2 != NULL) {
			fputc(',', out);
			exposition_label(out, k2, v2);
		}
		fputc('}', out);
	}
	fprintf(out, " %.15g\n", value);
}
