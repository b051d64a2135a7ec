/*
 * The verbs: one row each, from which the parser, the usage and the help are
 * made. hactl(8) lists them; scripts/check-docs compares.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
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
{ .words = "status", .options = OPT_BIT(JSON) | OPT_BIT(WATCH), .run = cmd_status,
  .help = "show every node, the record, and what is wrong" },
{ .words = "why", .args = "[NODE]", .max = 1, .options = OPT_BIT(JSON), .run = cmd_why,
  .help = "say what each data node does and what keeps it from more" },
{ .words = "checks", .options = OPT_BIT(JSON), .run = cmd_checks,
  .help = "show every check of every host; exit with 1 if one fails" },
{ .words = "drift", .options = OPT_BIT(JSON) | OPT_BIT(APPLY) | OPT_BIT(YES), .run = cmd_drift,
  .help = "show what is not as a host's role demands; 1 if something is" },
{ .words = "plan", .options = OPT_BIT(JSON) | OPT_BIT(TABLES), .needs = OPT_BIT(TABLES), .run = cmd_plan,
  .help = "print the tables that decide: duties and steps" },
{ .words = "plan promote", .args = "NODE", .min = 1, .max = 1, .options = OPT_BIT(JSON), .run = cmd_plan_promote,
  .help = "say whether and how NODE would take over; changes nothing" },
{ .words = "plan switchover", .args = "NODE", .min = 1, .max = 1, .options = OPT_BIT(JSON), .run = cmd_plan_switchover,
  .help = "print the steps of a switchover to NODE; changes nothing" },
{ .words = "promote", .args = "NODE", .min = 1, .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(FENCED) | OPT_BIT(YES), .run = cmd_promote,
  .help = "make NODE the primary: by a switchover, or when the old is gone" },
{ .words = "switchover", .args = "[NODE]", .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(YES) | OPT_BIT(END_TRANSACTIONS) | OPT_BIT(LEAVE_ARCHIVE) | OPT_BIT(LEAVE_SLOTS), .run = cmd_switchover,
  .help = "on the primary: hand over to NODE, or take it back" },
{ .words = "init", .options = OPT_BIT(JSON) | OPT_BIT(HOLDER) | OPT_BIT(YES), .needs = OPT_BIT(HOLDER), .run = cmd_init,
  .help = "write the first record: who holds the cluster" },
{ .words = "register show", .options = OPT_BIT(JSON), .run = cmd_register_show,
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
{ .words = "history", .options = OPT_BIT(JSON) | OPT_BIT(ALL) | OPT_BIT(VERIFY), .run = cmd_history,
  .help = "show what changed the cluster, as this host wrote it down" },
{ .words = "report", .args = "[EPOCH]", .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(MARKDOWN), .run = cmd_report,
  .help = "show a change of holder, second by second, of all hosts" },
{ .words = "role", .options = OPT_BIT(JSON) | OPT_BIT(IS), .needs = OPT_BIT(IS), .run = cmd_role,
  .help = "exit with 0 if this host is that now, with 1 if not" },
{ .words = "gate", .options = OPT_BIT(JSON), .run = cmd_gate,
  .help = "exit with 0 if PostgreSQL may be started here" },
{ .words = "ping", .options = OPT_BIT(JSON), .run = cmd_ping,
  .help = "ask this host's engine whether it runs" },
{ .words = "config check", .args = "[FILE]", .max = 1, .options = OPT_BIT(JSON), .run = cmd_config_check,
  .help = "read the configuration and print every error" },
{ .words = "pki init", .args = "DIR", .min = 1, .max = 1, .options = OPT_BIT(JSON) | OPT_BIT(CLUSTER), .run = cmd_pki_init,
  .help = "make the cluster's certificate authority in DIR" },
{ .words = "pki node", .args = "DIR NAME", .min = 2, .max = 2, .options = OPT_BIT(JSON) | OPT_BIT(ADDRESS), .run = cmd_pki_node,
  .help = "make NAME's key and certificate, signed by DIR's authority" },
{ .words = "pki check", .options = OPT_BIT(JSON), .run = cmd_pki_check,
  .help = "check the configured certificates of this host" },
{ .words = "completion", .args = "SHELL", .min = 1, .max = 1, .run = cmd_completion,
  .help = "print the completions for bash, zsh or fish" },
{ .words = "docs", .options = OPT_BIT(JSON), .run = cmd_docs,
  .help = "list every word that the manuals must explain" },
};
/* clang-format on */

static const struct verb *verb_find(char **words, int count, int *used);
static bool verb_option(
    struct call *call, int argc, char **argv, int *i, enum exitcode *code);
static int verb_option_find(const char *arg, size_t len);
static bool verb_vet(const struct call *call, enum exitcode *code);
static const char *verb_dashed(int opt, char *buf, size_t size);
static void verb_help(const char *prefix);
static void verb_help_option(int opt);
static void verb_help_one(const struct verb *v);
static bool verb_wrong(
    enum exitcode *code, const char *what, const char *arg, const char *next);
static bool verb_unknown(enum exitcode *code, const char *word);
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
	int i, count = 0, used = 0;

	memset(call, 0, sizeof(*call));
	verb_keep(argc, argv);
	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
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
	if (call->opt[OPT_VERSION] != NULL) {
		printf("hactl %s\n", HAWATCH_VERSION);
		return true;
	}
	call->verb = verb_find(words, count, &used);
	if (call->verb == NULL && count > 0 && verb_group_size(words[0]) == 0)
		return verb_unknown(code, words[0]);
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
		return verb_unknown(code, count == 0 ? "" : words[0]);
	for (i = used; i < count; i++) {
		if (call->args == CALL_ARGS_MAX)
			return verb_wrong(
			    code, "too many words", words[i], "hactl --help");
		call->arg[call->args++] = words[i];
	}
	return verb_vet(call, code);
}

void
verb_usage(const struct verb *v, char *buf, size_t size)
{
	size_t len;
	int i;

	len = (size_t)snprintf(buf, size, "hactl %s", v->words);
	for (i = 0; i < OPT_COUNT && len < size; i++) {
		if ((v->options & (1u << i)) == 0)
			continue;
		len += (size_t)snprintf(buf + len, size - len,
		    (v->needs & (1u << i)) != 0 ? " --%s%s%s" : " [--%s%s%s]",
		    verb_options[i].name,
		    verb_options[i].value == NULL ? "" : " ",
		    verb_options[i].value == NULL ? "" : verb_options[i].value);
	}
	if (v->args != NULL && len < size)
		(void)snprintf(buf + len, size - len, " %s", v->args);
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
	if (opt == -1)
		return verb_wrong(code, "unknown option", arg, "hactl --help");
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
	char usage[160], dashed[32];
	int i;

	if (call->opt[OPT_COLOR] != NULL && !print_colour(call->opt[OPT_COLOR]))
		return verb_wrong(code, "--color takes auto, always or never",
		    call->opt[OPT_COLOR], "hactl status --color=never");
	verb_usage(v, usage, sizeof(usage));
	if (call->args < v->min)
		return verb_wrong(
		    code, "something is missing", v->words, usage);
	if (strlen(usage) + sizeof("next:  ") > PRINT_WIDTH ||
	    (call->args > v->max && verb_group_size(v->words) > 1))
		(void)snprintf(
		    usage, sizeof(usage), "hactl %s --help", v->words);
	if (call->args > v->max)
		return verb_wrong(
		    code, "too many words", call->arg[v->max], usage);
	for (i = 0; i < OPT_COUNT; i++) {
		if (call->opt[i] != NULL &&
		    ((v->options | VERB_COMMON) & (1u << i)) == 0)
			return verb_wrong(code, "not an option of this verb",
			    verb_dashed(i, dashed, sizeof(dashed)), usage);
		if (call->opt[i] == NULL && (v->needs & (1u << i)) != 0)
			return verb_wrong(code, "this option is missing",
			    verb_dashed(i, dashed, sizeof(dashed)), usage);
	}
	return false;
}

static const char *
verb_dashed(int opt, char *buf, size_t size)
{
	(void)snprintf(buf, size, "--%s", verb_options[opt].name);
	return buf;
}

static void
verb_help(const char *prefix)
{
	char usage[160];
	size_t i;
	int o;

	printf("hactl asks and instructs this host's hawatchd.\n\n");
	for (i = 0; i < verb_count(); i++) {
		if (prefix[0] != '\0' && !verb_in_group(&verb_table[i], prefix))
			continue;
		verb_usage(&verb_table[i], usage, sizeof(usage));
		print_folded(stdout, "", 12, usage);
		printf("        %s\n", verb_table[i].help);
	}
	printf("\nEvery verb takes\n");
	for (o = 0; o < OPT_COUNT; o++) {
		if ((VERB_COMMON & (1u << o)) == 0)
			continue;
		verb_help_option(o);
	}
	printf("\nMore: hactl VERB --help, man 8 hactl\n");
}

static void
verb_help_option(int opt)
{
	const struct option_doc *o = &verb_options[opt];
	char text[48], letter[8] = "";

	if (o->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c,", o->letter);
	(void)snprintf(text, sizeof(text), "%-3s --%s %s", letter, o->name,
	    o->value == NULL ? "" : o->value);
	printf("  %-23s %s\n", text, o->text);
}

static void
verb_help_one(const struct verb *v)
{
	char text[160];
	int o;

	verb_usage(v, text, sizeof(text));
	print_folded(stdout, "", 12, text);
	printf("        %s\n\n", v->help);
	for (o = 0; o < OPT_COUNT; o++) {
		if ((v->options & (1u << o)) != 0)
			verb_help_option(o);
	}
	for (o = 0; o < OPT_COUNT; o++) {
		if ((VERB_COMMON & (1u << o)) != 0)
			verb_help_option(o);
	}
	printf("\nMore: man 8 hactl\n");
}

static bool
verb_wrong(
    enum exitcode *code, const char *what, const char *arg, const char *next)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "%s: %s", arg, what);
	print_wrong(text, next);
	*code = EXITCODE_USAGE;
	return true;
}

static bool
verb_unknown(enum exitcode *code, const char *word)
{
	const char *names[sizeof(verb_table) / sizeof(*verb_table)];
	const char *near;
	char next[80] = "hactl --help";
	size_t i, n = 0;

	for (i = 0; i < verb_count(); i++) {
		if (word[0] != '\0' && verb_in_group(&verb_table[i], word)) {
			(void)snprintf(
			    next, sizeof(next), "hactl %s --help", word);
			return verb_wrong(
			    code, "which of its verbs?", word, next);
		}
		names[n++] = verb_table[i].words;
	}
	if (word[0] == '\0')
		return verb_wrong(code, "a verb is missing", "hactl", next);
	near = str_nearest(word, names, n);
	if (near != NULL)
		(void)snprintf(next, sizeof(next), "hactl %s", near);
	return verb_wrong(code, "no such verb", word, next);
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
