/*
 * What a person should look at around the database of one node: checks, items
 * that are not as its role demands, balancers.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

static void wrong_checks(struct wrong_list *l, const json_t *node);
static bool wrong_of_database(const json_t *check);
static bool wrong_is_cause(const json_t *check);
static void wrong_check(
    struct wrong_list *l, const json_t *node, const json_t *check);
static void wrong_check_next(
    char *next, size_t size, const json_t *node, const json_t *check);
static bool wrong_repmgr_next(
    char *next, size_t size, const char *name, const char *why);
static void wrong_cache_next(
    char *next, size_t size, const json_t *node, const json_t *check);
static void wrong_http_next(
    char *next, size_t size, const json_t *node, const json_t *check);
static void wrong_drift(struct wrong_list *l, const json_t *node);
static void wrong_drift_next(char *next, size_t size, const json_t *node);
static const char *wrong_stale(const json_t *node);
static void wrong_traffic(struct wrong_list *l, const json_t *node);
static void wrong_agents(struct wrong_list *l, const json_t *node);

void
wrong_site(struct wrong_list *l, const json_t *node)
{
	wrong_checks(l, node);
	/* Neither is changed there: report --would says what would be. */
	if (!observe_is(node)) {
		wrong_drift(l, node);
		wrong_traffic(l, node);
	}
	wrong_agents(l, node);
}

bool
wrong_supervisord_gone(const json_t *node)
{
	const json_t *list = get_at(node, "drift.items"), *item;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (wrong_is(item, "holds", "no") &&
		    (wrong_is(item, "reason", "supervisord: no-socket") ||
			wrong_is(
			    item, "reason", "supervisord: connect-refused")))
			return true;
	}
	return false;
}

const char wrong_supervisord[] =
    ". End what supervisord left there, then systemctl start supervisor; see "
    "WHAT TO DO in hawatch(7)";

/* A plain start would run what is left of its programs twice. */
void
wrong_supervisord_next(char *next, size_t size, const char *name)
{
	(void)snprintf(next, size, "ssh %s ps -ef", name);
}

/* Where PostgreSQL does not run, its checks say nothing new. Programs that
 * nobody runs are the cause of others, so they come first. */
static void
wrong_checks(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "checks"), *check;
	bool runs = !get_bool(node, "durable.latch") &&
		    !wrong_is(node, "postgres.state", "gone") &&
		    !wrong_is(node, "postgres.state", "unknown");
	size_t i;
	int turn;

	for (turn = 0; turn < 2; turn++)
		for (i = 0; i < json_array_size(list); i++) {
			check = json_array_get(list, i);
			if (wrong_is_cause(check) == (turn == 0) &&
			    wrong_is(check, "up", "no") &&
			    (runs || !wrong_of_database(check)))
				wrong_check(l, node, check);
		}
}

static bool
wrong_is_cause(const json_t *check)
{
	return wrong_is(check, "type", "supervisor") &&
	       (wrong_is(check, "reason", "no-socket") ||
		   wrong_is(check, "reason", "connect-refused"));
}

static bool
wrong_of_database(const json_t *check)
{
	return wrong_is(check, "type", "postgres") ||
	       wrong_is(check, "type", "repmgr");
}

/* A role that has changed restarts what reads it. What gave up, and who is to
 * start the others, do not come back by themselves. */
static bool
wrong_restarts(const json_t *node, const json_t *check)
{
	return !wrong_is_cause(check) &&
	       strncmp(get_str(check, "reason"), "program-fatal", 13) != 0 &&
	       get_has(check, "since_ms") &&
	       get_int(check, "since_ms") < WRONG_SETTLE_MS &&
	       (get_bool(node, "site.converging") ||
		   (get_has(node, "record.age_ms") &&
		       get_int(node, "record.age_ms") < 4 * WRONG_SETTLE_MS));
}

static void
wrong_check(struct wrong_list *l, const json_t *node, const json_t *check)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(check, "reason"), *text = wrong_reason(why);
	bool spared =
	    get_in(get_at(node, "health.spared"), get_str(check, "name"));
	const char *then = "";
	char next[240];

	wrong_check_next(next, sizeof(next), node, check);
	if (wrong_is_cause(check))
		then = wrong_supervisord;
	else if (strncmp(why, "repmgr-", 7) == 0)
		then = ". The command is for PostgreSQL's user";
	wrong_text(l, next, "%s: check %s is down%s%s%s%s%s%s", name,
	    get_str(check, "name"),
	    why[0] == '\0' ? ", and its last probe was good" : ": ", why,
	    text[0] == '\0' ? "" : ": ", text,
	    spared ? "; no other host is better, so "
		     "/health does not count it" :
	    get_bool(check, "health") && get_has(node, "health") ?
		     "; /health says 503" :
		     "",
	    then);
	if (wrong_restarts(node, check))
		wrong_settles(l);
}

static void
wrong_check_next(
    char *next, size_t size, const json_t *node, const json_t *check)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(check, "reason");

	if (strcmp(why, "repmgr-type") == 0 ||
	    strcmp(why, "repmgr-inactive") == 0)
		(void)snprintf(next, size, "ssh %s repmgr %s register --force",
		    name,
		    wrong_is(node, "postgres.state", "primary") ? "primary" :
								  "standby");
	else if (wrong_repmgr_next(next, size, name, why))
		return;
	else if (wrong_is_cause(check))
		wrong_supervisord_next(next, size, name);
	else if (wrong_is(check, "type", "supervisor"))
		(void)snprintf(next, size, "ssh %s supervisorctl status", name);
	else if (wrong_is(check, "type", "memcached"))
		wrong_cache_next(next, size, node, check);
	else if (wrong_is(check, "type", "http") && get_has(check, "url"))
		wrong_http_next(next, size, node, check);
	else if (wrong_is(check, "type", "disk"))
		(void)snprintf(next, size, "ssh %s df -h", name);
	else
		(void)snprintf(next, size, "hactl checks");
}

/* Its own commands would not work. */
static bool
wrong_repmgr_next(char *next, size_t size, const char *name, const char *why)
{
	static const struct {
		const char *why, *next;
	} table[] = {
		{ "repmgr-config", "repmgr node status" },
		{ "repmgr-login", "psql -h SOCKET_DIRECTORY -U repmgr repmgr" },
		{ "repmgr-rights",
		    "psql -c \"'ALTER ROLE repmgr SUPERUSER'\"" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(why, table[i].why) == 0) {
			(void)snprintf(
			    next, size, "ssh %s %s", name, table[i].next);
			return true;
		}
	return false;
}

/* It need not be this host's. */
static void
wrong_cache_next(
    char *next, size_t size, const json_t *node, const json_t *check)
{
	const char *address = get_str(check, "address");

	if (address[0] == '\0')
		(void)snprintf(next, size, "service memcached status");
	else
		(void)snprintf(next, size, "ssh %s service memcached status",
		    strncmp(address, "127.", 4) == 0 ||
			    strcmp(address, "::1") == 0 ?
			get_str(node, "node") :
			address);
}

/* Quoted for the shells of both hosts. */
static void
wrong_http_next(
    char *next, size_t size, const json_t *node, const json_t *check)
{
	const char *url = get_str(check, "url");

	if (strpbrk(url, " '\"\\$`!") == NULL)
		(void)snprintf(next, size, "ssh %s \"curl -si%s '%s'\"",
		    get_str(node, "node"),
		    strncmp(url, "https:", 6) == 0 ? "k" : "", url);
	else
		(void)snprintf(next, size, "ssh %s supervisorctl status",
		    get_str(node, "node"));
}

/* What could not be brought about in this epoch. */
static const char *
wrong_stale(const json_t *node)
{
	const char *reasons = get_str(node, "health.reasons");
	const char *last = strrchr(reasons, ',');

	/* It is the last one. */
	if (strcmp(last == NULL ? reasons : last + 1, "converge") == 0)
		return ", and could not be brought about; /health says 503";
	return ", and could not be brought about; no other host is better, so "
	       "/health does not count it";
}

/* Between changes of role nothing is changed by itself. */
static void
wrong_drift(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "drift.items"), *item;
	const char *name = get_str(node, "node");
	bool stale = get_bool(node, "drift.stale");
	char names[160] = "", next[240];
	size_t i, len = 0, n = 0;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (!wrong_is(item, "holds", "no"))
			continue;
		n++;
		if (len < sizeof(names))
			len += (size_t)snprintf(names + len,
			    sizeof(names) - len, "%s%s", len == 0 ? "" : ", ",
			    get_str(item, "name"));
	}
	if (get_bool(node, "site.converging"))
		return;
	if (get_str(node, "site.why")[0] != '\0') {
		wrong_drift_next(next, sizeof(next), node);
		wrong_text(l, next,
		    "%s: could not be brought to its role, and is tried again "
		    "each minute: %s%s",
		    name, get_str(node, "site.why"),
		    wrong_supervisord_gone(node) ? wrong_supervisord : "");
		return;
	}
	if (n == 0 && !stale)
		return;
	wrong_drift_next(next, sizeof(next), node);
	wrong_text(l, next,
	    "%s: %zu of %zu items not as its role demands%s%s%s%s", name, n,
	    json_array_size(list), n == 0 ? "" : ": ", names,
	    stale ? wrong_stale(node) : "",
	    wrong_supervisord_gone(node) ? wrong_supervisord :
					   "; hactl drift shows what");
}

/* Without supervisord nothing comes of an order. */
static void
wrong_drift_next(char *next, size_t size, const json_t *node)
{
	const char *name = get_str(node, "node");

	if (wrong_supervisord_gone(node))
		wrong_supervisord_next(next, size, name);
	else
		(void)snprintf(next, size, "ssh %s hactl drift --apply", name);
}

static void
wrong_traffic(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "traffic"), *obj;
	const char *name = get_str(node, "node"), *why;
	char next[120];
	size_t i;

	(void)snprintf(next, sizeof(next),
	    "ssh %s journalctl -u hawatchd | grep traffic", name);
	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		why = get_str(obj, "reason");
		/* Whose business it is not has no reason. */
		if (wrong_is(obj, "ok", "yes") || why[0] == '\0')
			continue;
		wrong_text(l, next, "%s: balancer %s is not as wanted: %s",
		    name, get_str(obj, "name"), why);
	}
}

/* What would not work on the day. */
static void
wrong_agents(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "agents"), *agent;
	const char *name = get_str(node, "node");
	char next[240];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		agent = json_array_get(list, i);
		if (!wrong_is(agent, "ok", "no"))
			continue;
		(void)snprintf(next, sizeof(next),
		    "ssh %s journalctl -u hawatchd -g agent.change", name);
		wrong_text(l, next,
		    "%s: fence agent %s of %s does not answer: %s; see FENCE "
		    "AGENTS in hawatch(7)",
		    name, get_str(agent, "name"), get_str(agent, "node"),
		    get_str(agent, "reason"));
	}
}
