/*
 * What the targets share: how they fail, parts of an input, a file, and a
 * small configuration.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hawatch/emit.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define FUZZ_DIR "/dev/shm"

static char fuzz_path[64];

/* Events are lines whatever is in them. */
static void
fuzz_line(void *arg, enum level level, const char *line)
{
	size_t len;

	for (; *line != '\0'; line += len) {
		len = str_utf8(line);
		FUZZ_CHECK(len > 0);
	}
}

static void __attribute__((constructor)) fuzz_listen(void)
{
	emit_to(fuzz_line, NULL);
}

void
fuzz_broken(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void
fuzz_refused(const struct error *err)
{
	FUZZ_CHECK(err->code != ERR_NONE);
	FUZZ_CHECK(err->msg[0] != '\0');
	FUZZ_CHECK(memchr(err->msg, '\0', sizeof(err->msg)) != NULL);
}

void
fuzz_same(char *a, char *b)
{
	if (strcmp(a, b) != 0)
		(void)fprintf(stderr, "first  %s\nsecond %s\n", a, b);
	FUZZ_CHECK(strcmp(a, b) == 0);
	free(a);
	free(b);
}

char *
fuzz_text(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1);

	if (size > 0)
		memcpy(text, data, size);
	return text;
}

char *
fuzz_part(struct fuzz_in *in, char byte, size_t *len)
{
	size_t left = (size_t)(in->end - in->at);
	const char *cut;
	char *part;

	if (left == 0)
		return NULL;
	cut = memchr(in->at, byte, left);
	*len = cut == NULL ? left : (size_t)(cut - in->at);
	part = fuzz_text((const uint8_t *)in->at, *len);
	in->at = cut == NULL ? in->end : cut + 1;
	return part;
}

static void
fuzz_unlink(void)
{
	(void)unlink(fuzz_path);
}

const char *
fuzz_file(const char *data, size_t size)
{
	int fd;

	if (fuzz_path[0] == '\0') {
		(void)snprintf(fuzz_path, sizeof(fuzz_path),
		    FUZZ_DIR "/hawatch-fuzz-%ld", (long)getpid());
		(void)atexit(fuzz_unlink);
	}
	fd = open(fuzz_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd != -1);
	FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
	return fuzz_path;
}

const struct conf *
fuzz_conf(void)
{
	static const char *const checks[] = { "web", "app", "disk", "cache" };
	static struct conf conf;
	int i;

	if (conf.cluster != NULL)
		return &conf;
	conf.cluster = "votes";
	conf.mode = MODE_AUTO;
	conf.node_count = 3;
	conf.node[0] = (struct conf_node){ .name = "s1",
		.address = "10.77.0.1",
		.private_ip = "10.78.0.1",
		.repmgr_id = 1 };
	conf.node[1] = (struct conf_node){ .name = "s2",
		.address = "10.77.0.2",
		.private_ip = "10.78.0.2",
		.repmgr_id = 2 };
	conf.node[2] = (struct conf_node){ .name = "a1",
		.address = "10.77.0.3",
		.private_ip = "10.78.0.3",
		.role = ROLE_WITNESS };
	conf.operator[conf.operator_count++].name = "ann";
	conf.self = 1;
	conf.arbiter = 2;
	conf.ttl = 2 * USEC_SEC;
	conf.names.cluster = conf.cluster;
	conf.names.count = conf.node_count;
	for (i = 0; i < conf.node_count; i++)
		conf.names.node[i] = conf.node[i].name;
	conf.check_count = (int)(sizeof(checks) / sizeof(checks[0]));
	for (i = 0; i < conf.check_count; i++) {
		conf.check[i].name = checks[i];
		conf.check[i].type = "tcp";
		conf.check[i].health = true;
		conf.check[i].shared = i % 2 == 0;
	}
	conf.repmgr.enabled = true;
	conf.repmgr.dbname = "repmgr";
	return &conf;
}
