"""What persons do after a fault, by the manual, and nothing else: a node that
does not come back by itself is rebuilt, a cold register adopted when it waits
for nobody, what differs from a host's role brought about. Then it says when the
site is as it was."""

import json
import signal
import time

from lab import Late, wait_for
from lab.cluster import KEYS
from lab.host import wait_gone
from lab.pg import BIN, DATA
from test_ten import amiss
from votesite import services

from . import members
from .disks import STATE

PATIENCE = 12       # seconds for what should come by itself
DRIFT = 20          # the same, for what differs from a host's role
COLD = 8
ORDERED = 2         # what was ordered is countermanded by whoever ordered it
REJOIN = 45         # after a rejoin that came to nothing, or was not begun


class Doctor:
    def __init__(self, site, keeper):
        self.site = site
        self.lab = site.lab
        self.keeper = keeper
        self.notes = []         # what a person had to do
        self.rebuilt = self.shot = 0
        self.anew = False       # with a new register: epochs begin again
        self.since = {}         # (key, what): when it was seen first

    def well(self, deadline=120):
        """Until all is as it should be; returns the holder's key."""
        self.notes, self.since, self.anew = [], {}, False
        end = time.monotonic() + deadline
        last = '', time.monotonic()
        while True:
            self.keeper.look()
            found = self._step()
            if not found:
                return self.holder
            if found != last[0]:
                last = found, time.monotonic()
            if time.monotonic() > end:
                raise Late('not well within %d s: %s' % (deadline, found))
            time.sleep(0.15)

    def _switch_on(self, key):
        """A fence agent had it switched off."""
        self.lab.boot(key)
        self.keeper.off.discard(key)
        self.shot += 1

    def _for(self, key, what, seconds):
        """Has this been so for so long?"""
        since = self.since.setdefault((key, what), time.monotonic())
        return time.monotonic() - since > seconds

    def _forget(self, key):
        self.since = {k: v for k, v in self.since.items() if k[0] != key}

    # -- one look, and one thing done ------------------------------------

    def _step(self):
        """What is amiss, in words; '' when nothing is."""
        if self.lab.register == 'etcd':
            self.notes += ['etcd of %s started' % k
                           for k in members.start_missing(self.lab)]
        for key in self.lab.pg:
            if not self.lab.host[key].up:
                self._switch_on(key)
        status = {k: self.site.status(k) for k in self.lab.pg}
        records = [s['record'] for s in status.values() if s.get('record')]
        if not records:
            return 'nobody knows a record'
        record = max(records, key=lambda r: (r['epoch'], r['seq']))
        self.record, self.holder = record, KEYS[record['holder']]
        primary = status[self.holder]
        if self._forgotten(status):
            return 'the register shows less than the nodes have seen'
        if self._register(status):
            return 'the register is cold'
        if self._paused(status):
            return 'failover is paused'
        if primary.get('role') != 'primary':
            return '%s holds the record (%s) and is %s: %s' % (
                self.holder, record['state'], primary.get('role'),
                primary.get('waits_text'))
        if primary.get('plan'):
            return 'a plan runs on ' + self.holder
        for key in self.lab.pg:
            if key != self.holder:
                words = self._standby(key, status[key])
                if words:
                    return words
        others = sorted(self.lab.host[k].name for k in self.lab.pg
                        if k != self.holder)
        if sorted(record['candidates']) != others:
            return 'candidates %s' % record['candidates']
        return self._site()

    def _paused(self, status):
        """By a person who could not end it: his order came to a host that was
        off, or did not hold any more."""
        paused = any(s.get('paused') for s in status.values())
        if not paused:
            self.since.pop(('site', 'paused'), None)
        elif self._for('site', 'paused', ORDERED):
            self.site.hactl(self.holder, 'resume')
            self._forget('site')
        return paused

    def _register(self, status):
        """A cold register that waits for whom it need not wait, or that is
        older than what a node has seen: then nobody may adopt it."""
        cold = [k for k, s in status.items()
                if s.get('register', {}).get('cold')]
        if cold and self._for('a1', 'cold', COLD):
            seen = max(s.get('durable', {}).get('epoch', 0)
                       for s in status.values())
            done = self.site.hactl(cold[0], 'register', 'show', '--json')
            shown = (json.loads(done.stdout or '{}').get('record') or {}).get(
                'epoch', 0)
            if shown < seen:
                self._by_standby(status)
            else:
                self.notes.append('register adopted')
                self.site.hactl(cold[0], 'register', 'adopt', '--yes')
            self._forget('a1')
        return bool(cold)

    def _forgotten(self, status):
        """The register was restored, and the holder lost its lease before it
        could write it again: no rule is left that could decide."""
        lost = all(s.get('register', {}).get('amnesiac')
                   for s in status.values()) and not any(
                       s.get('role') == 'primary' for s in status.values())
        if not lost:
            self.since.pop(('a1', 'forgotten'), None)
        elif self._for('a1', 'forgotten', PATIENCE):
            self._by_standby(status)
        return lost

    def _by_standby(self, status):
        standby = [k for k, s in status.items() if s.get('role') == 'standby']
        if standby and self.lab.a1:
            self._begin_anew(standby[0])

    def _begin_anew(self, key):
        """The register is lost, and so is the primary: this standby, which
        was its candidate, is the beginning."""
        self.notes.append('register and primary are lost: begun anew on '
                          + key)
        self.anew = True
        nodes = list(self.lab.pg) + ['a1']
        self.keeper.off.update(nodes)
        try:
            for k in nodes:
                pids = self.lab.host[k].pids('hawatchd')
                self.lab.host[k].kill(pids, signal.SIGTERM)
                wait_gone(pids)
                if k != key and k in self.lab.pg and \
                        self.lab.pg[k].postmaster() is not None:
                    self.lab.pg[k].kill_all()
                self.lab.host[k].run(['sh', '-c', 'rm -r %s/*' % STATE])
            for k in ('a1', key):
                self.keeper.start(k)
            wait_for(lambda: self.site.status(key), 10,
                     'hawatchd of %s answers' % key)
            self.lab.pg[key].promote()
            for words in (('register', 'adopt', '--yes'), (
                    'init', '--holder', self.lab.host[key].name, '--yes')):
                wait_for(lambda: self.site.hactl(key, *words).returncode == 0,
                         15, 'hactl %s on %s' % (' '.join(words), key),
                         every=0.2)
            self.lab.pg[key].repmgr('primary', 'register', '--force')
            for k in self.lab.pg:
                if k != key:
                    self.lab.rebuild_standby(k, key)
                    self.keeper.start(k)
            # A first start changes nothing.
            for k in self.lab.pg:
                wait_for(lambda: self.site.hactl(
                    k, 'drift', '--apply', '--yes').returncode == 0, 20,
                    'the site of %s is brought to its role' % k, every=0.3)
        finally:
            self.keeper.off.difference_update(nodes)

    def _standby(self, key, status):
        role = status.get('role')
        if role == 'latched':
            return '%s is latched: %s' % (key, self._latched(key, status))
        if role != 'standby':
            if self._for(key, 'no standby', PATIENCE):
                self._rebuild(key, 'was ' + str(role))
            return '%s is %s' % (key, role)
        name = self.lab.host[key].name
        if name not in self.record['candidates']:
            if self._for(key, 'no candidate', 2 * PATIENCE):
                self._rebuild(key, 'was no candidate')
            return '%s is no candidate' % key
        self._forget(key)
        return ''

    def _latched(self, key, status):
        """It rejoins, which is its own work; what comes to nothing for long
        is not."""
        why = status.get('durable', {}).get('latch_why', '')
        if status.get('plan'):
            self.since.pop((key, 'latched'), None)
            return 'a plan runs'
        if why.startswith('fenced by') and self._for(key, 'fenced', ORDERED):
            self.since.pop((key, 'fenced'))
            self.site.hactl(key, 'unfence', '--yes')
        if self._for(key, 'latched', REJOIN):
            self._rebuild(key, 'was latched: %s; %s' % (
                why, status.get('waits_text')))
        return why

    def _rebuild(self, key, why):
        """repmgr standby clone, unfence, register. What fails is tried again
        at the next look."""
        self.notes.append('%s rebuilt: %s' % (key, why))
        self.rebuilt += 1
        pg = self.lab.pg[key]
        try:
            if pg.postmaster() is not None:
                pg.do([BIN + 'pg_ctl', 'stop', '-D', DATA, '-m', 'immediate',
                       '-s', '-w', '-t', '20'], check=False)
            self.lab.rebuild_standby(key, self.holder)
            if self.site.status(key).get('role') == 'latched':
                done = self.site.hactl(key, 'unfence', '--yes')
                if done.returncode != 0:
                    raise RuntimeError('unfence: ' + done.stderr)
            wait_for(lambda: self.keeper.look() or pg.in_recovery(), 20,
                     'the engine starts the rebuilt standby', every=0.1)
            wait_for(lambda: pg.repmgr(
                'standby', 'register', '--force', check=False).returncode
                == 0, 20, 'repmgr registers the rebuilt standby', every=0.2)
        except (AssertionError, RuntimeError) as e:
            self.notes.append('rebuilding %s failed: %s' % (
                key, ' '.join(str(e).split())[:300]))
        self._forget(key)

    # -- above the database ----------------------------------------------

    def _site(self):
        found = amiss(self.site, self.holder)
        if not found:
            return ''
        if self._for('site', 'amiss', DRIFT):
            self._restart()
            for key in self.lab.pg:
                done = self.site.hactl(key, 'drift')
                if done.returncode != 0:
                    self.notes.append('%s: drift applied: %s' % (
                        key, '; '.join(found)[:300]))
                    self.site.hactl(key, 'drift', '--apply', '--yes')
            self._forget('site')
        return '; '.join(found)

    def _restart(self):
        """What hangs, as it waits for an answer that does not come."""
        for key in self.lab.pg:
            for c in self.site.status(key).get('checks', ()):
                if c['up'] == 'no' and c['name'] in ('iam', 'ballot-box'):
                    self.notes.append('%s: %s restarted: %s' % (
                        key, c['name'], c['reason']))
                    services.supervisorctl(self.lab.host[key], 'restart',
                                           c['name'])
