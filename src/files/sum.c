/*
 * What is in the directories of this host, as lines of a child, and what two
 * hosts' lines say of each other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "files/files_i.h"
#include "hawatch/job.h"
#include "hawatch/str.h"

struct job *
files_sum_start(struct files *f,
    void (*done)(void *arg, const struct job_result *res), void *arg,
    struct error *err)
{
	const struct conf_files *conf = &f->env.conf->files;
	const char *argv[CONF_LIST_MAX + 3] = { f->env.program, "--digest" };
	struct job_spec spec = { .argv = argv,
		.deadline = conf->timeout,
		.output_max = FILES_SUM_MAX - 1,
		.keep_fd = -1 };
	int i;

	for (i = 0; conf->paths[i] != NULL; i++)
		argv[i + 2] = conf->paths[i];
	return job_start(f->env.loop, &spec, done, arg, err);
}

/* The last line of what it printed, which says most. */
static void
sum_last_line(const char *text, size_t len, char *line, size_t size)
{
	size_t from;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	for (from = len; from > 0 && text[from - 1] != '\n'; from--)
		;
	(void)snprintf(line, size, "%.*s", (int)(len - from), text + from);
}

int
files_sum_read(
    const struct job_result *res, const char *what, char *sum, char *why)
{
	char line[160];

	if (!res->late && res->status != -1 && WIFEXITED(res->status) &&
	    WEXITSTATUS(res->status) == 0) {
		str_cut(sum, FILES_SUM_MAX, res->output);
		return 0;
	}
	sum_last_line(res->output, res->output_len, line, sizeof(line));
	(void)snprintf(why, FILES_WHY_MAX, "%s: %s%s%s", what,
	    res->late ? "no end within its time" : "it failed",
	    line[0] == '\0' ? "" : ": ", line);
	return -1;
}

/* One line: where the next one begins, NULL when it is none. */
static const char *
sum_line(const char *text, char *digest, uint64_t *files, uint64_t *bytes)
{
	int n = 0;

	if (sscanf(text, "%64[0-9a-f] %" SCNu64 " %" SCNu64 "%n", digest, files,
		bytes, &n) != 3 ||
	    strlen(digest) != 64 || text[n] != '\n')
		return NULL;
	return text + n + 1;
}

int
files_sum_compare(
    const struct conf *conf, const char *here, const char *there, char *why)
{
	uint64_t files[2], bytes[2];
	char digest[2][65];
	int i;

	for (i = 0; conf->files.paths[i] != NULL; i++) {
		here = sum_line(here, digest[0], &files[0], &bytes[0]);
		there = sum_line(there, digest[1], &files[1], &bytes[1]);
		if (here == NULL || there == NULL)
			return -1;
		if (strcmp(digest[0], digest[1]) == 0)
			continue;
		(void)snprintf(why, FILES_WHY_MAX,
		    "%s differs: %" PRIu64 " files of %" PRIu64
		    " bytes here, %" PRIu64 " of %" PRIu64 " on the target",
		    conf->files.paths[i], files[0], bytes[0], files[1],
		    bytes[1]);
		return 1;
	}
	return here[0] == '\0' && there[0] == '\0' ? 0 : -1;
}
