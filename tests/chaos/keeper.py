"""What a host's service manager does for hawatchd: starts it again when it has
ended, and what the switches of a rack do for fence agents. An end that nobody
caused is a finding."""

import contextlib
import time

from lab.cluster import now

BACK = 0.3          # seconds until it is started again


class Keeper:
    def __init__(self, site, power=None):
        self.site = site
        self.lab = site.lab
        self.power = power
        self.off = set()        # hosts whose engine a fault keeps away
        self.excused = set()    # whose engine may end: its disk is full
        self.unasked = []
        self.pid = {}
        self.seen = {}          # since when it is missing
        for key in self.nodes():
            self._find(key)

    def nodes(self):
        return self.lab.nodes

    def look(self):
        if self.power:
            self.power.serve()
        for key in self.nodes():
            if key in self.off or not self.lab.host[key].up:
                self.pid.pop(key, None)
                continue
            if self._lives(key) or self._find(key):
                self.seen.pop(key, None)
                continue
            at = self.seen.setdefault(key, now())
            if now() - at < BACK * 1e9:
                continue
            if key in self.excused:
                self.seen.pop(key)
            else:
                self.unasked.append(key)
            with contextlib.suppress(AssertionError, RuntimeError):
                self.start(key)     # if not, it is tried again

    def start(self, key):
        self.seen.pop(key, None)
        self.site.engine_start(key)
        self._find(key)

    def sleep(self, seconds):
        time.sleep(seconds)
        self.look()

    def _find(self, key):
        found = self.lab.host[key].pids('hawatchd')
        if found:
            self.pid[key] = found[0]
        else:
            self.pid.pop(key, None)
        return found

    def _lives(self, key):
        """Its number may have been given to another by now."""
        try:
            with open('/proc/%d/comm' % self.pid[key]) as f:
                return f.read() == 'hawatchd\n'
        except (KeyError, OSError):
            return False
