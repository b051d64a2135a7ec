/*
 * libpq's connection strings: whom one names, and the same string pointed at
 * another server. Pure. A string may hold a password, so no error text quotes
 * any of it, and whoever has one does not log it.
 */
#ifndef HAWATCH_CONNINFO_H
#define HAWATCH_CONNINFO_H

#include "hawatch/error.h"
#include "hawatch/types.h"

#define CONNINFO_HOST_MAX 256

/* What is not given is "", and the port then libpq's own default. */
struct conninfo {
	char host[CONNINFO_HOST_MAX];
	char hostaddr[CONNINFO_HOST_MAX];
	char app[CONNINFO_HOST_MAX]; /* application_name */
	int port;
	bool several; /* servers: which one is used is libpq's choice */
	bool password;
};

/* -1: libpq does not understand it, or a host does not fit. */
int conninfo_read(
    const char *text, struct conninfo *out, struct error *err) MUST_CHECK;

/* The string with all of it kept, but for host, hostaddr ("": none in the
 * result), port and app, which become those of to. Caller frees; NULL: not
 * understood. */
char *conninfo_point(
    const char *text, const struct conninfo *to, struct error *err) MUST_CHECK;

/* The string without its password, which *password becomes; NULL where there is
 * none. A key's password (sslpassword) stays: libpq takes it from nowhere else.
 * Caller frees both; NULL: not understood. */
char *conninfo_bare(
    const char *text, char **password, struct error *err) MUST_CHECK;

#endif
