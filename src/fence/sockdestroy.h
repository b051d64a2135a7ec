/*
 * Ends the established TCP connections of a local server's port: both ends of
 * local clients, our end of remote ones. The peer gets a reset.
 */
#ifndef HAWATCH_FENCE_SOCKDESTROY_H
#define HAWATCH_FENCE_SOCKDESTROY_H

/* How many sockets were destroyed; 0 also where the kernel cannot do it. At
 * most SOCKDESTROY_MAX, so that a flood of connections does not hold us. */
#define SOCKDESTROY_MAX 4096
int sockdestroy_port(int port);

#endif
