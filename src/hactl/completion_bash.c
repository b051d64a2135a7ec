/*
 * The completions of hactl for bash: one function, with the table in its
 * cases. It needs nothing of the package bash-completion.
 */
#include <stdio.h>

#include "hactl/completion.h"

#define BASH_ARGS 4

static void bash_valued(void);
static void bash_verbs(void);
static void bash_values(void);
static void bash_options(void);
static void bash_words(void);
static void bash_offer(const char *value);

void
completion_bash(void)
{
	printf(
	    "# Completions of hactl for bash, by \"hactl completion bash\".\n"
	    "_hactl_offer()\n{\n"
	    "\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(\"$@\")\n"
	    "}\n\n"
	    "_hactl_nodes()\n{\n"
	    "\tcompgen -W \"$(hactl completion $1 ${conf:+-c \"$conf\"} "
	    "2>/dev/null)\" -- \"$cur\"\n"
	    "}\n\n"
	    "_hactl()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} conf= verb= opts= "
	    "words= skip=0\n"
	    "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]-} i\n"
	    "\tlocal -a seen=()\n\n"
	    "\tCOMPREPLY=()\n"
	    "\tif [[ $cur == = ]]; then\n\t\tcur=\n"
	    "\telif [[ $prev == = ]]; then\n"
	    "\t\tprev=${COMP_WORDS[COMP_CWORD-2]-}\n\tfi\n");
	bash_valued();
	bash_verbs();
	bash_values();
	bash_options();
	bash_words();
	printf("}\n\ncomplete -F _hactl hactl\n");
}

/* What was typed so far: the options' values are no words of the verb. */
static void
bash_valued(void)
{
	const struct option_doc *o;
	int i;

	printf("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t");
	for (i = 0; i < OPT_COUNT; i++) {
		o = &verb_options[i];
		if (o->value == NULL)
			continue;
		if (o->letter != 0)
			printf("-%c|", o->letter);
		printf("--%s|", o->name);
	}
	printf("--=)\n"
	       "\t\t\t[[ ${COMP_WORDS[i+1]-} == = ]] && ((i++))\n"
	       "\t\t\t[[ ${COMP_WORDS[i]} == -c || ${COMP_WORDS[i-1]} == "
	       "--config ||\n"
	       "\t\t\t\t${COMP_WORDS[i]} == --config ]] && "
	       "conf=${COMP_WORDS[i+1]-}\n"
	       "\t\t\t((i++)) ;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) seen+=(\"${COMP_WORDS[i]}\") ;;\n"
	       "\t\tesac\n\tdone\n");
}

static void
bash_verbs(void)
{
	size_t i;

	printf("\tcase \"${seen[0]-} ${seen[1]-}\" in\n");
	for (i = 0; i < verb_count(); i++) {
		if (complete_second(&verb_table[i])[0] != '\0')
			printf("\t'%s') verb='%s' skip=2 ;;\n",
			    verb_table[i].words, verb_table[i].words);
	}
	for (i = 0; i < verb_count(); i++) {
		if (complete_second(&verb_table[i])[0] == '\0')
			printf("\t'%s '*) verb='%s' skip=1 ;;\n",
			    verb_table[i].words, verb_table[i].words);
	}
	printf("\tesac\n");
}

static void
bash_values(void)
{
	const struct option_doc *o;
	int i;

	printf("\tcase $prev in\n");
	for (i = 0; i < OPT_COUNT; i++) {
		o = &verb_options[i];
		if (o->value == NULL)
			continue;
		printf("\t");
		if (o->letter != 0)
			printf("-%c|", o->letter);
		printf("--%s) ", o->name);
		bash_offer(o->value);
		printf("return ;;\n");
	}
	printf("\tesac\n");
}

static void
bash_options(void)
{
	size_t i;
	int o;

	printf("\tif [[ $cur == -* ]]; then\n\t\topts='");
	for (o = 0; o < OPT_COUNT; o++) {
		if ((VERB_COMMON & OPT_MASK(o)) != 0)
			printf(" --%s", verb_options[o].name);
	}
	printf("'\n\t\tcase $verb in\n");
	for (i = 0; i < verb_count(); i++) {
		printf("\t\t'%s') opts+='", verb_table[i].words);
		for (o = 0; o < OPT_COUNT; o++) {
			if ((verb_table[i].options & OPT_MASK(o)) != 0)
				printf(" --%s", verb_options[o].name);
		}
		printf("' ;;\n");
	}
	printf("\t\tesac\n"
	       "\t\t_hactl_offer compgen -W \"$opts\" -- \"$cur\"\n"
	       "\t\treturn\n\tfi\n");
}

/* The words of the verb, then its arguments. */
static void
bash_words(void)
{
	char word[32], arg[32];
	size_t i, j;
	int n;

	printf("\tcase \"${#seen[@]} ${seen[0]-}\" in\n\t'0 ') words='");
	for (i = 0; i < verb_count(); i++) {
		if (complete_first(i, word, sizeof(word)))
			printf(" %s", word);
	}
	printf("' ;;\n");
	for (i = 0; i < verb_count(); i++) {
		if (!complete_first(i, word, sizeof(word)))
			continue;
		printf("\t'1 %s') words='", word);
		for (j = i; j < verb_count(); j++) {
			if (verb_in_group(&verb_table[j], word))
				printf(" %s", complete_second(&verb_table[j]));
		}
		printf("' ;;\n");
	}
	printf("\tesac\n"
	       "\t_hactl_offer compgen -W \"$words\" -- \"$cur\"\n"
	       "\tcase \"$((${#seen[@]} - skip)) $verb\" in\n");
	for (i = 0; i < verb_count(); i++) {
		for (n = 0; complete_arg(&verb_table[i], n, arg, sizeof(arg));
		     n++) {
			printf("\t'%d %s') ", n, verb_table[i].words);
			bash_offer(arg);
			printf(";;\n");
		}
	}
	printf("\tesac\n");
}

static void
bash_offer(const char *value)
{
	switch (complete_kind(value)) {
	case COMPLETE_NODES:
		printf("_hactl_offer _hactl_nodes %s; ", complete_words(value));
		break;
	case COMPLETE_FILES:
		printf("_hactl_offer compgen -f -- \"$cur\"; ");
		break;
	case COMPLETE_DIRS:
		printf("_hactl_offer compgen -d -- \"$cur\"; ");
		break;
	case COMPLETE_WORDS:
		printf("_hactl_offer compgen -W '%s' -- \"$cur\"; ",
		    complete_words(value));
		break;
	case COMPLETE_NOTHING:
		break;
	}
}
