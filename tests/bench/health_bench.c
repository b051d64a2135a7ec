/*
 * What the health port carries: requests a second on one core, the latency at
 * a balancer's rate with and without a busy machine, and the front's memory.
 * Needs wrk. Prints the settings beside each number; says what the aims are.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/front_harness.h"

#define BENCH_NICE (-10)
#define BENCH_FLOOD 1000

static struct front_harness h;

static void
bench_snap(void)
{
	static char status[8192];
	const struct fh_snap s = {
		.fresh = 2 * USEC_SEC, .primary = 2 * USEC_SEC, .status = status
	};

	if (status[0] == '\0') {
		memset(status, ' ', sizeof(status) - 1);
		memcpy(status, "{\"schema\":1}", 12);
	}
	fh_snap(&h, &s);
}

static long
bench_memory(const char *field)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)h.pid);
	f = fopen(path, "r");
	if (f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			kib = strtol(line + strlen(field), NULL, 10);
	fclose(f);
	return kib;
}

static void
bench_show_memory(const char *when)
{
	printf("memory %-22s private dirty %ld KiB, PSS %ld KiB\n", when,
	    bench_memory("Private_Dirty:"), bench_memory("Pss:"));
}

/* cpu -1: every CPU. */
static void
bench_pin(pid_t pid, int cpu)
{
	size_t i;
	cpu_set_t set;

	CPU_ZERO(&set);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (cpu < 0 || i == (size_t)cpu)
			CPU_SET(i, &set);
	(void)sched_setaffinity(pid, sizeof(set), &set);
}

/* Runs the command, with a snapshot ten times a second as from an engine. */
static int
bench_run(const char *cmd, int cpu)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		bench_pin(0, cpu);
		execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	fh_must(pid > 0, "fork");
	while (waitpid(pid, &status, WNOHANG) == 0) {
		bench_snap();
		(void)poll(NULL, 0, 100);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
bench_wrk(const char *label, const char *args, int cpu)
{
	char cmd[512];

	printf("%s\n", label);
	fflush(stdout);
	(void)snprintf(cmd, sizeof(cmd),
	    "wrk %s --latency http://127.0.0.1:%d/health | "
	    "grep -E 'Requests/sec| 50%%| 99%%|Non-2xx|Socket errors'",
	    args, h.health_port);
	return bench_run(cmd, cpu);
}

static void
bench_throughput(void)
{
	bench_pin(h.pid, 0);
	bench_wrk("keep-alive, 1 connection, front on CPU 0, wrk on CPU 1",
	    "-t1 -c1 -d3s", 1);
	bench_wrk("keep-alive, 16 connections, front on CPU 0, wrk on CPU 1 "
		  "(aim: 20000 requests/s)",
	    "-t1 -c16 -d5s", 1);
	bench_pin(h.pid, -1);
}

/* wrk sends as fast as it can; a pause in its script makes it a rate. */
static void
bench_latency(void)
{
	char lua[128], args[256];
	pid_t busy[64];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	FILE *f;

	(void)snprintf(lua, sizeof(lua), "%s/rate.lua", h.dir);
	f = fopen(lua, "w");
	fh_must(f != NULL, "rate.lua");
	fputs("function delay() return 7 end\n", f);
	fclose(f);
	(void)snprintf(args, sizeof(args), "-t1 -c16 -d5s -s %s", lua);
	bench_wrk("about 2000/s over 16 connections, idle machine, both at "
		  "raised priority",
	    args, -1);
	if (cpus > 64)
		cpus = 64;
	for (i = 0; i < cpus; i++) {
		busy[i] = fork();
		if (busy[i] == 0) {
			(void)setpriority(PRIO_PROCESS, 0, 0);
			for (;;)
				continue;
		}
	}
	bench_wrk("the same, every core kept busy by others at normal "
		  "priority (aim: 99 % within 2 ms)",
	    args, -1);
	for (i = 0; i < cpus; i++) {
		(void)kill(busy[i], SIGKILL);
		(void)waitpid(busy[i], NULL, 0);
	}
}

static void
bench_flood(void)
{
	int fd[BENCH_FLOOD], i;
	char buf[4096];

	for (i = 0; i < BENCH_FLOOD; i++) {
		fd[i] = fh_connect(h.health_port, NULL);
		(void)fh_write(fd[i], "GET /status HTTP/1.1\r\n\r\n");
		(void)fh_answer(fd[i], buf, sizeof(buf));
	}
	bench_show_memory("1000 connections:");
	for (i = 0; i < BENCH_FLOOD; i++)
		close(fd[i]);
	(void)fh_get(h.health_port, "/health", buf, sizeof(buf));
	bench_show_memory("after they left:");
}

int
main(void)
{
	struct utsname u;
	int rc;

	if (system("command -v wrk >/dev/null") != 0) {
		fprintf(stderr, "wrk is missing: apt-get install wrk\n");
		return 77;
	}
	(void)uname(&u);
	printf(
	    "kernel %s, %ld CPUs\n", u.release, sysconf(_SC_NPROCESSORS_ONLN));
	if (setpriority(PRIO_PROCESS, 0, BENCH_NICE) == -1)
		printf("not root: priority is not raised\n");
	else
		printf("front and wrk at nice %d\n", BENCH_NICE);
	fh_pki(&h);
	fh_start(&h, 1024, 60 * USEC_SEC);
	bench_snap();
	bench_show_memory("at the start:");
	bench_throughput();
	bench_latency();
	bench_show_memory("after the load:");
	bench_flood();
	rc = fh_stop(&h);
	fh_clean(&h);
	return rc;
}
