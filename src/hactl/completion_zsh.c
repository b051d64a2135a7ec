/*
 * The completions of hactl for zsh, with what each word does beside it. To be
 * autoloaded as _hactl, or sourced.
 */
#include <stdio.h>

#include "hactl/completion.h"

static void zsh_seen(void);
static void zsh_verbs(void);
static void zsh_values(void);
static void zsh_options(void);
static void zsh_described(const char *word, const char *text);
static void zsh_words(void);
static void zsh_args(void);
static void zsh_offer(const char *value);

void
completion_zsh(void)
{
	printf("#compdef hactl\n"
	       "# Completions of hactl for zsh, by \"hactl completion zsh\".\n"
	       "_hactl_nodes()\n{\n"
	       "\tlocal -a nodes\n"
	       "\tnodes=(${(f)\"$(hactl completion $1 ${conf:+-c} $conf "
	       "2>/dev/null)\"})\n"
	       "\tcompadd -a nodes\n"
	       "}\n\n"
	       "_hactl()\n{\n"
	       "\tlocal verb= conf= prev=${words[CURRENT-1]} i skip=0\n"
	       "\tlocal -a seen list\n\n"
	       "\tif compset -P '--*='; then\n\t\tprev=${IPREFIX%%=}\n\tfi\n");
	zsh_seen();
	zsh_verbs();
	zsh_values();
	zsh_options();
	zsh_words();
	zsh_args();
	printf("}\n\n"
	       "if [[ ${funcstack[1]} == _hactl ]]; then\n"
	       "\t_hactl \"$@\"\n"
	       "else\n"
	       "\tcompdef _hactl hactl\n"
	       "fi\n");
}

static void
zsh_option_names(const struct option_doc *o)
{
	if (o->letter != 0)
		printf("-%c|", o->letter);
	printf("--%s", o->name);
}

static void
zsh_seen(void)
{
	bool first = true;
	int i;

	printf("\tfor ((i = 2; i < CURRENT; i++)); do\n"
	       "\t\tcase ${words[i]} in\n"
	       "\t\t(");
	for (i = 0; i < OPT_COUNT; i++) {
		if (verb_options[i].value == NULL)
			continue;
		printf("%s", first ? "" : "|");
		zsh_option_names(&verb_options[i]);
		first = false;
	}
	printf(")\n"
	       "\t\t\t[[ ${words[i]} == (-c|--config) ]] && "
	       "conf=${words[i+1]}\n"
	       "\t\t\t((i++)) ;;\n"
	       "\t\t(--config=*) conf=${words[i]#*=} ;;\n"
	       "\t\t(-*) ;;\n"
	       "\t\t(*) seen+=(\"${words[i]}\") ;;\n"
	       "\t\tesac\n\tdone\n");
}

static void
zsh_verbs(void)
{
	size_t i;

	printf("\tcase \"${seen[1]} ${seen[2]}\" in\n");
	for (i = 0; i < verb_count(); i++) {
		if (complete_second(&verb_table[i])[0] != '\0')
			printf("\t('%s') verb='%s' skip=2 ;;\n",
			    verb_table[i].words, verb_table[i].words);
	}
	for (i = 0; i < verb_count(); i++) {
		if (complete_second(&verb_table[i])[0] == '\0')
			printf("\t('%s '*) verb='%s' skip=1 ;;\n",
			    verb_table[i].words, verb_table[i].words);
	}
	printf("\tesac\n");
}

static void
zsh_values(void)
{
	int i;

	printf("\tcase $prev in\n");
	for (i = 0; i < OPT_COUNT; i++) {
		if (verb_options[i].value == NULL)
			continue;
		printf("\t(");
		zsh_option_names(&verb_options[i]);
		printf(") ");
		zsh_offer(verb_options[i].value);
		printf("return ;;\n");
	}
	printf("\tesac\n");
}

static void
zsh_options(void)
{
	char name[32];
	size_t i;
	int o;

	printf("\tif [[ ${words[CURRENT]} == -* ]]; then\n\t\tlist=(");
	for (o = 0; o < OPT_COUNT; o++) {
		if ((VERB_COMMON & OPT_MASK(o)) == 0)
			continue;
		(void)snprintf(
		    name, sizeof(name), "--%s", verb_options[o].name);
		zsh_described(name, verb_options[o].text);
	}
	printf(")\n\t\tcase $verb in\n");
	for (i = 0; i < verb_count(); i++) {
		printf("\t\t('%s') list+=(", verb_table[i].words);
		for (o = 0; o < OPT_COUNT; o++) {
			if ((verb_table[i].options & OPT_MASK(o)) == 0)
				continue;
			(void)snprintf(
			    name, sizeof(name), "--%s", verb_options[o].name);
			zsh_described(name, verb_options[o].text);
		}
		printf(") ;;\n");
	}
	printf("\t\tesac\n"
	       "\t\t_describe -o option list\n"
	       "\t\treturn\n\tfi\n");
}

static void
zsh_described(const char *word, const char *text)
{
	char both[160];

	(void)snprintf(both, sizeof(both), "%s:%s", word, text);
	printf("\n\t\t\t");
	complete_quoted(both);
}

static void
zsh_words(void)
{
	const struct verb *v;
	char word[32];
	size_t i, j;

	printf("\tlist=()\n"
	       "\tcase \"${#seen} ${seen[1]}\" in\n\t('0 ') list=(");
	for (i = 0; i < verb_count(); i++) {
		v = &verb_table[i];
		if (complete_first(i, word, sizeof(word)))
			zsh_described(word, complete_second(v)[0] == '\0' ?
						v->help :
						"more words");
	}
	printf(") ;;\n");
	for (i = 0; i < verb_count(); i++) {
		if (!complete_first(i, word, sizeof(word)))
			continue;
		printf("\t('1 %s') list=(", word);
		for (j = i; j < verb_count(); j++) {
			v = &verb_table[j];
			if (verb_in_group(v, word) &&
			    complete_second(v)[0] != '\0')
				zsh_described(complete_second(v), v->help);
		}
		printf(") ;;\n");
	}
	printf("\tesac\n"
	       "\t((${#list})) && _describe verb list\n");
}

static void
zsh_args(void)
{
	char arg[32];
	size_t i;
	int n;

	printf("\tcase \"$((${#seen} - skip)) $verb\" in\n");
	for (i = 0; i < verb_count(); i++) {
		for (n = 0; complete_arg(&verb_table[i], n, arg, sizeof(arg));
		     n++) {
			printf("\t('%d %s') ", n, verb_table[i].words);
			zsh_offer(arg);
			printf(";;\n");
		}
	}
	printf("\tesac\n");
}

static void
zsh_offer(const char *value)
{
	switch (complete_kind(value)) {
	case COMPLETE_NODES:
		printf("_hactl_nodes %s; ", complete_words(value));
		break;
	case COMPLETE_FILES:
		printf("_files; ");
		break;
	case COMPLETE_DIRS:
		printf("_files -/; ");
		break;
	case COMPLETE_WORDS:
		printf("compadd %s; ", complete_words(value));
		break;
	case COMPLETE_NOTHING:
		break;
	}
}
