/*
 * Check "disk": a file system has room, for bytes and for files.
 *
 * It is asked by a child, stat(1), for a file system of a server that is gone
 * holds whoever asks, and not even KILL ends it. A thread would be held like
 * that with all that waits behind it, and hold up the end of the daemon. While
 * such a child is left, no other one is started.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "check/modules.h"
#include "hawatch/job.h"
#include "hawatch/reason.h"

#define DISK_STAT "/usr/bin/stat"

struct check_disk_priv {
	struct job *job; /* while a probe runs */
	pid_t held;	 /* of the probe that was cancelled last; 0 */
};

static int check_disk_start(struct check *c, struct error *err);
static void check_disk_cancel(struct check *c);

const struct check_ops check_disk = {
	.name = "disk",
	.priv_size = sizeof(struct check_disk_priv),
	.start = check_disk_start,
	.cancel = check_disk_cancel,
};

static void
check_disk_cancel(struct check *c)
{
	struct check_disk_priv *p = check_priv(c);

	if (p->job == NULL)
		return;
	p->held = job_pid(p->job);
	job_cancel(p->job);
	p->job = NULL;
}

/* Still our child: neither reaped nor another process of that number. */
static bool
check_disk_held(pid_t pid)
{
	siginfo_t info;

	return pid > 0 && waitid(P_PID, (id_t)pid, &info,
			      WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* As df counts: what is kept for root is no part of the whole. */
static enum reason
check_disk_judge(const struct conf_check *conf, const char *text)
{
	unsigned long long size, blocks, left, avail, files, files_left;
	unsigned long long usable;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	if (sscanf(text, "%llu %llu %llu %llu %llu %llu", &size, &blocks, &left,
		&avail, &files, &files_left) != 6 ||
	    left > blocks || avail > left)
		return REASON_garbage;
	usable = blocks - left + avail;
	if (avail * 100 < usable * (unsigned long long)conf->free_percent ||
	    avail * size / (1024ULL * 1024) < (unsigned long long)conf->free_mb)
		return REASON_disk_space;
	return files != 0 && files_left == 0 ? REASON_disk_inodes : REASON_ok;
}

static void
check_disk_done(void *arg, const struct job_result *res)
{
	struct check *c = arg;
	struct check_disk_priv *p = check_priv(c);
	enum reason reason;

	if (res->late)
		p->held = job_pid(p->job);
	p->job = NULL;
	if (res->late)
		reason = REASON_timeout;
	else if (res->status == -1)
		reason = REASON_not_started;
	else if (!WIFEXITED(res->status) || WEXITSTATUS(res->status) != 0)
		reason = REASON_disk_missing;
	else
		reason = check_disk_judge(check_conf(c), res->output);
	check_done(c, reason == REASON_ok ? ANS_YES : ANS_NO,
	    reason == REASON_ok ? "" : reason_str(reason));
}

static int
check_disk_start(struct check *c, struct error *err)
{
	struct check_disk_priv *p = check_priv(c);
	const struct conf_check *conf = check_conf(c);
	const char *const argv[] = { DISK_STAT, "-f", "-c", "%S %b %f %a %c %d",
		conf->path, NULL };
	const struct job_spec spec = {
		.argv = argv, .deadline = conf->timeout, .keep_fd = -1
	};

	if (check_disk_held(p->held)) {
		check_done(c, ANS_NO, reason_str(REASON_disk_busy));
		return 0;
	}
	p->held = 0;
	p->job = job_start(check_env(c)->loop, &spec, check_disk_done, c, err);
	return p->job == NULL ? -1 : 0;
}
