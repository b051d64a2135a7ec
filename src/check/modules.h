/*
 * The check modules: one const instance each, listed in checks.c.
 */
#ifndef HAWATCH_CHECK_MODULES_H
#define HAWATCH_CHECK_MODULES_H

#include "hawatch/check.h"

extern const struct check_ops check_command;
extern const struct check_ops check_disk;
extern const struct check_ops check_http;
extern const struct check_ops check_memcached;
extern const struct check_ops check_supervisor;
extern const struct check_ops check_tcp;
extern const struct check_ops check_postgres;
extern const struct check_ops check_repmgr;

#endif
