/*
 * hactl config check: the configuration as the daemon would read it, with
 * every error at once. It asks no engine.
 */
#include <stdio.h>

#include "hactl/hactl.h"

enum exitcode
cmd_config_check(const struct call *call)
{
	struct call with = *call;
	struct conf *conf;
	int i;

	if (call->args > 0)
		with.opt[OPT_CONFIG] = call->arg[0];
	conf = ask_conf(&with);
	if (conf == NULL)
		return EXITCODE_CONFIG;
	printf("%s: no errors\ncluster %s, mode %s, this host is %s\n",
	    conf->path, conf->cluster, conf_mode_str(conf->mode),
	    conf->node[conf->self].name);
	for (i = 0; i < conf->node_count; i++)
		printf("  %-20s %-8s %s\n", conf->node[i].name,
		    conf->node[i].role == ROLE_DATA ? "data" : "witness",
		    conf->node[i].address);
	conf_free(conf);
	return EXITCODE_DONE;
}
