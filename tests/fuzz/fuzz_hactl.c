/*
 * What an engine answers to hactl, of another version or with another's text
 * in it: the first byte is the verb, then one answer a line. Whatever it is,
 * what is printed is lines of text that no terminal obeys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

static struct fuzz_in answers;

/* In the place of ask.c. */

json_t *
ask_request(const char *verb)
{
	return json_object();
}

struct conf *
ask_conf(const struct call *call, const char *next)
{
	return NULL;
}

usec_t
ask_now(void)
{
	return 0;
}

enum exitcode
ask_engine(const struct call *call, json_t *request, usec_t limit,
    void (*line)(void *arg, const json_t *obj), void *arg, json_t **last)
{
	struct error err;
	size_t len;
	char *text;

	json_decref(request);
	*last = NULL;
	while ((text = fuzz_part(&answers, '\n', &len)) != NULL) {
		*last = json_read(text, len, &err);
		free(text);
		if (*last == NULL)
			return EXITCODE_NO_ENGINE;
		if (answers.at == answers.end)
			break;
		if (line != NULL)
			line(arg, *last);
		json_decref(*last);
		*last = NULL;
	}
	if (*last == NULL)
		return EXITCODE_NO_ENGINE;
	if (json_has(*last, "refused"))
		print_wrong(get_str(*last, "refused"), get_str(*last, "next"));
	return EXITCODE_DONE;
}

static void
clean(const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		len = *text == '\n' ? 1 : str_utf8(text);
		FUZZ_CHECK(len > 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static enum exitcode (*const verbs[])(
	    const struct call *call) = { cmd_status, cmd_checks, cmd_drift,
		cmd_plan, cmd_plan_promote, cmd_register_show, cmd_role,
		cmd_gate, cmd_ping, cmd_ack, cmd_plan_switchover };
	struct call call = {
		.arg = { "s1" }, .args = 1, .opt = { [OPT_IS] = "primary" }
	};
	FILE *out = stdout, *err = stderr;
	char *text = NULL;
	size_t len = 0;

	if (size < 2)
		return 0;
	answers = (struct fuzz_in){ (const char *)data + 1,
		(const char *)data + size };
	if ((data[0] & 0x80) != 0)
		call.opt[OPT_JSON] = "";
	stdout = stderr = open_memstream(&text, &len);
	(void)verbs[(data[0] & 0x7f) % (sizeof(verbs) / sizeof(verbs[0]))](
	    &call);
	(void)fclose(stdout);
	stdout = out;
	stderr = err;
	FUZZ_CHECK(len < 64 * size + 65536);
	if (call.opt[OPT_JSON] == NULL)
		clean(text);
	free(text);
	return 0;
}
