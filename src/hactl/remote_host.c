/*
 * What a person writes for a host: text only.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/way.h"
#include "hawatch/str.h"

#define REMOTE_PORT "7400" /* peer.port's default */

static int
host_port(const char *text, struct remote_host *host, struct error *err)
{
	int port;

	if (str_parse_int(text, 1, 65535, &port) == -1)
		return error_set(err, ERR_CONFIG, "\"%.20s\" is no port", text);
	(void)snprintf(host->port, sizeof(host->port), "%d", port);
	return 0;
}

int
remote_host_parse(const char *text, struct remote_host *host, struct error *err)
{
	const char *equals = strchr(text, '='), *end, *colon, *bracket;
	size_t len;

	memset(host, 0, sizeof(*host));
	(void)snprintf(host->port, sizeof(host->port), REMOTE_PORT);
	if (equals != NULL) {
		len = (size_t)(equals - text);
		if (len == 0 || len >= sizeof(host->name))
			return error_set(err, ERR_CONFIG,
			    "\"%.60s\": no name before the =", text);
		memcpy(host->name, text, len);
		text = equals + 1;
	}
	colon = strrchr(text, ':');
	end = text + strlen(text);
	bracket = text[0] == '[' ? strchr(text, ']') : NULL;
	if (bracket != NULL) {
		text++;
		end = bracket;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		end = colon;
	} else {
		colon = NULL; /* none, or those of an address of IPv6 */
	}
	len = (size_t)(end - text);
	if (len == 0 || len >= sizeof(host->address))
		return error_set(err, ERR_CONFIG,
		    "a host is [NAME=]ADDRESS[:PORT], e.g. "
		    "prod-s1=10.77.0.1:" REMOTE_PORT);
	memcpy(host->address, text, len);
	return colon == NULL ? 0 : host_port(colon + 1, host, err);
}
