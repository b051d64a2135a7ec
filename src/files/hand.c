/*
 * The holder's side of the last copy: asks the target to pull, and again how
 * that goes, then reads what is here itself, and compares.
 */
#include <string.h>

#include "files/files_i.h"
#include "hawatch/http.h"
#include "hawatch/job.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define HAND_EVERY (100 * USEC_MSEC)
#define HAND_LIMIT USEC_SEC
#define HAND_ANSWER_MAX 8192

static void hand_timer_cb(void *arg);
static void hand_ask(struct files *f);
static void hand_answer_cb(void *arg, const struct http_answer *ans);
static void hand_sum_cb(void *arg, const struct job_result *res);
static void hand_end(struct files *f, enum answer ans, const char *why);

void
files_hand_init(struct files *f)
{
	f->hand.timer = timer_new(f->env.loop, hand_timer_cb, f);
}

void
files_hand_fini(struct files *f)
{
	files_hand_cancel(f);
	timer_free(f->hand.timer);
}

void
files_hand(struct files *f, node_t to, uint64_t id,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	struct files_hand *h = &f->hand;

	files_hand_cancel(f);
	h->to = to;
	h->id = id;
	h->ans = ANS_UNKNOWN;
	h->done = done;
	h->arg = arg;
	/* A pull, and reading on both sides. */
	h->until = clock_now().raw + 3 * f->env.conf->files.timeout;
	timer_arm(h->timer, 0);
}

void
files_hand_cancel(struct files *f)
{
	struct files_hand *h = &f->hand;

	timer_disarm(h->timer);
	http_cancel(h->call);
	h->call = NULL;
	job_cancel(h->job);
	h->job = NULL;
}

static void
hand_timer_cb(void *arg)
{
	struct files *f = arg;
	struct files_hand *h = &f->hand;
	char why[FILES_WHY_MAX];

	if (h->ans == ANS_UNKNOWN && clock_now().raw < h->until) {
		hand_ask(f);
		return;
	}
	if (h->ans == ANS_UNKNOWN)
		str_cut(h->why, sizeof(h->why),
		    "the target's pull has no end within its time");
	str_cut(why, sizeof(why), h->why);
	h->done(h->arg, h->ans == ANS_YES ? ANS_YES : ANS_NO, why);
}

static void
hand_ask(struct files *f)
{
	const struct conf *conf = f->env.conf;
	struct files_hand *h = &f->hand;
	struct http_request req = { .name = conf->node[h->to].name,
		.address = conf->node[h->to].address,
		.port = conf->peer_port,
		.path = "/v1/files",
		.deadline = HAND_LIMIT,
		.answer_max = HAND_ANSWER_MAX };
	json_t *obj = json_object();
	struct error err;
	char *body;

	json_put_u64(obj, "id", h->id);
	body = json_take_text(obj);
	req.body = body;
	req.body_len = strlen(body);
	h->call = http_post(f->env.http, &req, hand_answer_cb, f, &err);
	free(body);
	if (h->call == NULL)
		hand_end(f, ANS_NO, err.msg);
}

/* -1: it is not what was asked for. */
static int
hand_read(struct files_hand *h, const struct http_answer *ans, char *state,
    size_t size)
{
	struct error err;
	json_t *obj = json_read(ans->body, ans->len, &err);
	int rc = -1;

	if (obj != NULL &&
	    json_want_string(obj, "state", state, size, &err) == 0 &&
	    json_want_string(obj, "why", h->why, sizeof(h->why), &err) == 0 &&
	    json_want_string(obj, "sum", h->theirs, sizeof(h->theirs), &err) ==
		0)
		rc = 0;
	json_decref(obj);
	return rc;
}

static void
hand_answer_cb(void *arg, const struct http_answer *ans)
{
	struct files *f = arg;
	struct files_hand *h = &f->hand;
	char state[16] = "";
	struct error err;

	h->call = NULL;
	if (ans->status != 0 && ans->status != 200) {
		hand_end(f, ANS_NO, "the target's engine refuses to pull");
		return;
	}
	/* Silence is waited for as long as there is time. */
	if (ans->status == 200 &&
	    hand_read(h, ans, state, sizeof(state)) == -1) {
		hand_end(f, ANS_NO, "the target's answer is not understood");
		return;
	}
	if (strcmp(state, "failed") == 0) {
		h->ans = ANS_NO;
		timer_arm(h->timer, 0);
	} else if (strcmp(state, "done") == 0) {
		h->job = files_sum_start(f, hand_sum_cb, f, &err);
		if (h->job == NULL)
			hand_end(f, ANS_NO, err.msg);
	} else {
		timer_arm(h->timer, HAND_EVERY);
	}
}

static void
hand_sum_cb(void *arg, const struct job_result *res)
{
	struct files *f = arg;
	struct files_hand *h = &f->hand;
	char here[FILES_SUM_MAX], differs[FILES_WHY_MAX];

	h->job = NULL;
	if (files_sum_read(res, "reading this host's files", here, h->why) ==
	    -1) {
		h->ans = ANS_NO;
		timer_arm(h->timer, 0);
		return;
	}
	switch (files_sum_compare(f->env.conf, here, h->theirs, differs)) {
	case 0:
		hand_end(f, ANS_YES, "");
		break;
	case 1:
		if (h->why[0] != '\0') {
			str_cut(differs + strlen(differs),
			    sizeof(differs) - strlen(differs), "; ");
			str_cut(differs + strlen(differs),
			    sizeof(differs) - strlen(differs), h->why);
		}
		hand_end(f, ANS_NO, differs);
		break;
	default:
		hand_end(f, ANS_NO,
		    "what the target has is not understood: "
		    "is its group files the same?");
		break;
	}
}

/* Told from a turn of its own. */
static void
hand_end(struct files *f, enum answer ans, const char *why)
{
	f->hand.ans = ans;
	str_cut(f->hand.why, sizeof(f->hand.why), why);
	timer_arm(f->hand.timer, 0);
}
