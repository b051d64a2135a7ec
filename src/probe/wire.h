/*
 * What goes over the socket between the engine and hawatch-probe: one request,
 * one answer, each one packet. Both ends are of one build and on one host, so
 * structs travel as they are; a size that differs ends the connection.
 */
#ifndef PROBE_WIRE_H
#define PROBE_WIRE_H

#include <stdint.h>

#include "hawatch/probe.h"

#define PROBE_ADDRESS_MAX 64

struct probe_ask_wire {
	uint32_t id;
	uint32_t op;
	uint32_t ms; /* until the engine's patience ends */
	uint32_t port;
	char address[PROBE_ADDRESS_MAX];
};

struct probe_answer_wire {
	uint32_t id;
	uint32_t ok;
	uint32_t reason; /* enum reason, unless ok */
	uint32_t pid, uptime, connections;
	uint64_t items, bytes, limit, gets, hits, evictions;
};

#endif
