/*
 * Rules of the proofs and of the fence agents: what suffices can be had, what
 * is configured can work, and no password stands in the file.
 */
#include <stdio.h>
#include <string.h>

#include "conf/cross_i.h"
#include "hawatch/str.h"

static void
cross_agent_node(struct conf_draft *d, int i)
{
	struct conf_agent *a = &d->conf.agent[i];
	char path[CROSS_PATH_MAX];
	int j;

	cross_path(path, "agents", i, "name");
	for (j = 0; j < i; j++)
		if (strcmp(d->conf.agent[j].name, a->name) == 0)
			draft_fault_at(d, path,
			    "agent %s is there twice; give each one a name of "
			    "its own",
			    a->name);
	cross_path(path, "agents", i, "node");
	a->target = cross_find(d, a->node);
	if (a->target == NODE_NONE)
		draft_fault_at(d, path,
		    "agent %s: node %s is not in nodes; write the name of the "
		    "data node whose host it switches off",
		    a->name, a->node);
	else if (d->conf.node[a->target].role != ROLE_DATA)
		draft_fault_at(d, path,
		    "agent %s: node %s is a witness, which is never the "
		    "primary; write a data node",
		    a->name, a->node);
}

/* "key=value", and a key that may stand in a line. */
static bool
cross_agent_pair(const char *text)
{
	size_t n = strspn(text,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && text[n] == '=' && text[n + 1] != '\0';
}

static bool
cross_agent_secret_key(const char *text)
{
	size_t n = strcspn(text, "=");

	return (n >= 6 && strncmp(text + n - 6, "passwd", 6) == 0) ||
	       (n >= 8 && strncmp(text + n - 8, "password", 8) == 0);
}

static void
cross_agent_options(struct conf_draft *d, int i)
{
	const struct conf_agent *a = &d->conf.agent[i];
	char path[CROSS_PATH_MAX];
	int j;

	cross_path(path, "agents", i, "options");
	for (j = 0; a->options[j] != NULL; j++) {
		if (!cross_agent_pair(a->options[j]))
			draft_fault_at(d, path,
			    "agent %s: an option is not key=value; write e.g. "
			    "\"ip=10.77.9.1\"",
			    a->name);
		else if (str_starts(a->options[j], "action="))
			draft_fault_at(d, path,
			    "agent %s: the action is not yours to write; "
			    "remove it",
			    a->name);
		else if (cross_agent_secret_key(a->options[j]))
			draft_fault_at(d, path,
			    "agent %s: a password does not belong in this "
			    "file; write secrets = [ "
			    "\"%.*s=/etc/hawatch/%s.pw\" ]; and the password "
			    "into that file, mode 0600",
			    a->name, (int)strcspn(a->options[j], "="),
			    a->options[j], a->name);
	}
	cross_path(path, "agents", i, "secrets");
	for (j = 0; a->secrets[j] != NULL; j++)
		if (!cross_agent_pair(a->secrets[j]) ||
		    strchr(a->secrets[j], '=')[1] != '/')
			draft_fault_at(d, path,
			    "agent %s: a secret is not key=/path; write e.g. "
			    "\"password=/etc/hawatch/%s.pw\"",
			    a->name, a->name);
}

static void
cross_agent_program(struct conf_draft *d, int i)
{
	const struct conf_agent *a = &d->conf.agent[i];
	bool agent = a->agent[0] != '\0', command = a->command[0] != NULL;
	char path[CROSS_PATH_MAX];

	cross_path(path, "agents", i, command ? "command" : "agent");
	if (agent == command)
		draft_fault_at(d, path,
		    "agent %s has %s; write either agent = "
		    "\"/usr/sbin/fence_...\"; or command = [ \"/full/path\" "
		    "];",
		    a->name,
		    agent ? "both agent and command" :
			    "neither agent nor command");
	else if (command && (a->options[0] != NULL || a->secrets[0] != NULL))
		draft_fault_at(d, path,
		    "agent %s: a command reads no options and no secrets; "
		    "write them into its own files",
		    a->name);
}

void
cross_agents(struct conf_draft *d)
{
	int i;

	for (i = 0; i < d->conf.agent_count; i++) {
		d->conf.agent[i].line = cross_source_line(d, "agents", i);
		cross_agent_node(d, i);
		cross_agent_program(d, i);
		cross_agent_options(d, i);
	}
}

void
cross_proofs(struct conf_draft *d)
{
	static const char *const known[] = { "released", "lease", "agent" };
	struct conf *conf = &d->conf;
	bool has[3] = { false }, none = conf->reg.type == REGISTER_NONE;
	size_t i, k;

	if (!draft_given(d, "proofs")) {
		conf->proof_lease = !none;
	} else {
		for (i = 0; d->proofs[i] != NULL; i++) {
			for (k = 0; k < 3; k++)
				if (strcmp(d->proofs[i], known[k]) == 0)
					break;
			if (k == 3)
				draft_fault_at(d, "proofs",
				    "proofs has \"%.40s\"; write \"released\", "
				    "\"lease\" and \"agent\", or some of them; "
				    "a person's --fenced is always one",
				    d->proofs[i]);
			else
				has[k] = true;
		}
		conf->proof_lease = has[1];
		conf->proof_agent = has[2];
		if (!has[0])
			draft_fault_at(d, "proofs",
			    "proofs lacks \"released\", the old primary's own "
			    "word after it has stopped; add it");
		if (has[1] && none)
			draft_fault_at(d, "proofs",
			    "proofs has \"lease\", and without a register the "
			    "silence of the other host proves nothing; remove "
			    "it");
		if (!has[1] && !has[2] && !none)
			draft_fault_at(d, "proofs",
			    "proofs has neither \"lease\" nor \"agent\", so "
			    "that a lost host is never replaced; add one, or "
			    "write mode = \"manual\";");
	}
	if (conf->proof_agent && conf->agent_count == 0 && !d->agents_broken)
		draft_fault_at(d, "proofs",
		    "proofs has \"agent\", but there are no agents; write "
		    "agents = ( { name = \"bmc-s1\"; node = \"...\"; agent = "
		    "\"/usr/sbin/fence_...\"; }, ... );");
	if (!conf->proof_agent && conf->agent_count > 0)
		draft_fault_at(d, "agents",
		    "there are agents, but proofs does not have \"agent\", so "
		    "that none is used; write proofs = [ \"released\", "
		    "\"lease\", \"agent\" ];");
	if (!conf->proof_agent && draft_given(d, "agent_after"))
		draft_fault_at(d, "agent_after",
		    "agent_after is not used without \"agent\" in proofs; "
		    "remove it");
}
