"""Who lives on a web host: each service once, nothing without a parent that
should be there, and what hawatchd costs. It asks /proc, and no service."""

import contextlib
import os

from . import services

# What a boot leaves to the host's init, and how often.
ROOTS = {'hawatchd': 1, 'postgres': 1, 'memcached': 1, 'nginx': 1,
         'supervisord': 1, 'ssh': 1}
PROGRAMS = {'ballot-box': 'ballot_box.py', 'iam': 'iam.py',
            'iam_celery': 'iam_celery.py', 'iam_celery_beat': 'beat',
            'syncdirs-from-master': services.SYNCDIRS}
# The pieces of hawatchd, of which none may grow.
OWN = ('hawatchd', 'hawatch-front', 'hawatch-probe')


def living(host):
    """{pid: (parent, name, command line)}, pids as the machine has them."""
    found = {}
    for pid, (comm, line) in host.processes().items():
        with contextlib.suppress(OSError), open('/proc/%d/stat' % pid) as f:
            found[pid] = (int(f.read().rsplit(')', 1)[1].split()[1]), comm,
                          line)
    return found


def _program(line):
    """The supervised program with this command line, or None."""
    words = line.split()
    for name, word in PROGRAMS.items():
        if words and (words[-1].endswith(word) or word in words):
            return name
    return None


def wrong(host, programs, layout):
    """What is there too often, too rarely or without a parent: [words].
    programs: those of supervisord that should run there."""
    found = living(host)
    wanted = dict(ROOTS)
    if layout == 'stable':
        wanted['haproxy'] = 1
    if host.lab.register == 'etcd':
        wanted['etcd'] = 1
    roots, ran = {}, {}
    words = []
    for pid, (parent, comm, line) in sorted(found.items()):
        name = _program(line)
        if name and found.get(parent, (0, '', ''))[1] == 'supervisord':
            ran[name] = ran.get(name, 0) + 1
        if parent != host.pid:
            continue
        if comm in wanted or comm == 'haproxy':
            roots[comm] = roots.get(comm, 0) + 1
        elif not (comm == 'rsync' and '--server' in line):
            # The other end of a pull has nobody here, as under sshd's.
            words.append('orphan %d: %s' % (pid, line))
    for what, have, want in (('service', roots, wanted),
                             ('program', ran, dict.fromkeys(programs, 1))):
        for name in sorted(set(have) | set(want)):
            if have.get(name, 0) != want.get(name, 0):
                words.append('%s %s: %d times, not %d' % (
                    what, name, have.get(name, 0), want.get(name, 0)))
    return words


def cost(host):
    """{(name, pid): (descriptors, KB of its own memory)} of hawatchd."""
    found = {}
    for pid, (_, comm, _) in living(host).items():
        if comm not in OWN:
            continue
        with contextlib.suppress(OSError), open('/proc/%d/status' % pid) as f:
            status = dict(x.split(':', 1) for x in f if ':' in x)
            found[comm, pid] = (len(os.listdir('/proc/%d/fd' % pid)),
                                int(status['RssAnon'].split()[0]))
    return found
