/*
 * From curl's results to reasons.
 */
#include <errno.h>
#include <string.h>

#include "loop/http_reason.h"

static const struct {
	CURLcode code;
	enum reason reason;
} http_reasons[] = {
	{ CURLE_OK, REASON_ok },
	{ CURLE_GOT_NOTHING, REASON_server_closed },
	{ CURLE_SEND_ERROR, REASON_server_closed },
	{ CURLE_RECV_ERROR, REASON_server_closed },
	{ CURLE_PARTIAL_FILE, REASON_server_closed },
	{ CURLE_WEIRD_SERVER_REPLY, REASON_garbage },
	{ CURLE_UNSUPPORTED_PROTOCOL, REASON_garbage },
	{ CURLE_BAD_CONTENT_ENCODING, REASON_garbage },
	{ CURLE_WRITE_ERROR, REASON_too_long },
	{ CURLE_FILESIZE_EXCEEDED, REASON_too_long },
	{ CURLE_PEER_FAILED_VERIFICATION, REASON_tls_name },
	{ CURLE_SSL_CONNECT_ERROR, REASON_tls_failed },
	{ CURLE_SSL_CERTPROBLEM, REASON_tls_failed },
	{ CURLE_SSL_CACERT_BADFILE, REASON_tls_failed },
	{ CURLE_SSL_CIPHER, REASON_tls_failed },
	{ CURLE_SSL_SHUTDOWN_FAILED, REASON_tls_failed },
};

enum reason
http_reason(CURLcode code, long sys, bool sent, const char *message)
{
	size_t i;

	if (code == CURLE_OPERATION_TIMEDOUT)
		return sent ? REASON_timeout : REASON_connect_timeout;
	/* In TLS 1.3 the client is done before the server has looked at its
	 * certificate, and meets the refusal in its first read. */
	if (code == CURLE_RECV_ERROR && strstr(message, "alert") != NULL)
		return REASON_tls_failed;
	for (i = 0; i < sizeof(http_reasons) / sizeof(http_reasons[0]); i++)
		if (http_reasons[i].code == code)
			return http_reasons[i].reason;
	switch (sys) {
	case ENOENT:
		return REASON_no_socket;
	case ECONNREFUSED:
		return REASON_connect_refused;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return REASON_unreachable;
	case ETIMEDOUT:
		return REASON_connect_timeout;
	case EACCES:
	case EPERM:
		return REASON_no_permission;
	default:
		return REASON_connect_failed;
	}
}
