/*
 * One exchange with one HAProxy process: shared by the two ways of steering
 * it, the states of the nodes' servers and the address of one server.
 */
#ifndef TRAFFIC_HAPROXY_H
#define TRAFFIC_HAPROXY_H

#include "traffic/haproxy_answer.h"
#include "traffic/haproxy_talk.h"
#include "traffic/provider.h"

struct hap_mode;

#define HAP_COMMANDS_MAX NODES_MAX
#define HAP_LINE_MAX 4096

struct haproxy {
	struct traffic_part *part;
	const struct hap_mode *mode;
	struct hap_talk talk;
	/* As read last, and before that. By state: of each node, none with an
	 * empty name; by address: one. */
	int count;
	struct hap_server server[NODES_MAX], was[NODES_MAX];
	bool read; /* server was read in this run */
	/* The line that is being made or was sent, and what it is about. */
	char line[HAP_LINE_MAX];
	int commands;
	int about[HAP_COMMANDS_MAX]; /* the server */
	int chatty;		     /* its success is words, too; -1 none */
	int shutdown;		     /* it closes sessions; -1 none */
	char note[HAP_TEXT_MAX];     /* what chatty said */
	char refused[HAP_NAME_MAX + HAP_TEXT_MAX]; /* "SERVER: words"; "" */
	bool readied;
	/* By state. */
	bool taken;
	/* By address. */
	char address[64];
	bool asked;   /* for the address, in this run */
	bool closing; /* asked to close the sessions, in this run */
	bool closed;  /* ... and it did */
	bool owed;    /* sessions of a former address may live; kept */
	bool stuck;   /* HAProxy did not take the address; kept */
};

/* A way of steering; next is called after each reading. */
struct hap_mode {
	/* The servers that it is about; no: the goal cannot be stated. */
	bool (*servers)(struct haproxy *h, char *why, size_t size);
	/* Adds the commands that are needed now; none: judge. */
	void (*next)(struct haproxy *h);
	/* Whether it is as wanted; no: fills why. */
	bool (*judge)(struct haproxy *h, char *why, size_t size);
};

extern const struct hap_mode hap_by_state, hap_by_address;

/* Adds to the next line: verb BACKEND/SERVER rest. The number of the command.
 */
int hap_command(
    struct haproxy *h, int server, const char *verb, const char *rest);
const char *hap_backend(const struct haproxy *h);

#endif
