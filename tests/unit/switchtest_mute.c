/*
 * What is around an order that waits, where no test wants anything of it: it
 * says nothing.
 */
#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/status.h"

size_t
core_plan_doc(const struct plan_doc **rows)
{
	return 0;
}

const char *
status_progress(const struct engine *e, const char *row)
{
	return "";
}

const char *
status_block_text(const char *token)
{
	return token;
}

void
orders_wake_by(struct engine *e, usec_t after)
{
}
