/*
 * One call: what it asks of libcurl, and what comes back in pieces. When it
 * starts and ends is http.c's.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "loop/http_call.h"

#define HTTP_HEADERS_MAX ((size_t)16 * 1024)
/* For how many seconds a connection is kept idle. */
#define HTTP_KEPT_SEC 30L
#define HTTP_BUFFER 16384L

static int http_call_vet(const struct http_request *req, struct error *err);
static int http_call_where(
    struct http_call *call, const struct http_request *req, struct error *err);
static int http_call_set(
    struct http_call *call, const struct http_request *req);
static int http_call_tls(struct http_call *call);
static int http_blob(CURL *easy, CURLoption option, char *pem);
static int http_sends_cb(
    void *arg, char *to, char *from, int to_port, int from_port);
static size_t http_header_cb(char *data, size_t size, size_t n, void *arg);
static size_t http_body_cb(char *data, size_t size, size_t n, void *arg);

struct http_call *
http_call_new(struct http *h, const struct http_request *req, struct error *err)
{
	struct http_call *call;

	if (http_call_vet(req, err) == -1)
		return NULL;
	call = xcalloc(1, sizeof(*call));
	call->http = h;
	call->max = req->answer_max;
	call->easy = curl_easy_init();
	if (call->easy == NULL)
		abort();
	LIST_INSERT_HEAD(&h->calls, call, entry);
	if (http_call_where(call, req, err) == -1)
		goto fail;
	if (http_call_set(call, req) == -1 || http_call_tls(call) == -1) {
		error_set(err, ERR_PROTOCOL,
		    "http: libcurl %s refuses the settings of a call",
		    curl_version_info(CURLVERSION_NOW)->version);
		goto fail;
	}
	return call;
fail:
	http_call_free(call);
	return NULL;
}

void
http_call_free(struct http_call *call)
{
	LIST_REMOVE(call, entry);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->address);
	free(call->body);
	free(call);
}

static int
http_call_vet(const struct http_request *req, struct error *err)
{
	unsigned char buf[sizeof(struct in6_addr)];

	if (req->body == NULL && req->body_len != 0)
		return error_set(
		    err, ERR_PROTOCOL, "%s%s: no body", req->name, req->path);
	if (inet_pton(AF_INET, req->address, buf) != 1 &&
	    inet_pton(AF_INET6, req->address, buf) != 1)
		return error_set(err, ERR_CONFIG,
		    "address of %s: \"%s\" is not numeric", req->name,
		    req->address);
	if (req->deadline <= 0 || req->deadline == USEC_NEVER)
		return error_set(
		    err, ERR_CONFIG, "%s%s: no deadline", req->name, req->path);
	if (req->answer_max == 0 || req->path[0] != '/')
		return error_set(err, ERR_CONFIG,
		    "%s%s: no path or no limit of the answer", req->name,
		    req->path);
	return 0;
}

/* The name is for the certificate, the address for the socket. */
static int
http_call_where(
    struct http_call *call, const struct http_request *req, struct error *err)
{
	bool v6 = strchr(req->address, ':') != NULL;
	char *url, *to;
	CURLcode code;

	url = xasprintf("https://%s:%d%s", req->name, req->port, req->path);
	code = curl_easy_setopt(call->easy, CURLOPT_URL, url);
	free(url);
	to = xasprintf("::%s%s%s:%d", v6 ? "[" : "", req->address,
	    v6 ? "]" : "", req->port);
	call->address = curl_slist_append(NULL, to);
	free(to);
	if (code != CURLE_OK || call->address == NULL ||
	    curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->address) !=
		CURLE_OK)
		return error_set(
		    err, ERR_CONFIG, "%s%s: not a URL", req->name, req->path);
	return 0;
}

/* Stops at the first option that fails: none may silently stay unset. */
#define SET(option, value) \
	do { \
		if (curl_easy_setopt(e, (option), (value)) != CURLE_OK) \
			return -1; \
	} while (0)

static int
http_call_set(struct http_call *call, const struct http_request *req)
{
	CURL *e = call->easy;
	long ms = (long)((req->deadline + USEC_MSEC - 1) / USEC_MSEC);

	call->headers =
	    curl_slist_append(NULL, "Content-Type: application/json");
	SET(CURLOPT_HTTPHEADER, call->headers);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
	SET(CURLOPT_COPYPOSTFIELDS, req->body == NULL ? "" : req->body);
	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_ERRORBUFFER, call->message);
	SET(CURLOPT_WRITEFUNCTION, http_body_cb);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERFUNCTION, http_header_cb);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_PREREQFUNCTION, http_sends_cb);
	SET(CURLOPT_PREREQDATA, call);
	SET(CURLOPT_TIMEOUT_MS, ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, ms);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* Whatever the environment says. */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 5L);
	SET(CURLOPT_TCP_KEEPINTVL, 1L);
	SET(CURLOPT_MAXAGE_CONN, HTTP_KEPT_SEC);
	SET(CURLOPT_BUFFERSIZE, HTTP_BUFFER);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER);
	return 0;
}

static int
http_call_tls(struct http_call *call)
{
	CURL *e = call->easy;

	SET(CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_3 | (long)CURL_SSLVERSION_MAX_TLSv1_3);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* By default every authority of the system would do as well. */
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, NULL);
	if (http_blob(e, CURLOPT_CAINFO_BLOB, call->http->ca) == -1 ||
	    http_blob(e, CURLOPT_SSLCERT_BLOB, call->http->cert) == -1)
		return -1;
	return http_blob(e, CURLOPT_SSLKEY_BLOB, call->http->key);
}

#undef SET

static int
http_blob(CURL *easy, CURLoption option, char *pem)
{
	struct curl_blob blob = {
		.data = pem, .len = strlen(pem), .flags = CURL_BLOB_NOCOPY
	};

	return curl_easy_setopt(easy, option, &blob) == CURLE_OK ? 0 : -1;
}

/* libcurl calls this when it has a connection, TLS included, and right before
 * it writes the first byte of the request, new connection or kept one. */
static int
http_sends_cb(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct http_call *call = arg;

	call->sent = true;
	return CURL_PREREQFUNC_OK;
}

static size_t
http_header_cb(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	call->header_len += size * n;
	return call->header_len > HTTP_HEADERS_MAX ? 0 : size * n;
}

static size_t
http_body_cb(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * n;

	if (len > call->max - call->len)
		return 0;
	call->body = xrealloc(call->body, call->len + len + 1, 1);
	memcpy(call->body + call->len, data, len);
	call->len += len;
	call->body[call->len] = '\0';
	return len;
}
