/*
 * Values: their types, ranges and units. Knows one key at a time; rules between
 * keys are in cross.c.
 */
#include "conf/value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/str.h"

static const char *value_text(struct conf_draft *d, const struct conf_row *row,
    const char *text, void *field);
static const char *value_path(struct conf_draft *d, const struct conf_row *row,
    const char *text, const char **field);
static const char *value_string(struct conf_draft *d,
    const struct conf_row *row, const char *text, const char **field);
static const char *value_usec(
    const struct conf_row *row, const char *text, usec_t *field);
static const char *value_bytes(
    const struct conf_row *row, const char *text, lsn_t *field);
static const char *value_number(
    const struct conf_row *row, const config_setting_t *setting, int *field);
static const char *value_list(struct conf_draft *d, const struct conf_row *row,
    const config_setting_t *setting, const char **field);
static int value_word(const struct conf_row *row, const char *text);
static bool value_is_host(const char *text);
static bool value_is_text(enum conf_type type);

bool
conf_value(struct conf_draft *d, const struct conf_row *row,
    const config_setting_t *setting, void *base)
{
	char *field = (char *)base + row->offset;
	char shown[80], type[160], example[160];
	const char *wrong;

	if (row->type == CT_INT)
		wrong = value_number(row, setting, (int *)(void *)field);
	else if (row->type == CT_ARGV || row->type == CT_NAMES)
		wrong =
		    value_list(d, row, setting, (const char **)(void *)field);
	else if (row->type == CT_BOOL) {
		wrong = config_setting_type(setting) == CONFIG_TYPE_BOOL ?
			    NULL :
			    "not a truth value";
		*(bool *)field = config_setting_get_bool(setting) != 0;
	} else if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		wrong = value_text(
		    d, row, config_setting_get_string(setting), field);
	else if ((row->type == CT_USEC || row->type == CT_BYTES) &&
		 config_setting_is_number(setting))
		wrong = "a number without a unit";
	else
		wrong = "not a string";
	if (wrong == NULL)
		return true;
	conf_show(setting, shown, sizeof(shown));
	conf_row_type(row, type, sizeof(type));
	conf_example(row, example, sizeof(example));
	draft_fault(d, setting, "%s is %s, %s; write %s, e.g. %s", row->key,
	    shown, wrong, type, example);
	return false;
}

void
conf_default(struct conf_draft *d, const struct conf_row *row, void *base)
{
	char *field = (char *)base + row->offset;
	const char *wrong = NULL;

	if (row->def == NULL)
		return;
	if (row->type == CT_INT) {
		if (str_parse_int(row->def, (int)row->min, (int)row->max,
			(int *)(void *)field) == -1)
			abort();
	} else if (row->type == CT_BOOL)
		*(bool *)field = strcmp(row->def, "true") == 0;
	else
		wrong = value_text(d, row, row->def, field);
	if (wrong != NULL)
		abort(); /* a row whose own default is out of its range */
}

void
conf_example(const struct conf_row *row, char *buf, size_t size)
{
	const char *quote = value_is_text(row->type) ? "\"" : "";
	const char *name = conf_row_name(row);

	if (row->example != NULL)
		(void)snprintf(buf, size, "%s = %s;", name, row->example);
	else
		(void)snprintf(
		    buf, size, "%s = %s%s%s;", name, quote, row->def, quote);
}

void
conf_show(const config_setting_t *setting, char *buf, size_t size)
{
	const char *text;

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		text = config_setting_get_string(setting);
		(void)snprintf(buf, size, "\"%.60s%s\"", text,
		    strlen(text) > 60 ? "..." : "");
		break;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		(void)snprintf(
		    buf, size, "%lld", config_setting_get_int64(setting));
		break;
	case CONFIG_TYPE_FLOAT:
		(void)snprintf(
		    buf, size, "%g", config_setting_get_float(setting));
		break;
	case CONFIG_TYPE_BOOL:
		str_cut(buf, size,
		    config_setting_get_bool(setting) ? "true" : "false");
		break;
	case CONFIG_TYPE_GROUP:
		str_cut(buf, size, "a group { }");
		break;
	case CONFIG_TYPE_LIST:
		str_cut(buf, size, "a list ( )");
		break;
	default:
		str_cut(buf, size, "an array [ ]");
		break;
	}
}

/* NULL, or what is wrong with the text. */
static const char *
value_text(struct conf_draft *d, const struct conf_row *row, const char *text,
    void *field)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	int word;

	switch (row->type) {
	case CT_USEC:
		return value_usec(row, text, field);
	case CT_BYTES:
		return value_bytes(row, text, field);
	case CT_PATH:
	case CT_NODE_PATH:
		return value_path(d, row, text, field);
	case CT_ENUM:
	case CT_WORD:
		word = value_word(row, text);
		if (word == -1)
			return "not known";
		if (row->type == CT_ENUM)
			*(int *)field = word;
		else
			*(const char **)field = row->words[word];
		return NULL;
	case CT_HOST:
	case CT_ADDRESS:
		*(const char **)field = draft_string(d, text);
		if (row->type == CT_HOST && value_is_host(text))
			return NULL;
		if ((text[0] != '\0' || row->min > 0) &&
		    inet_pton(AF_INET, text, bytes) != 1 &&
		    inet_pton(AF_INET6, text, bytes) != 1)
			return "not numeric (names are not resolved)";
		return NULL;
	case CT_STRING:
	case CT_NAME:
		return value_string(d, row, text, field);
	case CT_INT:
	case CT_BOOL:
	case CT_ARGV:
	case CT_NAMES:
		break;
	}
	return "not expected here";
}

static const char *
value_path(struct conf_draft *d, const struct conf_row *row, const char *text,
    const char **field)
{
	size_t len = strlen(text);
	char *copy = draft_string(d, text);

	*field = copy;
	if (len == 0 && row->def != NULL && row->def[0] == '\0')
		return NULL;
	if (text[0] != '/')
		return "not absolute";
	if (len > (size_t)row->max)
		return "too long";
	if (row->type == CT_PATH && strstr(text, "${") != NULL)
		return "with a ${} that is not expanded here";
	/* "/run/x/" and "/run/x" are to be the same directory. */
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	return NULL;
}

static const char *
value_string(struct conf_draft *d, const struct conf_row *row, const char *text,
    const char **field)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(text);
	size_t i, step;

	*field = draft_string(d, text);
	if (len == 0 && row->def != NULL && row->def[0] == '\0')
		return NULL;
	if (len == 0 && (row->type == CT_NAME || row->min > 0))
		return "empty";
	if (len > (size_t)row->max)
		return "too long";
	for (i = 0; i < len; i += step) {
		step = row->type == CT_NAME ? 1 : str_utf8(text + i);
		if (step == 0)
			return "with a control character or bytes that are "
			       "not UTF-8";
		if (row->type == CT_NAME && strchr(letters, text[i]) == NULL &&
		    (i == 0 || strchr("._-", text[i]) == NULL))
			return "with a character that no name may have there";
	}
	return NULL;
}

static const char *
value_usec(const struct conf_row *row, const char *text, usec_t *field)
{
	usec_t value;

	if (usec_parse(text, &value) == -1)
		return "not a whole number followed by us, ms, s, min or h";
	if (value < row->min || value > row->max)
		return "out of range";
	*field = value;
	return NULL;
}

/* Units as PostgreSQL has them: powers of 1024. */
static const char *
value_bytes(const struct conf_row *row, const char *text, lsn_t *field)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	size_t u, len = strspn(text, "0123456789");
	uint64_t n, most = (uint64_t)row->max;
	char digits[24];

	for (u = 0; u < sizeof(units) / sizeof(units[0]); u++)
		if (strcmp(text + len, units[u]) == 0)
			break;
	if (len == 0 || u == sizeof(units) / sizeof(units[0]))
		return "not a whole number followed by kB, MB, GB or TB";
	if (len >= sizeof(digits))
		return "out of range";
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (str_parse_u64(digits, &n) == -1 || n > most >> (10 * (u + 1)))
		return "out of range";
	n <<= 10 * (u + 1);
	if (n < (uint64_t)row->min)
		return "out of range";
	*field = n;
	return NULL;
}

static const char *
value_number(
    const struct conf_row *row, const config_setting_t *setting, int *field)
{
	int type = config_setting_type(setting);
	long long value = config_setting_get_int64(setting);

	if (type == CONFIG_TYPE_STRING)
		return "a string";
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return "not a whole number";
	if (value < row->min || value > row->max)
		return "out of range";
	*field = (int)value;
	return NULL;
}

static const char *
value_list(struct conf_draft *d, const struct conf_row *row,
    const config_setting_t *setting, const char **field)
{
	const char *text;
	int i, n;

	if (!config_setting_is_array(setting) &&
	    !config_setting_is_list(setting))
		return "not a list (no shell ever splits it into words)";
	n = config_setting_length(setting);
	if (n == 0)
		return "empty";
	if (n > row->max)
		return "too long";
	for (i = 0; i < n; i++) {
		text = config_setting_get_string_elem(setting, i);
		if (text == NULL)
			return "with a value that is not a string";
		if (i == 0 && text[0] != '/' && row->type == CT_ARGV)
			return "with a program that is not an absolute path";
		field[i] = draft_string(d, text);
	}
	field[n] = NULL;
	return NULL;
}

static int
value_word(const struct conf_row *row, const char *text)
{
	int i;

	for (i = 0; row->words[i] != NULL; i++)
		if (strcmp(row->words[i], text) == 0)
			return i;
	return -1;
}

/* What stands for a numeric address, whole. */
static bool
value_is_host(const char *text)
{
	static const char *const known[] = { "${primary.address}",
		"${primary.private_ip}", "${self.address}",
		"${self.private_ip}" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i]) == 0)
			return true;
	return false;
}

static bool
value_is_text(enum conf_type type)
{
	return type != CT_INT && type != CT_BOOL && type != CT_ARGV &&
	       type != CT_NAMES;
}
