/*
 * The text of an endpoint as a socket address.
 */
#include "hawatch/endpoint.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "hawatch/str.h"

static int endpoint_path(
    const char *text, struct endpoint *out, struct error *err);
static int endpoint_host(struct endpoint *out, const char *host, int port);

int
endpoint_parse(const char *text, struct endpoint *out, struct error *err)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(text, ':');
	char *bare = host;
	size_t len;
	int port;

	memset(out, 0, sizeof(*out));
	if (text[0] == '/')
		return endpoint_path(text, out, err);
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host) ||
	    str_parse_int(colon + 1, 1, 65535, &port) == -1)
		goto wrong;
	len = (size_t)(colon - text);
	memcpy(host, text, len);
	host[len] = '\0';
	/* Without brackets the last group could be the port. */
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		bare = host + 1;
	}
	if ((strchr(bare, ':') != NULL) != (bare != host) ||
	    endpoint_host(out, bare, port) == -1)
		goto wrong;
	return 0;
wrong:
	return error_set(err, ERR_CONFIG,
	    "\"%.60s\" is no absolute path and no "
	    "numeric address with a port",
	    text);
}

static int
endpoint_path(const char *text, struct endpoint *out, struct error *err)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&out->ss;

	if (str_copy(sun->sun_path, sizeof(sun->sun_path), text) == -1)
		return error_set(err, ERR_CONFIG,
		    "\"%.60s...\" is longer than the %zu bytes of a socket's "
		    "path",
		    text, sizeof(sun->sun_path) - 1);
	sun->sun_family = AF_UNIX;
	out->len = sizeof(*sun);
	return 0;
}

static int
endpoint_host(struct endpoint *out, const char *host, int port)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&out->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->ss;

	if (inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons((uint16_t)port);
		out->len = sizeof(*in4);
		return 0;
	}
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return -1;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	out->len = sizeof(*in6);
	return 0;
}
