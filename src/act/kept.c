/*
 * <prefix><time>-epoch<epoch>-<number>. Versions before wrote no number, or
 * neither: of what they made in one epoch the later name is the newer.
 */
#include "act/kept.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

static bool
kept_parse(struct kept *k, const char *name, const char *prefix)
{
	const char *at = name + strlen(prefix);
	size_t stamp;
	int end = 0;

	if (!str_starts(name, prefix) || strlen(name) >= sizeof(k->name))
		return false;
	stamp = strspn(at, "0123456789T");
	if (stamp == 0 || at[stamp] != 'Z')
		return false;
	at += stamp + 1;
	memset(k, 0, sizeof(*k));
	str_cut(k->name, sizeof(k->name), name);
	if (at[0] == '\0')
		return true;
	return sscanf(at, "-epoch%" SCNu64 "%n-%" SCNu64 "%n", &k->epoch, &end,
		   &k->number, &end) >= 1 &&
	       at[end] == '\0';
}

static int
kept_order(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

int
kept_read(
    struct kept_list *l, const char *dir, const char *prefix, struct error *err)
{
	struct dirent *entry;
	struct kept one;
	DIR *d = opendir(dir);
	int more;

	memset(l, 0, sizeof(*l));
	if (d == NULL)
		return errno == ENOENT ? 0 : error_sys(err, "open %s", dir);
	while ((more = file_next(d, dir, &entry, err)) == 1) {
		if (!kept_parse(&one, entry->d_name, prefix))
			continue;
		l->list = xrealloc(l->list, l->count + 1, sizeof(one));
		l->list[l->count++] = one;
	}
	closedir(d);
	if (more == -1)
		kept_free(l);
	if (l->count > 1)
		qsort(l->list, l->count, sizeof(*l->list), kept_order);
	return more;
}

void
kept_free(struct kept_list *l)
{
	free(l->list);
	memset(l, 0, sizeof(*l));
}

void
kept_next(const struct kept_list *l, const char *prefix, usec_t wall,
    uint64_t epoch, char *name, size_t size)
{
	time_t t = (time_t)(wall / USEC_SEC);
	uint64_t number = 0;
	char stamp[64];
	struct tm tm;
	size_t i;

	for (i = 0; i < l->count; i++)
		if (l->list[i].epoch == epoch && l->list[i].number > number)
			number = l->list[i].number;
	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(name, size, "%s%s-epoch%" PRIu64 "-%" PRIu64, prefix, stamp,
	    epoch, number + 1);
}
