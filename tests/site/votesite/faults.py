"""What goes wrong above the database. Each makes one fault on one host; what
undoes it is beside it, or services.start."""

import signal

from lab.host import wait_gone
from lab.wait import wait_for

from . import services


def pids(host, word):
    """Of the processes with this word in their command line."""
    return sorted(p for p, (_, line) in host.processes().items()
                  if word in line.split() or
                  any(w.endswith('/' + word) for w in line.split()))


def _killed(host, found, sig=signal.SIGKILL):
    assert found, 'nothing there to kill'
    host.kill(found, sig)
    wait_gone(found)


# -- memcached: of the primary, both web hosts use it -----------------------

def memcached_killed(host):
    _killed(host, host.pids('memcached'))


def memcached_hung(host):
    host.kill(host.pids('memcached'), signal.SIGSTOP)


def memcached_goes_on(host):
    host.kill(host.pids('memcached'), signal.SIGCONT)


# -- the applications --------------------------------------------------------

def iam_stopped(host):
    services.supervisorctl(host, 'stop', 'iam')


def iam_hung(host):
    """It has one process: whoever asks it waits."""
    host.kill(pids(host, 'iam.py'), signal.SIGSTOP)


def iam_goes_on(host):
    host.kill(pids(host, 'iam.py'), signal.SIGCONT)


def ballot_box_fatal(host):
    """It ends as soon as it starts, until supervisord gives up."""
    path = host.path('/home/ballotbox/run.sh')
    with open(path) as f:
        text = f.read()
    with open(path, 'w') as f:
        f.write('#!/bin/sh\nexit 1\n')
    _killed(host, pids(host, 'ballot_box.py'))
    wait_for(lambda: services.programs(host).get('ballot-box') == 'FATAL', 20,
             'ballot-box is FATAL', every=0.2)
    with open(path, 'w') as f:
        f.write(text)


def ballot_box_starts(host):
    services.supervisorctl(host, 'start', 'ballot-box')


def supervisord_stopped(host):
    """In order: its programs end, its socket goes."""
    found = pids(host, 'supervisord')
    services.supervisorctl(host, 'shutdown')
    wait_gone(found, 20)


def supervisord_killed(host):
    """Its programs live on as orphans, its socket stays and refuses."""
    _killed(host, pids(host, 'supervisord'))


# -- in front ----------------------------------------------------------------

def nginx_killed(host):
    _killed(host, host.pids('nginx'))


def haproxy_killed(host):
    _killed(host, host.pids('haproxy'))


DEAF = '''
table inet deaf {
    chain input {
        type filter hook input priority 0;
        tcp dport 9999 drop
    }
}
'''


def balancer_deaf(host):
    """The balancer works, and its admin port says nothing any more."""
    host.run(['nft', '-f', '-'], input=DEAF)


def balancer_hears(host):
    host.run(['nft', 'delete', 'table', 'inet', 'deaf'])
