/*
 * The processes of the local PostgreSQL instance, seen through /proc. It sends
 * no signal and asks PostgreSQL nothing.
 *
 * A process belongs to the instance when its working directory is the data
 * directory, by device and inode: a path text may be another file in another
 * mount namespace, and a bind mount or symbolic link has another text. Every
 * process of PostgreSQL works there and has the directory's owner as its user;
 * an operator's shell that merely stands there as root is none of them.
 */
#include "hawatch/instance.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hawatch/file.h"
#include "hawatch/str.h"

#define POSTMASTER_PID_MAX 4096
#define PROC_PATH_MAX 64
#define PROC_STATUS_MAX 16384

static int instance_dir(
    const char *data_directory, struct stat *dir, struct error *err);
static int instance_has(
    const struct stat *dir, const char *pid, struct error *err);
static int instance_owner(uid_t uid, const char *pid, struct error *err);

int
instance_scan(
    const char *data_directory, pid_t *pids, int max, struct error *err)
{
	struct stat dir;
	struct dirent *e;
	DIR *proc;
	int count = 0, has = 0, more = 0, pid;

	if (instance_dir(data_directory, &dir, err) == -1)
		return -1;
	proc = opendir("/proc");
	if (proc == NULL)
		return error_sys(err, "open /proc");
	while (has != -1 && (more = file_next(proc, "/proc", &e, err)) == 1) {
		if (str_parse_int(e->d_name, 1, INT_MAX, &pid) == -1)
			continue;
		has = instance_has(&dir, e->d_name, err);
		if (has == 1 && count++ < max)
			pids[count - 1] = pid;
	}
	closedir(proc);
	return has == -1 || more == -1 ? -1 : count;
}

pid_t
instance_postmaster(const char *data_directory, struct error *err)
{
	char path[PATH_MAX], *text, *end;
	struct stat dir;
	int pid, has;

	if (instance_dir(data_directory, &dir, err) == -1)
		return -1;
	if (snprintf(path, sizeof(path), "%s/postmaster.pid", data_directory) >=
	    (int)sizeof(path))
		return error_set(
		    err, ERR_LIMIT, "%s: too long a path", data_directory);
	text = file_read(path, POSTMASTER_PID_MAX, NULL, err);
	if (text == NULL)
		return err->code == ERR_SYS && err->sys == ENOENT ? 0 : -1;
	/* Single-user mode writes a negative number. */
	end = text + (text[0] == '-');
	end[strcspn(end, "\n")] = '\0';
	if (str_parse_int(end, 1, INT_MAX, &pid) == -1) {
		free(text);
		return error_set(err, ERR_PROTOCOL,
		    "%s does not begin with a process id", path);
	}
	free(text);
	snprintf(path, sizeof(path), "%d", pid);
	has = instance_has(&dir, path, err);
	if (has == -1)
		return -1;
	return has == 1 ? pid : 0;
}

int
instance_pidfd(pid_t pid)
{
	/* Close-on-exec by itself. */
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

enum answer
instance_signal_file(const char *data_directory)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/standby.signal", data_directory) >=
	    (int)sizeof(path))
		return ANS_UNKNOWN;
	if (access(path, F_OK) == 0)
		return ANS_YES;
	return errno == ENOENT ? ANS_NO : ANS_UNKNOWN;
}

static int
instance_dir(const char *data_directory, struct stat *dir, struct error *err)
{
	if (stat(data_directory, dir) == -1)
		return error_sys(err, "data directory %s", data_directory);
	return 0;
}

/*
 * 1, 0, or -1 when it cannot be told. The link is followed, not read. A
 * zombie, and a process that is gone by now, have no working directory; of
 * what we may not look at, only the owner's processes could be one of them.
 */
static int
instance_has(const struct stat *dir, const char *pid, struct error *err)
{
	char path[PROC_PATH_MAX];
	struct stat cwd;
	int error;

	snprintf(path, sizeof(path), "/proc/%.20s/cwd", pid);
	if (stat(path, &cwd) == 0) {
		if (cwd.st_dev != dir->st_dev || cwd.st_ino != dir->st_ino)
			return 0;
		return instance_owner(dir->st_uid, pid, err);
	}
	error = errno;
	if (error == ENOENT || error == ESRCH)
		return 0;
	if (error == EACCES && instance_owner(dir->st_uid, pid, err) == 0)
		return 0;
	errno = error;
	return error_sys(err, "%s (needs CAP_SYS_PTRACE)", path);
}

/* From its status: the owner of /proc/PID is root for a process that may not
 * be dumped. */
static int
instance_owner(uid_t uid, const char *pid, struct error *err)
{
	char path[PROC_PATH_MAX], *text, *line;
	unsigned real, effective;
	int has, n;

	snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	text = file_read(path, PROC_STATUS_MAX, NULL, err);
	if (text == NULL)
		return err->code == ERR_SYS &&
			       (err->sys == ENOENT || err->sys == ESRCH) ?
			   0 :
			   -1;
	line = strstr(text, "\nUid:");
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	n = line == NULL ? 0 : sscanf(line, " Uid: %u %u", &real, &effective);
	if (n != 2)
		has = error_set(err, ERR_PROTOCOL, "%s has no Uid", path);
	else
		has = real == uid || effective == uid;
	free(text);
	return has;
}
