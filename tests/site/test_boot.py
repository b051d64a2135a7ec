"""The old primary of a site boots with hawatchd disabled: its network is up,
its PostgreSQL is to start, and its own programs, whose files still call it the
primary, write to it as clients of all hosts do. Nothing is written, boot after
boot.

Each round is a takeover after a power cut, a boot with all that guards one, and
a boot with one guard alone, each in turn; then the engine runs again, and the
host is rebuilt. No commit there would wait for a standby."""

import os
import re
import time

import pytest

from lab import wait_for
from lab.cluster import now
from lab.lab import GUARDS
from votesite import conf

NAME = {'s1': 'prod-s1', 's2': 'prod-s2'}
ALONE = (('fence',), ('gate',), ())     # the last: with standby.signal
# Is it in recovery? None: it does not run.
EXPECTED = {GUARDS: None, ('fence',): False, ('gate',): None, (): True}
TRIES = 20                              # of each client, in each boot
HEAD = ('round', 'old', 'guards', 'postgres', 'tries', 'written')
ROW = '%-5s %-8s %-15s %-9s %6s %8s'


class Boots:
    def __init__(self, site):
        self.site, self.lab = site, site.lab
        self.primary = 's1'
        self.rounds = self.boots = self.tries = self.written = 0
        self.vote, self.web = site.vote(), site.vote_web()
        self.vote.wait_acked(20)
        print('\n' + ROW % HEAD, flush=True)

    def next(self):
        """One takeover, the boots, and back to a whole pair."""
        site, lab, old = self.site, self.lab, self.primary
        new = self.primary = 's1' if old == 's2' else 's2'
        guards = ALONE[self.rounds % len(ALONE)]
        self.rounds += 1
        at = now()
        lab.power_cut(old)
        for voter in (self.vote, self.web):
            voter.wait_acked(20, since=at, server=lab.host[new].address,
                             deadline=20)
        site.wait_plan_end(new)
        self.boot(old, new, GUARDS)
        if guards:
            self.boot(old, new, guards)
        else:
            # What the engine leaves when it has found what came.
            self.on(old)
            lab.power_cut(old)
            self.boot(old, new, guards)
        self.on(old)
        site.rebuild(old, new)
        site.wait_candidates(new, [NAME[old]], 40)

    def on(self, key):
        """With its engine, which finds that it is not the primary."""
        self.lab.boot(key)
        self.site.wait_role(key, 'latched', 30)
        wait_for(lambda: os.path.exists(
            self.lab.pg[key].data('standby.signal')), 10,
            'standby.signal is there')

    def boot(self, old, new, guards):
        """Without the engine, and off again."""
        site, lab, self.boots = self.site, self.lab, self.boots + 1
        asynchronous(lab.pg[old])
        wall = time.time()
        clients = [self.client(old, 'client'), self.client(old, new),
                   site.vote_web('web-%d' % self.boots, hosts=[old])]
        lab.boot(old, daemon=False, autostart=True, guards=guards)
        clients += [self.client(a, old) for a in (old, '127.0.0.1')]
        since = now()
        for voter in clients:
            wait_for(lambda v=voter: sum(
                a.start > since for a in v.attempts()) >= TRIES, 60,
                '%s tries' % voter.name)
        standby = lab.pg[old].in_recovery()
        own = rows_since(lab.pg[old], wall) if standby is not None else set()
        lab.power_cut(old)
        for voter in clients:
            voter.stop()
        # A standby has rows of the new primary.
        written = len(own - rows_since(lab.pg[new], wall)) + sum(
            a.server != lab.host[new].address
            for v in clients for a in v.acked())
        tries = sum(len(v.attempts()) for v in clients)
        print(ROW % (self.rounds, NAME[old], ' '.join(guards) or 'signal', {
            None: 'down', True: 'standby', False: 'primary'}[standby], tries,
            written), flush=True)
        self.tries += tries
        self.written += written
        assert standby is EXPECTED[guards]

    def client(self, victim, at):
        return self.site.vote('pinned', name='%s-at-%s-%d' % (
            victim, at, self.boots), hosts=[victim], at=at)


def asynchronous(pg):
    """No commit of this server, which is off, would wait for a standby."""
    path = pg.data('postgresql.auto.conf')
    with open(path) as f:
        text = f.read()
    with open(path, 'w') as f:
        f.write(re.sub('synchronous_standby_names.*', '', text))


def rows_since(pg, wall):
    """What clients, ballot-box and beat have written there: {(who, what)}."""
    return {tuple(row) for db, words in (
        ('votes', 'client, n FROM vote'), ('ballot_box', 'client, n FROM vote'),
        ('iam', "host, 'beat' FROM heartbeat"))
        for row in pg.sql('SELECT %s WHERE at > to_timestamp(%f)' % (
            words, wall), db=db)}


@pytest.fixture
def boots(request):
    return request.config.getoption('--rounds', None) or 2


def test_old_primary_boots_without_its_daemon(make_site, boots):
    site = make_site(settings=conf.settings(min_interval='0s'))
    run = Boots(site)
    for _ in range(boots):
        run.next()
    print('%d takeovers, %d boots, %d tries to write, %d written' % (
        run.rounds, run.boots, run.tries, run.written))
    assert run.written == 0
    assert site.audit(run.primary, changes=boots)['ok']
