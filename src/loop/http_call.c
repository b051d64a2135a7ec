/*
 * One call: where it goes, and what comes back in pieces. When it starts and
 * ends is http.c's, what libcurl is told http_easy.c's.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "loop/http_call.h"

#define HTTP_HEADERS_MAX ((size_t)16 * 1024)

static int http_call_vet(
    const struct http *h, const struct http_request *req, struct error *err);
static int http_call_vet_place(
    const struct http_request *req, struct error *err);
static int http_call_where(
    struct http_call *call, const struct http_request *req, struct error *err);

struct http_call *
http_call_new(struct http *h, const struct http_request *req, struct error *err)
{
	struct http_call *call;

	if (http_call_vet(h, req, err) == -1)
		return NULL;
	call = xcalloc(1, sizeof(*call));
	call->http = h;
	call->kind = req->way == NULL ? HTTP_PEER : HTTP_WAY;
	call->max = req->answer_max;
	call->easy = http_easy_take(h, call->kind);
	LIST_INSERT_HEAD(&h->calls, call, entry);
	if (call->easy == NULL)
		goto unable;
	if (http_call_where(call, req, err) == -1)
		goto fail;
	if (http_easy_call(call, req) == 0)
		return call;
unable:
	error_set(err, ERR_PROTOCOL,
	    "http: libcurl %s refuses the settings of a call",
	    curl_version_info(CURLVERSION_NOW)->version);
fail:
	http_call_free(call);
	return NULL;
}

void
http_call_free(struct http_call *call)
{
	LIST_REMOVE(call, entry);
	if (call->easy != NULL)
		http_easy_give(call->http, call->kind, call->easy, call->whole);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->address);
	free(call->untrusted);
	free(call->body);
	free(call);
}

static int
http_call_vet(
    const struct http *h, const struct http_request *req, struct error *err)
{
	if (req->way == NULL && h->key == NULL)
		return error_set(err, ERR_REFUSED,
		    "%s%s: a call to a peer needs a certificate, and this "
		    "client has none",
		    req->name, req->path);
	if (req->body == NULL && req->body_len != 0)
		return error_set(
		    err, ERR_PROTOCOL, "%s%s: no body", req->name, req->path);
	if (req->deadline <= 0 || req->deadline == USEC_NEVER)
		return error_set(
		    err, ERR_CONFIG, "%s%s: no deadline", req->name, req->path);
	if (req->answer_max == 0 || req->path[0] != '/')
		return error_set(err, ERR_CONFIG,
		    "%s%s: no path or no limit of the answer", req->name,
		    req->path);
	return http_call_vet_place(req, err);
}

static int
http_call_vet_place(const struct http_request *req, struct error *err)
{
	unsigned char buf[sizeof(struct in6_addr)];

	if (req->way != NULL && req->way->socket != NULL)
		return 0;
	if (req->address == NULL ||
	    (inet_pton(AF_INET, req->address, buf) != 1 &&
		inet_pton(AF_INET6, req->address, buf) != 1))
		return error_set(err, ERR_CONFIG,
		    "address of %s: \"%s\" is not numeric", req->name,
		    req->address == NULL ? "" : req->address);
	return 0;
}

static void
http_call_headers(struct http_call *call, const struct http_way *way)
{
	const char *const *line = way->headers;
	char *text;

	if (way->type == NULL && line == NULL)
		return;
	text = xasprintf("Content-Type: %s",
	    way->type == NULL ? "application/json" : way->type);
	call->headers = curl_slist_append(NULL, text);
	free(text);
	for (; line != NULL && *line != NULL; line++)
		call->headers = curl_slist_append(call->headers, *line);
}

/* The name is for the certificate and the Host of the request, the address or
 * the path for the socket. */
static int
http_call_where(
    struct http_call *call, const struct http_request *req, struct error *err)
{
	const struct http_way *way = req->way;
	bool v6, socket = way != NULL && way->socket != NULL;
	char port[16] = "", *text;
	CURLcode code;

	if (!socket)
		(void)snprintf(port, sizeof(port), ":%d", req->port);
	text =
	    xasprintf("%s://%s%s%s", way == NULL || way->tls ? "https" : "http",
		req->name, port, req->path);
	code = curl_easy_setopt(call->easy, CURLOPT_URL, text);
	free(text);
	if (way != NULL)
		http_call_headers(call, way);
	if (!socket) {
		v6 = strchr(req->address, ':') != NULL;
		text = xasprintf("::%s%s%s%s", v6 ? "[" : "", req->address,
		    v6 ? "]" : "", port);
		call->address = curl_slist_append(NULL, text);
		free(text);
	}
	if (code != CURLE_OK)
		return error_set(
		    err, ERR_CONFIG, "%s%s: not a URL", req->name, req->path);
	return 0;
}

/* libcurl calls this when it has a connection, TLS included, and right before
 * it writes the first byte of the request, new connection or kept one. */
int
http_sends_cb(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct http_call *call = arg;

	call->sent = true;
	return CURL_PREREQFUNC_OK;
}

size_t
http_header_cb(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	call->header_len += size * n;
	return call->header_len > HTTP_HEADERS_MAX ? 0 : size * n;
}

size_t
http_body_cb(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * n;

	if (call->part != NULL) {
		call->part(call->arg, data, len);
		return len;
	}
	if (len > call->max - call->len)
		return 0;
	call->body = xrealloc(call->body, call->len + len + 1, 1);
	memcpy(call->body + call->len, data, len);
	call->len += len;
	call->body[call->len] = '\0';
	return len;
}
