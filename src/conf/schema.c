/*
 * What a row of the schema says of itself: its group, its name, what may be
 * written for it. The rows are in schema_rows.c.
 */
#include "conf/schema.h"

#include <stdio.h>
#include <string.h>

#include "hawatch/str.h"

/* The greatest unit that divides evenly. buf has USEC_STR_MAX. */
static const char *
conf_bytes_str(int64_t n, char *buf)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	size_t u = 0;

	n /= 1024;
	while (u + 1 < sizeof(units) / sizeof(units[0]) && n % 1024 == 0) {
		n /= 1024;
		u++;
	}
	(void)snprintf(buf, USEC_STR_MAX, "%lld%s", (long long)n, units[u]);
	return buf;
}

bool
conf_row_in(const struct conf_row *row, const struct conf_group *group)
{
	size_t len = strlen(group->name);

	if (len == 0)
		return strchr(row->key, '.') == NULL;
	return strncmp(row->key, group->name, len) == 0 && row->key[len] == '.';
}

const char *
conf_row_name(const struct conf_row *row)
{
	const char *dot = strrchr(row->key, '.');

	return dot == NULL ? row->key : dot + 1;
}

void
conf_row_type(const struct conf_row *row, char *buf, size_t size)
{
	char low[USEC_STR_MAX], high[USEC_STR_MAX];
	size_t i, len;

	switch (row->type) {
	case CT_STRING:
		(void)snprintf(
		    buf, size, "a string of at most %d bytes", (int)row->max);
		break;
	case CT_NAME:
		(void)snprintf(buf, size,
		    "a name of letters, digits, '.', '-', '_', at most %d",
		    (int)row->max);
		break;
	case CT_PATH:
		str_cut(buf, size, "an absolute path");
		break;
	case CT_NODE_PATH:
		str_cut(buf, size, "an absolute path, with ${node}");
		break;
	case CT_ADDRESS:
		str_cut(buf, size, "a numeric address");
		break;
	case CT_HOST:
		str_cut(buf, size,
		    "a numeric address, or one of ${primary.address}, "
		    "${primary.private_ip}, ${self.address}, "
		    "${self.private_ip}");
		break;
	case CT_WORD:
	case CT_ENUM:
		str_cut(buf, size, "one of");
		for (i = 0; row->words[i] != NULL; i++) {
			len = strlen(buf);
			(void)snprintf(buf + len, size - len, "%s \"%s\"",
			    i == 0 ? "" : ",", row->words[i]);
		}
		break;
	case CT_INT:
		(void)snprintf(buf, size, "a whole number from %d to %d%s%s",
		    (int)row->min, (int)row->max, row->unit ? " " : "",
		    row->unit ? row->unit : "");
		break;
	case CT_USEC:
		(void)snprintf(buf, size, "a duration from \"%s\" to \"%s\"",
		    usec_str(row->min, low), usec_str(row->max, high));
		break;
	case CT_BYTES:
		(void)snprintf(buf, size,
		    "an amount of bytes from \"%s\" to \"%s\"",
		    conf_bytes_str(row->min, low),
		    conf_bytes_str(row->max, high));
		break;
	case CT_BOOL:
		str_cut(buf, size, "true or false");
		break;
	case CT_ARGV:
		str_cut(
		    buf, size, "a list of strings, the first an absolute path");
		break;
	case CT_NAMES:
		(void)snprintf(
		    buf, size, "a list of at most %d strings", (int)row->max);
		break;
	}
}
