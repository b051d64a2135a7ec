/*
 * Asks the kernel for the time: nothing else does.
 */
#include "hawatch/clock.h"

usec_t
clock_read(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (usec_t)ts.tv_sec * USEC_SEC + (usec_t)ts.tv_nsec / 1000;
}
