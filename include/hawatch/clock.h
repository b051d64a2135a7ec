/*
 * One clock of the kernel, for who has no turn of a loop: the front, hactl, pki
 * and the stamps of log lines. The daemon reads its clocks together, by
 * clock_now().
 */
#ifndef HAWATCH_CLOCK_H
#define HAWATCH_CLOCK_H

#include <time.h>

#include "hawatch/types.h"

usec_t clock_read(clockid_t id);

#endif
