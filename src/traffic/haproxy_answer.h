/*
 * What HAProxy's runtime API answers, taken apart. All of it is foreign: every
 * length is bounded, columns are found by their names, and what is quoted to
 * people is made printable.
 */
#ifndef TRAFFIC_HAPROXY_ANSWER_H
#define TRAFFIC_HAPROXY_ANSWER_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

#define HAP_NAME_MAX 192 /* of a server: a pattern with a node's name in it */
#define HAP_TEXT_MAX 120 /* of what is quoted */

/* srv_admin_state, as in include/haproxy/server-t.h. */
#define HAP_MAINT_FORCED 0x01u	  /* by this API, an agent or "disabled" */
#define HAP_MAINT_INHERITED 0x02u /* the server that it tracks */
#define HAP_MAINT_CONFIG 0x04u	  /* "disabled"; goes with FORCED */
#define HAP_DRAIN_FORCED 0x08u
#define HAP_DRAIN_INHERITED 0x10u
#define HAP_MAINT_DNS 0x20u  /* its name does not resolve any more */
#define HAP_MAINT_NAME 0x40u /* its name did not resolve at the start */

#define HAP_MAINT \
	(HAP_MAINT_FORCED | HAP_MAINT_INHERITED | HAP_MAINT_DNS | \
	    HAP_MAINT_NAME)
#define HAP_DRAIN (HAP_DRAIN_FORCED | HAP_DRAIN_INHERITED)
#define HAP_FORCED (HAP_MAINT_FORCED | HAP_DRAIN_FORCED)

struct hap_server {
	char name[HAP_NAME_MAX];
	bool there;
	char address[64]; /* "-" when it has none that is numeric */
	int port;
	int op;		/* srv_op_state; 0: its check holds it down */
	unsigned admin; /* bits of srv_admin_state */
};

/* Cuts the answer to one command off: up to the empty line that ends it. NULL:
 * what is left is not a whole one. */
char *hap_answer_next(char **rest);
/* Finds the servers by their names in an answer to "show servers state". */
int hap_answer_servers(char *text, const char *backend, struct hap_server *s,
    int count, struct error *err) MUST_CHECK;
/* The first line, printable, as much of it as fits. buf has HAP_TEXT_MAX. */
const char *hap_answer_quote(const char *text, char *buf);
/* "ready", "maint (its name does not resolve)", ... */
const char *hap_server_str(const struct hap_server *s);

#endif
