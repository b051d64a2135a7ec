/*
 * The small file of an operator's own machine: with which certificate hactl
 * asks, and where. It is no part of the cluster's configuration.
 *
 *	ca = "ca.pem";          files, from this one's directory
 *	cert = "ann.pem";
 *	key = "ann.key";
 *	hosts = [ "prod-s1=10.77.0.1", "prod-s2=10.77.0.2:7400" ];
 */
#ifndef HAWATCH_CLIENT_H
#define HAWATCH_CLIENT_H

#include "hawatch/error.h"
#include "hawatch/types.h"

#define CLIENT_HOSTS_MAX 16

struct client {
	char *ca, *cert, *key;	      /* NULL: not there */
	char *host[CLIENT_HOSTS_MAX]; /* as they are written */
	int hosts;
};

/* -1: err says what is wrong, with file and line; *client needs no free then.
 */
int client_load(
    const char *path, struct client *client, struct error *err) MUST_CHECK;
void client_free(struct client *client);

#endif
