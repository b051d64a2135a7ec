"""A host is brought to its role by hand: what a person would have to do, and
in which order, with none of hawatchd's care. The site's own tests use it, and
it is the plainest list of what has to change.

    before the promotion
        the puller stops, and with it what it started
    after it, on every web host
        memcached listens where the other host reaches it, and is empty
        ballot-box   its memcached, its database
        iam          its database
        what read a changed file is restarted; beat runs on the primary alone
        or, in the layout "stable", HAProxy sends to the primary and its old
        sessions end
"""

import re
import signal

from lab.host import wait_gone
from lab.wait import wait_for

from . import services

BALLOT_BOX = '/home/ballotbox/ballot-box/conf/application.local.conf'
DEPLOY = '/home/iam/iam/iam/iam/deploy.py'
MEMCACHED = '/etc/memcached.conf'
PULLER = 'syncdirs-from-master'


def promote(site, key):
    """The whole switch-over to this host; the old database is down."""
    lab = site.lab
    stop_puller(lab.host[key])
    lab.pg[key].promote()
    for other in lab.pg:
        if lab.host[other].up:
            (converge if site.layout == 'repoint' else steer)(
                lab.host[other], lab.host[key])


def converge(host, primary):
    """This host's files and programs, once that host has the database."""
    own = host is primary
    name = 'localhost' if own else primary.name
    cache = '127.0.0.1' if own else primary.name
    if edit(host, MEMCACHED, r'^\s*-l.*$', '-l 127.0.0.1' + (
            ',' + host.address if own else '')):
        services.service(host, 'memcached', 'restart')
    changed = edit(host, BALLOT_BOX, r'^memcached\.host=.*$',
                   'memcached.host="%s:11211"' % cache)
    changed |= edit(host, BALLOT_BOX,
                    r'^(db\.default\.url="jdbc:postgresql://)[^:/]+(:.*)$',
                    r'\g<1>%s\2' % name)
    if changed:
        services.supervisorctl(host, 'restart', 'ballot-box')
    if edit(host, DEPLOY, r"^(\s*'HOST':\s*')[^']*(',)$", r'\g<1>%s\2' % name):
        services.supervisorctl(host, 'restart', 'iam', 'iam_celery')
    services.supervisorctl(host, 'restart' if own else 'stop',
                           'iam_celery_beat')
    if own:
        flush(host)
    else:
        services.supervisorctl(host, 'start', PULLER)


def steer(host, primary):
    """The same where the applications name an HAProxy of their own host."""
    own = host is primary
    for backend, port in (('pg', 5432), ('memcached', 11211)):
        services.haproxy(host, 'set server %s/primary addr %s port %d; '
                         'shutdown sessions server %s/primary' % (
                             backend, primary.address, port, backend))
    services.supervisorctl(host, 'restart' if own else 'stop',
                           'iam_celery_beat')
    if own:
        flush(host)
    else:
        services.supervisorctl(host, 'start', PULLER)


def edit(host, path, pattern, text):
    """Replaces the one line that matches; False if it is so already."""
    old = host.read(path)
    new, count = re.subn(pattern, text, old, flags=re.M)
    if count != 1:
        raise RuntimeError('%s: %d lines match %s' % (path, count, pattern))
    if new == old:
        return False
    with open(host.path(path), 'w') as f:
        f.write(new)
    return True


def stop_puller(host):
    """supervisord kills the shell alone, after ten seconds: its children are
    ended by their process group, whose leader the shell is."""
    told = host.popen(['supervisorctl', 'stop', PULLER])
    wait_for(lambda: services.programs(host).get(PULLER) in (
        'STOPPING', 'STOPPED', 'EXITED'), 5, 'the puller is to stop')
    pids = pulling(host)
    host.kill(pids, signal.SIGKILL)
    wait_gone(pids)
    told.wait(20)


def pulling(host):
    """{pid: command line} of the puller and of what it has started."""
    return {pid: line for pid, (comm, line) in host.processes().items()
            if services.SYNCDIRS in line or
            comm == 'sleep' and line == 'sleep 600' or
            comm in ('rsync', 'ssh') and '--server' not in line}


def flush(host):
    host.run(['python3', '-ISc', 'import socket\n'
              's = socket.create_connection(("127.0.0.1", 11211), 5)\n'
              's.sendall(b"flush_all\\r\\n")\nassert s.recv(9)[:2] == b"OK"'])
