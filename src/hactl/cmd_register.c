/*
 * hactl register: what the register holds, and a person's word that a cold
 * one is right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define REGISTER_LIMIT (10 * USEC_SEC)

static void register_json(const json_t *reg);
static void register_print(const json_t *reg);
static void register_members(const json_t *list);

enum exitcode
cmd_register_show(const struct call *call)
{
	const json_t *reg;
	enum exitcode code;
	json_t *answer;

	code = ask_engine(call, ask_request("register-show"), REGISTER_LIMIT,
	    NULL, NULL, &answer);
	reg = get_at(answer, "register");
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL) {
		register_json(reg);
	} else if (code == EXITCODE_DONE) {
		register_print(reg);
	}
	json_decref(answer);
	return code;
}

enum exitcode
cmd_register_adopt(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	if (confirm_asks(call)) {
		code = cmd_register_show(call);
		if (code != EXITCODE_DONE)
			return code;
		printf("\n");
		print_wrapped("",
		    "If this is a copy from before a failover, adopting it "
		    "lets the old primary back in: commits since then are "
		    "lost. Compare its epoch with that of every node in "
		    "hactl status.");
	}
	code = confirm(call, "Adopt this record?");
	if (code != EXITCODE_DONE)
		return code;
	code = ask_engine(call, ask_request("register-adopt"), REGISTER_LIMIT,
	    NULL, NULL, &answer);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL)
		register_json(get_at(answer, "register"));
	else if (code == EXITCODE_DONE)
		register_print(get_at(answer, "register"));
	json_decref(answer);
	return code;
}

static void
register_json(const json_t *reg)
{
	/* An engine of another version may not say it. */
	json_t *obj =
	    reg == NULL ? json_object() : json_copy((json_t *)(uintptr_t)reg);

	print_json(obj, EXITCODE_DONE);
	json_decref(obj);
}

/* Of two lone hosts. */
static void
register_copies(const json_t *reg)
{
	char text[320];

	print_wrapped("         ",
	    get_bool(reg, "cold") ?
		"this host's copy of two, which is not the one that was "
		"written here: it waits for the other one, or for a person "
		"who adopts it" :
		"this host's copy of two");
	if (get_bool(reg, "other_answers"))
		(void)snprintf(text, sizeof(text),
		    "the copy on %s: epoch %lld, revision %lld%s",
		    get_str(reg, "other"), get_int(reg, "other_epoch"),
		    get_int(reg, "other_revision"),
		    get_bool(reg, "other_cold") ? ", not believed there" : "");
	else
		(void)snprintf(text, sizeof(text),
		    "the copy on %s does not answer", get_str(reg, "other"));
	print_wrapped("         ", text);
}

static void
register_print(const json_t *reg)
{
	char text[320], list[160];

	(void)snprintf(text, sizeof(text), "instance %s, revision %lld",
	    get_str(reg, "instance"), get_int(reg, "revision"));
	print_wrapped("register ", text);
	if (strcmp(get_str(reg, "type"), "none") == 0) {
		register_copies(reg);
	} else if (get_bool(reg, "cold")) {
		get_list(reg, "reported", list, sizeof(list));
		(void)snprintf(text, sizeof(text),
		    "cold: refuses every change until all data nodes have "
		    "reported, or a person adopts it; reported: %s",
		    list);
		print_wrapped("         ", text);
	}
	print_record(get_at(reg, "record"), "its position in the WAL is");
	register_members(get_at(reg, "members"));
}

/* Of etcd: who of them serves, as far as this host can reach them. */
static void
register_members(const json_t *list)
{
	const json_t *m;
	char text[400];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		m = json_array_get(list, i);
		if (get_bool(m, "answers"))
			(void)snprintf(text, sizeof(text),
			    "%s: serves; cluster %s, revision %lld",
			    get_str(m, "member"), get_str(m, "cluster"),
			    get_int(m, "head"));
		else
			(void)snprintf(text, sizeof(text), "does not serve: %s",
			    get_str(m, "why"));
		print_wrapped(i == 0 ? "etcd    " : "        ", text);
	}
}
