/*
 * XML-RPC: an answer's tree, by expat. What a method means is not known here.
 *
 * The stack of open elements and the table of what may stand in what decide
 * whether an answer is one; nothing is guessed or skipped, so that half an
 * answer is never taken for a whole one.
 */
#include "supervisor/xmlrpc.h"

#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"

enum xmlrpc_el {
	EL_DOCUMENT,
	EL_RESPONSE,
	EL_PARAMS,
	EL_PARAM,
	EL_FAULT,
	EL_VALUE,
	EL_STRING,
	EL_INT,
	EL_I4,
	EL_BOOLEAN,
	EL_ARRAY,
	EL_DATA,
	EL_STRUCT,
	EL_MEMBER,
	EL_NAME,
	EL_COUNT
};

#define IN(el) (1U << (el))

static const struct {
	const char *name;
	unsigned in; /* which elements it may stand in */
	bool leaf;   /* holds text */
	bool many;   /* may have more than one child */
} els[EL_COUNT] = {
	[EL_DOCUMENT] = { "", 0, false, false },
	[EL_RESPONSE] = { "methodResponse", IN(EL_DOCUMENT), false, false },
	[EL_PARAMS] = { "params", IN(EL_RESPONSE), false, false },
	[EL_PARAM] = { "param", IN(EL_PARAMS), false, false },
	[EL_FAULT] = { "fault", IN(EL_RESPONSE), false, false },
	[EL_VALUE] = { "value",
	    IN(EL_PARAM) | IN(EL_FAULT) | IN(EL_DATA) | IN(EL_MEMBER), false,
	    false },
	[EL_STRING] = { "string", IN(EL_VALUE), true, false },
	[EL_INT] = { "int", IN(EL_VALUE), true, false },
	[EL_I4] = { "i4", IN(EL_VALUE), true, false },
	[EL_BOOLEAN] = { "boolean", IN(EL_VALUE), true, false },
	[EL_ARRAY] = { "array", IN(EL_VALUE), false, false },
	[EL_DATA] = { "data", IN(EL_ARRAY), false, true },
	[EL_STRUCT] = { "struct", IN(EL_VALUE), false, true },
	[EL_MEMBER] = { "member", IN(EL_STRUCT), false, true },
	[EL_NAME] = { "name", IN(EL_MEMBER), true, false },
};

struct xmlrpc_open {
	enum xmlrpc_el el;
	struct xmlrpc_value *value; /* the one that this element fills */
	char *name;		    /* MEMBER: read, not yet given away */
	int children;
};

struct xmlrpc_parser {
	XML_Parser expat;
	struct xmlrpc_open open[XMLRPC_DEPTH_MAX]; /* 0 is the document */
	int depth;				   /* of the innermost */
	int elements;
	char text[XMLRPC_TEXT_MAX + 1]; /* of the innermost */
	size_t len;
	struct xmlrpc_value *root;
	bool fault, failed;
	struct error *err;
};

/* The first fault found is the one that is told. */
static void PRINTF_LIKE(3, 4) xmlrpc_fail(
    struct xmlrpc_parser *p, enum err_code code, const char *fmt, ...)
{
	char text[120];
	va_list ap;

	if (p->failed)
		return;
	p->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(p->err, code, "XML-RPC answer, line %lu: %s",
	    (unsigned long)XML_GetCurrentLineNumber(p->expat), text);
	(void)XML_StopParser(p->expat, XML_FALSE);
}

static struct xmlrpc_open *
xmlrpc_top(struct xmlrpc_parser *p)
{
	return &p->open[p->depth];
}

static bool
xmlrpc_blank(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (strchr(" \t\r\n", s[i]) == NULL)
			return false;
	return true;
}

static struct xmlrpc_value *
xmlrpc_value_new(struct xmlrpc_parser *p, struct xmlrpc_open *parent)
{
	struct xmlrpc_value *v = xcalloc(1, sizeof(*v));
	struct xmlrpc_value *in = parent->value;

	v->type = XMLRPC_STRING;
	if (in == NULL) {
		p->root = v;
		p->fault = parent->el == EL_FAULT;
		return v;
	}
	v->name = parent->name;
	parent->name = NULL;
	if (in->last == NULL)
		in->first = v;
	else
		in->last->next = v;
	in->last = v;
	return v;
}

/* What an element that has just begun fills. */
static struct xmlrpc_value *
xmlrpc_fills(
    struct xmlrpc_parser *p, enum xmlrpc_el el, struct xmlrpc_open *parent)
{
	if (el == EL_VALUE)
		return xmlrpc_value_new(p, parent);
	if (parent->value == NULL)
		return NULL;
	switch (el) {
	case EL_INT:
	case EL_I4:
		parent->value->type = XMLRPC_INT;
		break;
	case EL_BOOLEAN:
		parent->value->type = XMLRPC_BOOLEAN;
		break;
	case EL_ARRAY:
		parent->value->type = XMLRPC_ARRAY;
		break;
	case EL_STRUCT:
		parent->value->type = XMLRPC_STRUCT;
		break;
	case EL_DOCUMENT:
	case EL_RESPONSE:
	case EL_PARAMS:
	case EL_PARAM:
	case EL_FAULT:
	case EL_VALUE:
	case EL_STRING:
	case EL_DATA:
	case EL_MEMBER:
	case EL_NAME:
	case EL_COUNT:
		break;
	}
	return parent->value;
}

/* A member is its name, then its value. */
static bool
xmlrpc_fits(const struct xmlrpc_open *parent, enum xmlrpc_el el)
{
	if ((els[el].in & IN(parent->el)) == 0)
		return false;
	if (parent->el == EL_MEMBER)
		return el == (parent->children == 0 ? EL_NAME : EL_VALUE) &&
		       parent->children < 2;
	return parent->children == 0 || els[parent->el].many;
}

static void XMLCALL
xmlrpc_start_cb(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct xmlrpc_parser *p = arg;
	struct xmlrpc_open *parent = xmlrpc_top(p), *top;
	enum xmlrpc_el el;

	if (p->failed)
		return;
	for (el = EL_RESPONSE; el < EL_COUNT; el++)
		if (strcmp(els[el].name, name) == 0)
			break;
	if (el == EL_COUNT || !xmlrpc_fits(parent, el) ||
	    !xmlrpc_blank(p->text, p->len)) {
		xmlrpc_fail(
		    p, ERR_PROTOCOL, "<%.40s> does not belong there", name);
		return;
	}
	if (p->depth + 1 == XMLRPC_DEPTH_MAX ||
	    ++p->elements > XMLRPC_ELEMENTS_MAX) {
		xmlrpc_fail(p, ERR_LIMIT, "too deep or too many elements");
		return;
	}
	p->depth++;
	p->len = 0;
	parent->children++;
	top = xmlrpc_top(p);
	memset(top, 0, sizeof(*top));
	top->el = el;
	top->value = xmlrpc_fills(p, el, parent);
}

static void XMLCALL
xmlrpc_text_cb(void *arg, const XML_Char *s, int n)
{
	struct xmlrpc_parser *p = arg;
	const struct xmlrpc_open *top = xmlrpc_top(p);
	size_t len = (size_t)n;

	if (p->failed)
		return;
	/* A value without a type is a string. */
	if (!els[top->el].leaf &&
	    !(top->el == EL_VALUE && top->children == 0)) {
		if (!xmlrpc_blank(s, len))
			xmlrpc_fail(
			    p, ERR_PROTOCOL, "text in <%s>", els[top->el].name);
		return;
	}
	if (len > XMLRPC_TEXT_MAX - p->len) {
		xmlrpc_fail(p, ERR_LIMIT, "a text is too long");
		return;
	}
	memcpy(p->text + p->len, s, len);
	p->len += len;
}

static int
xmlrpc_num(struct xmlrpc_parser *p, struct xmlrpc_value *v)
{
	const char *s = p->text;
	char *end;

	errno = 0;
	v->num = strtoll(s, &end, 10);
	if (errno != 0 || *end != '\0' || end == s ||
	    isspace((unsigned char)*s))
		return -1;
	if (v->type == XMLRPC_BOOLEAN && v->num != 0 && v->num != 1)
		return -1;
	return 0;
}

static void XMLCALL
xmlrpc_end_cb(void *arg, const XML_Char *name)
{
	struct xmlrpc_parser *p = arg;
	struct xmlrpc_open *top = xmlrpc_top(p);
	struct xmlrpc_value *v = top->value;
	bool whole = true;

	if (p->failed)
		return;
	p->text[p->len] = '\0';
	if (top->el == EL_NAME)
		p->open[p->depth - 1].name = xstrdup(p->text);
	else if (top->el == EL_INT || top->el == EL_I4 || top->el == EL_BOOLEAN)
		whole = xmlrpc_num(p, v) == 0;
	else if (top->el == EL_STRING ||
		 (top->el == EL_VALUE && top->children == 0))
		v->string = xstrdup(p->text);
	else if (top->el == EL_MEMBER)
		whole = top->children == 2;
	else if (top->el != EL_DATA && top->el != EL_STRUCT)
		whole = top->children == 1;
	if (!whole) {
		xmlrpc_fail(p, ERR_PROTOCOL, "<%.40s> is not whole", name);
		return;
	}
	p->depth--;
	p->len = 0;
}

static void XMLCALL
xmlrpc_doctype_cb(void *arg, const XML_Char *name, const XML_Char *sysid,
    const XML_Char *pubid, int subset)
{
	xmlrpc_fail(arg, ERR_PROTOCOL, "a document type");
}

/* A fault is a struct of a code and a text. out is only touched by 0: of an
 * answer that is refused the caller gets nothing. */
static int
xmlrpc_outcome(struct xmlrpc_parser *p, struct xmlrpc_answer *out)
{
	struct xmlrpc_answer a = { .value = p->root, .fault_string = "" };
	const int64_t *code;

	if (p->fault) {
		code = xmlrpc_int(p->root, "faultCode");
		a.fault_string = xmlrpc_string(p->root, "faultString");
		if (code == NULL || a.fault_string == NULL || *code <= 0 ||
		    *code > INT32_MAX)
			return error_set(p->err, ERR_PROTOCOL,
			    "XML-RPC answer: a fault without code and text");
		a.fault = (int)*code;
	}
	*out = a;
	return 0;
}

static int
xmlrpc_run(struct xmlrpc_parser *p, const char *text, size_t len)
{
	enum XML_Status status;

	XML_SetUserData(p->expat, p);
	XML_SetElementHandler(p->expat, xmlrpc_start_cb, xmlrpc_end_cb);
	XML_SetCharacterDataHandler(p->expat, xmlrpc_text_cb);
	XML_SetStartDoctypeDeclHandler(p->expat, xmlrpc_doctype_cb);
	status = XML_Parse(p->expat, text, (int)len, XML_TRUE);
	if (p->failed)
		return -1;
	if (status != XML_STATUS_OK)
		return error_set(p->err, ERR_PROTOCOL,
		    "XML-RPC answer, line %lu: %s",
		    (unsigned long)XML_GetCurrentLineNumber(p->expat),
		    XML_ErrorString(XML_GetErrorCode(p->expat)));
	return 0;
}

int
xmlrpc_parse(
    const char *text, size_t len, struct xmlrpc_answer *out, struct error *err)
{
	struct xmlrpc_parser *p;
	int rc, i;

	if (len > XMLRPC_SIZE_MAX)
		return error_set(err, ERR_LIMIT, "XML-RPC answer: too long");
	p = xcalloc(1, sizeof(*p));
	p->err = err;
	p->expat = XML_ParserCreate(NULL);
	if (p->expat == NULL)
		abort();
	rc = xmlrpc_run(p, text, len);
	if (rc == 0)
		rc = xmlrpc_outcome(p, out);
	if (rc == -1)
		xmlrpc_value_free(p->root);
	for (i = 0; i <= p->depth; i++)
		free(p->open[i].name);
	XML_ParserFree(p->expat);
	free(p);
	return rc;
}
