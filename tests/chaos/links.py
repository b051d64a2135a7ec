"""What befalls the cables: one-way cuts, loss and delay, for each link alone.

All of it is done on the switch, in tables of our own beside the lab's, so no
host can tell it from a network that fails. The kernels of the test machines
have no netem: loss is drawn by nftables, and what is late goes through a relay
of our own, see relay.py.
"""

import os
import subprocess
import sys
import threading

from lab.host import ENV

RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'relay.py')
EMPTY = 'table %s chaos\ndelete table %s chaos\n'


class Links:
    def __init__(self, lab):
        self.lab = lab
        self.drop = {}          # (from, to): in 1000
        self.late = {}          # (from, to): ms
        self.relay = None
        self.lock = threading.Lock()

    # -- one fault each: what is given to it is given back to its end --------

    def lose(self, pairs, permille):
        with self.lock:
            for pair in pairs:
                self.drop[pair] = permille
            self._filter()

    def keep(self, pairs):
        with self.lock:
            for pair in pairs:
                self.drop.pop(pair, None)
            self._filter()

    def delay(self, pair, ms):
        with self.lock:
            self.late[pair] = ms
            self._divert()

    def prompt(self, pair):
        with self.lock:
            self.late.pop(pair, None)
            self._divert()

    def heal(self):
        """Whatever is left of all of them."""
        if self.drop or self.late:
            self.drop, self.late = {}, {}
            self._filter()
            self._divert()

    def stop(self):
        if self.relay is not None:
            self.relay.stdin.close()
            self.relay.kill()
            self.relay.wait()
            self.relay.stdout.close()
            self.relay = None

    # -- the tables ------------------------------------------------------

    def _filter(self):
        rules = ['iifname "sw-%s" oifname "sw-%s" %sdrop' % (
            a, b, '' if n >= 1000 else 'numgen random mod 1000 < %d ' % n)
            for (a, b), n in sorted(self.drop.items())]
        self.lab.switch.nft(
            EMPTY % ('bridge', 'bridge') +
            'table bridge chaos {\nchain forward {\n'
            'type filter hook forward priority 10; policy accept;\n%s\n}\n}\n'
            % '\n'.join(rules))

    def _divert(self):
        """Frames of a slow link leave the switch before it has seen them, and
        come out at the other end of the link when the relay gives them back."""
        chains = []
        if self.late and self.relay is None:
            self._start()
        froms = sorted({a for a, _ in self.late if self.lab.host[a].up})
        for a in froms:
            chains.append(
                'chain in-%s {\ntype filter hook ingress device "sw-%s" '
                'priority 0; policy accept;\n%s\n}' % (a, a, '\n'.join(
                    'ether daddr %s fwd to "slow"' % self._mac(b)
                    for x, b in sorted(self.late) if x == a)))
        if self.relay is not None:
            chains.append(
                'chain back {\ntype filter hook ingress device "late" '
                'priority 0; policy drop;\n%s\n}' % '\n'.join(
                    'ether daddr %s fwd to "sw-%s"' % (self._mac(k), k)
                    for k, h in self.lab.host.items() if h.up))
            for (a, b), ms in sorted(self.late.items()):
                self.relay.stdin.write('%s %s %d\n' % (
                    self._mac(a), self._mac(b), ms))
            self.relay.stdin.flush()
        self.lab.switch.nft(EMPTY % ('netdev', 'netdev') + (
            'table netdev chaos {\n%s\n}\n' % '\n'.join(chains)))

    def _mac(self, key):
        return '02:00:00:00:00:%02x' % self.lab.host[key].number

    def _start(self):
        self.relay = subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL', 'nsenter', '--target',
             str(self.lab.switch.pid), '--net', '--', sys.executable, '-B',
             RELAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=ENV, start_new_session=True)
        if self.relay.stdout.readline() != 'ready\n':
            self.stop()
            raise RuntimeError('the relay does not start')
