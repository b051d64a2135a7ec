/*
 * Handles of libcurl and their settings. A handle whose call ended well serves
 * the next call of its kind: to make one and set it up costs more than a call
 * over a kept connection. One whose call failed or was cancelled is not used
 * again, since libcurl keeps in it what it learnt (the errno, for one).
 */
#include <curl/curl.h>
#include <string.h>

#include "hawatch/mem.h"
#include "loop/http_call.h"

/* For how many seconds a connection is kept idle. */
#define HTTP_KEPT_SEC 30L
#define HTTP_BUFFER 16384L
/* For how many seconds the authorities of the system stay parsed. */
#define HTTP_CA_SEC 3600L
/* Where nothing is trusted: no certificate, so that the call fails. */
#define HTTP_NOBODY "none"

static int http_easy_fixed(CURL *e);
static int http_easy_peer(struct http *h, CURL *e);
static int http_easy_way(struct http_call *call, const struct http_way *way);
static int http_easy_identity(CURL *e, const struct http_way *way);
static int http_easy_authorities(struct http_call *call, const char *file);
static int http_easy_system(CURL *e);
static int http_easy_blob(
    CURL *e, CURLoption option, const char *pem, unsigned flags);

CURL *
http_easy_take(struct http *h, enum http_kind kind)
{
	CURL *e;

	if (h->idle_count[kind] > 0)
		return h->idle[kind][--h->idle_count[kind]];
	e = curl_easy_init();
	if (e == NULL || http_easy_fixed(e) == -1 ||
	    (kind == HTTP_PEER && http_easy_peer(h, e) == -1)) {
		curl_easy_cleanup(e);
		return NULL;
	}
	return e;
}

void
http_easy_give(struct http *h, enum http_kind kind, CURL *e, bool again)
{
	if (!again || h->freed || h->idle_count[kind] == HTTP_IDLE_MAX ||
	    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, NULL) != CURLE_OK)
		curl_easy_cleanup(e);
	else
		h->idle[kind][h->idle_count[kind]++] = e;
}

/* Stops at the first option that fails: none may silently stay unset. */
#define SET(option, value) \
	do { \
		if (curl_easy_setopt(e, (option), (value)) != CURLE_OK) \
			return -1; \
	} while (0)

static int
http_easy_fixed(CURL *e)
{
	SET(CURLOPT_WRITEFUNCTION, http_body_cb);
	SET(CURLOPT_HEADERFUNCTION, http_header_cb);
	SET(CURLOPT_PREREQFUNCTION, http_sends_cb);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	/* Whatever the environment says. */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 5L);
	SET(CURLOPT_TCP_KEEPINTVL, 1L);
	SET(CURLOPT_MAXAGE_CONN, HTTP_KEPT_SEC);
	SET(CURLOPT_BUFFERSIZE, HTTP_BUFFER);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER);
	/* Kept connections do; a resumed handshake skips the certificates. */
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* Else it would be the third place that authorities come from. */
	SET(CURLOPT_CAPATH, NULL);
	return 0;
}

static int
http_easy_peer(struct http *h, CURL *e)
{
	const unsigned kept = CURL_BLOB_NOCOPY;

	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_3 | (long)CURL_SSLVERSION_MAX_TLSv1_3);
	/* By default every authority of the system would do as well. */
	SET(CURLOPT_CAINFO, NULL);
	if (http_easy_blob(e, CURLOPT_CAINFO_BLOB, h->ca, kept) == -1 ||
	    http_easy_blob(e, CURLOPT_SSLCERT_BLOB, h->cert, kept) == -1)
		return -1;
	return http_easy_blob(e, CURLOPT_SSLKEY_BLOB, h->key, kept);
}

int
http_easy_call(struct http_call *call, const struct http_request *req)
{
	CURL *e = call->easy;
	long ms = (long)((req->deadline + USEC_MSEC - 1) / USEC_MSEC);

	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_ERRORBUFFER, call->message);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_PREREQDATA, call);
	SET(CURLOPT_TIMEOUT_MS, ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, ms);
	SET(CURLOPT_CONNECT_TO, call->address);
	if (req->way != NULL && http_easy_way(call, req->way) == -1)
		return -1;
	if (req->body == NULL) {
		SET(CURLOPT_HTTPHEADER, NULL);
		SET(CURLOPT_HTTPGET, 1L);
		return 0;
	}
	SET(CURLOPT_HTTPHEADER,
	    call->headers != NULL ? call->headers : call->http->json);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
	SET(CURLOPT_COPYPOSTFIELDS, req->body);
	return 0;
}

/* All of it, each time: the call before may have gone another way. */
static int
http_easy_way(struct http_call *call, const struct http_way *way)
{
	CURL *e = call->easy;

	SET(CURLOPT_PROTOCOLS_STR, way->tls ? "https" : "http");
	SET(CURLOPT_UNIX_SOCKET_PATH, way->socket);
	SET(CURLOPT_USERNAME, way->user);
	SET(CURLOPT_PASSWORD, way->user == NULL ? NULL : way->password);
	if (!way->tls)
		return 0;
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (http_easy_identity(e, way) == -1)
		return -1;
	if (way->ca == NULL || way->ca[0] == '\0')
		return http_easy_system(e);
	return http_easy_authorities(call, way->ca);
}

/* Copies: the caller's may go before a kept handle does. */
static int
http_easy_identity(CURL *e, const struct http_way *way)
{
	if (way->cert == NULL) {
		SET(CURLOPT_SSLCERT_BLOB, NULL);
		SET(CURLOPT_SSLKEY_BLOB, NULL);
		return 0;
	}
	if (http_easy_blob(
		e, CURLOPT_SSLCERT_BLOB, way->cert, CURL_BLOB_COPY) == -1)
		return -1;
	return http_easy_blob(e, CURLOPT_SSLKEY_BLOB, way->key, CURL_BLOB_COPY);
}

/* libcurl's copy: while a call is under way the file may be read again. */
static int
http_easy_authorities(struct http_call *call, const char *file)
{
	CURL *e = call->easy;
	const char *why, *pem = http_trust_pem(call->http, file, &why);

	if (pem == NULL)
		call->untrusted = xstrdup(why);
	SET(CURLOPT_CAINFO, NULL);
	return http_easy_blob(e, CURLOPT_CAINFO_BLOB,
	    pem == NULL || pem[0] == '\0' ? HTTP_NOBODY : pem, CURL_BLOB_COPY);
}

/* A file only, never a directory beside it: that would add others, and parsed
 * authorities are kept for a file alone. */
static int
http_easy_system(CURL *e)
{
	char *file = NULL;

	if (curl_easy_getinfo(e, CURLINFO_CAINFO, &file) != CURLE_OK ||
	    file == NULL)
		return -1;
	SET(CURLOPT_CAINFO_BLOB, NULL);
	SET(CURLOPT_CAINFO, file);
	SET(CURLOPT_CA_CACHE_TIMEOUT, HTTP_CA_SEC);
	return 0;
}

#undef SET

static int
http_easy_blob(CURL *e, CURLoption option, const char *pem, unsigned flags)
{
	struct curl_blob blob = { .data = (char *)(uintptr_t)pem,
		.len = strlen(pem),
		.flags = flags };

	return curl_easy_setopt(e, option, &blob) == CURLE_OK ? 0 : -1;
}
