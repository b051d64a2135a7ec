/*
 * What a host's last word makes of its configuration, beside this one's.
 */
#ifndef HAWATCH_ENGINE_CONFIG_WORD_H
#define HAWATCH_ENGINE_CONFIG_WORD_H

#include "engine/report.h"

/* As it is here? Unknown: it has not said. vital: in what matters for safety.
 */
struct config_word {
	enum answer shared, vital;
};

void config_word(struct config_word *w, const struct host_report *rep,
    const struct conf *conf, node_t from);

#endif
