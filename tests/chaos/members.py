"""What befalls the register: an arbiter's engine, or the members of etcd."""

import random
import signal
import subprocess

from lab import etcd

from . import acts

# Long and short parts of a second in which one that stutters stands still, runs.
STANDS, RUNS = 0.15, 0.03
SYNC = 300      # ms that a slow disk takes longer: it may lead nevertheless
CUT = '''table inet member {
    chain input {
        type filter hook input priority -300;
        tcp dport %d drop
        tcp sport %d drop
    }
}
''' % (etcd.PEERS, etcd.PEERS)


def roles(lab):
    """Who leads, and one who does not: {role: key}."""
    leader = etcd.leader(lab) or etcd.MEMBERS[0]
    place = etcd.MEMBERS.index(leader)
    return {'leader': leader,
            'follower': etcd.MEMBERS[(place + 1) % len(etcd.MEMBERS)]}


def start_missing(lab):
    """As systemd does it; returns whose."""
    missing = [k for k in etcd.MEMBERS
               if lab.host[k].up and not lab.host[k].pids('etcd')]
    for key in missing:
        etcd.start(lab.host[key])
    return missing


# -- one member --------------------------------------------------------------

def killed(stage, key, extra):
    etcd.kill(stage.lab.host[key])


def started(stage, key, kept):
    start_missing(stage.lab)


def slow_disk(stage, key, extra):
    etcd.slow_disk(stage.lab.host[key], SYNC)


def quick_disk(stage, key, kept):
    etcd.slow_disk(stage.lab.host[key], 0)


def stutters(stage, key, extra):
    """Again and again it stands still for longer than three heartbeats."""
    pids = ' '.join(map(str, stage.lab.host[key].pids('etcd')))
    return subprocess.Popen(
        ['setpriv', '--pdeathsig', 'KILL', 'sh', '-c',
         'while kill -STOP %s; do sleep %s; kill -CONT %s; sleep %s; done' % (
             pids, STANDS, pids, RUNS)],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL), pids.split()


def runs_on(stage, key, kept):
    proc, pids = kept
    proc.kill()
    proc.wait()
    host = stage.lab.host[key]
    if host.up:
        host.kill({int(p) for p in pids} & set(host.pids('etcd')),
                  signal.SIGCONT)


def cut_off(stage, key, extra):
    """From the other members, and from nobody else."""
    stage.lab.host[key].run(['nft', '-f', '-'], input=CUT)


def joined(stage, key, kept):
    """Somebody may have flushed it."""
    host = stage.lab.host[key]
    if host.up:
        host.run(['nft', 'delete', 'table', 'inet', 'member'], check=False)


# -- the register ------------------------------------------------------------

def quorum_lost(stage, key, extra):
    """Two of three members die, or all."""
    rng = random.Random(extra)
    for k in rng.sample(etcd.MEMBERS, rng.choice((2, 2, 3))):
        if stage.lab.host[k].up:
            etcd.kill(stage.lab.host[k])


def register_down(stage, extra):
    """Nobody can read or write it."""
    if stage.register == 'etcd':
        quorum_lost(stage, None, extra)
    else:
        acts.engine_killed(stage, 'a1', extra)


def register_up(stage):
    if stage.register == 'etcd':
        start_missing(stage.lab)
    else:
        acts.engine_back(stage, 'a1', None)
