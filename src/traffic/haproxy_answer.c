/*
 * Parsing of what HAProxy's runtime API says. Knows nothing of what is wanted.
 */
#include "traffic/haproxy_answer.h"

#include <arpa/inet.h>
#include <string.h>

#include "hawatch/str.h"

#define HAP_COLUMNS_MAX 64

enum hap_column {
	COL_BACKEND,
	COL_NAME,
	COL_ADDRESS,
	COL_OP,
	COL_ADMIN,
	COL_PORT,
	COL_COUNT
};

static const char *const hap_columns[COL_COUNT] = {
	[COL_BACKEND] = "be_name",
	[COL_NAME] = "srv_name",
	[COL_ADDRESS] = "srv_addr",
	[COL_OP] = "srv_op_state",
	[COL_ADMIN] = "srv_admin_state",
	[COL_PORT] = "srv_port",
};

static int hap_split(char *line, char *field[HAP_COLUMNS_MAX]);
static int hap_header(char *line, int at[COL_COUNT], struct error *err);
static int hap_row(char *field[COL_COUNT], struct hap_server *s);

char *
hap_answer_next(char **rest)
{
	char *text = *rest;
	char *end = text;

	if (*text != '\n') {
		end = strstr(text, "\n\n");
		if (end == NULL)
			return NULL;
		end++;
	}
	*end = '\0';
	*rest = end + 1;
	return text;
}

const char *
hap_answer_quote(const char *text, char *buf)
{
	size_t len = 0;

	while (len < HAP_TEXT_MAX - 1 && text[len] != '\0' &&
	       text[len] != '\n' && text[len] != '\r') {
		buf[len] = text[len];
		if (buf[len] < ' ' || buf[len] > '~')
			buf[len] = '?';
		len++;
	}
	buf[len] = '\0';
	return buf;
}

const char *
hap_server_str(const struct hap_server *s)
{
	if (!s->there)
		return "not there";
	if ((s->admin & HAP_MAINT_DNS) != 0)
		return "maint (its name does not resolve)";
	if ((s->admin & HAP_MAINT_NAME) != 0)
		return "maint (its name did not resolve at the start)";
	if ((s->admin & HAP_MAINT_INHERITED) != 0)
		return "maint (of the server that it tracks)";
	if ((s->admin & HAP_MAINT_FORCED) != 0)
		return (s->admin & HAP_MAINT_CONFIG) != 0 ?
			   "maint (disabled in HAProxy's configuration)" :
			   "maint";
	if ((s->admin & HAP_DRAIN_FORCED) != 0)
		return "drain";
	if ((s->admin & HAP_DRAIN_INHERITED) != 0)
		return "drain (of the server that it tracks)";
	return "ready";
}

/* An error text in place of the version is quoted: "Can't find backend." */
int
hap_answer_servers(char *text, const char *backend, struct hap_server *s,
    int count, struct error *err)
{
	char quote[HAP_TEXT_MAX];
	char *field[HAP_COLUMNS_MAX] = { NULL }, *want[COL_COUNT] = { NULL };
	char *line, *rest = text;
	int at[COL_COUNT] = { 0 };
	int i, n, col;

	for (i = 0; i < count; i++)
		s[i].there = false;
	line = strsep(&rest, "\n");
	if (strcmp(line, "1") != 0)
		return error_set(err, ERR_PROTOCOL,
		    "show servers state %s: \"%s\"", backend,
		    hap_answer_quote(line, quote));
	if (hap_header(rest == NULL ? NULL : strsep(&rest, "\n"), at, err) ==
	    -1)
		return error_wrap(err, "show servers state %s", backend);
	while (rest != NULL && (line = strsep(&rest, "\n"))[0] != '\0') {
		n = hap_split(line, field);
		for (col = 0; col < COL_COUNT && at[col] < n; col++)
			want[col] = field[at[col]];
		if (n == -1 || col < COL_COUNT)
			return error_set(err, ERR_PROTOCOL,
			    "show servers state %s: a row without all columns",
			    backend);
		if (strcmp(want[COL_BACKEND], backend) != 0)
			continue;
		for (i = 0; i < count; i++) {
			if (strcmp(want[COL_NAME], s[i].name) != 0)
				continue;
			if (s[i].there || hap_row(want, &s[i]) == -1)
				return error_set(err, ERR_PROTOCOL,
				    "show servers state %s: %s %s", backend,
				    s[i].name,
				    s[i].there ? "is there twice" :
						 "has a state that is not "
						 "known");
		}
	}
	return 0;
}

/* The number of fields, -1 when there are too many. */
static int
hap_split(char *line, char *field[HAP_COLUMNS_MAX])
{
	char *word;
	int n = 0;

	while ((word = strsep(&line, " ")) != NULL) {
		if (word[0] == '\0')
			continue;
		if (n == HAP_COLUMNS_MAX)
			return -1;
		field[n++] = word;
	}
	return n;
}

static int
hap_header(char *line, int at[COL_COUNT], struct error *err)
{
	char *field[HAP_COLUMNS_MAX];
	int i, col, n;

	n = line != NULL && line[0] == '#' ? hap_split(line + 1, field) : -1;
	if (n == -1)
		return error_set(err, ERR_PROTOCOL, "no header");
	for (col = 0; col < COL_COUNT; col++) {
		at[col] = -1;
		for (i = n - 1; i >= 0; i--)
			if (strcmp(field[i], hap_columns[col]) == 0)
				at[col] = i;
		if (at[col] == -1)
			return error_set(err, ERR_PROTOCOL, "no column %s",
			    hap_columns[col]);
	}
	return 0;
}

static int
hap_row(char *field[COL_COUNT], struct hap_server *s)
{
	unsigned char bytes[16];
	int admin;

	if (str_parse_int(field[COL_OP], 0, 255, &s->op) == -1 ||
	    str_parse_int(field[COL_ADMIN], 0, 0xffff, &admin) == -1 ||
	    str_parse_int(field[COL_PORT], 0, 65535, &s->port) == -1)
		return -1;
	s->admin = (unsigned)admin;
	if ((inet_pton(AF_INET, field[COL_ADDRESS], bytes) != 1 &&
		inet_pton(AF_INET6, field[COL_ADDRESS], bytes) != 1) ||
	    str_copy(s->address, sizeof(s->address), field[COL_ADDRESS]) == -1)
		str_cut(s->address, sizeof(s->address), "-");
	s->there = true;
	return 0;
}
