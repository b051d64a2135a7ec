/*
 * Programs end their words with what was wrong: one line, or an ERROR and its
 * DETAIL and HINT.
 */
#include "act/tool_line.h"

#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "hawatch/str.h"

#define LINE_MAX_SHOWN 400

int
tool_status(int status)
{
	if (status == -1)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

static bool
tool_secret(const char *line)
{
	static const char word[] = "password";
	const char *at = line;

	while ((at = strstr(at, word)) != NULL) {
		at += strlen(word);
		if (at[strspn(at, " ")] == '=')
			return true;
	}
	return strstr(line, "://") != NULL;
}

/* Where the line begins that ends before end. */
static size_t
tool_line_from(const char *text, size_t end)
{
	while (end > 0 && text[end - 1] != '\n' && text[end - 1] != '\r')
		end--;
	return end;
}

static size_t
tool_trim(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	return len;
}

static void
tool_cut(const char *text, size_t from, size_t to, char *line, size_t size)
{
	while (from < to && text[from] == ' ')
		from++;
	if (to - from >= size)
		to = from + size - 1;
	memcpy(line, text + from, to - from);
	line[to - from] = '\0';
	if (tool_secret(line))
		str_cut(line, size, "(a line with a connection string)");
}

void
tool_last(const char *text, size_t len, char *out, size_t size)
{
	len = tool_trim(text, len);
	tool_cut(text, tool_line_from(text, len), len, out, size);
}

void
tool_why(const char *text, size_t len, char *out, size_t size)
{
	char line[LINE_MAX_SHOWN];
	size_t from, end, at, used = 0;
	bool wrong = false;

	len = tool_trim(text, len);
	for (end = len; end > 0 && !wrong; end = tool_trim(text, from)) {
		from = tool_line_from(text, end);
		tool_cut(text, from, end, line, sizeof(line));
		wrong = strstr(line, "ERROR:") != NULL ||
			strstr(line, "FATAL:") != NULL;
		at = from;
	}
	if (!wrong) {
		tool_last(text, len, out, size);
		return;
	}
	out[0] = '\0';
	for (; at < len && used + 3 < size; at = end + 1) {
		end = at;
		while (end < len && text[end] != '\n' && text[end] != '\r')
			end++;
		tool_cut(text, at, end, line, sizeof(line));
		str_cut(out + used, size - used, used == 0 ? "" : "; ");
		used += strlen(out + used);
		str_cut(out + used, size - used, line);
		used += strlen(out + used);
	}
}
