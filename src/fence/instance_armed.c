/*
 * Can this instance really be fenced? The fence is a filter on one TCP port
 * of one network namespace. So nobody but PostgreSQL's own user and root may
 * reach its Unix sockets, it listens on no other port, it lives in our
 * namespace, and nothing but the engine starts it. Looks only; the words of a
 * "no" say what to do.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fence/diag.h"
#include "hawatch/conf.h"
#include "hawatch/file.h"
#include "hawatch/instance.h"
#include "hawatch/str.h"

#define GATE_WORDS "hactl gate"
#define GATE_FILE_MAX 65536
#define SOCKETS_MAX 64
#define UNIX_LISTENING 0x10000 /* flag in /proc/net/unix */

struct sockets {
	unsigned long inode[SOCKETS_MAX];
	int count;
};

/* Of its listening sockets, one that is on another port. */
struct strange {
	const struct sockets *sockets;
	int port;
	int found;
};

static enum answer no(struct error *err, const char *fmt, ...)
    PRINTF_LIKE(2, 3);
static enum answer armed_directory(
    const struct conf_postgres *pg, struct stat *dir, struct error *err);
static enum answer armed_namespace(pid_t pid, struct error *err);
static int sockets_read(pid_t pid, struct sockets *s, struct error *err);
static bool sockets_have(const struct sockets *s, unsigned long inode);
static enum answer armed_unix(const struct conf_postgres *pg,
    const struct sockets *s, pid_t pid, const struct stat *dir,
    struct error *err);
static bool unix_inside(const char *path, const struct stat *dir, int port);
static enum answer armed_tcp(
    const struct conf_postgres *pg, const struct sockets *s, struct error *err);
static int strange_cb(const struct nlmsghdr *msg, void *arg);
static enum answer armed_gate(
    const struct conf_postgres *pg, struct error *err);

enum answer
instance_armed(const struct conf_postgres *pg, struct error *err)
{
	struct sockets s = { .count = 0 };
	struct stat dir;
	enum answer ans;
	pid_t pid;

	ans = armed_gate(pg, err);
	if (ans == ANS_YES)
		ans = armed_directory(pg, &dir, err);
	if (ans != ANS_YES)
		return ans;
	pid = instance_postmaster(pg->data_directory, err);
	if (pid == 0)
		error_set(err, ERR_REFUSED,
		    "postgresql does not run: its "
		    "sockets cannot be looked at");
	if (pid <= 0)
		return ANS_UNKNOWN;
	ans = armed_namespace(pid, err);
	if (ans == ANS_YES && sockets_read(pid, &s, err) == -1)
		ans = ANS_UNKNOWN;
	if (ans == ANS_YES)
		ans = armed_unix(pg, &s, pid, &dir, err);
	if (ans == ANS_YES)
		ans = armed_tcp(pg, &s, err);
	return ans;
}

static enum answer
no(struct error *err, const char *fmt, ...)
{
	char msg[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	error_set(err, ERR_REFUSED, "%s", msg);
	return ANS_NO;
}

static enum answer
armed_directory(
    const struct conf_postgres *pg, struct stat *dir, struct error *err)
{
	const char *path = pg->socket_directory;
	struct stat data;

	if (lstat(path, dir) == -1) {
		error_sys(err, "socket directory %s", path);
		return ANS_UNKNOWN;
	}
	if (!S_ISDIR(dir->st_mode))
		return no(err,
		    "%s is no directory: write the real one into "
		    "postgresql.socket_directory",
		    path);
	if ((dir->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return no(err,
		    "others may reach the sockets in %s: run "
		    "'chmod 0700 %s'",
		    path, path);
	/* PostgreSQL starts only as the owner of its data; asking for the
	 * user by name could wait for a directory service. */
	if (stat(pg->data_directory, &data) == -1) {
		error_sys(err, "data directory %s", pg->data_directory);
		return ANS_UNKNOWN;
	}
	if (dir->st_uid == 0 || dir->st_uid == data.st_uid)
		return ANS_YES;
	return no(err, "%s belongs to user %ld: run 'chown %s %s'", path,
	    (long)dir->st_uid, pg->run_as, path);
}

static enum answer
armed_namespace(pid_t pid, struct error *err)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
	if (stat("/proc/self/ns/net", &ours) == -1 ||
	    stat(path, &theirs) == -1) {
		error_sys(err, "%s", path);
		return ANS_UNKNOWN;
	}
	if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
		return ANS_YES;
	return no(err,
	    "postgresql (pid %ld) is in another network namespace, "
	    "where no rule of ours is: start it in the host's",
	    (long)pid);
}

/* Inodes of the sockets that the postmaster holds. */
static int
sockets_read(pid_t pid, struct sockets *s, struct error *err)
{
	char path[64], link[64];
	unsigned long inode;
	struct dirent *e;
	ssize_t n;
	int more;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	d = opendir(path);
	if (d == NULL)
		return error_sys(err, "open %s", path);
	while ((more = file_next(d, path, &e, err)) == 1) {
		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		if (n == -1)
			continue;
		link[n] = '\0';
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
		if (sscanf(link, "socket:[%lu]", &inode) != 1)
			continue;
		if (s->count == SOCKETS_MAX) {
			closedir(d);
			return error_set(err, ERR_LIMIT,
			    "%s: more than %d "
			    "sockets",
			    path, SOCKETS_MAX);
		}
		s->inode[s->count++] = inode;
	}
	closedir(d);
	return more;
}

static bool
sockets_have(const struct sockets *s, unsigned long inode)
{
	int i;

	for (i = 0; i < s->count; i++)
		if (s->inode[i] == inode)
			return true;
	return false;
}

/* Every Unix socket that it listens on is in the one directory. */
static enum answer
armed_unix(const struct conf_postgres *pg, const struct sockets *s, pid_t pid,
    const struct stat *dir, struct error *err)
{
	char line[512], path[256];
	unsigned flags;
	unsigned long inode;
	enum answer ans = ANS_YES;
	FILE *f = fopen("/proc/self/net/unix", "re");
	int n;

	if (f == NULL) {
		error_sys(err, "open /proc/self/net/unix");
		return ANS_UNKNOWN;
	}
	while (ans == ANS_YES && fgets(line, sizeof(line), f) != NULL) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		n = sscanf(line, "%*s %*s %*s %x %*s %*s %lu %255[^\n]", &flags,
		    &inode, path);
		if (n < 2 || (flags & UNIX_LISTENING) == 0 ||
		    !sockets_have(s, inode))
			continue;
		if (n != 3 || !unix_inside(path, dir, pg->port))
			ans = no(err,
			    "postgresql (pid %ld) also listens on "
			    "the Unix socket %s: set unix_socket_directories "
			    "= '%s' and restart it",
			    (long)pid, n == 3 ? path : "without a name",
			    pg->socket_directory);
	}
	fclose(f);
	return ans;
}

static bool
unix_inside(const char *path, const struct stat *dir, int port)
{
	char name[32], copy[256];
	struct stat st;
	const char *slash = strrchr(path, '/');

	snprintf(name, sizeof(name), ".s.PGSQL.%d", port);
	if (path[0] != '/' || strcmp(slash + 1, name) != 0)
		return false;
	str_cut(copy, sizeof(copy), path);
	if (stat(dirname(copy), &st) == -1)
		return false;
	return st.st_dev == dir->st_dev && st.st_ino == dir->st_ino;
}

/* Asked of the kernel for listening sockets alone: /proc/net/tcp walks over
 * every connection of the host. */
static enum answer
armed_tcp(
    const struct conf_postgres *pg, const struct sockets *s, struct error *err)
{
	struct strange strange = { .sockets = s, .port = pg->port };
	struct diag_want want = { .states = 1U << TCP_LISTEN };
	struct mnl_socket *diag = diag_open(NETLINK_SOCK_DIAG);
	int r = 0;

	if (diag != NULL) {
		want.family = AF_INET;
		r = diag_dump(diag, &want, strange_cb, &strange);
		want.family = AF_INET6;
		want.seq++;
		if (r == 0)
			r = diag_dump(diag, &want, strange_cb, &strange);
	}
	if (diag == NULL || r == -1)
		error_sys(err, "ask the kernel for listening sockets");
	if (diag != NULL)
		mnl_socket_close(diag);
	if (diag == NULL || r == -1)
		return ANS_UNKNOWN;
	if (strange.found == 0)
		return ANS_YES;
	return no(err,
	    "postgresql listens on port %d, the fence guards %d: "
	    "set port = %d in postgresql.conf, or postgresql.port here",
	    strange.found, pg->port, pg->port);
}

static int
strange_cb(const struct nlmsghdr *msg, void *arg)
{
	struct strange *strange = arg;
	const struct inet_diag_msg *sock = mnl_nlmsg_get_payload(msg);
	int port;

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*sock))
		return MNL_CB_ERROR;
	port = ntohs(sock->id.idiag_sport);
	if (port != strange->port &&
	    sockets_have(strange->sockets, sock->idiag_inode))
		strange->found = port;
	return MNL_CB_OK;
}

/* In a line that is no comment. */
static enum answer
armed_gate(const struct conf_postgres *pg, struct error *err)
{
	char *text, *line, *rest;
	enum answer ans = ANS_NO;

	/* Only the argv backend may name none: no unit starts it then. */
	if (pg->gate[0] == '\0')
		return ANS_YES;
	text = file_read(pg->gate, GATE_FILE_MAX, NULL, err);
	if (text == NULL) {
		error_wrap(err, "gate");
		return err->code == ERR_SYS && err->sys == ENOENT ? ANS_NO :
								    ANS_UNKNOWN;
	}
	rest = text;
	while (ans == ANS_NO && (line = strsep(&rest, "\n")) != NULL) {
		line += strspn(line, " \t");
		if (line[0] != '#' && line[0] != ';' &&
		    strstr(line, GATE_WORDS) != NULL)
			ans = ANS_YES;
	}
	free(text);
	if (ans == ANS_NO)
		no(err,
		    "%s does not run '" GATE_WORDS "': without it "
		    "PostgreSQL could start as a primary that nobody allowed",
		    pg->gate);
	return ans;
}
