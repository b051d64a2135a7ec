/*
 * Who gives way when a listener is full. Each listener has room of its own,
 * so a flood on one never costs the other a connection. On the listener with
 * TLS only handshakes can be had without a certificate, so they are counted
 * apart, and strangers' handshakes give way before those of the nodes.
 */
#include "front/conn.h"

#define ROOM_HANDSHAKES 32
/* A request that is honest comes whole, or nearly so; and an answer that the
 * kernel does not take at once, it takes soon from who reads. */
#define ROOM_SLOW (250 * USEC_MSEC)

static bool
room_first(struct listener *l, enum conn_state state, usec_t age)
{
	struct conn *c = TAILQ_FIRST(&l->list[state]);

	if (c == NULL || front_raw() - c->since < age)
		return false;
	if (state == CONN_WRITING)
		conn_slow(c);
	else
		conn_free(c);
	return true;
}

static bool
room_handshake(struct listener *l, bool known)
{
	struct conn *c;

	if (l->count[CONN_HANDSHAKE] < ROOM_HANDSHAKES)
		return true;
	TAILQ_FOREACH(c, &l->list[CONN_HANDSHAKE], entry)
		if (!c->known) {
			conn_free(c);
			return true;
		}
	return known && room_first(l, CONN_HANDSHAKE, 0);
}

bool
room_make(struct listener *l, bool known)
{
	if (l->spec.tls != NULL && !room_handshake(l, known))
		return false;
	if (l->total < l->spec.max)
		return true;
	/* Who has only just come says nothing yet, and is the last to go. */
	return room_first(l, CONN_LINGER, 0) ||
	       room_first(l, CONN_IDLE, ROOM_SLOW) ||
	       room_first(l, CONN_READING, ROOM_SLOW) ||
	       room_first(l, CONN_WRITING, ROOM_SLOW) ||
	       room_first(l, CONN_IDLE, 0);
}
