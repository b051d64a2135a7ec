/*
 * XML-RPC: the text of a request. Only the two types of parameters that
 * supervisord's methods take are known.
 */
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "supervisor/xmlrpc.h"

static char *
xmlrpc_escape(const char *s)
{
	char *out = xcalloc(strlen(s) + 1, sizeof("&quot;"));
	char *to = out;

	for (; *s != '\0'; s++) {
		switch (*s) {
		case '&':
			to = stpcpy(to, "&amp;");
			break;
		case '<':
			to = stpcpy(to, "&lt;");
			break;
		case '>':
			to = stpcpy(to, "&gt;");
			break;
		default:
			*to++ = *s;
			break;
		}
	}
	return out;
}

char *
xmlrpc_request(const char *method, const char *string, const bool *boolean)
{
	char *request, *escaped, *first, *second;

	escaped = xmlrpc_escape(string == NULL ? "" : string);
	first =
	    string == NULL ?
		xstrdup("") :
		xasprintf("<param><value><string>%s</string></value></param>",
		    escaped);
	second =
	    boolean == NULL ?
		xstrdup("") :
		xasprintf("<param><value><boolean>%d</boolean></value></param>",
		    *boolean ? 1 : 0);
	request = xasprintf("<?xml version=\"1.0\"?><methodCall>"
			    "<methodName>%s</methodName><params>%s%s</params>"
			    "</methodCall>",
	    method, first, second);
	free(escaped);
	free(first);
	free(second);
	return request;
}
