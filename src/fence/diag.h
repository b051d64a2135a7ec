/*
 * The kernel's diagnosis of TCP sockets (inet_diag), asked without waiting.
 */
#ifndef HAWATCH_FENCE_DIAG_H
#define HAWATCH_FENCE_DIAG_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag_want {
	int family;
	uint32_t states;    /* a bit for each TCP state */
	const void *filter; /* inet_diag_bc_op; may be NULL */
	size_t filter_len;
	uint32_t seq; /* another one for each question to a socket */
};

/* NULL with errno. */
struct mnl_socket *diag_open(int bus);
/* 0 or -1; cb gets a struct inet_diag_msg each and may stop. */
int diag_dump(
    struct mnl_socket *s, const struct diag_want *want, mnl_cb_t cb, void *arg);
/* One question, one answer, of n bytes, in buf. */
bool diag_ask(struct mnl_socket *s, struct nlmsghdr *msg, char *buf,
    size_t size, ssize_t *n);

#endif
