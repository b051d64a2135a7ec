/*
 * The states of supervisord's programs.
 */
#include "hawatch/supervisor.h"

const char *
sup_state_str(enum sup_state state)
{
	switch (state) {
	case SUP_STOPPED:
		return "STOPPED";
	case SUP_STARTING:
		return "STARTING";
	case SUP_RUNNING:
		return "RUNNING";
	case SUP_BACKOFF:
		return "BACKOFF";
	case SUP_STOPPING:
		return "STOPPING";
	case SUP_EXITED:
		return "EXITED";
	case SUP_FATAL:
		return "FATAL";
	case SUP_UNKNOWN:
		break;
	}
	return "UNKNOWN";
}
