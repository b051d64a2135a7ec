/*
 * Reading a chain: every line of all files, and where the first link is
 * broken. Whoever reads does not disturb whoever writes.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chain_i.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define CHAIN_FILE_MAX ((size_t)16 * 1024 * 1024)

struct chain_walk {
	void (*each)(void *arg, const struct chain_at *at);
	void *arg;
	struct chain_seen *seen;
	char sum[CHAIN_SUM_MAX]; /* of the line before; "" at the beginning */
	char gap[64];		 /* a name that none has since; "": none */
};

void
chain_sum(
    const char *before, const char *text, size_t len, char sum[CHAIN_SUM_MAX])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int n = 0;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, before, strlen(before)) != 1 ||
	    EVP_DigestUpdate(ctx, " ", 1) != 1 ||
	    EVP_DigestUpdate(ctx, text, len) != 1 ||
	    EVP_DigestFinal_ex(ctx, md, &n) != 1 ||
	    str_hex(sum, CHAIN_SUM_MAX, md, 32) != 0)
		abort();
	EVP_MD_CTX_free(ctx);
}

char *
chain_path(const char *path, int n)
{
	return n == 0 ? xstrdup(path) : xasprintf("%s.%d", path, n);
}

static bool
chain_is_sum(const char *text, size_t len)
{
	return len == CHAIN_SUM_MAX - 1 &&
	       strspn(text, "0123456789abcdef") >= len;
}

const char *
chain_line(const char *line, size_t len, char sum[CHAIN_SUM_MAX])
{
	if (len < CHAIN_SUM_MAX || line[CHAIN_SUM_MAX - 1] != ' ' ||
	    !chain_is_sum(line, CHAIN_SUM_MAX - 1))
		return NULL;
	memcpy(sum, line, CHAIN_SUM_MAX - 1);
	sum[CHAIN_SUM_MAX - 1] = '\0';
	return line + CHAIN_SUM_MAX;
}

bool
chain_head(const char *line, size_t len, char sum[CHAIN_SUM_MAX])
{
	size_t head = strlen(CHAIN_HEAD);

	if (len != head + CHAIN_SUM_MAX - 1 ||
	    strncmp(line, CHAIN_HEAD, head) != 0 ||
	    !chain_is_sum(line + head, CHAIN_SUM_MAX - 1))
		return false;
	memcpy(sum, line + head, CHAIN_SUM_MAX - 1);
	sum[CHAIN_SUM_MAX - 1] = '\0';
	return true;
}

char *
chain_load(const char *path, size_t *len, bool *gone, struct error *err)
{
	char *text = file_read(path, CHAIN_FILE_MAX, len, err);

	*gone = text == NULL && err->code == ERR_SYS && err->sys == ENOENT;
	return text;
}

static void
walk_broken(
    struct chain_walk *w, const char *file, size_t line, const char *why)
{
	if (w->seen->broken)
		return;
	w->seen->broken = true;
	str_cut(w->seen->file, sizeof(w->seen->file), file);
	w->seen->line = line;
	str_cut(w->seen->why, sizeof(w->seen->why), why);
}

static void
walk_missing(struct chain_walk *w)
{
	walk_broken(w, w->gap, 1, "it is missing");
}

static void
walk_head(struct chain_walk *w, const char *file, const char *line, size_t len)
{
	char sum[CHAIN_SUM_MAX];

	if (!chain_head(line, len, sum)) {
		walk_broken(
		    w, file, 1, "the file does not begin with its head");
		w->sum[0] = '\0';
		return;
	}
	if (w->sum[0] != '\0' && strcmp(w->sum, sum) != 0) {
		if (w->gap[0] != '\0')
			walk_missing(w);
		else
			walk_broken(w, file, 1,
			    "it does not follow the file before it");
	}
	str_cut(w->sum, sizeof(w->sum), sum);
}

static void
walk_line(
    struct chain_walk *w, const char *file, size_t n, char *line, size_t len)
{
	char sum[CHAIN_SUM_MAX], want[CHAIN_SUM_MAX] = "";
	const char *text = chain_line(line, len, sum);
	struct chain_at at = { .file = file, .line = n };

	if (text == NULL) {
		walk_broken(w, file, n, "the line has no sum");
		w->sum[0] = '\0';
		return;
	}
	chain_sum(w->sum, text, strlen(text), want);
	at.text = text;
	at.linked = strcmp(sum, want) == 0 && len == strlen(line);
	if (!at.linked)
		walk_broken(w, file, n,
		    "it is not what was written after the line before");
	/* From here on as it says, so that one change is one broken link. */
	str_cut(w->sum, sizeof(w->sum), sum);
	w->seen->lines++;
	if (w->each != NULL)
		w->each(w->arg, &at);
}

static void
walk_file(struct chain_walk *w, const char *path, char *text, size_t len)
{
	const char *file = strrchr(path, '/');
	char *at = text, *end;
	size_t n = 0;

	file = file == NULL ? path : file + 1;
	w->seen->files++;
	if (len == 0)
		walk_broken(w, file, 1, "the file is empty");
	while (at < text + len) {
		end = memchr(at, '\n', (size_t)(text + len - at));
		n++;
		if (end == NULL) {
			walk_broken(w, file, n, "the last line has no end");
			break;
		}
		*end = '\0';
		if (n == 1)
			walk_head(w, file, at, (size_t)(end - at));
		else
			walk_line(w, file, n, at, (size_t)(end - at));
		at = end + 1;
	}
	w->gap[0] = '\0';
}

/* After a crash while the files were given their new names one of them is free
 * and nothing is missing: the next file's head says so. After the newest comes
 * none. */
static void
walk_gone(struct chain_walk *w, const char *path, bool newest)
{
	if (w->seen->files > 0 && w->gap[0] == '\0')
		str_cut(w->gap, sizeof(w->gap), strrchr(path, '/') + 1);
	if (w->seen->files > 0 && newest)
		walk_missing(w);
}

int
chain_read(const char *path, int files,
    void (*each)(void *arg, const struct chain_at *at), void *arg,
    struct chain_seen *seen, struct error *err)
{
	struct chain_walk w = { .each = each, .arg = arg, .seen = seen };
	char *name, *text;
	bool gone;
	size_t len;
	int i;

	memset(seen, 0, sizeof(*seen));
	for (i = files - 1; i >= 0; i--) {
		name = chain_path(path, i);
		text = chain_load(name, &len, &gone, err);
		if (text != NULL)
			walk_file(&w, name, text, len);
		else if (gone)
			walk_gone(&w, name, i == 0);
		free(text);
		free(name);
		if (text == NULL && !gone)
			return -1;
	}
	str_cut(seen->last, sizeof(seen->last), w.sum);
	return 0;
}
