"""A site under chaos: with its voters, links, disks and whoever looks after
it."""

import contextlib
import os
import shutil

from lab.cluster import KEYS
from lab.story import offset
from votesite import Site, conf

from .disks import Disks
from .doctor import Doctor
from .keeper import Keeper
from .ledger import Ledger
from .links import Links
from .pulse import Pulse

EVERY = ['-e', '40']


class Stage:
    def __init__(self, layout, template):
        self.site = Site(layout, settings=conf.settings(
            layout, min_interval='0s'))
        self.lab = self.site.lab
        self.nodes = list(self.lab.pg) + ['a1']
        self.disks = Disks(self.lab)
        self.links = Links(self.lab)
        self.pulse = Pulse()
        self.backups = []
        self.held = {}          # epoch: address of who held it
        self.read = {}          # key: how much of its log was read
        try:
            self.disks.mount()
            self.site.up(template)
            self.keeper = Keeper(self.site)
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

    def roles(self):
        """Who is what, by the record: {role: key}."""
        holder = KEYS[self.record()['holder']]
        rest = [k for k in self.lab.pg if k != holder]
        return {'holder': holder, 'standby': rest[0], 'arbiter': 'a1',
                'balancer': 'lb'}

    def holders(self):
        """{epoch: address}, by the logs of those who wrote "held"."""
        for key in self.lab.pg:
            path = os.path.join(self.lab.dir, key, 'hawatchd.log')
            with open(path, errors='replace') as f:
                f.seek(self.read.get(key, 0))
                text = f.read()
            text = text[:text.rfind('\n') + 1]
            self.read[key] = self.read.get(key, 0) + len(text.encode())
            for line in text.splitlines():
                if 'ev=record.written' in line and 'text="held epoch ' in \
                        line:
                    epoch = int(line.partition('held epoch ')[2].split()[0])
                    self.held[epoch] = self.lab.host[key].address
        return self.held

    def begin_anew(self):
        """The epochs count from one again."""
        self.held = {}
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
                    ('hawatchd.log', 'hawatchd'), ('services.log', 'services'),
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
