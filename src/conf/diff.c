/*
 * Two configurations side by side: which keys differ, and how; and the change
 * of what may change while the daemon runs.
 */
#include <stdio.h>
#include <string.h>

#include "conf/schema.h"
#include "hawatch/conf.h"
#include "hawatch/str.h"

static const struct conf_setting *diff_find(
    const struct conf_setting *list, int count, const char *key);
static bool diff_has_entry(
    const struct conf_setting *list, int count, const char *key);
static void diff_words(char *buf, size_t size, const struct conf_setting *own,
    const struct conf_setting *other, const struct conf_setting *list,
    int count);
static const char *diff_default(const char *key);
static bool diff_vanishes(
    const struct conf_setting *s, const struct conf_setting *list, int count);

void
conf_diff(const struct conf_setting *old, int old_count,
    const struct conf_setting *new, int new_count,
    void (*fn)(void *arg, const struct conf_change *change), void *arg)
{
	const struct conf_setting *a, *b, *s;
	struct conf_change change;
	int i;

	for (i = 0; i < old_count + new_count; i++) {
		s = i < old_count ? &old[i] : &new[i - old_count];
		a = diff_find(old, old_count, s->key);
		b = diff_find(new, new_count, s->key);
		/* What both have is looked at once. */
		if ((i >= old_count && a != NULL) ||
		    (a != NULL && b != NULL && strcmp(a->text, b->text) == 0))
			continue;
		/* That an entry goes is said by the list; what it had, not. */
		if (b == NULL && diff_vanishes(s, new, new_count))
			continue;
		change = (struct conf_change){ .key = s->key,
			.live = s->live,
			.vital = s->vital,
			.own = s->own };
		diff_words(
		    change.old, sizeof(change.old), a, b, old, old_count);
		diff_words(
		    change.new, sizeof(change.new), b, a, new, new_count);
		fn(arg, &change);
	}
}

static const struct conf_setting *
diff_find(const struct conf_setting *list, int count, const char *key)
{
	int i;

	for (i = 0; i < count; i++)
		if (strcmp(list[i].key, key) == 0)
			return &list[i];
	return NULL;
}

/* Whether the list of that key's group has its entry: "checks[pg]". */
static bool
diff_has_entry(const struct conf_setting *list, int count, const char *key)
{
	const char *end = strchr(key, ']');
	size_t len = end == NULL ? 0 : (size_t)(end - key) + 1;
	int i;

	for (i = 0; i < count && len > 0; i++)
		if (strncmp(list[i].key, key, len) == 0)
			return true;
	return false;
}

static bool
diff_vanishes(
    const struct conf_setting *s, const struct conf_setting *list, int count)
{
	return strchr(s->key, ']') != NULL &&
	       !diff_has_entry(list, count, s->key);
}

/* own NULL: this side does not give it. */
static void
diff_words(char *buf, size_t size, const struct conf_setting *own,
    const struct conf_setting *other, const struct conf_setting *list,
    int count)
{
	const char *def;

	if ((own != NULL && own->hidden) ||
	    (own == NULL && other != NULL && other->hidden)) {
		str_cut(buf, size, own == NULL ? "not given" : "not shown");
		return;
	}
	if (own != NULL) {
		str_cut(buf, size, own->text[0] == '\0' ? "\"\"" : own->text);
		return;
	}
	if (other != NULL && diff_vanishes(other, list, count)) {
		str_cut(buf, size, "not there");
		return;
	}
	def = other == NULL ? NULL : diff_default(other->key);
	if (def == NULL)
		str_cut(buf, size, "not given");
	else
		(void)snprintf(buf, size, "%s, the default",
		    def[0] == '\0' ? "\"\"" : def);
}

/* The row of "checks[pg].timeout" is that of "checks.timeout". */
static const struct conf_row *
diff_row(const char *key)
{
	const char *open = strchr(key, '['), *close = strchr(key, ']');
	char plain[200];
	size_t i;

	if (open == NULL || close == NULL)
		str_cut(plain, sizeof(plain), key);
	else
		(void)snprintf(plain, sizeof(plain), "%.*s%s",
		    (int)(open - key), key, close + 1);
	for (i = 0; i < conf_row_count; i++)
		if (strcmp(conf_rows[i].key, plain) == 0)
			return &conf_rows[i];
	return NULL;
}

static const char *
diff_default(const char *key)
{
	const struct conf_row *row = diff_row(key);

	return row == NULL ? NULL : row->def;
}

void
conf_kind(struct conf_setting *s)
{
	const struct conf_row *row = diff_row(s->key);
	const struct conf_group *group;
	size_t i;

	for (i = 0; i < conf_group_count; i++) {
		group = &conf_groups[i];
		if (strcmp(s->key, group->name) == 0) {
			s->live = group->live;
			s->vital = group->vital;
		}
		if (row != NULL && conf_row_in(row, group))
			s->live = row->live || group->live;
	}
	if (row == NULL)
		return;
	s->vital = row->vital;
	s->own = row->own;
	s->hidden = row->hidden || row->type == CT_ARGV;
}

static void
diff_swap(void *a, void *b, size_t size)
{
	unsigned char *x = a, *y = b, t;
	size_t i;

	for (i = 0; i < size; i++) {
		t = x[i];
		x[i] = y[i];
		y[i] = t;
	}
}

#define SWAP(field) diff_swap(&a->field, &b->field, sizeof(a->field))

enum conf_part
conf_part(const char *key)
{
	if (str_starts(key, "checks"))
		return CONF_CHECKS;
	if (str_starts(key, "converge"))
		return CONF_CONVERGE;
	return str_starts(key, "traffic") ? CONF_TRAFFIC : CONF_REST;
}

void
conf_swap(struct conf *a, struct conf *b, enum conf_part part)
{
	switch (part) {
	case CONF_CHECKS:
		SWAP(check_count);
		SWAP(check);
		break;
	case CONF_CONVERGE:
		SWAP(item_count);
		SWAP(item);
		break;
	case CONF_TRAFFIC:
		SWAP(traffic_count);
		SWAP(traffic);
		break;
	case CONF_REST:
		SWAP(mode);
		SWAP(min_interval);
		SWAP(rejoin);
		SWAP(setting_count);
		SWAP(setting);
		SWAP(digest);
		SWAP(vital);
		SWAP(whole);
		break;
	}
}
