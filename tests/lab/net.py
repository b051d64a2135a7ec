"""The switch: a bridge in a namespace of its own, one port per host.

Cuts are made on the switch, so no host can tell them from a network that
fails, and the hosts' own packet filters stay their own.
"""

import os
import signal
import subprocess

from .host import ENV

RULES = '''
table bridge lab {
    set cut { type ifname . ifname; }
    chain forward {
        type filter hook forward priority 0; policy accept;
        iifname . oifname @cut drop
    }
}
'''


class Switch:
    """Its namespace lives as long as the process that holds it."""

    def __init__(self, lab):
        self.lab = lab
        self.proc = None
        self.pid = None

    def start(self):
        argv = ['unshare', '--net', 'sh', '-c',
                'ip link set lo up && exec "$0"', self.lab.tool('lab-init')]
        if not self.lab.detached:
            argv = ['setpriv', '--pdeathsig', 'KILL'] + argv
        self.proc = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=ENV,
            cwd='/', start_new_session=True)
        self.pid = self.proc.pid
        if self.proc.stdout.readline() != b'ready\n':
            self.stop()
            raise RuntimeError('the switch does not start')
        self.proc.stdout.close()
        self._ip('link add br0 type bridge stp_state 0 forward_delay 0 '
                 'mcast_snooping 0\nlink set br0 up\n')
        self.nft(RULES)

    def stop(self):
        if self.pid is None:
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.proc is not None:
            self.proc.wait()
        self.proc = self.pid = None

    def _in(self, argv, text):
        subprocess.run(['nsenter', '--target', str(self.pid), '--net', '--']
                       + argv, input=text, text=True, env=ENV, check=True,
                       timeout=20)

    def _ip(self, batch):
        self._in(['ip', '-batch', '-'], batch)

    def nft(self, text):
        self._in(['nft', '-f', '-'], text)

    def plug(self, host):
        """A new cable between the switch and a host that has none. The
        hardware address stays the host's, as over a reboot."""
        self._ip(
            'link add sw-%s type veth peer name eth0 address '
            '02:00:00:00:00:%02x netns %d\n'
            'link set sw-%s master br0 up\n'
            % (host.key, host.number, host.pid, host.key))
        host.run(['ip', '-batch', '-'], input=(
            'address add %s/24 dev eth0\nlink set eth0 up\n' % host.address))

    def unplug(self, host):
        """Pulls the cable; the other end sees the carrier go."""
        self._ip('link set sw-%s down\n' % host.key)

    def replug(self, host):
        self._ip('link set sw-%s up\n' % host.key)

    def discard(self, host):
        """The host lost its power: its port is dead and its cable gone."""
        self._ip('link delete sw-%s\n' % host.key)

    def cut(self, one, others, oneway=False):
        """Nothing passes from one to the others, nor back unless oneway."""
        self._elements('add', one, others, oneway)

    def heal(self, one=None, others=(), oneway=False):
        if one is None:
            self.nft('flush set bridge lab cut\n')
        else:
            self._elements('delete', one, others, oneway)

    def _elements(self, verb, one, others, oneway):
        pairs = []
        for other in others:
            pairs.append('"sw-%s" . "sw-%s"' % (one.key, other.key))
            if not oneway:
                pairs.append('"sw-%s" . "sw-%s"' % (other.key, one.key))
        self.nft('%s element bridge lab cut { %s }\n' % (
            verb, ', '.join(pairs)))
