/*
 * An operator's own file: three paths and a list of hosts. Too small for the
 * schema, which is the cluster's.
 */
#include "hawatch/client.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/file.h"
#include "hawatch/mem.h"

#define CLIENT_FILE_MAX ((size_t)64 * 1024)

/* From the directory of the file that names it. */
static char *
client_path(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (path[0] == '/' || slash == NULL)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - file), file, path);
}

static int
client_hosts(struct client *client, const char *path,
    const config_setting_t *list, struct error *err)
{
	const char *host;
	int i, n = config_setting_length(list);

	if (!config_setting_is_aggregate(list) || n > CLIENT_HOSTS_MAX)
		return error_set(err, ERR_CONFIG,
		    "%s:%d: hosts is no list of at most %d; write hosts = [ "
		    "\"prod-s1=10.77.0.1\" ];",
		    path, (int)config_setting_source_line(list),
		    CLIENT_HOSTS_MAX);
	for (i = 0; i < n; i++) {
		host = config_setting_get_string_elem(list, i);
		if (host == NULL)
			return error_set(err, ERR_CONFIG,
			    "%s:%d: a host is no text; write "
			    "\"prod-s1=10.77.0.1\"",
			    path, (int)config_setting_source_line(list));
		client->host[client->hosts++] = xstrdup(host);
	}
	return 0;
}

static int
client_key(struct client *client, const char *path, const config_setting_t *at,
    struct error *err)
{
	const struct {
		const char *name;
		char **out;
	} keys[] = { { "ca", &client->ca }, { "cert", &client->cert },
		{ "key", &client->key } };
	const char *name = config_setting_name(at);
	const char *text = config_setting_get_string(at);
	int line = (int)config_setting_source_line(at);
	size_t i;

	if (strcmp(name, "hosts") == 0)
		return client_hosts(client, path, at, err);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(name, keys[i].name) != 0)
			continue;
		if (text == NULL || text[0] == '\0')
			return error_set(err, ERR_CONFIG,
			    "%s:%d: %s is no text; write the path of a file, "
			    "e.g. %s = \"ann.pem\";",
			    path, line, name, name);
		*keys[i].out = client_path(path, text);
		return 0;
	}
	return error_set(err, ERR_CONFIG,
	    "%s:%d: unknown key %.60s; this file has ca, cert, key and hosts",
	    path, line, name);
}

static int
client_read(struct client *client, const char *path, const config_t *file,
    struct error *err)
{
	const config_setting_t *root = config_root_setting(file);
	int i;

	for (i = 0; i < config_setting_length(root); i++)
		if (client_key(client, path,
			config_setting_get_elem(root, (unsigned)i), err) == -1)
			return -1;
	return 0;
}

int
client_load(const char *path, struct client *client, struct error *err)
{
	config_t file;
	size_t len;
	char *text;
	int rc;

	memset(client, 0, sizeof(*client));
	text = file_read(path, CLIENT_FILE_MAX, &len, err);
	if (text == NULL)
		return -1;
	config_init(&file);
	if (config_read_string(&file, text) == CONFIG_TRUE)
		rc = client_read(client, path, &file, err);
	else
		rc = error_set(err, ERR_CONFIG, "%s:%d: %s", path,
		    config_error_line(&file), config_error_text(&file));
	config_destroy(&file);
	free(text);
	if (rc == -1)
		client_free(client);
	return rc;
}

void
client_free(struct client *client)
{
	int i;

	free(client->ca);
	free(client->cert);
	free(client->key);
	for (i = 0; i < client->hosts; i++)
		free(client->host[i]);
	memset(client, 0, sizeof(*client));
}
