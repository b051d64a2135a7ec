"""What may go wrong: the table. How is in acts.py."""

import dataclasses
import typing

from votesite import faults as above

from . import acts
from .disks import PGDATA, STATE

T = 2.0                 # seconds, lease.ttl of the lab
PAUSE = (0.05, 3 * T)
LONG = (1.0, 3 * T)
SOME = (0.5, 4.0)
ONCE = (0.0, 0.0)
HOLDER, STANDBY, ARBITER = ('holder',), ('standby',), ('arbiter',)
WEB = HOLDER + STANDBY
ALL = WEB + ARBITER
LINKS = tuple('%s>%s' % (a, b) for a in ALL for b in ALL if a != b)
NOBODY = ()


def nothing(stage, key, kept):
    pass


@dataclasses.dataclass(frozen=True)
class Kind:
    """targets: roles, or links between them. seconds: between which its length
    is drawn; lasts: the roles of which it lasts until another has taken over,
    which must happen. moves: the roles of which it may move the holder when it
    lasts for T/2 or longer, at_once: however short it is. epoch: the holder may
    begin another epoch. lease: whether it has to do with the lease at all."""

    name: str
    strike: typing.Callable
    mend: typing.Callable = nothing
    targets: tuple = HOLDER
    seconds: tuple = SOME
    lasts: tuple = NOBODY
    moves: tuple = NOBODY
    at_once: bool = False
    epoch: bool = False
    lease: bool = True
    weight: float = 1

    def lengths(self, target):
        return None if target in self.lasts else self.seconds

    def may_move(self, target, seconds):
        return target in self.moves and (self.at_once or seconds >= T / 2)


# Those that move the holder are drawn more often, since a run is for them.
KINDS = [
    # -- hosts and databases
    Kind('databases-killed', acts.databases_killed, targets=WEB,
         seconds=ONCE, lasts=HOLDER, moves=HOLDER, at_once=True, weight=14),
    Kind('postmaster-killed', acts.postmaster_killed, targets=WEB,
         seconds=ONCE, lasts=HOLDER, moves=HOLDER, at_once=True, weight=12),
    Kind('power', acts.power, acts.boot, ALL, lasts=HOLDER, moves=HOLDER,
         at_once=True, weight=16),
    Kind('cut-off', acts.cut_off, acts.joined, ALL, LONG, lasts=HOLDER,
         moves=HOLDER, weight=14),
    Kind('unplugged', acts.unplugged, acts.plugged, ALL, LONG,
         lasts=HOLDER, moves=HOLDER, weight=9),
    Kind('stopped', acts.stopped, acts.goes_on, ALL, PAUSE, moves=HOLDER,
         weight=3),
    Kind('stopped-for-good', acts.stopped, acts.goes_on, lasts=HOLDER,
         moves=HOLDER, weight=15),
    Kind('lossy', acts.lossy, acts.joined, ALL, LONG, moves=HOLDER),
    # -- orders of persons
    Kind('switchover', acts.switchover, acts.switched, HOLDER, (2.0, 6.0),
         moves=HOLDER, at_once=True, weight=18),
    # -- one process
    Kind('engine-killed', acts.engine_killed, acts.engine_back, ALL, PAUSE,
         moves=HOLDER, weight=2),
    Kind('engine-dead', acts.engine_killed, acts.engine_back, lasts=HOLDER,
         moves=HOLDER, weight=15),
    Kind('engine-upgraded', acts.engine_upgraded, targets=ALL, seconds=ONCE,
         moves=HOLDER),
    Kind('engine-stopped', acts.paused(acts.named('hawatchd')), acts.resumed,
         ALL, PAUSE, moves=HOLDER, weight=3),
    Kind('front-killed', acts.front_killed, targets=ALL, seconds=ONCE),
    Kind('front-stopped', acts.paused(acts.named('hawatch-front')),
         acts.resumed, ALL, PAUSE),
    Kind('postmaster-stopped', acts.paused(acts.the_postmaster), acts.resumed,
         WEB, PAUSE, moves=HOLDER, weight=2),
    Kind('walsender-stopped', acts.paused(acts.worded('walsender')),
         acts.resumed, HOLDER, PAUSE),
    Kind('walreceiver-stopped', acts.paused(acts.worded('walreceiver')),
         acts.resumed, STANDBY, PAUSE),
    Kind('checkpointer-stopped', acts.paused(acts.worded('checkpointer')),
         acts.resumed, WEB, PAUSE),
    # -- disks, packet filter, register
    Kind('pgdata-full', acts.full(PGDATA), acts.room(PGDATA), WEB, LONG,
         lasts=HOLDER, moves=HOLDER, at_once=True, weight=2),
    Kind('state-full', acts.full(STATE), acts.room(STATE), ALL, LONG),
    Kind('flushed', acts.flushed, targets=WEB, seconds=ONCE, moves=HOLDER,
         at_once=True),
    Kind('flushed-again', acts.flushing, acts.flushed_enough, WEB,
         moves=HOLDER, at_once=True),
    Kind('register-restored', acts.register_restored, targets=ARBITER,
         seconds=ONCE, epoch=True, weight=2),
    # -- links
    Kind('one-way', acts.one_way, acts.healed, LINKS, PAUSE, weight=3),
    Kind('both-ways', acts.both_ways, acts.healed, LINKS, PAUSE, weight=2),
    Kind('loss', acts.loss, acts.healed, LINKS, LONG),
    Kind('delay', acts.slow, acts.fast, LINKS, LONG),
    # -- above the database
    Kind('memcached-killed', acts.on_host(above.memcached_killed),
         acts.started('memcached'), WEB, lease=False, weight=0.5),
    Kind('memcached-hung', acts.on_host(above.memcached_hung),
         acts.on_host(above.memcached_goes_on), WEB, lease=False, weight=0.5),
    Kind('nginx-killed', acts.on_host(above.nginx_killed),
         acts.started('nginx'), WEB, lease=False, weight=0.5),
    Kind('iam-stopped', acts.on_host(above.iam_stopped), acts.iam_started,
         WEB, lease=False, weight=0.5),
    Kind('iam-hung', acts.on_host(above.iam_hung),
         acts.on_host(above.iam_goes_on), WEB, lease=False, weight=0.5),
    Kind('ballot-box-ends', acts.ballot_box_ends, acts.ballot_box_starts, WEB,
         lease=False, weight=0.5),
    Kind('supervisord-stopped', acts.supervisord_stopped,
         acts.supervisord_started, WEB, lease=False, weight=0.5),
    Kind('supervisord-killed', acts.supervisord_killed,
         acts.supervisord_started, WEB, lease=False, weight=0.5),
    Kind('balancer-killed', acts.on_host(above.haproxy_killed),
         acts.started('haproxy'), ('balancer',), lease=False, weight=0.5),
    Kind('balancer-deaf', acts.on_host(above.balancer_deaf),
         acts.on_host(above.balancer_hears), ('balancer',), lease=False,
         weight=0.5),
]
BY_NAME = {k.name: k for k in KINDS}
