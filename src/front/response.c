/*
 * Rendering of responses. What is the same for many requests is rendered when
 * it changes, not when it is asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/http1.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define RESPONSE_REASON_MAX 256

static const char *
response_status_str(int status)
{
	static const struct {
		int status;
		const char *text;
	} table[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 417, "Expectation Failed" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].text;
	return "Answer";
}

/* A header's value: no line end may come in with a check's name. */
static void
response_reason(char *dst, size_t size, const char *src)
{
	size_t i;

	for (i = 0; i + 1 < size && src[i] != '\0'; i++)
		dst[i] = src[i] >= ' ' && src[i] < 0x7f ? src[i] : '?';
	dst[i] = '\0';
}

void
response_make(struct response *a, const struct response_spec *spec)
{
	char reason[RESPONSE_REASON_MAX], plain[RESPONSE_REASON_MAX + 1];
	const char *body = spec->body;
	char *head;
	size_t len;

	response_reason(reason, sizeof(reason), spec->reason);
	if (body == NULL) {
		(void)snprintf(plain, sizeof(plain), "%s\n", reason);
		body = plain;
	}
	len = strlen(body);
	head = xasprintf("HTTP/1.1 %d %s\r\n"
			 "Content-Type: %s\r\n"
			 "Content-Length: %zu\r\n"
			 "Cache-Control: no-store\r\n"
			 "X-Hawatch-Reason: %s\r\n"
			 "%s%s%s"
			 "\r\n",
	    spec->status, response_status_str(spec->status),
	    spec->type == NULL ? "text/plain" : spec->type, len, reason,
	    spec->allow == NULL ? "" : "Allow: ",
	    spec->allow == NULL ? "" : spec->allow,
	    spec->allow == NULL ? "" : "\r\n");
	response_fini(a);
	a->status = spec->status;
	str_cut(a->reason, sizeof(a->reason), reason);
	a->head = strlen(head);
	a->len = a->head + len;
	a->buf = xrealloc(head, a->len + 1, 1);
	memcpy(a->buf + a->head, body, len + 1);
}

void
response_fini(struct response *a)
{
	free(a->buf);
	memset(a, 0, sizeof(*a));
}
