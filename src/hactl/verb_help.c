/*
 * What the table of verbs says to people: the usage of each, and the help.
 */
#include <stdio.h>

#include "hactl/hactl.h"

void
verb_usage(const struct verb *v, char *buf, size_t size)
{
	size_t len;
	int i;

	len = (size_t)snprintf(buf, size, "hactl %s", v->words);
	for (i = 0; i < OPT_COUNT && len < size; i++) {
		if ((v->options & OPT_MASK(i)) == 0)
			continue;
		len += (size_t)snprintf(buf + len, size - len,
		    (v->needs & OPT_MASK(i)) != 0 ? " --%s%s%s" : " [--%s%s%s]",
		    verb_options[i].name,
		    verb_options[i].value == NULL ? "" : " ",
		    verb_options[i].value == NULL ? "" : verb_options[i].value);
	}
	if (v->args != NULL && len < size)
		(void)snprintf(buf + len, size - len, " %s", v->args);
}

static void
verb_help_option(int opt)
{
	const struct option_doc *o = &verb_options[opt];
	char text[48], letter[8] = "";

	if (o->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c,", o->letter);
	(void)snprintf(text, sizeof(text), "%-3s --%s %s", letter, o->name,
	    o->value == NULL ? "" : o->value);
	printf("  %-23s %s\n", text, o->text);
}

void
verb_help(const char *prefix)
{
	char usage[160];
	size_t i;
	int o;

	printf(
	    "hactl asks and instructs hawatchd, of this host or of another.\n\n");
	for (i = 0; i < verb_count(); i++) {
		if (prefix[0] != '\0' && !verb_in_group(&verb_table[i], prefix))
			continue;
		verb_usage(&verb_table[i], usage, sizeof(usage));
		print_folded(stdout, "", 12, usage);
		printf("        %s\n", verb_table[i].help);
	}
	printf("\nEvery verb takes\n");
	for (o = 0; o < OPT_COUNT; o++) {
		if ((VERB_COMMON & OPT_MASK(o)) == 0)
			continue;
		verb_help_option(o);
	}
	printf("\nMore: hactl VERB --help, man 8 hactl\n");
}

void
verb_help_one(const struct verb *v)
{
	char text[160];
	int o;

	verb_usage(v, text, sizeof(text));
	print_folded(stdout, "", 12, text);
	printf("        %s\n\n", v->help);
	for (o = 0; o < OPT_COUNT; o++) {
		if ((v->options & OPT_MASK(o)) != 0)
			verb_help_option(o);
	}
	for (o = 0; o < OPT_COUNT; o++) {
		if ((VERB_COMMON & OPT_MASK(o)) != 0)
			verb_help_option(o);
	}
	printf("\nMore: man 8 hactl\n");
}
