/*
 * The settings of a configuration: what its file says that is no default, key
 * by key as text, by which two of them are compared, and their digests. What
 * may hold a secret is kept as a digest of its own: it can be compared, and
 * never shown. Nothing here says what a difference means.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/draft.h"
#include "conf/schema.h"
#include "hawatch/digest.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define SETTING_MAX 8192

static void settings_group(
    struct conf_draft *d, const struct conf_group *group);
static void settings_keys(struct conf_draft *d, const struct conf_group *group,
    const char *entry, const void *base);
static void settings_add(struct conf_draft *d, const struct conf_setting *s);
static void settings_names(
    struct conf_draft *d, const struct conf_group *group, int count);
static bool settings_text(
    const struct conf_row *row, const void *base, char *buf, size_t size);
static bool settings_default(const struct conf_row *row, const char *text);
static void settings_hide(const char *key, char *text, size_t size);
static void settings_digest(const struct conf_draft *d,
    bool (*counts)(const struct conf_setting *s), char out[CONF_DIGEST_MAX]);
static bool settings_any(const struct conf_setting *s);
static bool settings_shared(const struct conf_setting *s);
static bool settings_vital(const struct conf_setting *s);

void
conf_settings(struct conf_draft *d)
{
	size_t i;

	for (i = 0; i < conf_group_count; i++)
		settings_group(d, &conf_groups[i]);
	d->conf.setting = d->settings;
	settings_digest(d, settings_any, d->conf.whole);
	settings_digest(d, settings_shared, d->conf.digest);
	settings_digest(d, settings_vital, d->conf.vital);
}

/* The name is the first key of every list's entry. */
static const char *
settings_entry(const struct conf_group *group, const void *base)
{
	char key[80];
	size_t i;

	(void)snprintf(key, sizeof(key), "%s.name", group->name);
	for (i = 0; i < conf_row_count; i++)
		if (strcmp(conf_rows[i].key, key) == 0)
			return *(const char *const *)(const void
				*)((const char *)base + conf_rows[i].offset);
	return NULL;
}

static void
settings_group(struct conf_draft *d, const struct conf_group *group)
{
	int count =
	    *(const int *)(const void *)((const char *)d + group->count);
	const char *base;
	int i;

	if (group->stride == 0) {
		settings_keys(d, group, NULL, d);
		return;
	}
	settings_names(d, group, count);
	for (i = 0; i < count; i++) {
		base =
		    (const char *)d + group->offset + group->stride * (size_t)i;
		settings_keys(d, group, settings_entry(group, base), base);
	}
}

static void
settings_names(struct conf_draft *d, const struct conf_group *group, int count)
{
	struct conf_setting s = { .key = group->name };
	char text[SETTING_MAX] = "";
	const char *name;
	size_t len = 0;
	int i;

	for (i = 0; i < count && len < sizeof(text); i++) {
		name = settings_entry(group, (const char *)d + group->offset +
						 group->stride * (size_t)i);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    i == 0 ? "" : ", ", name == NULL ? "" : name);
	}
	if (count == 0)
		return;
	conf_kind(&s);
	s.text = draft_string(d, text);
	settings_add(d, &s);
}

/* entry NULL: not of a list. */
static void
settings_keys(struct conf_draft *d, const struct conf_group *group,
    const char *entry, const void *base)
{
	char key[200], text[SETTING_MAX];
	const struct conf_row *row;
	struct conf_setting s;
	size_t i;

	for (i = 0; i < conf_row_count; i++) {
		row = &conf_rows[i];
		if (!conf_row_in(row, group) ||
		    !settings_text(row, base, text, sizeof(text)) ||
		    settings_default(row, text))
			continue;
		if (entry == NULL)
			str_cut(key, sizeof(key), row->key);
		else
			(void)snprintf(key, sizeof(key), "%s[%s].%s",
			    group->name, entry, conf_row_name(row));
		s = (struct conf_setting){ .key = draft_string(d, key) };
		conf_kind(&s);
		if (s.hidden)
			settings_hide(key, text, sizeof(text));
		s.text = draft_string(d, text);
		settings_add(d, &s);
	}
}

static void
settings_add(struct conf_draft *d, const struct conf_setting *s)
{
	int n = d->conf.setting_count++;

	d->settings =
	    xrealloc(d->settings, (size_t)n + 1, sizeof(*d->settings));
	d->settings[n] = *s;
}

static void
settings_list(const char *const *list, char *buf, size_t size)
{
	size_t len = 0;
	int i;

	buf[0] = '\0';
	for (i = 0; list[i] != NULL && len < size; i++)
		len += (size_t)snprintf(
		    buf + len, size - len, "%s%s", i == 0 ? "" : ", ", list[i]);
}

/* False: it was not given, and has no default. */
static bool
settings_text(
    const struct conf_row *row, const void *base, char *buf, size_t size)
{
	const void *field = (const char *)base + row->offset;
	const char *text;
	int n;

	switch (row->type) {
	case CT_INT:
		(void)snprintf(buf, size, "%d", *(const int *)field);
		return true;
	case CT_BOOL:
		str_cut(buf, size, *(const bool *)field ? "true" : "false");
		return true;
	case CT_USEC:
		usec_str(*(const usec_t *)field, buf);
		return true;
	case CT_BYTES:
		(void)snprintf(buf, size, "%llukB",
		    (unsigned long long)*(const lsn_t *)field / 1024);
		return *(const lsn_t *)field != 0;
	case CT_ENUM:
		n = *(const int *)field;
		str_cut(buf, size, row->words[n]);
		return true;
	case CT_ARGV:
	case CT_NAMES:
		settings_list(field, buf, size);
		return buf[0] != '\0';
	case CT_STRING:
	case CT_NAME:
	case CT_PATH:
	case CT_NODE_PATH:
	case CT_ADDRESS:
	case CT_HOST:
	case CT_WORD:
		text = *(const char *const *)field;
		str_cut(buf, size, text == NULL ? "" : text);
		return text != NULL;
	}
	return false;
}

/* "10min" and "600s" are one. */
static bool
settings_default(const struct conf_row *row, const char *text)
{
	char buf[USEC_STR_MAX];
	usec_t t;

	if (row->def == NULL)
		return false;
	if (row->type == CT_USEC && usec_parse(row->def, &t) == 0)
		return strcmp(usec_str(t, buf), text) == 0;
	return strcmp(row->def, text) == 0;
}

static void
settings_hide(const char *key, char *text, size_t size)
{
	struct digest *d = digest_new();
	char md[CONF_DIGEST_MAX];

	digest_text(d, key);
	digest_text(d, text);
	digest_end(d, md, sizeof(md));
	str_cut(text, size, md);
}

static bool
settings_any(const struct conf_setting *s)
{
	return true;
}

static bool
settings_shared(const struct conf_setting *s)
{
	return !s->own;
}

static bool
settings_vital(const struct conf_setting *s)
{
	return s->vital;
}

static void
settings_digest(const struct conf_draft *d,
    bool (*counts)(const struct conf_setting *s), char out[CONF_DIGEST_MAX])
{
	const struct conf_setting *s = d->settings;
	struct digest *md = digest_new();
	int i;

	for (i = 0; i < d->conf.setting_count; i++) {
		if (!counts(&s[i]))
			continue;
		digest_text(md, s[i].key);
		digest_text(md, s[i].text);
	}
	/* 64 bits tell two files apart; nobody has to forge one. */
	digest_end(md, out, CONF_DIGEST_MAX);
}
