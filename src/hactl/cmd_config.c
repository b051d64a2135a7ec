/*
 * hactl config check: the configuration as the daemon would read it, with
 * every error at once. It asks no engine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

static void config_json(const struct conf *conf);

/* The mode is to be another one. */
static void
config_guarded(const struct conf *conf, const char *why)
{
	char path[600], *next;
	size_t len = 0;

	verb_quote(path, sizeof(path), &len, conf->path);
	next = xasprintf("editor %s && %s", path + 1, verb_again("", ""));
	print_wrong(why, next);
	free(next);
}

/* Of the daemon's own file: where it runs, the order knows what of it does not
 * run yet, and on which hosts; where it does not, it is started; where it never
 * did, its keys are next. */
static void
config_next(const struct conf *conf)
{
	char *path = xasprintf("%s/hactl.sock", conf->run_dir);

	if (strcmp(conf->path, CONF_PATH) != 0)
		;
	else if (access(path, F_OK) == 0)
		print_next("next:  ", "hactl reload");
	else if (access(conf->state_dir, F_OK) == 0)
		print_next("next:  ", "systemctl restart hawatchd");
	else
		print_next("next:  ", "hactl pki check");
	free(path);
}

enum exitcode
cmd_config_check(const struct call *call)
{
	const char *const head[] = { "NODE", "ROLE", "ADDRESS" };
	struct print_row rows[NODES_MAX];
	struct call with = *call;
	struct conf *conf;
	struct error err;
	char *text;
	int i;

	if (call->args > 0)
		with.opt[OPT_CONFIG] = call->arg[0];
	conf = ask_conf(&with, NULL);
	if (conf == NULL)
		return EXITCODE_CONFIG;
	if (conf_guard_check(conf, &err) == -1) {
		config_guarded(conf, err.msg);
		print_json_error(err.msg);
		conf_free(conf);
		return EXITCODE_CONFIG;
	}
	if (call->opt[OPT_JSON] != NULL) {
		config_json(conf);
		conf_free(conf);
		return EXITCODE_DONE;
	}
	text = xasprintf("no errors; cluster %s, mode %s, this host is %s",
	    conf->cluster, conf_mode_str(conf->mode),
	    conf->node[conf->self].name);
	printf("%s\n", conf->path);
	print_wrapped("", text);
	free(text);
	memset(rows, 0, sizeof(rows));
	for (i = 0; i < conf->node_count; i++) {
		str_cut(rows[i].cell[0], PRINT_CELL_MAX, conf->node[i].name);
		str_cut(rows[i].cell[1], PRINT_CELL_MAX,
		    conf->node[i].role == ROLE_DATA ? "data" : "witness");
		str_cut(rows[i].cell[2], PRINT_CELL_MAX, conf->node[i].address);
	}
	print_table(head, 3, rows, (size_t)conf->node_count);
	config_next(conf);
	conf_free(conf);
	return EXITCODE_DONE;
}

static void
config_json(const struct conf *conf)
{
	json_t *obj = json_object(), *nodes = json_array(), *node;
	int i;

	json_put_string(obj, "path", conf->path);
	json_put_string(obj, "cluster", conf->cluster);
	json_put_string(obj, "mode", conf_mode_str(conf->mode));
	json_put_string(obj, "self", conf->node[conf->self].name);
	for (i = 0; i < conf->node_count; i++) {
		node = json_object();
		json_put_string(node, "node", conf->node[i].name);
		json_put_string(node, "role",
		    conf->node[i].role == ROLE_DATA ? "data" : "witness");
		json_put_string(node, "address", conf->node[i].address);
		json_array_append_new(nodes, node);
	}
	json_put(obj, "nodes", nodes);
	print_json(obj, EXITCODE_DONE);
	json_decref(obj);
}
