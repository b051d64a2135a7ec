/*
 * The word to the service manager that started us: sd_notify's protocol by
 * hand, one datagram to $NOTIFY_SOCKET. Without that variable every call does
 * nothing and returns 0.
 */
#ifndef HAWATCH_NOTIFY_H
#define HAWATCH_NOTIFY_H

#include "hawatch/error.h"
#include "hawatch/types.h"

/* "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=...": never waits. */
int notify_send(const char *state, struct error *err) MUST_CHECK;
/* The manager ends us unless WATCHDOG=1 comes at least so often; half of it is
 * what to use. 0: it does not watch. */
usec_t notify_watchdog(void);

#endif
