/*
 * Frames on the socketpair between engine and front: 4 bytes of length in
 * network order, then that many bytes of one JSON object. Both ends use this;
 * anything else on the link is an error that ends the front.
 */
#ifndef FRONT_FRAME_H
#define FRONT_FRAME_H

#include <jansson.h>
#include <stddef.h>

#include "hawatch/error.h"

#define FRAME_HEAD ((size_t)4)
#define FRAME_MAX ((size_t)512 * 1024)
/* What a peer may send and get, and how many requests may wait at once. */
#define FRAME_BODY_MAX ((size_t)16 * 1024)
#define FRAME_REPLY_MAX ((size_t)64 * 1024)
#define FRAME_WAITING_MAX 64
/* Where operators ask. Its answers are lines, which come in parts. */
#define FRAME_CONTROL "/v1/control"
#define FRAME_PART_MAX ((size_t)16 * 1024)
/* A request's id is the front's generation and its number in it. */
#define FRAME_ID_BITS 32

struct frame_in {
	char *buf;
	size_t start, len, cap; /* bytes [start, len) wait to be taken */
};

void frame_in_fini(struct frame_in *in);
/* Reads once, without waiting: 1 some bytes came, 0 none now, -1 the link is
 * at its end (ERR_NONE) or broken. */
int frame_in_read(struct frame_in *in, int fd, struct error *err) MUST_CHECK;
/* Takes one frame: 1 with *out (caller decrefs), 0 none whole yet, -1. */
int frame_in_next(
    struct frame_in *in, json_t **out, struct error *err) MUST_CHECK;
/* Length and text in one buffer; caller frees; NULL when it is too long. */
char *frame_pack(const json_t *obj, size_t *len) MUST_CHECK;

/* "/v1/" and 1 to 32 of a-z and "-": the only paths that peers may ask. */
bool frame_path_ok(const char *path, size_t len);

#endif
