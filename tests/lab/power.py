"""Power switches of a lab: what a fence agent on one host does to another.

The agent is a shell text on each data node that speaks the protocol of
ClusterLabs. It leaves its wish in a file; a thread beside the lab carries it
out, as the switch of a rack would: the machine is outside of all hosts.
"""

import os
import threading
import time

AGENT = '/etc/hawatch/fence_lab'
WAY = '/etc/hawatch/power.way'
DIR = '/run/power'

# Options: plug, the host's key; way, what it does: truth, lie, fail, hang,
# blind, or told: as the file says.
TEXT = r'''#!/bin/sh
action= plug= way=truth password=
while IFS= read -r line; do
	case $line in
	action=*) action=${line#*=} ;;
	plug=*) plug=${line#*=} ;;
	way=*) way=${line#*=} ;;
	password=*) password=${line#*=} ;;
	esac
done
mkdir -p %(dir)s
[ "$way" != told ] || way=$(cat %(way)s)
echo "$plug $action" >>%(dir)s/calls
[ "$password" = 'lab secret' ] || { echo "password $password is wrong"; exit 1; }
case $action:$way in
monitor:*) exit 0 ;;
*:hang) sleep 600 & wait; exit 1 ;;
off:fail) echo "no such outlet"; exit 1 ;;
off:lie) exit 0 ;;
status:lie) exit 2 ;;
off:blind) exit 0 ;;
off:truth) : >%(dir)s/$plug.off; exit 0 ;;
status:*) [ -e %(dir)s/$plug.is-off ] && exit 2; exit 0 ;;
esac
exit 1
''' % {'dir': DIR, 'way': WAY}


def conf(targets, *ways, after='1500ms', lease=True):
    """Settings: the hosts of targets have a device a level, of these ways.
    lease: whether it is a proof, too."""
    agents = ',\n'.join(
        '  { name = "%s-%s-%d"; node = "prod-%s"; level = %d; agent = "%s"; '
        'timeout = "%s"; retries = 0; options = [ "plug=%s", "way=%s" ]; '
        'secrets = [ "password=/etc/hawatch/power.pw" ]; }' % (
            way, target, level, target, level, AGENT,
            '1s' if way != 'truth' else '5s', target, way)
        for target in targets.split() for level, way in enumerate(ways, 1))
    return '''proofs = [ "released", %s"agent" ];
agent_after = "%s";
agents = (
%s
);
''' % ('"lease", ' if lease else '', after, agents)


class Power:
    """Carries out what the agents on the hosts of a lab ask for, in a thread,
    or where serve() is called."""

    def __init__(self, lab, thread=True, sees=False):
        """sees: the status of a host that lost its power otherwise is off."""
        self.lab = lab
        self.sees = sees
        self.done = {}          # key: when it was cut, in ns
        self._end = threading.Event()
        for key in lab.data:
            lab.host[key].write(AGENT, TEXT, 0o755)
            lab.host[key].write('/etc/hawatch/power.pw', 'lab secret\n', 0o600)
        self._thread = threading.Thread(target=self._run, daemon=True)
        if thread:
            self._thread.start()

    def told(self, way):
        """What the agents that are told do from now on."""
        for key in self.lab.data:
            self.lab.host[key].write(WAY, way + '\n')

    def calls(self, key):
        """What the agents on that host were told, in order."""
        try:
            return self.lab.host[key].read(DIR + '/calls').split('\n')[:-1]
        except OSError:
            return []

    def stop(self):
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self):
        while not self._end.wait(0.02):
            self.serve()

    def serve(self):
        for key in self.lab.data:
            for other in self.lab.data:
                try:
                    self._serve(key, other)
                except OSError:
                    continue        # the host that asks is going down

    def _serve(self, key, other):
        asker = self.lab.host[key]
        if not asker.up:
            return
        asked = asker.path('%s/%s.off' % (DIR, other))
        is_off = asker.path('%s/%s.is-off' % (DIR, other))
        if not os.path.exists(asked):
            if self.lab.host[other].up and os.path.exists(is_off):
                os.unlink(is_off)   # somebody switched it on
            elif self.sees and not self.lab.host[other].up and \
                    not os.path.exists(is_off):
                asker.write('%s/%s.is-off' % (DIR, other), '')
            return
        if self.lab.host[other].up:
            self.done[other] = time.monotonic_ns()
            self.lab.power_cut(other)
        asker.write('%s/%s.is-off' % (DIR, other), '')
        os.unlink(asked)
