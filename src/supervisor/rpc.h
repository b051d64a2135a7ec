/*
 * One call of a method of supervisord.
 */
#ifndef HAWATCH_SUP_RPC_H
#define HAWATCH_SUP_RPC_H

#include "hawatch/error.h"
#include "hawatch/supervisor.h"
#include "hawatch/types.h"
#include "supervisor/xmlrpc.h"

/* Faults of supervisord that mean something here. */
enum sup_fault {
	SUP_FAULT_SHUTDOWN = 6, /* it is stopping or restarting */
	SUP_FAULT_BAD_NAME = 10,
	SUP_FAULT_NO_FILE = 20,
	SUP_FAULT_NOT_EXECUTABLE = 21
};

struct sup_reply {
	const char *reason; /* token, static: no whole answer, or one of a
			       supervisord that ends; "" */
	int fault;	    /* 0: none */
	const struct xmlrpc_value *value;
};

/* string and boolean: parameters, NULL if there is none. done is called once,
 * never from within, unless cancelled. */
struct sup_rpc;
struct sup_rpc *sup_rpc_start(struct http *web, const char *socket,
    const char *method, const char *string, const bool *boolean,
    usec_t deadline, void (*done)(void *arg, const struct sup_reply *reply),
    void *arg, struct error *err) MUST_CHECK;
void sup_rpc_cancel(struct sup_rpc *rpc);

/* A program as getProcessInfo describes it. -1: that is no such thing; 1: its
 * name is too long to be told from others. */
int sup_program_read(
    const struct xmlrpc_value *v, struct sup_program *out) MUST_CHECK;

#endif
