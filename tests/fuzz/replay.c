/*
 * The main of a target where there is no libFuzzer: every file of the corpus,
 * then changed ones, the same for the same seed. An input that breaks
 * something, or takes too long, is kept in the working directory.
 *
 *   replay_x FILE...
 *   replay_x --corpus DIR [--dict FILE] [--runs N] [--seconds S] [--seed N]
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "mutate.h"

#define REPLAY_FILE_MAX ((size_t)1024 * 1024)
#define REPLAY_INPUT_MAX ((size_t)8192) /* of what is made here */
#define REPLAY_SLOW 5			/* processor seconds for one input */

/* Of the sanitizers' runtime, where there is one. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

static struct {
	const uint8_t *data; /* the input under way */
	size_t len;
	const char *file; /* it is this one; NULL: made here */
} now;

struct list {
	struct bytes *item;
	char **name;
	size_t n;
};

const char *
__ubsan_default_options(void)
{
	return "halt_on_error=1:abort_on_error=1:print_stacktrace=1";
}

/* An allocation of this size for input of some KiB is a fault. */
const char *
__asan_default_options(void)
{
	return "abort_on_error=1:max_allocation_size_mb=64:"
	       "detect_stack_use_after_return=1:print_suppressions=0";
}

static void
replay_keep(void)
{
	uint64_t hash = 14695981039346656037ULL;
	char path[64];
	size_t i;
	FILE *f;

	if (now.data == NULL)
		return;
	for (i = 0; i < now.len; i++)
		hash = (hash ^ now.data[i]) * 1099511628211ULL;
	(void)snprintf(path, sizeof(path), "crash-%016" PRIx64, hash);
	if (now.file == NULL && (f = fopen(path, "w")) != NULL) {
		(void)fwrite(now.data, 1, now.len, f);
		(void)fclose(f);
	}
	(void)fprintf(
	    stderr, "the input is %s\n", now.file == NULL ? path : now.file);
	now.data = NULL;
}

static void
replay_signal(int signo)
{
	static const char slow[] = "it took too long\n";

	if (signo == SIGPROF && write(STDERR_FILENO, slow, sizeof(slow) - 1))
		signo = SIGABRT;
	replay_keep();
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
}

static void
replay_watch(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	size_t i;

	(void)signal(SIGABRT, replay_signal);
	(void)signal(SIGPROF, replay_signal);
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(replay_keep);
		return;
	}
	for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		(void)signal(fatal[i], replay_signal);
}

/* A copy of exactly its size, so that one byte too far is seen. */
static void
replay_run(const uint8_t *data, size_t len, const char *file)
{
	const struct itimerval limit = { .it_value.tv_sec = REPLAY_SLOW };
	uint8_t *copy = len == 0 ? NULL : xmemdup(data, len);

	now.data = data;
	now.len = len;
	now.file = file;
	(void)setitimer(ITIMER_PROF, &limit, NULL);
	(void)LLVMFuzzerTestOneInput(copy, len);
	now.data = NULL;
	free(copy);
}

static void
list_add(struct list *l, const char *name, const void *data, size_t len)
{
	l->item = xrealloc(l->item, l->n + 1, sizeof(*l->item));
	l->name = xrealloc(l->name, l->n + 1, sizeof(*l->name));
	l->item[l->n] =
	    (struct bytes){ .data = xmemdup(data, len), .len = len };
	l->name[l->n++] = xstrdup(name);
}

static void
list_free(struct list *l)
{
	while (l->n-- > 0) {
		free(l->item[l->n].data);
		free(l->name[l->n]);
	}
	free(l->item);
	free(l->name);
}

static void
list_file(struct list *l, const char *path)
{
	struct error err;
	size_t len;
	char *text = file_read(path, REPLAY_FILE_MAX, &len, &err);

	if (text == NULL) {
		(void)fprintf(stderr, "%s\n", err.msg);
		exit(2);
	}
	list_add(l, path, text, len);
	free(text);
}

/* In the order of the names, whatever the file system does. */
static void
list_dir(struct list *l, const char *dir)
{
	struct dirent **e;
	int i, n = scandir(dir, &e, NULL, alphasort);
	char *path;

	for (i = 0; i < n; i++) {
		path = xasprintf("%s/%s", dir, e[i]->d_name);
		if (e[i]->d_name[0] != '.')
			list_file(l, path);
		free(path);
		free(e[i]);
	}
	if (n != -1)
		free(e);
}

/* libFuzzer's form: one "word" a line, with \\, \" and \xNN. */
static void
list_dict(struct list *l, const char *path)
{
	char line[256], word[256], *p;
	FILE *f = fopen(path, "r");
	unsigned byte;
	size_t len;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		p = strchr(line, '"');
		if (line[0] == '#' || p == NULL)
			continue;
		for (len = 0, p++; *p != '\0' && *p != '"'; len++) {
			word[len] = *p++;
			if (word[len] != '\\')
				continue;
			if (sscanf(p, "x%2x", &byte) == 1) {
				word[len] = (char)byte;
				p += 3;
			} else if (*p != '\0') {
				word[len] = *p++;
			}
		}
		list_add(l, "", word, len);
	}
	if (f != NULL)
		(void)fclose(f);
}

struct options {
	const char *corpus, *dict;
	long runs, seconds;
	uint64_t seed;
};

static long
replay_mutants(const struct options *o, const struct list *inputs)
{
	struct list dict = { 0 };
	struct mutate m = { .state = o->seed };
	const struct bytes *from;
	clock_t end = clock() + o->seconds * CLOCKS_PER_SEC;
	uint8_t *buf = xcalloc(1, REPLAY_INPUT_MAX);
	size_t len;
	long i;

	if (o->dict != NULL)
		list_dict(&dict, o->dict);
	m.word = dict.item;
	m.words = dict.n;
	for (i = 0; i < o->runs && clock() < end && inputs->n > 0; i++) {
		from = &inputs->item[mutate_dice(&m, inputs->n)];
		len =
		    from->len < REPLAY_INPUT_MAX ? from->len : REPLAY_INPUT_MAX;
		memcpy(buf, from->data, len);
		len = mutate(&m, buf, len, REPLAY_INPUT_MAX,
		    &inputs->item[mutate_dice(&m, inputs->n)]);
		replay_run(buf, len, NULL);
	}
	free(buf);
	list_free(&dict);
	return i;
}

int
main(int argc, char **argv)
{
	struct options o = { .runs = 100000000, .seconds = 1, .seed = 1 };
	struct list inputs = { 0 };
	long mutants;
	size_t i;
	int a;

	for (a = 1; a < argc; a++) {
		if (argv[a][0] != '-')
			list_file(&inputs, argv[a]);
		else if (a + 1 == argc)
			return 2;
		else if (strcmp(argv[a], "--corpus") == 0)
			o.corpus = argv[++a];
		else if (strcmp(argv[a], "--dict") == 0)
			o.dict = argv[++a];
		else if (strcmp(argv[a], "--runs") == 0)
			o.runs = atol(argv[++a]);
		else if (strcmp(argv[a], "--seconds") == 0)
			o.seconds = atol(argv[++a]);
		else if (strcmp(argv[a], "--seed") == 0)
			o.seed = strtoull(argv[++a], NULL, 10) | 1;
		else
			return 2;
	}
	if (o.corpus != NULL)
		list_dir(&inputs, o.corpus);
	replay_watch();
	replay_run((const uint8_t *)"", 0, "the empty one");
	for (i = 0; i < inputs.n; i++)
		replay_run(
		    inputs.item[i].data, inputs.item[i].len, inputs.name[i]);
	mutants = o.corpus == NULL ? 0 : replay_mutants(&o, &inputs);
	(void)printf("%zu inputs, %ld mutants\n", inputs.n, mutants);
	list_free(&inputs);
	return 0;
}
