/*
 * hactl pki: a small authority for the cluster's certificates, for those who
 * have none of their own. It runs on any host and asks no engine.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/pki.h"

static enum exitcode pki_result(
    int rc, const struct error *err, const char *next);
static void pki_made(const struct call *call, const char *name);
static const char *pki_next(const struct call *call, const struct error *err);
static const char *pki_address(const struct conf *conf, const char *name);

enum exitcode
cmd_pki_init(const struct call *call)
{
	const char *cluster = call->opt[OPT_CLUSTER];
	struct conf *conf = NULL;
	struct error err;
	enum exitcode code;

	if (cluster == NULL) {
		conf = ask_conf(call, verb_again("", " --cluster NAME"));
		if (conf == NULL)
			return EXITCODE_CONFIG;
		cluster = conf->cluster;
	}
	code = pki_result(pki_init(call->arg[0], cluster, &err), &err,
	    "hactl pki init OTHER-DIR");
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL)
		pki_made(call, "ca");
	else if (code == EXITCODE_DONE)
		print_line(
		    "%s/ca.pem goes to every node; %s/ca.key stays here, "
		    "and offline",
		    call->arg[0], call->arg[0]);
	conf_free(conf);
	return code;
}

enum exitcode
cmd_pki_node(const struct call *call)
{
	const char *dir = call->arg[0], *name = call->arg[1];
	const char *address = call->opt[OPT_ADDRESS];
	struct conf *conf = NULL;
	struct error err = { .sys = 0 };
	enum exitcode code = EXITCODE_CONFIG;

	if (address == NULL) {
		conf = ask_conf(call, verb_again("", " --address ADDRESS"));
		if (conf == NULL)
			return EXITCODE_CONFIG;
		address = pki_address(conf, name);
		if (address == NULL) {
			print_wrong("the configuration has no such node",
			    "hactl config check");
			goto out;
		}
	}
	code = pki_result(
	    pki_node(dir, name, address, &err), &err, pki_next(call, &err));
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL)
		pki_made(call, name);
	else if (code == EXITCODE_DONE)
		print_line("%s/%s.pem and %s/%s.key go to %s", dir, name, dir,
		    name, name);
out:
	conf_free(conf);
	return code;
}

enum exitcode
cmd_pki_operator(const struct call *call)
{
	const char *dir = call->arg[0], *name = call->arg[1];
	struct error err = { .sys = 0 };
	enum exitcode code;

	code = pki_result(
	    pki_operator(dir, name, &err), &err, pki_next(call, &err));
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL)
		pki_made(call, name);
	else if (code == EXITCODE_DONE)
		print_line("%s/%s.pem, %s/%s.key and %s/ca.pem go to %s's "
			   "machine; operators of hawatch.conf says what "
			   "%s may do",
		    dir, name, dir, name, dir, name, name);
	return code;
}

enum exitcode
cmd_pki_check(const struct call *call)
{
	struct conf *conf = ask_conf(call, NULL);
	struct pki_report report = { .days_left = 0 };
	struct pki_files files;
	struct error err;
	enum exitcode code;
	json_t *obj;

	if (conf == NULL)
		return EXITCODE_CONFIG;
	files = (struct pki_files){ conf->ca, conf->cert, conf->key };
	code = pki_result(
	    pki_check(&files, conf->node[conf->self].name, &report, &err), &err,
	    "hactl pki node DIR NAME");
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL) {
		obj = json_object();
		json_put_string(obj, "certificate", conf->cert);
		json_put_string(obj, "name", report.name);
		json_put_i64(obj, "days_left", report.days_left);
		print_json(obj, code);
		json_decref(obj);
	} else if (code == EXITCODE_DONE)
		print_line("%s: %s, good for %d days", conf->cert, report.name,
		    report.days_left);
	if (code == EXITCODE_DONE && report.days_left < PKI_SOON_DAYS)
		print_wrong("it ends soon", "hactl pki node DIR NAME");
	conf_free(conf);
	return code;
}

/* Where the new certificate and its key are. */
static void
pki_made(const struct call *call, const char *name)
{
	json_t *obj = json_object();
	char path[480];

	(void)snprintf(path, sizeof(path), "%s/%s.pem", call->arg[0], name);
	json_put_string(obj, "certificate", path);
	(void)snprintf(path, sizeof(path), "%s/%s.key", call->arg[0], name);
	json_put_string(obj, "key", path);
	print_json(obj, EXITCODE_DONE);
	json_decref(obj);
}

static enum exitcode
pki_result(int rc, const struct error *err, const char *next)
{
	if (rc == 0)
		return EXITCODE_DONE;
	print_wrong(err->msg, next);
	return EXITCODE_LOCAL;
}

/* Only a missing authority is a reason to make one. */
static const char *
pki_next(const struct call *call, const struct error *err)
{
	static char next[600];
	size_t len = (size_t)snprintf(next, sizeof(next), "hactl pki init");

	if (err->sys != ENOENT)
		return "hactl pki --help";
	verb_quote(next, sizeof(next), &len, call->arg[0]);
	return next;
}

static const char *
pki_address(const struct conf *conf, const char *name)
{
	int i;

	for (i = 0; i < conf->node_count; i++) {
		if (strcmp(conf->node[i].name, name) == 0)
			return conf->node[i].address;
	}
	return NULL;
}
