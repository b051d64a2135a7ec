/*
 * The small parsers of one word each: durations, positions, numbers,
 * endpoints, templates, UTF-8. What is printed again is read as the same.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hawatch/endpoint.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/template.h"

static void
numbers(const char *s)
{
	char buf[USEC_STR_MAX], lsn[LSN_STR_MAX];
	usec_t t, t2;
	lsn_t at, at2;
	uint64_t n;
	int i = 7;

	if (usec_parse(s, &t) == 0) {
		FUZZ_CHECK(t >= 0 && t != USEC_NEVER);
		FUZZ_CHECK(usec_parse(usec_str(t, buf), &t2) == 0 && t2 == t);
	}
	if (lsn_parse(s, &at) == 0)
		FUZZ_CHECK(lsn_parse(lsn_str(at, lsn), &at2) == 0 && at2 == at);
	if (str_parse_u64(s, &n) == 0)
		FUZZ_CHECK(strspn(s, "0123456789") == strlen(s));
	if (str_parse_int(s, -5, 70000, &i) == 0)
		FUZZ_CHECK(i >= -5 && i <= 70000);
	else
		FUZZ_CHECK(i == 7);
}

static void
endpoint(const char *s)
{
	char host[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN + 16];
	struct endpoint to, to2;
	struct error err = { 0 };
	const struct sockaddr_in6 *in6 = (const void *)&to.ss;

	if (endpoint_parse(s, &to, &err) == -1) {
		fuzz_refused(&err);
		return;
	}
	FUZZ_CHECK(to.len > 0 && to.len <= sizeof(to.ss));
	if (to.ss.ss_family != AF_INET6)
		return;
	FUZZ_CHECK(inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host)));
	(void)snprintf(
	    again, sizeof(again), "[%s]:%d", host, ntohs(in6->sin6_port));
	FUZZ_CHECK(endpoint_parse(again, &to2, &err) == 0);
	FUZZ_CHECK(memcmp(&to, &to2, sizeof(to)) == 0);
}

/* The pieces are the text, none is empty, none goes past its end. */
static void template(const char *s)
{
	const char *at = s, *end = s + strlen(s);
	struct template_piece piece;

	while ((piece = template_next(&at)).kind != TEMPLATE_END) {
		FUZZ_CHECK(piece.len > 0 && piece.from + piece.len == at);
		FUZZ_CHECK(at <= end);
		if (piece.kind == TEMPLATE_GROUP)
			FUZZ_CHECK(piece.number >= 1 && piece.number <= 9);
	}
	FUZZ_CHECK(at == end);
	free(template_expand(fuzz_conf(), s, 0));
	free(template_expand(fuzz_conf(), s, NODE_NONE));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "interval", "timeout", "ttl" };
	char *s = fuzz_text(data, size), *hex = xcalloc(1, size + 1);
	size_t i, step;
	int n;

	numbers(s);
	endpoint(s);
	template(s);
	for (i = 0; s[i] != '\0'; i += step == 0 ? 1 : step) {
		step = str_utf8(s + i);
		FUZZ_CHECK(step <= 4 && i + step <= size);
	}
	n = str_unhex(hex, size, s);
	FUZZ_CHECK(n == -1 || (size_t)n * 2 == strlen(s));
	(void)str_nearest(s, words, 3);
	free(hex);
	free(s);
	return 0;
}
