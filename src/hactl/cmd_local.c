/*
 * What scripts ask this host: role, gate, ping. Mostly exit codes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define LOCAL_LIMIT (2 * USEC_SEC)

static void local_json(
    const struct call *call, json_t *answer, enum exitcode code);
static bool gate_free(const struct call *call);

enum exitcode
cmd_role(const struct call *call)
{
	json_t *request, *answer;
	enum exitcode code;

	if (strcmp(call->opt[OPT_IS], "primary") != 0 &&
	    strcmp(call->opt[OPT_IS], "standby") != 0) {
		print_wrong(
		    "--is takes primary or standby", "hactl role --is primary");
		return EXITCODE_USAGE;
	}
	request = ask_request("role");
	json_put_string(request, "is", call->opt[OPT_IS]);
	code = ask_engine(call, request, LOCAL_LIMIT, NULL, NULL, &answer);
	local_json(call, answer, code);
	json_decref(answer);
	return code;
}

/* A standby can accept no write: it may start while the engine does not run.
 * A primary may not: nobody would close its port. Who only looks on, by the
 * file, denies nobody. */
enum exitcode
cmd_gate(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	if (gate_free(call)) {
		answer = json_pack("{s:s}", "as", "standby");
		local_json(call, answer, EXITCODE_DONE);
		json_decref(answer);
		return EXITCODE_DONE;
	}
	code = ask_engine(
	    call, ask_request("gate"), LOCAL_LIMIT, NULL, NULL, &answer);
	local_json(call, answer, code);
	json_decref(answer);
	return code;
}

enum exitcode
cmd_ping(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	code = ask_engine(
	    call, ask_request("ping"), LOCAL_LIMIT, NULL, NULL, &answer);
	local_json(call, answer, code);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] == NULL)
		print_line("%s: hawatchd %s, pid %lld, up %lld s",
		    get_str(answer, "node"), get_str(answer, "version"),
		    get_int(answer, "pid"), get_int(answer, "up_ms") / 1000);
	json_decref(answer);
	return code;
}

static void
local_json(const struct call *call, json_t *answer, enum exitcode code)
{
	if (call->opt[OPT_JSON] != NULL && answer != NULL)
		print_json(answer, code);
}

static bool
gate_free(const struct call *call)
{
	struct conf *conf = ask_conf(call, NULL);
	bool is_free = false;
	char *path;

	if (conf != NULL && conf->pg.data_directory != NULL) {
		path = xasprintf("%s/standby.signal", conf->pg.data_directory);
		is_free = access(path, F_OK) == 0 || conf_only_looks(conf);
		free(path);
	}
	conf_free(conf);
	return is_free;
}
