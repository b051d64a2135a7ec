/*
 * The small file of an operator's own machine: where it is, and the hosts that
 * it names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hactl/nodes.h"
#include "hactl/way.h"
#include "hawatch/client.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define REMOTE_FILE "client.conf"

char *
remote_file(const struct call *call)
{
	const char *path = call->opt[OPT_CLIENT];
	const char *home = getenv("HOME"); /* NOLINT(concurrency-mt-unsafe) */
	char *file;

	if (path == NULL)
		path =
		    getenv("HACTL_CLIENT"); /* NOLINT(concurrency-mt-unsafe) */
	if (path != NULL && path[0] != '\0')
		return xstrdup(path);
	if (home == NULL)
		return NULL;
	file = xasprintf("%s/.config/hawatch/" REMOTE_FILE, home);
	if (access(file, R_OK) == 0)
		return file;
	free(file);
	return NULL;
}

void
remote_names(const struct call *call, struct node_names *list)
{
	char *file = remote_file(call);
	struct remote_host host;
	struct client client;
	struct error err;
	int i;

	if (file != NULL && client_load(file, &client, &err) == 0) {
		for (i = 0; i < client.hosts; i++)
			if (remote_host_parse(client.host[i], &host, &err) ==
				0 &&
			    host.name[0] != '\0' && list->n < NODE_NAMES_MAX)
				str_cut(list->name[list->n++], NODE_NAME_MAX,
				    host.name);
		client_free(&client);
	}
	free(file);
}
