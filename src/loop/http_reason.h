/*
 * What curl's results mean, as reasons.
 */
#ifndef HAWATCH_HTTP_REASON_H
#define HAWATCH_HTTP_REASON_H

#include <curl/curl.h>

#include "hawatch/reason.h"
#include "hawatch/types.h"

/* sys: CURLINFO_OS_ERRNO; sent: the request may have left; message: of
 * CURLOPT_ERRORBUFFER. */
enum reason http_reason(
    CURLcode code, long sys, bool sent, const char *message);

#endif
