/*
 * The strings of a configuration, freed together.
 */
#ifndef CONF_MEMORY_H
#define CONF_MEMORY_H

#include <stddef.h>

struct conf_memory {
	char **text;
	size_t count;
};

#endif
