/*
 * What a person should look at, each with the command that comes next, and
 * what is said where nothing is.
 */
#include <stdio.h>

#include "hactl/hactl.h"

#define WRONGS_MAX 40

static void
wrongs_say(const struct wrong *w)
{
	if (!w->settles)
		print_coloured(COLOUR_BAD, NULL);
	print_wrapped(w->settles ? "settles " : "wrong   ", w->text);
	if (!w->settles)
		print_coloured(COLOUR_NONE, NULL);
	print_next("  next  ", w->next);
}

/* What passes by itself comes last. */
void
status_wrongs(const struct wrong *list, size_t n)
{
	size_t i;
	int turn;

	for (turn = 0; turn < 2; turn++)
		for (i = 0; i < n; i++)
			if (list[i].settles == (turn == 1))
				wrongs_say(&list[i]);
}

void
print_wrongs(const json_t *answer)
{
	struct wrong list[WRONGS_MAX];
	size_t n = wrong_find(answer, list, WRONGS_MAX);

	putchar('\n');
	if (n == 0) {
		print_coloured(COLOUR_GOOD, "nothing is wrong");
		putchar('\n');
	}
	status_wrongs(list, n);
	print_observe(get_at(answer, "nodes"));
}
