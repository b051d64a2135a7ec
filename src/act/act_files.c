/*
 * Action "files": the target has pulled this host's files a last time, and both
 * have the same. A pull that a write came in between is repeated once; then
 * what differs is said, and refused or left so, as the configuration says.
 */
#include "act/env.h"
#include "act/modules.h"
#include "hawatch/emit.h"
#include "hawatch/files.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

#define ACT_FILES_TRIES 2

static int act_files_observe(struct act *a, struct error *err);
static int act_files_apply(struct act *a, struct error *err);
static void act_files_cancel(struct act *a);

struct act_files_priv {
	int tries;
	bool asked;
	enum answer same;
	char why[200];
};

const struct act_ops act_files = {
	.name = "files",
	.kind = ACT_FILES,
	.priv_size = sizeof(struct act_files_priv),
	.observe = act_files_observe,
	.apply = act_files_apply,
	.cancel = act_files_cancel,
};

/* What the last pull came to. */
static int
act_files_observe(struct act *a, struct error *err)
{
	const struct act_files_priv *p = act_priv(a);

	act_done(a, p->same == ANS_YES ? ANS_YES : ANS_NO, p->why);
	return 0;
}

static void
act_files_done_cb(void *arg, enum answer ans, const char *reason)
{
	struct act *a = arg;
	struct act_files_priv *p = act_priv(a);

	p->asked = false;
	p->same = ans;
	str_cut(p->why, sizeof(p->why), reason);
	act_done(a, ANS_YES, reason);
}

static int
act_files_apply(struct act *a, struct error *err)
{
	struct act_files_priv *p = act_priv(a);
	const struct conf_files *conf = &act_env(a)->conf->files;

	if (p->tries == ACT_FILES_TRIES) {
		EMIT(files_differ, kv_s("why", p->why));
		p->same = conf->differ == DIFFER_GO_ON ? ANS_YES : ANS_NO;
		act_done(a, p->same, p->why);
		return 0;
	}
	p->tries++;
	p->asked = true;
	/* Another one than any earlier engine of this host has used: what the
	 * target says is to be of this pull. */
	files_hand(act_env(a)->files, act_goal(a)->node,
	    (uint64_t)clock_now().wall, act_files_done_cb, a);
	return 0;
}

static void
act_files_cancel(struct act *a)
{
	struct act_files_priv *p = act_priv(a);

	if (p->asked)
		files_hand_cancel(act_env(a)->files);
	p->asked = false;
}
