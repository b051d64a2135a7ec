/*
 * hawatchd: the command line, the process's own limits, and the loop's life.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/crash.h"
#include "engine/driver.h"
#include "engine/engine.h"
#include "engine/parts.h"
#include "engine/reload.h"
#include "hawatch/emit.h"
#include "hawatch/exitcode.h"
#include "hawatch/fence.h"
#include "hawatch/files.h"
#include "hawatch/notify.h"
#include "hawatch/version.h"

#define PRIORITY (-15) /* raised: the lease is renewed under load */

struct options {
	const char *config, *node;
	bool check, close_fence, debug;
};

static void
usage(FILE *to)
{
	fprintf(to,
	    "usage: hawatchd [-dn] [-c file] [-N node]\n"
	    "       hawatchd --close-fence [-c file]\n"
	    "  -c, --config FILE   the configuration, default %s\n"
	    "  -n, --check         check it, print what is wrong, end\n"
	    "  -N, --node NAME     be this node, not the one of the host's name\n"
	    "  -d, --debug         log every probe\n"
	    "      --close-fence   close PostgreSQL's port to clients, end\n"
	    "      --version       print the version, end\n"
	    "      --help          print this, end\n",
	    CONF_PATH);
}

static int
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'n' },
		{ "node", required_argument, NULL, 'N' },
		{ "debug", no_argument, NULL, 'd' },
		{ "close-fence", no_argument, NULL, 'F' },
		{ "crash-points", no_argument, NULL, 'C' },
		{ "digest", no_argument, NULL, 'D' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	memset(o, 0, sizeof(*o));
	o->config = CONF_PATH;
	/* NOLINTBEGIN(concurrency-mt-unsafe): no thread has begun */
	while ((ch = getopt_long(argc, argv, "c:nN:d", longs, NULL)) != -1) {
		switch (ch) {
		case 'c':
			o->config = optarg;
			break;
		case 'n':
			o->check = true;
			break;
		case 'N':
			o->node = optarg;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'F':
			o->close_fence = true;
			break;
		case 'C':
			crash_list();
			exit(EXITCODE_DONE);
		case 'D':
			exit(files_digest_main(argc - optind, argv + optind));
		case 'V':
			printf("hawatchd %s\n", HAWATCH_VERSION);
			exit(EXITCODE_DONE);
		case 'h':
			usage(stdout);
			exit(EXITCODE_DONE);
		default:
			usage(stderr);
			return -1;
		}
	}
	/* NOLINTEND(concurrency-mt-unsafe) */
	if (optind != argc) {
		usage(stderr);
		return -1;
	}
	return 0;
}

static struct conf *
config_read(const struct options *o)
{
	struct conf_errors errors = { 0 };
	struct conf *conf = conf_load(o->config, o->node, &errors);
	int i;

	for (i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	if (conf == NULL)
		fprintf(stderr,
		    "hawatchd: %s: %d error%s; nothing was "
		    "started\n",
		    o->config, errors.count, errors.count == 1 ? "" : "s");
	conf_errors_free(&errors);
	return conf;
}

/* Before the network: the unit of the boot fence. */
static int
fence_only(struct conf *conf)
{
	struct error err;
	int rc = EXITCODE_DONE;

	/* Who only looks on closes nothing. */
	if (conf->node[conf->self].role == ROLE_DATA &&
	    !conf_only_looks(conf) &&
	    fence_install_closed(conf->pg.port, &err) != 0) {
		fprintf(stderr, "hawatchd: %s\n", err.msg);
		rc = EXITCODE_LOCAL;
	}
	conf_free(conf);
	return rc;
}

/* Memory stays as it is touched, and the processor comes first: a lease that
 * is not renewed because of a busy host is an outage. */
static void
process_prepare(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
		EMIT(process_limits, kv_s("what", "mlockall"));
	if (setpriority(PRIO_PROCESS, 0, PRIORITY) != 0)
		EMIT(process_limits, kv_s("what", "setpriority"));
	signal(SIGPIPE, SIG_IGN);
	/* Until there is a loop that hears it. */
	signal(SIGHUP, SIG_IGN);
}

static void
stop_cb(void *arg, int signo)
{
	struct engine *e = arg;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): only the loop asks */
	EMIT(daemon_stop, kv_s("reason", strsignal(signo)));
	loop_stop(e->loop);
}

static void
reload_cb(void *arg, int signo)
{
	reload_signal(arg);
}

static int
run(struct conf *conf)
{
	struct sigwatch *term, *intr, *hup;
	struct engine *e;
	struct error err;

	EMIT(daemon_start, kv_s("node", conf->node[conf->self].name),
	    kv_s("mode", conf_mode_str(conf->mode)),
	    kv_s("version", HAWATCH_VERSION));
	process_prepare();
	e = parts_new(conf, &err);
	if (e == NULL) {
		fprintf(stderr, "hawatchd: %s\n", err.msg);
		return EXITCODE_LOCAL;
	}
	term = sigwatch_new(e->loop, SIGTERM, stop_cb, e);
	intr = sigwatch_new(e->loop, SIGINT, stop_cb, e);
	hup = sigwatch_new(e->loop, SIGHUP, reload_cb, e);
	driver_start(e);
	if (notify_send("READY=1", &err) != 0)
		EMIT(notify_failed, kv_s("reason", err.msg));
	loop_wake(e->loop);
	loop_run(e->loop, driver_turn, e);
	sigwatch_free(term);
	sigwatch_free(intr);
	sigwatch_free(hup);
	parts_free(e);
	return EXITCODE_DONE;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct conf *conf;
	struct error err;

	if (options_parse(&o, argc, argv) != 0)
		return EXITCODE_USAGE;
	emit_to(sink_stderr, NULL);
	emit_threshold(o.debug ? L_DEBUG : L_INFO);
	conf = config_read(&o);
	if (conf == NULL)
		return EXITCODE_CONFIG;
	if (o.check && conf_guard_check(conf, &err) != 0) {
		fprintf(stderr, "hawatchd: %s: %s\n", o.config, err.msg);
		conf_free(conf);
		return EXITCODE_CONFIG;
	}
	if (o.check) {
		printf("%s: it is right; this host is %s\n", o.config,
		    conf->node[conf->self].name);
		conf_free(conf);
		return EXITCODE_DONE;
	}
	if (o.close_fence)
		return fence_only(conf);
	return run(conf);
}
