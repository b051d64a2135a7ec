"""What the engines wrote down of themselves, each line read once: who held the
cluster in which epoch, who took it in a pause, who rejoined by itself."""

import collections
import os
import re

RECORD = re.compile(r'ev=record\.written .*text="(held|claimed) epoch (\d+) ')
REJOINED = re.compile(r'ev=rejoin\.compared .*\bhow=(\w+)')


class Journal:
    def __init__(self, lab):
        self.lab = lab
        self.held = {}          # epoch: address of who held it
        self.claims = []        # (key, epoch) of claims amid a pause
        self.paused = {}        # key: does it read a pause?
        self.count = collections.Counter()
        self.offset = {}

    def read(self):
        for key in self.lab.pg:
            for line in self._lines(key):
                self.line(key, line)
        return self.held

    def _lines(self, key):
        path = os.path.join(self.lab.dir, key, 'hawatchd.log')
        with open(path, 'rb') as f:
            f.seek(self.offset.get(key, 0))
            data = f.read()
        data = data[:data.rfind(b'\n') + 1]
        self.offset[key] = self.offset.get(key, 0) + len(data)
        return data.decode(errors='replace').splitlines()

    def line(self, key, line):
        if 'ev=failover.paused' in line:
            self.paused[key] = True
        elif 'ev=failover.resumed' in line or 'ev=daemon.start' in line:
            self.paused[key] = False
        elif 'ev=node.latched' in line:
            self.count['latched'] += 1
        found = REJOINED.search(line)
        if found:
            self.count['rejoin: ' + found[1]] += 1
        found = RECORD.search(line)
        if found and found[1] == 'held':
            self.held[int(found[2])] = self.lab.host[key].address
        elif found and self.paused.get(key):
            self.claims.append((key, int(found[2])))

    def taken_in_a_pause(self):
        """[words], since this was asked last: the record said that nobody takes
        over, as its reader himself had written down, and he did."""
        claims, self.claims = self.claims, []
        words = []
        for key, epoch in claims:
            before = self.held.get(max(
                [e for e in self.held if e < epoch], default=0))
            if before != self.lab.host[key].address:
                words.append('TAKEN IN A PAUSE: epoch %d, by %s' % (
                    epoch, key))
        return words
