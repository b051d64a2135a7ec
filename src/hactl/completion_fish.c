/*
 * The completions of hactl for fish: one line a word, with the condition under
 * which it is offered.
 */
#include <stdio.h>

#include "hactl/completion.h"

static void fish_functions(void);
static void fish_nodes(void);
static void fish_words(void);
static void fish_option(const struct verb *v, int opt);
static void fish_args(void);
static void fish_offer(const char *value);

void
completion_fish(void)
{
	size_t i;
	int o;

	printf(
	    "# Completions of hactl for fish, by \"hactl completion fish\".\n");
	fish_functions();
	fish_nodes();
	printf("complete -c hactl -f\n");
	fish_words();
	for (o = 0; o < OPT_COUNT; o++) {
		if ((VERB_COMMON & OPT_MASK(o)) != 0)
			fish_option(NULL, o);
	}
	for (i = 0; i < verb_count(); i++) {
		for (o = 0; o < OPT_COUNT; o++) {
			if ((verb_table[i].options & OPT_MASK(o)) != 0)
				fish_option(&verb_table[i], o);
		}
	}
	fish_args();
}

static void
fish_functions(void)
{
	size_t i;
	int o;

	/* The words that are there, without options and their values. */
	printf("function __hactl_seen\n"
	       "\tset -l words (commandline -opc)\n"
	       "\tset -l skip 0\n"
	       "\tset -e words[1]\n"
	       "\tfor word in $words\n"
	       "\t\tif test $skip = 1\n\t\t\tset skip 0\n\t\t\tcontinue\n"
	       "\t\tend\n"
	       "\t\tswitch $word\n"
	       "\t\t\tcase");
	for (o = 0; o < OPT_COUNT; o++) {
		if (verb_options[o].value == NULL)
			continue;
		if (verb_options[o].letter != 0)
			printf(" -%c", verb_options[o].letter);
		printf(" --%s", verb_options[o].name);
	}
	printf("\n\t\t\t\tset skip 1\n"
	       "\t\t\tcase '-*'\n"
	       "\t\t\tcase '*'\n\t\t\t\techo $word\n"
	       "\t\tend\n\tend\nend\n\n"
	       "function __hactl_verb\n"
	       "\tset -l seen (__hactl_seen)\n"
	       "\tswitch \"$seen[1] $seen[2]\"\n");
	for (i = 0; i < verb_count(); i++) {
		if (complete_second(&verb_table[i])[0] != '\0')
			printf("\t\tcase '%s'\n\t\t\techo '%s'\n",
			    verb_table[i].words, verb_table[i].words);
	}
	for (i = 0; i < verb_count(); i++) {
		if (complete_second(&verb_table[i])[0] == '\0')
			printf("\t\tcase '%s *'\n\t\t\techo '%s'\n",
			    verb_table[i].words, verb_table[i].words);
	}
	printf("\tend\nend\n\n"
	       "function __hactl_at\n"
	       "\tset -l seen (__hactl_seen)\n"
	       "\ttest \"$seen\" = \"$argv\"\nend\n\n"
	       "function __hactl_is\n"
	       "\tset -l verb (__hactl_verb)\n"
	       "\ttest \"$verb\" = \"$argv\"\nend\n\n"
	       "function __hactl_arg\n"
	       "\tset -l seen (__hactl_seen)\n"
	       "\ttest (count $seen) = $argv[1]; and "
	       "__hactl_is $argv[2..-1]\nend\n"
	       "\n");
}

/* By the configuration that is named, as the verb would be. */
static void
fish_nodes(void)
{
	printf("function __hactl_nodes\n"
	       "\tset -l conf\n"
	       "\tset -l last\n"
	       "\tfor word in (commandline -opc)\n"
	       "\t\tif contains -- \"$last\" -c --config\n"
	       "\t\t\tset conf -c $word\n"
	       "\t\telse if string match -q -- '--config=*' $word\n"
	       "\t\t\tset conf -c (string sub -s 10 -- $word)\n"
	       "\t\tend\n"
	       "\t\tset last $word\n"
	       "\tend\n"
	       "\thactl completion $argv[1] $conf 2>/dev/null\n"
	       "end\n\n");
}

static void
fish_words(void)
{
	const struct verb *v;
	char word[32];
	size_t i;

	for (i = 0; i < verb_count(); i++) {
		v = &verb_table[i];
		if (complete_first(i, word, sizeof(word))) {
			printf(
			    "complete -c hactl -n __hactl_at -a %s -d ", word);
			complete_quoted(complete_second(v)[0] == '\0' ?
					    v->help :
					    "more words");
			putchar('\n');
		}
		if (complete_second(v)[0] == '\0')
			continue;
		printf("complete -c hactl -n '__hactl_at %.*s' -a %s -d ",
		    (int)(complete_second(v) - v->words - 1), v->words,
		    complete_second(v));
		complete_quoted(v->help);
		putchar('\n');
	}
}

/* Without a verb: it goes with each. */
static void
fish_option(const struct verb *v, int opt)
{
	const struct option_doc *o = &verb_options[opt];

	printf("complete -c hactl");
	if (v != NULL)
		printf(" -n '__hactl_is %s'", v->words);
	if (o->letter != 0)
		printf(" -s %c", o->letter);
	printf(" -l %s -d ", o->name);
	complete_quoted(o->text);
	if (o->value != NULL)
		fish_offer(o->value);
	putchar('\n');
}

static void
fish_args(void)
{
	const struct verb *v;
	char arg[32];
	size_t i;
	int n;

	for (i = 0; i < verb_count(); i++) {
		v = &verb_table[i];
		for (n = 0; complete_arg(v, n, arg, sizeof(arg)); n++) {
			printf("complete -c hactl -n '__hactl_arg %d %s'",
			    n + (complete_second(v)[0] == '\0' ? 1 : 2),
			    v->words);
			fish_offer(arg);
			putchar('\n');
		}
	}
}

static void
fish_offer(const char *value)
{
	switch (complete_kind(value)) {
	case COMPLETE_NODES:
		printf(" -x -a '(__hactl_nodes %s)'", complete_words(value));
		break;
	case COMPLETE_FILES:
		printf(" -r -F");
		break;
	case COMPLETE_DIRS:
		printf(" -x -a '(__fish_complete_directories)'");
		break;
	case COMPLETE_WORDS:
		printf(" -x -a '%s'", complete_words(value));
		break;
	case COMPLETE_NOTHING:
		printf(" -x");
		break;
	}
}
