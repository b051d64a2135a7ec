/*
 * The walk over libconfig's tree by the schema: each group's keys, what is
 * unknown, what is missing, the defaults. Decides nothing about meaning.
 */
#include "conf/draft.h"
#include "conf/schema.h"
#include "conf/value.h"

#include <stdio.h>
#include <string.h>

#include "hawatch/str.h"

#define WALK_NAMES_MAX 64

static void walk_list(struct conf_draft *d, const struct conf_group *group,
    const config_setting_t *list);
static void walk_keys(struct conf_draft *d, const struct conf_group *group,
    const config_setting_t *at, void *base);
static bool walk_lacks(const struct conf_group *group,
    const config_setting_t *at, const char *base);
static bool walk_word(const struct conf_row *row, const config_setting_t *at);
static bool walk_known(const struct conf_group *group, const char *name);
static void walk_unknown(struct conf_draft *d, const struct conf_group *group,
    const config_setting_t *at);
static size_t walk_names(const struct conf_group *group, const char **names);

void
conf_walk(struct conf_draft *d)
{
	const config_setting_t *root = config_root_setting(&d->file);
	const struct conf_group *group;
	const config_setting_t *at;
	char shown[80];
	size_t i;

	for (i = 0; i < conf_group_count; i++) {
		group = &conf_groups[i];
		at = group->name[0] == '\0' ?
			 root :
			 config_setting_get_member(root, group->name);
		if (group->stride != 0) {
			walk_list(d, group, at);
			continue;
		}
		if (at != NULL && !config_setting_is_group(at)) {
			conf_show(at, shown, sizeof(shown));
			draft_fault(d, at,
			    "%s is %s; write a group, %s = { "
			    "...; };",
			    group->name, shown, group->name);
			at = NULL;
			continue;
		}
		walk_keys(d, group, at, d);
	}
}

static void
walk_list(struct conf_draft *d, const struct conf_group *group,
    const config_setting_t *list)
{
	bool *broken = (bool *)(void *)((char *)d + group->broken);
	int *count = (int *)(void *)((char *)d + group->count);
	const config_setting_t *at;
	char shown[80];
	char *base;
	int i, n;

	if (list == NULL) {
		if (group->required) {
			*broken = true;
			draft_fault(d, NULL, "%s is missing; write %s",
			    group->name, group->example);
		}
		return;
	}
	n = config_setting_length(list);
	if (!config_setting_is_list(list)) {
		conf_show(list, shown, sizeof(shown));
		*broken = true;
		draft_fault(d, list, "%s is %s; write a list of groups, %s",
		    group->name, shown, group->example);
		return;
	}
	if (n > group->max) {
		*broken = true;
		draft_fault(d, list, "%s has %d entries; write at most %d",
		    group->name, n, group->max);
		return;
	}
	*count = n;
	for (i = 0; i < n; i++) {
		at = config_setting_get_elem(list, (unsigned)i);
		if (!config_setting_is_group(at)) {
			conf_show(at, shown, sizeof(shown));
			draft_fault(d, at,
			    "entry %d of %s is %s; write a "
			    "group, %s",
			    i + 1, group->name, shown, group->example);
			*broken = true;
			continue;
		}
		base = (char *)d + group->offset + group->stride * (size_t)i;
		walk_keys(d, group, at, base);
		*broken |= walk_lacks(group, at, base);
	}
}

/* at NULL: the group is not in the file. */
static void
walk_keys(struct conf_draft *d, const struct conf_group *group,
    const config_setting_t *at, void *base)
{
	const config_setting_t *setting;
	const struct conf_row *row;
	char example[160], type[160];
	size_t r;
	int i;

	for (r = 0; r < conf_row_count; r++) {
		row = &conf_rows[r];
		if (!conf_row_in(row, group))
			continue;
		setting = at == NULL ?
			      NULL :
			      config_setting_get_member(at, conf_row_name(row));
		conf_default(d, row, base);
		if (setting != NULL) {
			(void)conf_value(d, row, setting, base);
		} else if (row->required) {
			conf_example(row, example, sizeof(example));
			conf_row_type(row, type, sizeof(type));
			draft_fault(d, at, "%s is missing; write %s, e.g. %s",
			    row->key, type, example);
		}
	}
	for (i = 0; at != NULL && i < config_setting_length(at); i++) {
		setting = config_setting_get_elem(at, (unsigned)i);
		if (!walk_known(group, config_setting_name(setting)))
			walk_unknown(d, group, setting);
	}
}

/* A required string is not there, or was no string. */
static bool
walk_lacks(const struct conf_group *group, const config_setting_t *at,
    const char *base)
{
	const struct conf_row *row;
	size_t i;

	for (i = 0; i < conf_row_count; i++) {
		row = &conf_rows[i];
		if (!conf_row_in(row, group) || !row->required)
			continue;
		if (row->type == CT_ENUM ?
			!walk_word(row, at) :
			*(const char *const *)(const void *)(base +
							     row->offset) ==
			    NULL)
			return true;
	}
	return false;
}

/* What is kept as a number does not show whether it was given. */
static bool
walk_word(const struct conf_row *row, const config_setting_t *at)
{
	const char *const *word;
	const char *text;

	if (config_setting_lookup_string(at, conf_row_name(row), &text) !=
	    CONFIG_TRUE)
		return false;
	for (word = row->words; *word != NULL; word++)
		if (strcmp(*word, text) == 0)
			return true;
	return false;
}

static bool
walk_known(const struct conf_group *group, const char *name)
{
	const char *names[WALK_NAMES_MAX];
	size_t n = walk_names(group, names);

	while (n-- > 0)
		if (strcmp(names[n], name) == 0)
			return true;
	return false;
}

static void
walk_unknown(struct conf_draft *d, const struct conf_group *group,
    const config_setting_t *at)
{
	const char *name = config_setting_name(at);
	const char *dot = group->name[0] == '\0' ? "" : ".";
	const char *names[WALK_NAMES_MAX];
	size_t n = walk_names(group, names);
	const char *near = str_nearest(name, names, n);
	char list[300] = "";
	size_t i, len;

	if (near != NULL) {
		draft_fault(d, at, "unknown key %s%s%.60s; did you mean %s?",
		    group->name, dot, name, near);
		return;
	}
	for (i = 0; i < conf_row_count; i++) {
		if (strcmp(conf_row_name(&conf_rows[i]), name) != 0)
			continue;
		draft_fault(d, at,
		    "unknown key %s%s%.60s; %s belongs to "
		    "another group: write it as %s",
		    group->name, dot, name, name, conf_rows[i].key);
		return;
	}
	for (i = 0; i < n; i++) {
		len = strlen(list);
		(void)snprintf(list + len, sizeof(list) - len, "%s%s",
		    i == 0 ? "" : ", ", names[i]);
	}
	draft_fault(d, at,
	    "unknown key %s%s%.60s; remove it, or write one of "
	    "%s",
	    group->name, dot, name, list);
}

/* The keys of a group; at the top also the groups. */
static size_t
walk_names(const struct conf_group *group, const char **names)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < conf_row_count; i++)
		if (conf_row_in(&conf_rows[i], group))
			names[n++] = conf_row_name(&conf_rows[i]);
	for (i = 0; group->name[0] == '\0' && i < conf_group_count; i++)
		if (conf_groups[i].name[0] != '\0')
			names[n++] = conf_groups[i].name;
	return n;
}
