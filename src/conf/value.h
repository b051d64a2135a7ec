/*
 * One value of the file, or a default, into its field.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/draft.h"
#include "conf/schema.h"

/* What is wrong is noted in the draft, the field then keeps its zero; false. */
bool conf_value(struct conf_draft *d, const struct conf_row *row,
    const config_setting_t *setting, void *base);
void conf_default(struct conf_draft *d, const struct conf_row *row, void *base);
/* "port = 5432;" for a message. */
void conf_example(const struct conf_row *row, char *buf, size_t size);
/* A value as a person wrote it, on one line. */
void conf_show(const config_setting_t *setting, char *buf, size_t size);

#endif
