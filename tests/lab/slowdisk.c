/*
 * A slow disk for one program: slowdisk FILE PROGRAM [ARGUMENT...] runs it, and
 * whatever it asks to be brought to the disk is brought there as many
 * milliseconds later as FILE says at that moment; at once if it says nothing.
 *
 * By the kernel, since what is not C passes the libc by: fsync and fdatasync of
 * the program and of what it starts wait for a process of ours, which lets them
 * go on when they are due, and which ends with the program.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MAX 256 /* at once; more of them wait until they are asked for */
#define DELAY_MAX 60000

static struct {
	uint64_t id;
	int64_t due;
} waits[WAIT_MAX];
static int nwaits;

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long
delay_ms(const char *path)
{
	FILE *f = fopen(path, "re");
	long ms = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%ld", &ms) != 1 || ms < 0)
		ms = 0;
	fclose(f);
	return ms > DELAY_MAX ? DELAY_MAX : ms;
}

/* All that are due; returns for how many ms nobody will be, -1: for ever. */
static int
go_on(int fd)
{
	int64_t t = now_ms(), next = -1;
	int i, kept = 0;

	for (i = 0; i < nwaits; i++) {
		struct seccomp_notif_resp resp = { .id = waits[i].id,
			.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		if (waits[i].due <= t) {
			/* One that is gone needs no answer. */
			ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp);
			continue;
		}
		if (next == -1 || waits[i].due - t < next)
			next = waits[i].due - t;
		waits[kept++] = waits[i];
	}
	nwaits = kept;
	return (int)next;
}

_Noreturn static void
watch(int fd, const char *path)
{
	struct pollfd p = { .fd = fd };
	struct seccomp_notif n;

	for (;;) {
		p.events = nwaits < WAIT_MAX ? POLLIN : 0;
		if (poll(&p, 1, go_on(fd)) <= 0 || !(p.revents & POLLIN))
			continue;
		memset(&n, 0, sizeof(n));
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n) == -1)
			continue;
		waits[nwaits].id = n.id;
		waits[nwaits++].due = now_ms() + delay_ms(path);
	}
}

/* The descriptor that hears of every sync from now on. */
static int
listener(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]),
		.filter = code };
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		err(EXIT_FAILURE, "slowdisk: no_new_privs");
	/* A signal does not begin the wait anew. */
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER |
		SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
	    &prog);
	if (fd == -1)
		err(EXIT_FAILURE, "slowdisk: seccomp");
	return fd;
}

int
main(int argc, char **argv)
{
	pid_t program = getpid();
	int fd;

	if (argc < 3)
		errx(
		    EXIT_FAILURE, "usage: slowdisk FILE PROGRAM [ARGUMENT...]");
	fd = listener();
	switch (fork()) {
	case -1:
		err(EXIT_FAILURE, "slowdisk: fork");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != program)
			return EXIT_FAILURE;
		watch(fd, argv[1]);
	default:
		execvp(argv[2], &argv[2]);
		err(EXIT_FAILURE, "slowdisk: %s", argv[2]);
	}
}
