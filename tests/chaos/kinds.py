"""What may go wrong: the table. How is in acts.py."""

import dataclasses
import typing

from votesite import faults as above

from . import acts, copies, members, orders, versions
from .disks import PGDATA, STATE

T = 2.0                 # seconds, lease.ttl of the lab
PAUSE = (0.05, 3 * T)
LONG = (1.0, 3 * T)
SOME = (0.5, 4.0)
ONCE = (0.0, 0.0)
RESTS = T + 0.5         # a standby that is waited for for so long is not one
HOLDER, STANDBY, ARBITER = ('holder',), ('standby',), ('arbiter',)
WEB = HOLDER + STANDBY
ALL = WEB + ARBITER
MEMBERS = ('leader', 'follower')
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
    begin another epoch. lease: whether it has to do with the lease at all.
    rests: seconds for which votes may rest when it comes alone, if there is a
    limit. needs: the option of a run without which it is not drawn. company:
    how often it comes with another one, beside those that all do; never with
    one of not_with. Of two lone hosts: the roles of which, while it lasts, they
    do not hear each other (silent), so that nobody writes and nobody takes over
    without a proof, unless it ends the database, too, when that host is back
    (ends); or of which it cannot write, and is heard, so that somebody has to
    fence it (heard). third: what only a register on other hosts has."""

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
    rests: float | None = None
    needs: str = ''
    silent: tuple = NOBODY
    heard: tuple = NOBODY
    ends: bool = False
    third: bool = False
    company: float = 0
    not_with: tuple = ()
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
         at_once=True, silent=WEB, ends=True, weight=16),
    Kind('cut-off', acts.cut_off, acts.joined, ALL, LONG, lasts=HOLDER,
         moves=HOLDER, silent=WEB, weight=14),
    Kind('unplugged', acts.unplugged, acts.plugged, ALL, LONG,
         lasts=HOLDER, moves=HOLDER, silent=WEB, weight=9),
    Kind('stopped', acts.stopped, acts.goes_on, ALL, PAUSE, moves=HOLDER,
         silent=WEB, weight=3),
    Kind('stopped-for-good', acts.stopped, acts.goes_on, lasts=HOLDER,
         moves=HOLDER, silent=HOLDER, weight=15),
    Kind('lossy', acts.lossy, acts.joined, ALL, LONG, moves=HOLDER),
    # -- orders of persons
    Kind('switchover', orders.switchover, orders.forgotten, HOLDER, (2.0, 6.0),
         moves=HOLDER, at_once=True, weight=18),
    Kind('promote', orders.promote, orders.forgotten, WEB, (2.0, 6.0),
         moves=HOLDER, at_once=True, weight=4),
    Kind('pause', orders.pause, orders.resume, HOLDER, (1.0, 8.0), rests=RESTS,
         weight=8),
    Kind('fence', orders.fence, orders.unfence, HOLDER, lasts=HOLDER,
         moves=HOLDER, at_once=True, weight=8),
    Kind('standby-fenced', orders.fence, orders.unfence, STANDBY, LONG,
         rests=RESTS, weight=3),
    Kind('standby-leaves', orders.leaves, orders.comes_back, STANDBY, LONG,
         rests=RESTS, third=True, weight=4),
    Kind('rejoin', orders.rejoin, orders.forgotten, WEB, ONCE, rests=RESTS,
         weight=2),
    Kind('drift-apply', orders.drift, orders.forgotten, WEB, ONCE, rests=RESTS,
         weight=2),
    # -- one process
    Kind('engine-killed', acts.engine_killed, acts.engine_back, ALL, PAUSE,
         moves=HOLDER, silent=WEB, weight=2),
    Kind('engine-dead', acts.engine_killed, acts.engine_back, lasts=HOLDER,
         moves=HOLDER, silent=HOLDER, weight=15),
    Kind('engine-upgraded', acts.engine_upgraded, targets=ALL, seconds=ONCE,
         moves=HOLDER, silent=WEB),
    Kind('engine-stopped', acts.paused(acts.named('hawatchd')), acts.resumed,
         ALL, PAUSE, moves=HOLDER, silent=WEB, weight=3),
    # An arbiter of before there was a pause could not keep it.
    Kind('engine-of-before', versions.downgraded, versions.upgraded, ALL,
         (3.0, 8.0), rests=RESTS, needs='before', company=0.6,
         not_with=('pause',), weight=60),
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
         lasts=HOLDER, moves=HOLDER, at_once=True, heard=HOLDER, weight=2),
    Kind('state-full', acts.full(STATE), acts.room(STATE), ALL, LONG),
    Kind('flushed', acts.flushed, targets=WEB, seconds=ONCE, moves=HOLDER,
         at_once=True),
    Kind('flushed-again', acts.flushing, acts.flushed_enough, WEB,
         moves=HOLDER, at_once=True),
    Kind('register-restored', acts.register_restored, targets=ARBITER,
         seconds=ONCE, epoch=True, needs='arbiter', weight=2),
    # -- two lone hosts, each with a copy of the register
    Kind('both-off', copies.both_off, copies.both_on, WEB, lasts=WEB, moves=WEB,
         at_once=True, epoch=True, needs='none', silent=WEB, ends=True,
         weight=10),
    Kind('standby-lost', acts.power, acts.boot, STANDBY, lasts=STANDBY,
         epoch=True, needs='none', silent=STANDBY, weight=12),
    Kind('copy-lost', copies.copy_lost, targets=WEB, seconds=ONCE,
         needs='none', not_with=('copy-lost',), weight=6),
    # -- members of etcd
    Kind('member-killed', members.killed, members.started, MEMBERS, PAUSE,
         rests=RESTS, needs='etcd', weight=4),
    Kind('member-stopped', acts.paused(acts.named('etcd')), acts.resumed,
         MEMBERS, PAUSE, rests=RESTS, needs='etcd', weight=4),
    Kind('member-stutters', members.stutters, members.runs_on, MEMBERS, LONG,
         rests=RESTS, needs='etcd', weight=1.5),
    Kind('member-slow-disk', members.slow_disk, members.quick_disk, MEMBERS,
         LONG, rests=RESTS, needs='etcd', weight=1.5),
    Kind('member-cut-off', members.cut_off, members.joined, MEMBERS, PAUSE,
         rests=RESTS, needs='etcd', weight=4),
    Kind('quorum-lost', members.quorum_lost, members.started, ('register',),
         PAUSE, rests=RESTS, needs='etcd', weight=8),
    # -- links
    Kind('one-way', acts.one_way, acts.healed, LINKS, PAUSE, silent=LINKS,
         weight=3),
    Kind('both-ways', acts.both_ways, acts.healed, LINKS, PAUSE, silent=LINKS,
         weight=2),
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


def possible(given):
    """The kinds of a run with these options."""
    there = [k for k in KINDS if not k.needs or k.needs in given]
    return there if 'none' not in given else [
        k for k in map(_of_two, there) if k.targets and not k.third]


def _of_two(kind):
    """The same where there is no third host."""
    return dataclasses.replace(kind, targets=tuple(
        t for t in kind.targets if 'arbiter' not in t.split('>')))
