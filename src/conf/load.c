/*
 * A file into a configuration, or into all that is wrong with it. Files that
 * the configuration names (keys, programs) are not opened here: who uses them
 * says what is wrong with them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/draft.h"
#include "conf/memory.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"

#define LOAD_MAX ((size_t)1024 * 1024)

static char *load_file(struct conf_draft *d);
static bool load_parse(struct conf_draft *d, const char *text);
static void load_errors(struct conf_draft *d, struct conf_errors *errors);
static int load_order(const void *a, const void *b);
static void load_free_memory(struct conf_memory *m);

struct conf *
conf_load(const char *path, const char *node, struct conf_errors *errors)
{
	struct conf_draft *d = xcalloc(1, sizeof(*d));
	struct conf *conf = NULL;
	char *text;

	memset(errors, 0, sizeof(*errors));
	d->conf.memory = xcalloc(1, sizeof(struct conf_memory));
	d->path = draft_string(d, path);
	d->conf.path = d->path;
	d->conf.self = NODE_NONE;
	d->conf.arbiter = NODE_NONE;
	config_init(&d->file);
	text = load_file(d);
	if (text != NULL && load_parse(d, text)) {
		conf_walk(d);
		if (d->fault_count == 0)
			conf_settings(d);
		conf_cross(d, node);
	}
	free(text);
	if (d->fault_count == 0) {
		conf = xmemdup(&d->conf, sizeof(d->conf));
	} else {
		load_errors(d, errors);
		free(d->settings);
		load_free_memory(d->conf.memory);
	}
	config_destroy(&d->file);
	free(d);
	return conf;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	free((void *)(uintptr_t)conf->setting);
	load_free_memory(conf->memory);
	free(conf);
}

void
conf_errors_free(struct conf_errors *errors)
{
	int i;

	for (i = 0; i < errors->count; i++)
		free(errors->text[i]);
	free(errors->text);
	memset(errors, 0, sizeof(*errors));
}

nodeset_t
conf_data_nodes(const struct conf *conf)
{
	nodeset_t set = 0;
	node_t n;

	for (n = 0; n < conf->node_count; n++)
		if (conf->node[n].role == ROLE_DATA)
			set |= NODE_BIT(n);
	return set;
}

bool
conf_on(const struct conf *conf, const char *const *on, node_t node)
{
	int i;

	if (on[0] == NULL)
		return conf->node[node].role == ROLE_DATA;
	for (i = 0; on[i] != NULL; i++)
		if (strcmp(on[i], conf->node[node].name) == 0)
			return true;
	return false;
}

const char *
conf_register_str(enum conf_register_type type)
{
	static const char *const names[] = { [REGISTER_ARBITER] = "arbiter",
		[REGISTER_ETCD] = "etcd",
		[REGISTER_NONE] = "none" };

	return names[type];
}

const char *
conf_mode_str(enum conf_mode mode)
{
	static const char *const names[] = { [MODE_OBSERVE] = "observe",
		[MODE_MANUAL] = "manual",
		[MODE_AUTO] = "auto" };

	return names[mode];
}

static char *
load_file(struct conf_draft *d)
{
	struct error err;
	struct stat st;
	char *text;
	size_t len, used;

	if (stat(d->path, &st) == 0 && (st.st_mode & S_IWOTH) != 0 &&
	    S_ISREG(st.st_mode)) {
		draft_fault(d, NULL,
		    "%s may be written by everybody, and "
		    "names programs that root runs; chmod o-w it",
		    d->path);
		return NULL;
	}
	text = file_read(d->path, LOAD_MAX, &len, &err);
	if (text == NULL) {
		draft_fault(d, NULL,
		    "%s; write the configuration there, or "
		    "name another file",
		    err.msg);
		return NULL;
	}
	/* libconfig would take the part before it for the whole. */
	used = strlen(text);
	if (used != len) {
		draft_fault(d, NULL,
		    "%s has a byte 0 at offset %zu; it is not "
		    "a text file, write it anew",
		    d->path, used);
		free(text);
		return NULL;
	}
	return text;
}

static bool
load_parse(struct conf_draft *d, const char *text)
{
	const char *why;
	const char *p;

	d->last_line = text[0] == '\0';
	for (p = text; *p != '\0'; p++)
		if (*p == '\n' || p[1] == '\0')
			d->last_line++;
	if (config_read_string(&d->file, text) == CONFIG_TRUE)
		return true;
	why = config_error_text(&d->file);
	if (why == NULL)
		why = "syntax error";
	draft_fault(d, NULL, "%s; %s", why,
	    strstr(why, "duplicate") != NULL ?
		"this key is there twice, remove one" :
		"look here and on the line before for a missing ';', quote or "
		"bracket");
	d->faults[d->fault_count - 1].line = config_error_line(&d->file);
	d->faults[d->fault_count - 1].file = config_error_file(&d->file);
	return false;
}

static void
load_errors(struct conf_draft *d, struct conf_errors *errors)
{
	const struct conf_fault *fault;
	const char *file;
	int i;

	qsort(
	    d->faults, (size_t)d->fault_count, sizeof(*d->faults), load_order);
	errors->text = xcalloc((size_t)d->fault_count, sizeof(char *));
	errors->count = d->fault_count;
	for (i = 0; i < d->fault_count; i++) {
		fault = &d->faults[i];
		file = fault->file == NULL ? d->path : fault->file;
		/* Without a line it is the file itself; its text names it. */
		errors->text[i] =
		    fault->line == 0 ?
			xstrdup(fault->text) :
			xasprintf("%s:%d: %s", file, fault->line, fault->text);
		free(fault->text);
	}
	free(d->faults);
}

static int
load_order(const void *a, const void *b)
{
	const struct conf_fault *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

static void
load_free_memory(struct conf_memory *m)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		free(m->text[i]);
	free(m->text);
	free(m);
}
