/*
 * The cluster that is believed, and the members that show another one.
 */
#include "engine/etcd_which.h"

#include <string.h>

#include "hawatch/emit.h"
#include "hawatch/str.h"

void
etcd_which_init(
    struct etcd_which *w, const struct etcd_net *net, const char *known)
{
	memset(w, 0, sizeof(*w));
	w->net = net;
	str_cut(w->cluster, sizeof(w->cluster), known);
}

/* The believed one is still there, so the others are strays. */
static void
which_tell(struct etcd_which *w)
{
	int i;

	for (i = 0; i < etcd_net_members(w->net); i++) {
		if (w->shown[i][0] == '\0' ||
		    strcmp(w->shown[i], w->told[i]) == 0)
			continue;
		EMIT(register_stray, kv_s("member", etcd_net_member(w->net, i)),
		    kv_s("cluster", w->shown[i]), kv_s("known", w->cluster));
		str_cut(w->told[i], sizeof(w->told[i]), w->shown[i]);
	}
	memset(w->shown, 0, sizeof(w->shown));
}

bool
etcd_which_is(struct etcd_which *w, int member, const char *cluster)
{
	int i, members = etcd_net_members(w->net), same = 0;

	if (strcmp(cluster, w->cluster) == 0) {
		w->shown[member][0] = w->told[member][0] = '\0';
		which_tell(w);
		return true;
	}
	str_cut(w->shown[member], sizeof(w->shown[member]), cluster);
	for (i = 0; i < members; i++)
		same += strcmp(w->shown[i], cluster) == 0;
	if (w->cluster[0] != '\0' && same * 2 <= members)
		return false;
	etcd_which_init(w, w->net, cluster);
	return true;
}
