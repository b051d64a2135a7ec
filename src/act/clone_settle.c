/*
 * What copies took the place of, and how much of it stays.
 *
 * What copies in vain took the place of is old together with them: the first of
 * these may be the only copy of something. So all that was replaced until this
 * data streamed is one group, and has one mark: the name of the newest, and how
 * many groups there were. They are marked from the oldest on: while the newest
 * has no mark, it is seen that this was cut short, and which belong to it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/clone_dir_i.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define MARK "/pg_internal.init.hawatch-old"
#define MARK_MAX ((size_t)NAME_MAX + 40)

/* Of one that is old: its mark, which all of its group have; "": it is not. */
struct settle_age {
	char mark[MARK_MAX];
	uint64_t number; /* of the group; 0: of versions before */
};

struct settle {
	char top[PATH_MAX], prefix[NAME_MAX + 1];
	struct kept_list kept;
	struct settle_age *age; /* as many */
};

static void
settle_set(struct settle_age *age, const char *text)
{
	const char *number = strchr(text, '\n');

	str_cut(age->mark, sizeof(age->mark), text);
	age->number = number == NULL ? 0 : strtoull(number, NULL, 10);
}

static int
settle_age(struct settle *s, size_t i, struct error *err)
{
	char path[PATH_MAX], mark[PATH_MAX], *found;

	if (clone_entry(path, s->top, s->kept.list[i].name, err) == -1 ||
	    clone_path(mark, path, MARK, err) == -1)
		return -1;
	if (access(mark, F_OK) == -1)
		return 0;
	found = file_read(mark, MARK_MAX - 1, NULL, err);
	if (found == NULL)
		return -1;
	settle_set(&s->age[i], found);
	free(found);
	return 0;
}

static void
settle_free(struct settle *s)
{
	kept_free(&s->kept);
	free(s->age);
}

static int
settle_read(const struct clone_dir *dir, struct settle *s, struct error *err)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	if (clone_kept(dir, s->top, s->prefix, &s->kept, err) == -1)
		return -1;
	s->age = xcalloc(s->kept.count + 1, sizeof(*s->age));
	for (i = 0; i < s->kept.count; i++)
		if (settle_age(s, i, err) == -1) {
			settle_free(s);
			return -1;
		}
	return 0;
}

static bool
settle_is_old(const struct settle *s, size_t i)
{
	return s->age[i].mark[0] != '\0';
}

/* The mark that others have which is called after this one; NULL: none. */
static const char *
settle_cut(const struct settle *s, size_t newest)
{
	const char *name = s->kept.list[newest].name, *mark;
	size_t i, len = strlen(name);

	for (i = 0; i < s->kept.count; i++) {
		mark = s->age[i].mark;
		if (i != newest && str_starts(mark, name) &&
		    (mark[len] == '\0' || mark[len] == '\n'))
			return mark;
	}
	return NULL;
}

/* All until that one that are in no group are in this one. */
static int
settle_mark(
    struct settle *s, size_t newest, const char *text, struct error *err)
{
	char path[PATH_MAX], mark[MARK_MAX];
	size_t i;

	str_cut(mark, sizeof(mark), text);
	for (i = 0; i <= newest; i++) {
		if (settle_is_old(s, i))
			continue;
		if (clone_entry(path, s->top, s->kept.list[i].name, err) ==
			-1 ||
		    clone_put(path, MARK, mark, err) == -1)
			return -1;
		settle_set(&s->age[i], mark);
	}
	return 0;
}

/* What another time began, and after that a group of the rest. */
static int
settle_note(struct settle *s, struct error *err)
{
	size_t i, newest = s->kept.count;
	char mark[MARK_MAX];
	uint64_t number = 0;
	const char *cut;

	for (i = 0; i < s->kept.count; i++) {
		cut = settle_is_old(s, i) ? NULL : settle_cut(s, i);
		if (cut != NULL && settle_mark(s, i, cut, err) == -1)
			return -1;
	}
	for (i = 0; i < s->kept.count; i++) {
		if (!settle_is_old(s, i))
			newest = i;
		if (number < s->age[i].number)
			number = s->age[i].number;
	}
	if (newest == s->kept.count)
		return 0;
	snprintf(mark, sizeof(mark), "%s\n%" PRIu64, s->kept.list[newest].name,
	    number + 1);
	return settle_mark(s, newest, mark, err);
}

int
clone_dir_note(const struct clone_dir *dir, struct error *err)
{
	struct settle s;
	int rc;

	if (settle_read(dir, &s, err) == -1)
		return -1;
	rc = settle_note(&s, err);
	settle_free(&s);
	return rc;
}

/* Enough groups are newer than its own. Each is counted at its newest. */
static bool
settle_goes(const struct settle *s, size_t i)
{
	size_t j, k, seen = 0;

	if (!settle_is_old(s, i))
		return false;
	for (j = 0; j < s->kept.count; j++) {
		if (!settle_is_old(s, j) ||
		    strcmp(s->age[j].mark, s->age[i].mark) == 0 ||
		    s->age[j].number < s->age[i].number ||
		    (s->age[j].number == s->age[i].number && j < i))
			continue;
		for (k = j + 1; k < s->kept.count; k++)
			if (strcmp(s->age[k].mark, s->age[j].mark) == 0)
				break;
		if (k == s->kept.count)
			seen++;
	}
	return seen >= CLONE_OLD_KEEP;
}

/* What is half removed is none of them. */
static int
settle_drop(const struct clone_dir *dir, const char *path, struct error *err)
{
	char gone[PATH_MAX];

	if (clone_path(gone, dir->data, ".gone", err) == -1 ||
	    clone_remove(dir, gone, err) == -1)
		return -1;
	if (path == NULL)
		return 0;
	if (rename(path, gone) == -1)
		return error_sys(err, "rename %s", path);
	return clone_remove(dir, gone, err);
}

int
clone_dir_prune(const struct clone_dir *dir, struct error *err)
{
	char path[PATH_MAX];
	struct settle s;
	int rc = 0;
	size_t i;

	if (settle_drop(dir, NULL, err) == -1 ||
	    settle_read(dir, &s, err) == -1)
		return -1;
	for (i = 0; i < s.kept.count && rc == 0; i++) {
		if (!settle_goes(&s, i))
			continue;
		rc = clone_entry(path, s.top, s.kept.list[i].name, err);
		if (rc == 0)
			rc = settle_drop(dir, path, err);
	}
	settle_free(&s);
	return rc;
}
