/*
 * Rules of a check of type http: where the request goes, and that what its
 * answer is compared with can be compared at all.
 */
#include <stdio.h>
#include <string.h>

#include "conf/cross_i.h"

static void cross_http_where(struct conf_draft *d, int i);
static void cross_http_path(struct conf_draft *d, int i);
static void cross_http_body(struct conf_draft *d, int i);
static void cross_http_json(struct conf_draft *d, int i);
static void cross_http_header(struct conf_draft *d, int i);

void
cross_http(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	char path[CROSS_PATH_MAX];

	cross_http_where(d, i);
	cross_path(path, "checks", i, "ca");
	if (!c->tls && c->ca[0] != '\0')
		draft_fault_at(d, path,
		    "check %s: ca is for tls = true; only; remove it, or write "
		    "tls = true;",
		    c->name);
	cross_path(path, "checks", i, "host");
	if (c->host[0] == '\0')
		draft_fault_at(d, path,
		    "check %s: host is empty; write the name of the site, or "
		    "leave it out for localhost",
		    c->name);
	if (c->path[0] != '\0')
		cross_http_path(d, i);
	if (c->body[0] != '\0')
		cross_http_body(d, i);
	if (c->json[0] != '\0')
		cross_http_json(d, i);
	if (c->header[0] != '\0')
		cross_http_header(d, i);
}

/* To an address and a port, or to a socket. */
static void
cross_http_where(struct conf_draft *d, int i)
{
	static const char *const keys[] = { "address", "port" };
	const struct conf_check *c = &d->conf.check[i];
	const bool there[] = { c->address[0] != '\0', c->port != 0 };
	const bool socket = c->socket[0] != '\0';
	char path[CROSS_PATH_MAX];
	int k;

	for (k = 0; k < 2; k++) {
		cross_path(path, "checks", i, keys[k]);
		if (socket && there[k])
			draft_fault_at(d, path,
			    "check %s: %s and socket do not go together; "
			    "remove one of them",
			    c->name, keys[k]);
		if (!socket && !there[k])
			draft_fault_at(d, path,
			    "check %s: %s is missing with type http; write %s "
			    "or the socket = \"...\"; of the server",
			    c->name, keys[k],
			    k == 0 ? "address = \"127.0.0.1\";" :
				     "port = 443;");
	}
}

static void
cross_http_path(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	char path[CROSS_PATH_MAX];

	if (c->path[0] == '/' && strpbrk(c->path, " #\\\"<>") == NULL)
		return;
	cross_path(path, "checks", i, "path");
	draft_fault_at(d, path,
	    "check %s: path %s is none of a request; write it from the first "
	    "slash on, blanks and the like as %%20, without #",
	    c->name, c->path);
}

static void
cross_http_body(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	char path[CROSS_PATH_MAX], what[CROSS_WHAT_MAX];
	regex_t re;

	cross_path(path, "checks", i, "body");
	(void)snprintf(what, sizeof(what), "check %s: body", c->name);
	if (cross_regex(d, path, what, c->body, &re))
		regfree(&re);
}

static void
cross_http_json(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	const char *end = strchr(c->json, '=');
	char path[CROSS_PATH_MAX];

	if (end != NULL && end != c->json && c->json[0] != '.' &&
	    end[-1] != '.' &&
	    memmem(c->json, (size_t)(end - c->json), "..", 2) == NULL)
		return;
	cross_path(path, "checks", i, "json");
	draft_fault_at(d, path,
	    "check %s: json is \"%s\"; write a field and its value, e.g. json "
	    "= \"events.id=1\"; for {\"events\":{\"id\":1}}",
	    c->name, c->json);
}

static void
cross_http_header(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	size_t len = strcspn(c->header, ": \t");
	const char *value;
	char path[CROSS_PATH_MAX];

	if (len != 0 && c->header[len] == ':') {
		value = c->header + len + 1;
		value += strspn(value, " ");
		if (value[0] != '\0')
			return;
	}
	cross_path(path, "checks", i, "header");
	draft_fault_at(d, path,
	    "check %s: header is \"%s\"; write a name, a colon and the value, "
	    "e.g. header = \"X-Cache-Status: MISS\";",
	    c->name, c->header);
}
