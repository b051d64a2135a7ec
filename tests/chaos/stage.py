"""A site under chaos: with its voters, links, disks and whoever looks after
it."""

import contextlib
import os
import shutil
import time

from lab import power
from lab.cluster import KEYS
from lab.story import offset
from votesite import Site, conf

from . import acts, copies, members, versions
from .disks import Disks
from .doctor import Doctor
from .journal import Journal
from .keeper import Keeper
from .kinds import T
from .ledger import Ledger
from .links import Links
from .pulse import Pulse

EVERY = ['-e', '40']
# What the table of faults says of half the lease holds with agents, too.
SHOT = '%dms' % (T * 500)
BACKUPS = 4
REJOIN = 'rejoin = "clone";\n'


class Stage:
    def __init__(self, layout, template, register='arbiter',
                 proofs='lease', before=None):
        settings = conf.settings(layout, min_interval='0s')
        settings['more'] += REJOIN
        if proofs == 'agent':
            settings['more'] += power.conf('s1 s2', 'told', after=SHOT,
                                           lease=register != 'none')
        self.register = register
        self.lone = register == 'none'
        self.site = Site(layout, settings=settings, register=register)
        self.lab = self.site.lab
        self.nodes = list(self.lab.nodes)
        self.power = power.Power(self.lab, thread=False, sees=self.lone) \
            if proofs == 'agent' else None
        self.before = versions.Before(self.lab, before) if before else None
        self.disks = Disks(self.lab)
        self.links = Links(self.lab)
        self.pulse = Pulse()
        self.backups = []
        self.journal = Journal(self.lab)
        try:
            self.disks.mount()
            self.site.up(template)
            self.keeper = Keeper(self.site, self.power)
            self.doctor = Doctor(self.site, self.keeper)
            self.ledger = Ledger(self.site)
            self._vote()
        except BaseException:
            self.down()
            raise

    def _vote(self):
        """From everywhere at once, and at each host alone: whoever writes
        where he should not is found out by the latter."""
        site, add = self.site, self.ledger.add
        add(site.vote(words=EVERY + ['-n', '2']), 'db')
        add(site.vote_web(connections=2, words=EVERY), 'http')
        for key in self.lab.pg:
            add(site.vote('pinned', name='pinned-' + key, hosts=[key],
                          words=['-e', '20']), 'pinned')
            add(site.vote('waiter', name='waiter-' + key, hosts=[key],
                          words=['-e', '100']), 'waiter')
            add(site.vote_web('web-' + key, hosts=[key], connections=1,
                              words=['-e', '100', '-r', '50']), key)

    def down(self):
        """The hosts go before their disks, and the files last."""
        self.pulse.stop()
        for voter in self.site.voters:
            with contextlib.suppress(RuntimeError):
                voter.stop()
        self.links.stop()
        for host in self.lab.host.values():
            host.power_off()
        self.disks.umount()
        self.site.down()

    # -- who holds -------------------------------------------------------

    def record(self):
        """The newest record that a data node knows."""
        found = [r for r in map(self.site.record, self.lab.pg) if r]
        return max(found, key=lambda r: (r['epoch'], r['seq']), default=None)

    def other(self, key):
        """The other data node."""
        return next(k for k in self.lab.pg if k != key)

    def roles(self):
        """Who is what, by the record: {role: key}."""
        holder = KEYS[self.record()['holder']]
        rest = [k for k in self.lab.pg if k != holder]
        found = {'holder': holder, 'standby': rest[0], 'balancer': 'lb'}
        if not self.lone:
            found.update(arbiter='a1', register='a1')
        if self.register == 'etcd':
            found.update(members.roles(self.lab))
        return found

    def backup(self):
        """The files of the register, as one copies them of a running host."""
        if self.register == 'etcd':
            return
        at = os.path.join(self.lab.dir, 'backup-%d' % time.monotonic_ns())
        os.mkdir(at)
        if self.lone:
            copies.copy(self, at)
        else:
            acts.register_copy(self, at)
        self.backups.append(at)
        for old in self.backups[:-BACKUPS]:
            shutil.rmtree(old)
        del self.backups[:-BACKUPS]

    def begin_anew(self):
        """The epochs count from one again."""
        self.journal.held.clear()
        for old in self.backups:
            shutil.rmtree(old)
        self.backups = []

    # -- what remains of a round that went wrong -------------------------

    def save(self, path, words):
        """Everything that may explain it, in a directory."""
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, 'what'), 'w') as f:
            f.write('\n'.join(words) + '\n\nCLOCK_REALTIME minus '
                    'CLOCK_MONOTONIC: %d ns\n' % offset())
        for key in self.nodes:
            for source, name in (
                    ('hawatchd.log', 'hawatchd'), ('etcd.log', 'etcd'),
                    ('services.log', 'services'),
                    ('var/log/postgresql/postgresql-15-main.log', 'postgres')):
                _tail(os.path.join(self.lab.dir, key, source),
                      os.path.join(path, '%s-%s' % (key, name)))
            if self.lab.host[key].up:
                for argv, name in ((['hactl', 'status', '--json'], 'status'),
                                   (['ss', '-tanpoe'], 'sockets'),
                                   (['ps', '-eo', 'pid,ppid,stat,wchan:30,'
                                     'lstart,args'], 'processes'),
                                   (['nft', 'list', 'ruleset'], 'fence')):
                    done = self.lab.host[key].run(argv, check=False)
                    with open(os.path.join(path, '%s-%s' % (key, name)),
                              'w') as f:
                        f.write(done.stdout + done.stderr)
        done = self.site.hactl(self.nodes[0], 'status') \
            if self.lab.host[self.nodes[0]].up else None
        if done:
            with open(os.path.join(path, 'status'), 'w') as f:
                f.write(done.stdout + done.stderr)
        for voter in self.site.voters:
            _tail(voter.log, os.path.join(path, 'votes-' + voter.name))


def _tail(source, to, size=4 << 20):
    if not os.path.exists(source):
        return
    with open(source, 'rb') as f:
        f.seek(max(0, os.path.getsize(source) - size))
        data = f.read()
    with open(to, 'wb') as f:
        f.write(data)
