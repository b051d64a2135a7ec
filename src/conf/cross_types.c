/*
 * Lists whose members are of several types, checks and items: which type has
 * which key, and cannot do without which.
 */
#include "conf/cross_i.h"

/* An empty text, a port 0, are as good as none. */
static bool
cross_there(const struct conf_draft *d, const char *path)
{
	const char *text;
	int number;

	if (config_lookup_string(&d->file, path, &text) == CONFIG_TRUE)
		return text[0] != '\0';
	if (config_lookup_int(&d->file, path, &number) == CONFIG_TRUE)
		return number != 0;
	return draft_given(d, path);
}

void
cross_types(struct conf_draft *d, const struct cross_typed *t,
    const struct cross_key *keys, size_t n)
{
	const struct cross_key *key;
	char path[CROSS_PATH_MAX];
	size_t k;

	for (k = 0; k < n; k++) {
		key = &keys[k];
		cross_path(path, t->list, t->at, key->key);
		if (!(key->types & t->type) && draft_given(d, path))
			draft_fault_at(d, path,
			    "%s %s: %s is not for type %s; remove it", t->what,
			    t->name, key->key, t->type_name);
		if ((key->needed & t->type) && !cross_there(d, path))
			draft_fault_at(d, path,
			    "%s %s: %s is missing with type %s; write %s",
			    t->what, t->name, key->key, t->type_name,
			    key->write);
	}
}
