/*
 * An error is returned to the caller or handled, once. It lives on the
 * caller's stack, is the last parameter and is never NULL. Messages are lower
 * case, without a newline and without "failed to"; they name the file, line or
 * peer and, where a person must act, what to write or do instead.
 */
#ifndef HAWATCH_ERROR_H
#define HAWATCH_ERROR_H

#include "hawatch/types.h"

enum err_code {
	ERR_NONE = 0,
	ERR_SYS,      /* a system call; sys holds errno */
	ERR_CONFIG,   /* the configuration is wrong */
	ERR_PROTOCOL, /* foreign bytes are not what they must be */
	ERR_REFUSED,  /* understood, and not done: a rule forbids it */
	ERR_TIMEOUT,
	ERR_LIMIT, /* too long, too many, too deep */
	ERR_FSYNC  /* what the disk holds is not known; sys holds errno */
};

struct error {
	enum err_code code;
	int sys;
	char msg[480];
};

/* Both fill err and return -1, so that a caller may return their result. */
int error_set(struct error *err, enum err_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Appends ": strerror(errno)" and keeps errno in err->sys. */
int error_sys(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Puts "text: " before the message of an error on its way up; returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
