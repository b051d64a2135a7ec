/*
 * Action "aside": the next start of this instance replays what is in its own
 * pg_wal and follows nobody. A primary of another history can have the same
 * timeline's number, and a standby that connects to it compares no more than
 * that.
 */
#include <stdlib.h>

#include "act/auto_conf.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "act/modules.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"

struct act_aside_priv {
	struct disk_work *work;
	bool done; /* since this was asked */
};

static int act_aside_observe(struct act *a, struct error *err);
static int act_aside_apply(struct act *a, struct error *err);
static void act_aside_cancel(struct act *a);

const struct act_ops act_aside = {
	.name = "aside",
	.kind = ACT_ASIDE,
	.priv_size = sizeof(struct act_aside_priv),
	.observe = act_aside_observe,
	.apply = act_aside_apply,
	.cancel = act_aside_cancel,
};

static int
act_aside_observe(struct act *a, struct error *err)
{
	struct act_aside_priv *p = act_priv(a);

	act_done(a, p->done ? ANS_YES : ANS_NO,
	    p->done ? "" : reason_str(REASON_not_written));
	return 0;
}

static void
act_aside_cancel(struct act *a)
{
	struct act_aside_priv *p = act_priv(a);

	disk_work_cancel(p->work);
	p->work = NULL;
}

static int
act_aside_write(void *what, const struct disk_work *self, struct error *err)
{
	return auto_conf_aside(what, err);
}

static void
act_aside_written(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_aside_priv *p = act_priv(a);

	p->work = NULL;
	p->done = ok;
	act_done(a, ok ? ANS_YES : ANS_UNKNOWN, ok ? "" : err->msg);
}

static int
act_aside_apply(struct act *a, struct error *err)
{
	struct act_aside_priv *p = act_priv(a);

	p->work = disk_work_start(a, act_aside_write,
	    xstrdup(act_env(a)->conf->pg.data_directory), free,
	    act_aside_written);
	return 0;
}
