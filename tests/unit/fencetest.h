/*
 * The kernel lease of this port on a real kernel: two network namespaces, and
 * real sockets in both.
 */
#ifndef FENCETEST_H
#define FENCETEST_H

#include "fence/fence_priv.h"
#include "hawatch/loop.h"
#include "netns.h"

#define PORT 5432
#define LONG_MS 1000
#define SHORT_MS 80
#define AT_ONCE 50000 /* microseconds; a fraction of one in truth */

struct fencetest {
	struct loop *loop;
	struct fence *fence;
	int server; /* listens on the port */
};

struct ft_pair {
	int client, server;
};

extern struct fencetest ft;

int ft_group_setup(void **state);
int ft_group_teardown(void **state);
/* A new fence in an empty kernel. */
int ft_setup(void **state);
int ft_teardown(void **state);
void ft_ignore_lost(void *arg, bool restored, usec_t open_for);

/* That much later, raw. */
usec_t ft_after(usec_t d);
void ft_open_for(usec_t d);
/* Both ways to the port, each refused at once. */
void ft_shut(void);
/* A connection on which something was said, from the other namespace or not. */
struct ft_pair ft_join(bool there, const char *address);
void ft_part(struct ft_pair p);

#endif
