/* Prometheus' text format, for metrics.c: a sample a line. */
#ifndef FRONT_EXPOSITION_H
#define FRONT_EXPOSITION_H

#include <stdio.h>

/* key="value", with what would end or hide the value escaped. */
void exposition_label(FILE *out, const char *key, const char *value);
/* With labels k1 and k2, of which each may be NULL. */
void exposition_sample(FILE *out, const char *name, const char *k1,
    const char *v1, const char *k2, const char *v2, double value);

#endif
