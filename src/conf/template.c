/*
 * The one reader of variables and back-references in texts of the
 * configuration. What a piece means in a file or for a balancer is its user's.
 */
#include "hawatch/template.h"

#include <stdlib.h>
#include <string.h>

#include "hawatch/conf.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

enum template_field { FIELD_NAME, FIELD_ADDRESS, FIELD_PRIVATE_IP };

static const struct template_variable {
	const char *text;
	bool primary; /* else self */
	enum template_field field;
} template_variable[] = {
	{ "${self.name}", false, FIELD_NAME },
	{ "${self.address}", false, FIELD_ADDRESS },
	{ "${self.private_ip}", false, FIELD_PRIVATE_IP },
	{ "${primary.name}", true, FIELD_NAME },
	{ "${primary.address}", true, FIELD_ADDRESS },
	{ "${primary.private_ip}", true, FIELD_PRIVATE_IP },
};

struct template_piece
template_next(const char **text)
{
	const char *s = *text;
	const char *end;
	struct template_piece piece = { .kind = TEMPLATE_BYTE,
		.number = (unsigned char)s[0],
		.from = s,
		.len = 1 };

	if (s[0] == '\0') {
		piece.kind = TEMPLATE_END;
		piece.len = 0;
	} else if (s[0] == '\\') {
		piece.len = s[1] == '\0' ? 1 : 2;
		piece.number = (unsigned char)s[1];
		if (s[1] >= '1' && s[1] <= '9') {
			piece.kind = TEMPLATE_GROUP;
			piece.number = s[1] - '0';
		} else if (s[1] != '\\' && s[1] != '$') {
			piece.kind = TEMPLATE_WRONG;
		}
	} else if (s[0] == '$' && s[1] == '{') {
		end = strchr(s, '}');
		piece.kind = end == NULL ? TEMPLATE_WRONG : TEMPLATE_VARIABLE;
		piece.len = end == NULL ? 2 : (size_t)(end - s) + 1;
	}
	*text = s + piece.len;
	return piece;
}

const char *
template_value(const struct conf *conf, const struct template_piece *variable,
    node_t primary)
{
	const struct template_variable *v = template_variable;
	const struct template_variable *end =
	    v + sizeof(template_variable) / sizeof(template_variable[0]);
	node_t n;

	while (v < end &&
	       (strlen(v->text) != variable->len ||
		   strncmp(v->text, variable->from, variable->len) != 0))
		v++;
	if (v == end)
		return NULL;
	n = v->primary ? primary : conf->self;
	if (n == NODE_NONE)
		return NULL;
	switch (v->field) {
	case FIELD_NAME:
		return conf->node[n].name;
	case FIELD_ADDRESS:
		return conf->node[n].address;
	case FIELD_PRIVATE_IP:
		break;
	}
	return conf->node[n].private_ip;
}

char *
template_expand(const struct conf *conf, const char *text, node_t primary)
{
	struct template_piece piece;
	char *out = xstrdup("");
	const char *from;
	size_t len = 0, add;

	for (;;) {
		piece = template_next(&text);
		if (piece.kind == TEMPLATE_END)
			break;
		from = piece.from;
		add = piece.len;
		if (piece.kind == TEMPLATE_VARIABLE) {
			from = template_value(conf, &piece, primary);
			if (from == NULL)
				from = "";
			add = strlen(from);
		}
		out = xrealloc(out, len + add + 1, 1);
		memcpy(out + len, from, add);
		len += add;
		out[len] = '\0';
	}
	return out;
}

const char *
template_variables(void)
{
	return "${self.name}, ${self.address}, ${self.private_ip}, "
	       "${primary.name}, ${primary.address}, ${primary.private_ip}";
}
