/*
 * The verbs: one row each, and the parser that is made of them, as the usage
 * and the help are. hactl(8) lists them; scripts/check-docs compares.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/nodes.h"
#include "hawatch/str.h"
#include "hawatch/version.h"

const struct option_doc verb_options[OPT_COUNT] = {
#define X(id, name, letter, value, text) \
	[OPT_##id] = { name, letter, value, text },
	HACTL_OPTIONS(X)
#undef X
};

/* clang-format off */
const struct verb verb_table[] = {
{ .words = "status", .reach = VERB_READ, .options = OPT_BIT(JSON) | OPT_BIT(WATCH), .run = cmd_status,
  .help = "show every node, the record, and what is wrong" },
{ .words = "why", .reach = VERB_READ, .args = "[NODE]", .max = 1, .options = OPT_BIT(JSON), .run = cmd_why,
  .help = "say what each data node does and what keeps it from more" },
{ .words = "preflight", .reach = VERB_READ, .options = OPT_BIT(JSON), .run = cmd_preflight,
  .help = "say whether failover is possible now; 1 if it is not" },
{ .words = "checks", .reach = VERB_READ, .options = OPT_BIT(JSON), .run = cmd_checks,
  .help = "show every check of every host; exit with 1 if one fails" },
{ .words = "drift", .options = OPT_BIT(JSON) | OPT_BIT(APPLY) | OPT_BIT(YES), .run = cmd_drift,
  .help = "show what is not as a host's role demands; 1 if something is" },
{ .words = "plan", .reach = VERB_HERE, .options = OPT_BIT(JSON) | OPT_BIT(TABLES), .needs = OPT_BIT(TABLES), .run = cmd_plan,
  .help = "print the tables that decide: duties and steps" },
{ .words = "plan promote", .reach = VERB_READ, .args = "NODE", .min = 1, .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(IF), .run = cmd_plan_promote,
  .help = "say whether and how NODE would take over; changes nothing" },
{ .words = "plan switchover", .reach = VERB_READ, .args = "NODE", .min = 1, .max = 1, .options = OPT_BIT(JSON), .run = cmd_plan_switchover,
  .help = "print the steps of a switchover to NODE; changes nothing" },
{ .words = "promote", .args = "NODE", .min = 1, .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(FENCED) | OPT_BIT(YES), .run = cmd_promote,
  .help = "make NODE the primary: by a switchover, or when the old is gone" },
{ .words = "switchover", .args = "[NODE]", .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(YES) | OPT_BIT(END_TRANSACTIONS) | OPT_BIT(LEAVE_ARCHIVE) | OPT_BIT(LEAVE_SLOTS), .run = cmd_switchover,
  .help = "on the primary: hand over to NODE, or take it back" },
{ .words = "drill", .reach = VERB_READ, .args = "[NODE]", .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(YES), .run = cmd_drill,
  .help = "from another host: hand over to NODE and back, and measure" },
{ .words = "init", .options = OPT_BIT(JSON) | OPT_BIT(HOLDER) | OPT_BIT(YES), .needs = OPT_BIT(HOLDER), .run = cmd_init,
  .help = "write the first record: who holds the cluster" },
{ .words = "register show", .reach = VERB_READ, .options = OPT_BIT(JSON), .run = cmd_register_show,
  .help = "show what the register holds" },
{ .words = "register adopt", .options = OPT_BIT(JSON) | OPT_BIT(YES), .run = cmd_register_adopt,
  .help = "say that a cold register's record is right" },
{ .words = "pause", .args = "WHY", .min = 1, .max = 1, .options = OPT_BIT(FOR) | OPT_BIT(JSON) | OPT_BIT(YES), .needs = OPT_BIT(FOR), .run = cmd_pause,
  .help = "on the primary: for some time nobody takes over by himself" },
{ .words = "resume", .options = OPT_BIT(JSON), .run = cmd_resume,
  .help = "on the primary: end a pause before its time" },
{ .words = "fence", .args = "WHY", .min = 1, .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(YES), .run = cmd_fence,
  .help = "stop this host's PostgreSQL, and keep it stopped" },
{ .words = "rejoin", .options = OPT_BIT(JSON) | OPT_BIT(YES) | OPT_BIT(CLONE), .run = cmd_rejoin,
  .help = "make this host's data the primary's again, and a standby of it" },
{ .words = "unfence", .options = OPT_BIT(JSON) | OPT_BIT(YES), .run = cmd_unfence,
  .help = "clear this host's latch; opens nothing by itself" },
{ .words = "ack", .options = OPT_BIT(JSON), .run = cmd_ack,
  .help = "acknowledge the last failover, so that the next may follow" },
{ .words = "history", .reach = VERB_READ, .options = OPT_BIT(JSON) | OPT_BIT(ALL) | OPT_BIT(VERIFY), .run = cmd_history,
  .help = "show what changed the cluster, as this host wrote it down" },
{ .words = "report", .reach = VERB_READ, .args = "[EPOCH]", .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(MARKDOWN) | OPT_BIT(WOULD), .run = cmd_report,
  .help = "show a change of holder, second by second, of all hosts" },
{ .words = "notify", .options = OPT_BIT(JSON) | OPT_BIT(TEST), .needs = OPT_BIT(TEST), .run = cmd_notify,
  .help = "try the commands that tell people what happens" },
{ .words = "role", .reach = VERB_READ, .options = OPT_BIT(JSON) | OPT_BIT(IS), .needs = OPT_BIT(IS), .run = cmd_role,
  .help = "exit with 0 if this host is that now, with 1 if not" },
{ .words = "gate", .reach = VERB_HERE, .options = OPT_BIT(JSON), .run = cmd_gate,
  .help = "exit with 0 if PostgreSQL may be started here" },
{ .words = "ping", .reach = VERB_READ, .options = OPT_BIT(JSON), .run = cmd_ping,
  .help = "ask this host's engine whether it runs" },
{ .words = "config check", .reach = VERB_HERE, .args = "[FILE]", .max = 1, .options = OPT_BIT(JSON), .run = cmd_config_check,
  .help = "read the configuration and print every error" },
{ .words = "config diff", .reach = VERB_READ, .options = OPT_BIT(JSON), .run = cmd_config_diff,
  .help = "show how the hosts' configurations differ; 1 if they do" },
{ .words = "reload", .options = OPT_BIT(JSON) | OPT_BIT(YES) | OPT_BIT(DRY_RUN), .run = cmd_reload,
  .help = "read the configuration again, on all hosts" },
{ .words = "pki init", .reach = VERB_HERE, .args = "DIR", .min = 1, .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(CLUSTER), .run = cmd_pki_init,
  .help = "make the cluster's certificate authority in DIR" },
{ .words = "pki node", .reach = VERB_HERE, .args = "DIR NAME", .min = 2, .max = 2, .options = OPT_BIT(JSON) | OPT_BIT(ADDRESS), .run = cmd_pki_node,
  .help = "make NAME's key and certificate, signed by DIR's authority" },
{ .words = "pki operator", .reach = VERB_HERE, .args = "DIR NAME", .min = 2, .max = 2, .options = OPT_BIT(JSON), .run = cmd_pki_operator,
  .help = "the same for an operator, who asks from another host" },
{ .words = "pki check", .reach = VERB_HERE, .options = OPT_BIT(JSON), .run = cmd_pki_check,
  .help = "check the configured certificates of this host" },
{ .words = "completion", .reach = VERB_HERE, .args = "SHELL", .min = 1, .max = 1, .run = cmd_completion,
  .help = "print the completions for bash, zsh or fish" },
{ .words = "docs", .reach = VERB_HERE, .options = OPT_BIT(JSON), .run = cmd_docs,
  .help = "list every word that the manuals must explain" },
};
/* clang-format on */

static const struct verb *verb_find(char **words, int count, int *used);
static bool verb_option(
    struct call *call, int argc, char **argv, int *i, enum exitcode *code);
static int verb_option_find(const char *arg, size_t len);
static bool verb_vet(const struct call *call, enum exitcode *code);
static void verb_missing(const struct call *call, char *buf, size_t size);
static const char *verb_dashed(int opt, char *buf, size_t size);
static bool verb_wrong(
    enum exitcode *code, const char *what, const char *arg, const char *next);
static bool verb_unlike(
    const struct verb *v, enum exitcode *code, const char *arg);
static bool verb_unknown(
    enum exitcode *code, const char *word, const char *second);
static size_t verb_group_size(const char *prefix);

size_t
verb_count(void)
{
	return sizeof(verb_table) / sizeof(*verb_table);
}

bool
verb_parse(struct call *call, int argc, char **argv, enum exitcode *code)
{
	char *words[16];
	const char *unlike = NULL;
	int i, count = 0, used = 0;

	memset(call, 0, sizeof(*call));
	verb_keep(argc, argv);
	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
			if (verb_option_find(argv[i], strcspn(argv[i], "=")) ==
			    -1) {
				unlike = unlike == NULL ? argv[i] : unlike;
				continue;
			}
			if (verb_option(call, argc, argv, &i, code))
				return true;
			continue;
		}
		if (count == (int)(sizeof(words) / sizeof(*words)))
			return verb_wrong(
			    code, "too many words", argv[i], "hactl --help");
		words[count++] = argv[i];
	}
	*code = EXITCODE_DONE;
	call->verb = verb_find(words, count, &used);
	if (unlike != NULL)
		return verb_unlike(call->verb, code, unlike);
	if (call->opt[OPT_VERSION] != NULL) {
		printf("hactl %s\n", HAWATCH_VERSION);
		return true;
	}
	if (call->verb == NULL && count > 0 && verb_group_size(words[0]) == 0)
		return verb_unknown(code, words[0], "");
	if (call->opt[OPT_HELP] != NULL &&
	    (call->verb == NULL ||
		(used == 1 && verb_group_size(words[0]) > 1))) {
		verb_help(count == 0 ? "" : words[0]);
		return true;
	}
	if (call->opt[OPT_HELP] != NULL) {
		verb_help_one(call->verb);
		return true;
	}
	if (call->verb == NULL)
		return verb_unknown(code, count == 0 ? "" : words[0],
		    count < 2 ? "" : words[1]);
	for (i = used; i < count; i++) {
		if (call->args == CALL_ARGS_MAX)
			return verb_wrong(
			    code, "too many words", words[i], "hactl --help");
		call->arg[call->args++] = words[i];
	}
	return verb_vet(call, code);
}

/* The row with the most words wins: "plan promote" before "plan". */
static const struct verb *
verb_find(char **words, int count, int *used)
{
	const struct verb *best = NULL;
	char two[64];
	size_t i;

	for (i = 0; i < verb_count(); i++) {
		if (count > 0 && *used < 1 &&
		    strcmp(verb_table[i].words, words[0]) == 0) {
			best = &verb_table[i];
			*used = 1;
		}
		if (count < 2)
			continue;
		(void)snprintf(two, sizeof(two), "%s %s", words[0], words[1]);
		if (strcmp(verb_table[i].words, two) == 0) {
			best = &verb_table[i];
			*used = 2;
		}
	}
	return best;
}

static bool
verb_option(
    struct call *call, int argc, char **argv, int *i, enum exitcode *code)
{
	const char *arg = argv[*i], *value;
	size_t len = strcspn(arg, "=");
	int opt;

	opt = verb_option_find(arg, len);
	value = arg[len] == '=' ? arg + len + 1 : NULL;
	if (verb_options[opt].value == NULL) {
		if (value != NULL)
			return verb_wrong(
			    code, "takes no value", arg, "hactl --help");
		call->opt[opt] = "";
		return false;
	}
	/* What looks like an option is one: a reason is not "--yes". */
	if (value == NULL && *i + 1 < argc && argv[*i + 1][0] != '-')
		value = argv[++*i];
	if (value == NULL || value[0] == '\0')
		return verb_wrong(code, "needs a value", arg, "hactl --help");
	call->opt[opt] = value;
	return false;
}

static int
verb_option_find(const char *arg, size_t len)
{
	const struct option_doc *o;
	int i;

	for (i = 0; i < OPT_COUNT; i++) {
		o = &verb_options[i];
		if (len == 2 && o->letter != 0 && arg[1] == o->letter)
			return i;
		if (len > 2 && arg[1] == '-' && strlen(o->name) == len - 2 &&
		    strncmp(o->name, arg + 2, len - 2) == 0)
			return i;
	}
	return -1;
}

static bool
verb_vet(const struct call *call, enum exitcode *code)
{
	const struct verb *v = call->verb;
	char usage[900], dashed[32], missing[64];
	int i;

	if (call->opt[OPT_COLOR] != NULL && !print_colour(call->opt[OPT_COLOR]))
		return verb_wrong(code, "--color takes auto, always or never",
		    call->opt[OPT_COLOR], "hactl status --color=never");
	if (call->args < v->min) {
		verb_missing(call, missing, sizeof(missing));
		return verb_wrong(code, missing, v->words,
		    nodes_example(call, usage, sizeof(usage)));
	}
	(void)snprintf(usage, sizeof(usage), "hactl %s --help", v->words);
	if (call->args > v->max)
		return verb_wrong(
		    code, "too many words", call->arg[v->max], usage);
	if (v->reach == VERB_HERE &&
	    (call->opt[OPT_HOST] != NULL || call->opt[OPT_CLIENT] != NULL))
		return verb_wrong(code, "is done on this host, for no other",
		    v->words, usage);
	for (i = 0; i < OPT_COUNT; i++) {
		if (call->opt[i] != NULL &&
		    ((v->options | VERB_COMMON) & OPT_MASK(i)) == 0)
			return verb_wrong(code, "not an option of this verb",
			    verb_dashed(i, dashed, sizeof(dashed)), usage);
		if (call->opt[i] == NULL && (v->needs & OPT_MASK(i)) != 0)
			return verb_wrong(code, "this option is missing",
			    verb_dashed(i, dashed, sizeof(dashed)),
			    nodes_example(call, usage, sizeof(usage)));
	}
	return false;
}

/* By its name in the usage. */
static void
verb_missing(const struct call *call, char *buf, size_t size)
{
	const char *at = call->verb->args;
	int i;

	for (i = 0; i < call->args; i++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	(void)snprintf(buf, size, "%.*s is missing", (int)strcspn(at, " "), at);
}

static const char *
verb_dashed(int opt, char *buf, size_t size)
{
	(void)snprintf(buf, size, "--%s", verb_options[opt].name);
	return buf;
}

static bool
verb_wrong(
    enum exitcode *code, const char *what, const char *arg, const char *next)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%.150s%s%s", arg,
	    arg[0] == '\0' ? "" : ": ", what);
	print_wrong(text, next);
	*code = EXITCODE_USAGE;
	return true;
}

/* Like one that this verb takes: the same command with that one. */
static bool
verb_unlike(const struct verb *v, enum exitcode *code, const char *arg)
{
	const char *names[OPT_COUNT], *near = NULL;
	size_t len = strcspn(arg, "="), n = 0;
	char word[64], other[64], text[120], next[64];
	int i;

	(void)snprintf(word, sizeof(word), "%.*s", (int)len, arg);
	for (i = 0; i < OPT_COUNT; i++)
		if (v != NULL &&
		    ((v->options | VERB_COMMON) & OPT_MASK(i)) != 0)
			names[n++] = verb_options[i].name;
	if (len > 2 && arg[1] == '-')
		near = str_nearest(word + 2, names, n);
	if (near == NULL) {
		(void)snprintf(next, sizeof(next), "hactl %s%s--help",
		    v == NULL ? "" : v->words, v == NULL ? "" : " ");
		return verb_wrong(code, "unknown option", arg, next);
	}
	(void)snprintf(
	    text, sizeof(text), "unknown option; did you mean --%s?", near);
	(void)snprintf(other, sizeof(other), "--%s", near);
	return verb_wrong(code, text, arg, verb_again_with(word, other));
}

static bool
verb_unknown(enum exitcode *code, const char *word, const char *second)
{
	const char *names[sizeof(verb_table) / sizeof(*verb_table)];
	const char *near;
	char next[80] = "hactl --help", words[80], text[120];
	size_t i, n = 0;
	bool group = false;

	for (i = 0; i < verb_count(); i++) {
		names[n++] = verb_table[i].words;
		group = group || (word[0] != '\0' &&
				     verb_in_group(&verb_table[i], word));
	}
	(void)snprintf(words, sizeof(words), "%.39s%s%.39s", word,
	    second[0] == '\0' ? "" : " ", second);
	if (group && second[0] == '\0') {
		(void)snprintf(next, sizeof(next), "hactl %s --help", word);
		return verb_wrong(code, "which of its verbs?", word, next);
	}
	if (word[0] == '\0')
		return verb_wrong(code, "a verb is missing", "", next);
	near = str_nearest(words, names, n);
	if (near != NULL)
		(void)snprintf(next, sizeof(next), "hactl %s", near);
	else if (group)
		(void)snprintf(next, sizeof(next), "hactl %s --help", word);
	if (near == NULL)
		return verb_wrong(code, "no such verb", words, next);
	(void)snprintf(
	    text, sizeof(text), "no such verb; did you mean %s?", near);
	return verb_wrong(code, text, words, next);
}

bool
verb_in_group(const struct verb *v, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(v->words, prefix, len) == 0 &&
	       (v->words[len] == '\0' || v->words[len] == ' ');
}

static size_t
verb_group_size(const char *prefix)
{
	size_t i, n = 0;

	for (i = 0; i < verb_count(); i++) {
		if (verb_in_group(&verb_table[i], prefix))
			n++;
	}
	return n;
}
