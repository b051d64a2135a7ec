/*
 * Authorities of the calls that do not go to peers. libcurl would open their
 * file itself, on the loop, where a file on a server that is gone stops
 * everything. What a certificate must be is libcurl's matter.
 */
#include <stdlib.h>
#include <string.h>

#include "hawatch/aside.h"
#include "hawatch/file.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "loop/http_call.h"

/* A certificate that was renewed is trusted after this. */
#define TRUST_AGAIN (5 * USEC_SEC)

/* The thread's while it reads. */
struct trust_read {
	char *file;
	char *pem; /* NULL: why says why not */
	struct error why;
};

struct http_trust {
	LIST_ENTRY(http_trust) entry;
	struct trust_read *read;
	struct aside *aside; /* owns read */
	char *pem;	     /* what holds; NULL: nothing was ever read */
	struct error why;
	usec_t at; /* raw, read last */
};

static void
trust_read(void *data)
{
	struct trust_read *read = data;

	read->pem = file_read(read->file, HTTP_PEM_MAX, NULL, &read->why);
}

static void
trust_release(void *data)
{
	struct trust_read *read = data;

	free(read->file);
	free(read->pem);
	free(read);
}

/* A file that has gone takes nothing with it. */
static void
trust_take_cb(void *arg)
{
	struct http_trust *t = arg;

	t->why = t->read->why;
	if (t->read->pem == NULL)
		return;
	free(t->pem);
	t->pem = t->read->pem;
	t->read->pem = NULL;
}

static struct http_trust *
trust_find(struct http *h, const char *file)
{
	struct http_trust *t;

	LIST_FOREACH(t, &h->trusts, entry)
		if (strcmp(t->read->file, file) == 0)
			return t;
	return NULL;
}

void
http_trust(struct http *h, const char *file)
{
	struct http_trust *t;

	if (file == NULL || file[0] == '\0' || trust_find(h, file) != NULL)
		return;
	t = xcalloc(1, sizeof(*t));
	t->read = xcalloc(1, sizeof(*t->read));
	t->read->file = xstrdup(file);
	t->aside = aside_new(h->loop, trust_release, t->read);
	t->at = clock_now().raw;
	LIST_INSERT_HEAD(&h->trusts, t, entry);
	trust_read(t->read);
	trust_take_cb(t);
}

void
http_trust_free(struct http *h)
{
	struct http_trust *t;

	while ((t = LIST_FIRST(&h->trusts)) != NULL) {
		LIST_REMOVE(t, entry);
		aside_free(t->aside);
		free(t->pem);
		free(t);
	}
}

const char *
http_trust_pem(struct http *h, const char *file, const char **why)
{
	struct http_trust *t = trust_find(h, file);
	usec_t now = clock_now().raw;

	*why = "the authorities have not been read";
	if (t == NULL)
		return NULL;
	if (now - t->at >= TRUST_AGAIN &&
	    aside_start(t->aside, trust_read, trust_take_cb, t))
		t->at = now;
	*why = t->why.msg;
	return t->pem;
}
