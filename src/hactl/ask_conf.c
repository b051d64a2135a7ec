/*
 * The configuration of this host, for the verbs that read it themselves; and
 * what a person does about one that is broken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hawatch/mem.h"

/* "FILE:12: what is wrong there": the command that opens it, and more. */
static void
ask_edit(char *buf, size_t size, size_t *len, const char *error)
{
	const char *end = strstr(error, ": "), *line = end;
	char *file;

	while (
	    line != NULL && line > error && line[-1] >= '0' && line[-1] <= '9')
		line--;
	if (line == end || line == error || line[-1] != ':')
		return;
	file = xstrndup(error, (size_t)(line - 1 - error));
	*len += (size_t)snprintf(
	    buf + *len, size - *len, "editor +%.*s", (int)(end - line), line);
	verb_quote(buf, size, len, file);
	if (*len < size)
		*len += (size_t)snprintf(buf + *len, size - *len, " && ");
	free(file);
}

/* It is edited, and looked at again as it was. */
static char *
ask_mend(const struct call *call, const char *path, const char *error)
{
	char buf[1400] = "", again[600] = "hactl config check";
	size_t len = 0, end = strlen(again);

	verb_quote(again, sizeof(again), &end, path);
	ask_edit(buf, sizeof(buf), &len, error);
	if (len < sizeof(buf))
		(void)snprintf(buf + len, sizeof(buf) - len, "%s",
		    call->verb != NULL &&
			    strcmp(call->verb->words, "config check") == 0 ?
			verb_again("", "") :
			again);
	return xstrdup(buf);
}

struct conf *
ask_conf(const struct call *call, const char *next)
{
	const char *path =
	    call->opt[OPT_CONFIG] == NULL ? CONF_PATH : call->opt[OPT_CONFIG];
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;
	char *text, *mend;
	int i;

	conf = conf_load(path, call->opt[OPT_NODE], &errors);
	for (i = 0; conf == NULL && i < errors.count; i++) {
		print_folded(stderr, "", 8, errors.text[i]);
		print_json_error(errors.text[i]);
	}
	if (conf == NULL) {
		text = xasprintf("%d error%s in the configuration: mend what "
				 "is named",
		    errors.count, errors.count == 1 ? "" : "s");
		mend = ask_mend(call, path, errors.text[0]);
		print_wrong(text, next == NULL ? mend : next);
		free(mend);
		free(text);
	}
	conf_errors_free(&errors);
	return conf;
}
