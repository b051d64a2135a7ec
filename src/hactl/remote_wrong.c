/*
 * Another host cannot be asked: why, and what to do about it. The hosts, files
 * and certificates are those that were asked with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/nodes.h"
#include "hactl/way.h"
#include "hawatch/client.h"
#include "hawatch/mem.h"

#define REMOTE_ASK (3 * USEC_SEC)

enum exitcode
remote_silent(const struct way *w, const struct error *err)
{
	bool refused = err->code == ERR_REFUSED;
	int len = (int)strcspn(w->where, " ");
	char *text, *next;

	text = xasprintf(
	    refused ? "%s: %s" : "%s does not answer: %s", w->where, err->msg);
	if (!refused)
		next = xasprintf(
		    "ssh %.*s systemctl status hawatchd", len, w->where);
	else if (strstr(err->msg, "operator") != NULL)
		next =
		    xasprintf("ssh -t %.*s sudoedit " CONF_PATH, len, w->where);
	else if (strncmp(err->msg, "its ", strlen("its ")) == 0)
		next = xasprintf("ssh %.*s hactl pki check", len, w->where);
	else
		next = xasprintf(
		    "openssl x509 -noout -subject -issuer -dates -in %s",
		    w->cert);
	print_wrong(text, next);
	free(next);
	free(text);
	return refused ? EXITCODE_DENIED : EXITCODE_NO_ENGINE;
}

void
remote_file_wrong(const struct call *call, const char *why)
{
	char *file = remote_file(call), *text, *next;

	text = xasprintf("%s; hactl(8) shows such a file", why);
	next = xasprintf("cat -n %s", file == NULL ? "" : file);
	print_wrong(text, next);
	free(next);
	free(text);
	free(file);
}

void
remote_keys_wrong(const struct client *client, const struct error *err)
{
	char *next;

	next = err->code == ERR_REFUSED ?
		   xasprintf("chmod 600 %s", client->key) :
		   xasprintf(
		       "ls -l %s %s %s", client->ca, client->cert, client->key);
	print_wrong(err->msg, next);
	free(next);
}

void
remote_unknown(const struct call *call, const struct error *err)
{
	char *file = remote_file(call), *text, list[600];
	struct node_names names = { .n = 0 };

	remote_names(call, &names);
	nodes_text(&names, list, sizeof(list));
	text = xasprintf("%s; %s is not in hosts of %s%s%s", err->msg,
	    call->opt[OPT_HOST], file == NULL ? "any client.conf" : file,
	    names.n == 0 ? "" : ", which are ", list);
	print_wrong(text,
	    names.n == 0 ? "man 8 hactl" :
			   verb_again_with(call->opt[OPT_HOST], names.name[0]));
	free(text);
	free(file);
}

/* Who is to get it: as the cluster stands now, which any host knows. "" */
static void
remote_right(const struct call *call, char *buf, size_t size)
{
	static const char *const of_primary[] = { "switchover", "pause",
		"resume", "ack", "promote" };
	struct call asks = *call;
	const json_t *rec;
	json_t *answer;
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < sizeof(of_primary) / sizeof(of_primary[0]); i++)
		if (strcmp(of_primary[i], call->verb->words) == 0)
			break;
	if (i == sizeof(of_primary) / sizeof(of_primary[0]))
		return;
	asks.verb = &verb_table[0];
	print_hold(true);
	if (ask_engine(&asks, ask_request("status"), REMOTE_ASK, NULL, NULL,
		&answer) == EXITCODE_DONE) {
		rec = status_newest(answer);
		(void)snprintf(buf, size, "%s", get_str(rec, "holder"));
		/* While it does not serve, the one that is to is asked. */
		if (strcmp(call->verb->words, "promote") == 0 &&
		    strcmp(get_str(status_node(answer, buf), "role"),
			"primary") != 0)
			(void)snprintf(buf, size, "%s", call->arg[0]);
	}
	print_hold(false);
	json_decref(answer);
}

void
remote_which(
    const struct call *call, const struct remote_host *hosts, int count)
{
	char right[NODE_NAME_MAX], list[600], *text, *next;
	struct node_names names;
	int i;

	remote_right(call, right, sizeof(right));
	next_away(call);
	memset(&names, 0, sizeof(names));
	for (i = 0; i < count && i < NODE_NAMES_MAX; i++)
		(void)snprintf(names.name[names.n++], NODE_NAME_MAX, "%.63s",
		    hosts[i].name[0] == '\0' ? hosts[i].address :
					       hosts[i].name);
	nodes_text(&names, list, sizeof(list));
	text = xasprintf(
	    "an order is for one host: which one? There are %s", list);
	next = xasprintf(" --host %s", right);
	if (right[0] == '\0')
		print_wrong(text, "hactl status");
	else
		print_wrong(text, verb_again("", next));
	free(next);
	free(text);
}
