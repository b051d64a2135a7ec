/*
 * The memory of actions "rewind" and "clone", and how they are called off.
 */
#include "act/make.h"

#include <stdlib.h>
#include <unistd.h>

#include "act/child.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "check/repmgr_conf.h"

int
make_observe(struct act *a, struct error *err)
{
	struct make *m = act_priv(a);

	act_done(a, m->done ? ANS_YES : ANS_NO, "");
	return 0;
}

void
make_cancel(struct act *a)
{
	struct make *m = act_priv(a);

	primary_ask_cancel(m->ask);
	m->ask = NULL;
	disk_work_cancel(m->work);
	m->work = NULL;
	child_cancel(m->child);
	m->child = NULL;
}

void
make_repmgr(struct act *a, const char *data, const char **words, size_t at,
    child_fn done)
{
	struct make *m = act_priv(a);
	const struct conf *conf = act_env(a)->conf;
	struct error err;
	char *source = primary_ask_source(a, &m->said, &err);
	const char *argv[REPMGR_WORDS];
	int fd = -1;

	if (source != NULL)
		fd = repmgr_conf_file(conf, m->said.conninfo, data, &err);
	if (fd != -1) {
		words[at] = source;
		repmgr_conf_argv(conf, words, argv);
		m->child = child_start(a, argv, fd, &m->said, done, &err);
		if (m->child != NULL)
			child_counted(m->child);
		close(fd);
	}
	free(source);
	if (m->child == NULL)
		act_done(a, ANS_UNKNOWN, err.msg);
}

enum answer
make_answer(const struct error *err)
{
	return err->code == ERR_REFUSED || err->code == ERR_LIMIT ? ANS_NO :
								    ANS_UNKNOWN;
}

void
make_made(struct act *a, bool ok, const struct error *err)
{
	struct make *m = act_priv(a);

	m->work = NULL;
	m->done = ok;
	act_done(a, ok ? ANS_YES : make_answer(err), ok ? "" : err->msg);
}
