/*
 * What the files of hactl share: the parsed command line, the question to the
 * engine, and printing. One file a group of verbs.
 */
#ifndef HAWATCH_HACTL_H
#define HAWATCH_HACTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hawatch/conf.h"
#include "hawatch/exitcode.h"
#include "hawatch/types.h"

/* id, long name, short letter, name of the value or NULL, what it does */
#define HACTL_OPTIONS(X) \
	X(CONFIG, "config", 'c', "FILE", "the configuration to use") \
	X(SOCKET, "socket", 's', "PATH", "the engine's control socket") \
	X(NODE, "node", 'N', "NAME", "who this host is") \
	X(HOST, "host", 0, "HOST", "ask the engine of this host, over TLS") \
	X(CLIENT, "client", 0, "FILE", "from which hosts and keys are read") \
	X(CA, "ca", 0, "FILE", "the cluster's authority") \
	X(CERT, "cert", 0, "FILE", "an operator's certificate") \
	X(KEY, "key", 0, "FILE", "the key of that certificate") \
	X(HELP, "help", 'h', NULL, "say how to use it") \
	X(VERSION, "version", 'V', NULL, "print the version") \
	X(COLOR, "color", 0, "WHEN", "auto, always or never") \
	X(JSON, "json", 'j', NULL, "print JSON for programs") \
	X(WATCH, "watch", 'w', NULL, "again each second, until ^C") \
	X(YES, "yes", 'y', NULL, "do not ask") \
	X(FENCED, "fenced", 0, "WHY", \
	    "a person made sure that the old primary is off: how") \
	X(HOLDER, "holder", 0, "NODE", "who is to hold the cluster") \
	X(IS, "is", 0, "ROLE", "primary or standby") \
	X(CLUSTER, "cluster", 0, "NAME", "of the authority") \
	X(ADDRESS, "address", 0, "ADDRESS", "of the node") \
	X(TABLES, "tables", 0, NULL, "print the tables that run") \
	X(ALL, "all", 0, NULL, "with every step on the way") \
	X(MARKDOWN, "markdown", 0, NULL, "for a document") \
	X(VERIFY, "verify", 0, NULL, "is it still what was written?") \
	X(APPLY, "apply", 0, NULL, "change what differs on this host, now") \
	X(END_TRANSACTIONS, "end-transactions", 0, NULL, \
	    "transactions that are open for long are rolled back") \
	X(LEAVE_ARCHIVE, "leave-archive", 0, NULL, \
	    "what is not archived yet is left behind") \
	X(LEAVE_SLOTS, "leave-slots", 0, NULL, \
	    "logical replication slots are left behind") \
	X(WOULD, "would", 0, NULL, "what mode observe would have done") \
	X(DRY_RUN, "dry-run", 0, NULL, "show what would change, no more") \
	X(FOR, "for", 0, "TIME", "how long: 90s, 30m, 2h; at most 24h") \
	X(IF, "if", 0, "NODE=dead", "suppose that this host is lost") \
	X(TEST, "test", 0, NULL, "with a text that says that it is one") \
	X(CLONE, "clone", 0, NULL, "copy all of it, where it cannot be rewound")

enum hactl_option {
#define X(id, name, letter, value, text) OPT_##id,
	HACTL_OPTIONS(X)
#undef X
	    OPT_COUNT
};
#define OPT_MASK(opt) (UINT64_C(1) << (opt))
#define OPT_BIT(id) OPT_MASK(OPT_##id)

#define CALL_ARGS_MAX 4

struct call {
	const struct verb *verb;
	const char *opt[OPT_COUNT]; /* "" for one without a value; NULL */
	const char *arg[CALL_ARGS_MAX];
	int args;
};

/* Whom it is for: an order one host, a question any, the rest this machine. */
enum verb_reach { VERB_ORDER, VERB_READ, VERB_HERE };

struct verb {
	const char *words; /* "plan promote" */
	const char *args;  /* "NODE"; "[FILE]"; "" */
	int min, max;	   /* so many args */
	uint64_t options;  /* that it takes beside the common ones */
	uint64_t needs;	   /* of these, one must be there */
	enum verb_reach reach;
	const char *help; /* one line */
	enum exitcode (*run)(const struct call *call);
};

struct option_doc {
	const char *name;
	char letter;
	const char *value;
	const char *text;
};

/* That every verb takes. */
#define VERB_COMMON \
	(OPT_BIT(CONFIG) | OPT_BIT(SOCKET) | OPT_BIT(NODE) | OPT_BIT(HELP) | \
	    OPT_BIT(VERSION) | OPT_BIT(COLOR) | OPT_BIT(HOST) | \
	    OPT_BIT(CLIENT) | OPT_BIT(CA) | OPT_BIT(CERT) | OPT_BIT(KEY))

/* verbs.c: the token tables are the parser, the usage, the help and what the
 * shells complete. */
extern const struct verb verb_table[];
extern const struct option_doc verb_options[OPT_COUNT];
/* "plan promote" is in the group "plan", and so is "plan". */
bool verb_in_group(const struct verb *v, const char *prefix);
size_t verb_count(void);
/* Fills call; or prints what is wrong, or the help that was asked for, and
 * returns true with *code. */
bool verb_parse(struct call *call, int argc, char **argv, enum exitcode *code);
/* verb_help.c: made of the same tables. */
void verb_usage(const struct verb *v, char *buf, size_t size);
/* prefix: of that group only; "" all. */
void verb_help(const char *prefix);
void verb_help_one(const struct verb *v);
/* again.c: the command that was given, to be copied, between these words. */
void verb_keep(int argc, char **argv);
const char *verb_again(const char *before, const char *after);
/* A blank and that word, as a shell reads it back; *len: used of buf. */
void verb_quote(char *buf, size_t size, size_t *len, const char *word);
/* With that in the place of a word of it; hactl --help where it has none. */
const char *verb_again_with(const char *word, const char *other);

/* ask.c: the engine's answer, line by line. line may be NULL; it gets every
 * line without "exit". last gets the final one: caller json_decref()s. What
 * is refused, late or silent is printed on standard error. */
enum exitcode ask_engine(const struct call *call, json_t *request, usec_t limit,
    void (*line)(void *arg, const json_t *obj), void *arg, json_t **last);
/* Called ten times a second while an answer is waited for, and with over when
 * that ends; NULL: nobody. */
void ask_tick(void (*tick)(void *arg, bool over), void *arg);
/* For ask.c: it ends. */
void ask_tick_over(void);
/* On the clock that its limits are by. */
usec_t ask_now(void);
/* The request itself; caller gives it to ask_engine, which takes it. */
json_t *ask_request(const char *verb);
/* ask_conf.c. Reads the configuration; NULL with its errors printed, and what
 * comes next, which is by default to edit it, and to look at it again. */
struct conf *ask_conf(const struct call *call, const char *next);

/* cmd_order.c: takes request; shows every step as it happens. */
enum exitcode order_run(const struct call *call, json_t *request, usec_t limit);

/* confirm.c: what can lose data or availability is asked for. */
enum exitcode confirm(const struct call *call, const char *question);
/* Somebody is going to be asked, so it is worth while to say what. */
bool confirm_asks(const struct call *call);

/* get.c: values by a path like "fence.writers"; "" and 0 when absent. */
const char *get_str(const json_t *obj, const char *path);
long long get_int(const json_t *obj, const char *path);
bool get_bool(const json_t *obj, const char *path);
bool get_has(const json_t *obj, const char *path);
const json_t *get_at(const json_t *obj, const char *path);
/* Whether an array of strings has this one. */
bool get_in(const json_t *list, const char *name);
/* "a, b" of an array of strings; "none". */
void get_list(const json_t *obj, const char *path, char *buf, size_t size);

/* print.c: at most 80 columns; colour on a terminal only. */
#define PRINT_WIDTH 80
#define PRINT_PARAGRAPH 75 /* leaves room for a manual's indentation */
#define PRINT_COLUMNS_MAX 8
#define PRINT_CELL_MAX 96
enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_HEAD };
struct print_row {
	char cell[PRINT_COLUMNS_MAX][PRINT_CELL_MAX];
	enum colour colour;
};
/* Cut to fit: the last column at its end, then the widest in their middle. */
void print_table(const char *const *head, int columns,
    const struct print_row *rows, size_t n);
/* Words wrapped; the first line begins with first, the others are as deep. */
void print_wrapped(const char *first, const char *text);
/* A sentence, wrapped. */
void print_line(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same to any file, with a depth of its own. */
void print_folded(FILE *out, const char *first, int depth, const char *text);
void print_coloured(enum colour colour, const char *text);
/* "auto", "always" or "never"; false: another word. */
bool print_colour(const char *when);
/* Copies, with whatever a terminal would obey as '?'. */
void print_clean(char *dst, size_t size, const char *src);
void print_wrong(const char *text, const char *next);
/* A command, whole: it is there to be copied. */
void print_next(const char *first, const char *next);
/* next.c: the command that comes next, as it can be pasted: with a terminal for
 * what asks; where another host is asked, not by ssh. Good until the next call.
 */
const char *next_command(const char *next);
/* The same order elsewhere, or with one option more: with all that it had. */
const char *next_kept(const struct call *call, const char *next);
/* Whether print_wrong only remembers; and the last that it remembered. */
void print_hold(bool hold);
void print_held(void);
/* False: of what was printed until now something is lost. */
bool print_flush(void);
/* "1.234 s" */
void print_ms(char *buf, size_t size, long long ms);
/* "5 s", "3 min", "2 h", "4 d" of milliseconds; "-" of null. */
void print_age(char *buf, size_t size, const json_t *ms);

/* print_json.c: the number of the schema of what --json prints. It grows when
 * something that was there changes or goes, not when something is added. */
#define HACTL_SCHEMA 1
/* Something on the way, as one line. */
void print_json_line(const json_t *obj);
/* The last line: the answer, with its exit code. */
void print_json(json_t *answer, enum exitcode code);
/* What print_wrong has said, and one of the errors in the configuration. */
void print_json_refused(const char *text, const char *next);
void print_json_error(const char *text);
/* Puts what was said last beside an answer that has more. */
void print_json_wrong(json_t *obj);
/* Before the end: where --json was asked for and no last line printed. */
void print_json_end(const struct call *call, enum exitcode code);
/* A line for each data node that said nothing, with what comes next. */
void print_silent(const json_t *nodes);
/* "none", "2 of 12", "not known" of a node's items. */
void print_drift(char *buf, size_t size, const json_t *node);
/* The record in words, as status and register show say it. */
/* lsn: what its position is; NULL when durability is strict for sure. */
void print_record(const json_t *rec, const char *lsn);
/* print_pause.c: the pause, if there is one: the register's; or that of which
 * the nodes of an answer, or its node, say that they know. */
#define PAUSE_TEXT_MAX 400
void print_record_paused(const json_t *rec);
void print_paused(const json_t *answer);
/* The words alone; false: there is none. */
bool pause_seen(char *buf, size_t size, const json_t *answer);

/* The verbs. */
enum exitcode cmd_status(const struct call *call);
enum exitcode cmd_checks(const struct call *call);
enum exitcode cmd_drift(const struct call *call);
enum exitcode cmd_plan(const struct call *call);
enum exitcode cmd_plan_promote(const struct call *call);
enum exitcode cmd_plan_switchover(const struct call *call);
enum exitcode cmd_promote(const struct call *call);
enum exitcode cmd_switchover(const struct call *call);
enum exitcode cmd_init(const struct call *call);
enum exitcode cmd_pause(const struct call *call);
enum exitcode cmd_resume(const struct call *call);
enum exitcode cmd_fence(const struct call *call);
enum exitcode cmd_drill(const struct call *call);
enum exitcode cmd_notify(const struct call *call);
enum exitcode cmd_rejoin(const struct call *call);
enum exitcode cmd_unfence(const struct call *call);
enum exitcode cmd_ack(const struct call *call);
enum exitcode cmd_register_show(const struct call *call);
enum exitcode cmd_register_adopt(const struct call *call);
enum exitcode cmd_role(const struct call *call);
enum exitcode cmd_gate(const struct call *call);
enum exitcode cmd_ping(const struct call *call);
enum exitcode cmd_report_would(const struct call *call);
enum exitcode cmd_reload(const struct call *call);
enum exitcode cmd_config_diff(const struct call *call);
enum exitcode cmd_config_check(const struct call *call);
enum exitcode cmd_pki_init(const struct call *call);
enum exitcode cmd_pki_node(const struct call *call);
enum exitcode cmd_pki_operator(const struct call *call);
enum exitcode cmd_pki_check(const struct call *call);
enum exitcode cmd_history(const struct call *call);
enum exitcode cmd_report(const struct call *call);
enum exitcode cmd_why(const struct call *call);
enum exitcode cmd_preflight(const struct call *call);
enum exitcode cmd_completion(const struct call *call);
enum exitcode cmd_docs(const struct call *call);

/* status_ask.c: caller json_decref()s. "differ" of it is what config diff shows
 * on the host that answered, where hosts differ. */
enum exitcode status_ask(
    const struct call *call, usec_t limit, json_t **answer);
/* cmd_status.c; its watch is in cmd_watch.c. */
void status_print(const json_t *answer);
enum exitcode status_watch(const struct call *call);
/* The cells of the table. */
void status_role(char *buf, size_t size, const json_t *node);
void status_timeline(char *buf, size_t size, const json_t *node);
void status_fence(char *buf, size_t size, const json_t *node);
/* A word on that node: what it waits for, or that it is a candidate. */
const char *status_note(const json_t *node);
/* The record as the one who knows most knows it. */
const json_t *status_newest(const json_t *answer);
/* Prints that this is no node, or no data node, and which are. */
void status_no_node(const json_t *answer, const char *name, bool data);
/* What is said of that node; NULL. */
const json_t *status_node(const json_t *answer, const char *name);

/* wrong.c: what a person should look at, worst first. */
struct wrong {
	char text[480];
	char next[900]; /* never cut: it is there to be copied */
	bool settles;	/* it passes by itself, within seconds */
};
size_t wrong_find(const json_t *status, struct wrong *list, size_t max);
/* print_wrongs.c: each with what to do next; all of an answer. */
void status_wrongs(const struct wrong *list, size_t n);
void print_wrongs(const json_t *answer);
/* print_site.c */
void print_site(const json_t *nodes);
/* print_observe.c: it is a data node in mode observe; and its PostgreSQL is
 * there; all that answer are. */
bool observe_is(const json_t *node);
bool observe_calm(const json_t *node);
bool observe_all(const json_t *nodes);
/* Why it could not be fenced in another mode; "". */
const char *observe_armed(const json_t *node);
/* What stands against mode auto there; "". */
#define OBSERVE_AGAINST_MAX 480
void observe_against(const json_t *node, char *buf, size_t size);
/* A line on those, and what stands against another mode. */
void print_observe(const json_t *nodes);
/* What a reason's token means; "" for another text. */
const char *wrong_reason(const char *token);

#endif
