/*
 * The parser of request heads. Origin-form targets, CRLF line ends, no
 * continuation lines, no transfer codings, one Content-Length: whatever two
 * readers could understand differently is refused rather than repaired.
 */
#include "front/http1.h"

#include <string.h>
#include <strings.h>

/* A run of bytes that is not copied. */
struct span {
	const char *s;
	size_t len;
};

static bool
http1_is(const struct span *s, const char *word)
{
	return s->len == strlen(word) && strncasecmp(s->s, word, s->len) == 0;
}

bool
http1_method(const struct http1 *req, const char *method)
{
	return req->method_len == strlen(method) &&
	       memcmp(req->method, method, req->method_len) == 0;
}

/* Visible ASCII, and blanks where the caller says so. */
static bool
http1_clean(const struct span *s, bool blanks)
{
	size_t i;
	unsigned char c;

	for (i = 0; i < s->len; i++) {
		c = (unsigned char)s->s[i];
		if (blanks && (c == ' ' || c == '\t' || c >= 0x80))
			continue;
		if (c <= ' ' || c >= 0x7f)
			return false;
	}
	return true;
}

/* Cuts one line without its CRLF off the front of rest. */
static bool
http1_line(struct span *rest, struct span *line)
{
	const char *end = memmem(rest->s, rest->len, "\r\n", 2);

	if (end == NULL)
		return false;
	line->s = rest->s;
	line->len = (size_t)(end - rest->s);
	rest->s = end + 2;
	rest->len -= line->len + 2;
	return true;
}

/* METHOD SP /path[?query] SP HTTP/1.x; 0 or the status to refuse with. */
static int
http1_request_line(const struct span *line, struct http1 *req)
{
	const char *end = line->s + line->len;
	const char *sp1 = memchr(line->s, ' ', line->len), *sp2, *mark;
	struct span part;

	if (sp1 == NULL || sp1 == line->s || sp1 - line->s > 16)
		return 400;
	sp2 = memchr(sp1 + 1, ' ', (size_t)(end - sp1 - 1));
	if (sp2 == NULL || end - sp2 != 9 || memcmp(sp2 + 1, "HTTP/", 5) != 0)
		return 400;
	if (memcmp(sp2 + 6, "1.", 2) != 0)
		return 505;
	if (sp2[8] != '0' && sp2[8] != '1')
		return 505;
	part = (struct span){ sp1 + 1, (size_t)(sp2 - sp1 - 1) };
	if (part.len == 0 || part.s[0] != '/' || !http1_clean(&part, false))
		return 400;
	req->keep = sp2[8] == '1';
	req->method = line->s;
	req->method_len = (size_t)(sp1 - line->s);
	req->path = part.s;
	req->path_len = part.len;
	mark = memchr(part.s, '?', part.len);
	if (mark != NULL) {
		req->path_len = (size_t)(mark - part.s);
		req->query = mark + 1;
		req->query_len = part.len - req->path_len - 1;
	}
	part = (struct span){ req->method, req->method_len };
	return http1_clean(&part, false) ? 0 : 400;
}

static int
http1_length(const struct span *value, struct http1 *req)
{
	size_t i;

	if (req->has_length || value->len == 0)
		return 400;
	if (value->len > 12)
		return 413;
	for (i = 0; i < value->len; i++) {
		if (value->s[i] < '0' || value->s[i] > '9')
			return 400;
		req->length = req->length * 10 + (uint64_t)(value->s[i] - '0');
	}
	req->has_length = true;
	return 0;
}

/* Whether the comma-separated list has the word. */
static bool
http1_lists(const struct span *value, const char *word)
{
	const char *p = value->s, *end = value->s + value->len, *comma;
	struct span item;

	while (p < end) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		item = (struct span){ p, (size_t)(comma - p) };
		while (item.len > 0 && *item.s == ' ') {
			item.s++;
			item.len--;
		}
		while (item.len > 0 && item.s[item.len - 1] == ' ')
			item.len--;
		if (http1_is(&item, word))
			return true;
		p = comma + 1;
	}
	return false;
}

static int
http1_field(const struct span *line, struct http1 *req)
{
	const char *colon = memchr(line->s, ':', line->len);
	struct span name, value;

	if (colon == NULL || colon == line->s)
		return 400;
	name = (struct span){ line->s, (size_t)(colon - line->s) };
	value = (struct span){ colon + 1, line->len - name.len - 1 };
	while (value.len > 0 && (*value.s == ' ' || *value.s == '\t')) {
		value.s++;
		value.len--;
	}
	while (value.len > 0 && (value.s[value.len - 1] == ' ' ||
				    value.s[value.len - 1] == '\t'))
		value.len--;
	if (!http1_clean(&name, false) || !http1_clean(&value, true))
		return 400;
	if (http1_is(&name, "content-length"))
		return http1_length(&value, req);
	if (http1_is(&name, "transfer-encoding"))
		return 501;
	if (http1_is(&name, "expect"))
		return 417;
	if (http1_is(&name, "connection") && http1_lists(&value, "close"))
		req->keep = false;
	return 0;
}

/* What is not the beginning of a request need not be waited for. */
static bool
http1_begins(const char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < 16 && buf[i] != ' '; i++)
		if (buf[i] < 'A' || buf[i] > 'Z')
			return false;
	return true;
}

int
http1_parse(const char *buf, size_t len, struct http1 *req, int *status)
{
	size_t max = len < HTTP1_HEAD_MAX ? len : HTTP1_HEAD_MAX;
	const char *end;
	struct span rest, line;
	int fields = 0;

	memset(req, 0, sizeof(*req));
	*status = 400;
	if (!http1_begins(buf, len))
		return -1;
	end = memmem(buf, max, "\r\n\r\n", 4);
	if (end == NULL) {
		*status = 431;
		return len < HTTP1_HEAD_MAX ? 0 : -1;
	}
	req->head = (size_t)(end - buf) + 4;
	/* Without the empty line, so that the walk ends with rest. */
	rest = (struct span){ buf, req->head - 2 };
	if (!http1_line(&rest, &line))
		return -1;
	*status = http1_request_line(&line, req);
	while (*status == 0 && http1_line(&rest, &line)) {
		if (++fields > HTTP1_FIELDS_MAX)
			*status = 431;
		else
			*status = http1_field(&line, req);
	}
	return *status == 0 ? 1 : -1;
}
