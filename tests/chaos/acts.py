"""How each fault is made and ended. Whom it hits is a key of a host, or of
both ends of a link; what a fault returns is what its end is given back."""

import contextlib
import os
import random
import shutil
import signal
import subprocess

from lab.host import wait_gone
from votesite import census, faults as above, services

from . import disks

BALLOT_BOX = '/home/ballotbox/run.sh'


# -- whole hosts -------------------------------------------------------------

def databases_killed(stage, key, extra):
    stage.lab.pg[key].kill_all()


def postmaster_killed(stage, key, extra):
    if stage.lab.pg[key].postmaster() is not None:
        stage.lab.pg[key].kill_postmaster()


def power(stage, key, extra):
    stage.keeper.off.add(key)
    if stage.lab.host[key].up:
        stage.lab.power_cut(key)
    return extra < 0.5


def boot(stage, key, autostart):
    """Unless what else took its power has given it back."""
    if not stage.lab.host[key].up:
        stage.lab.boot(key, autostart=autostart)
    stage.keeper.off.discard(key)


def cut_off(stage, key, extra):
    pairs = [(key, k) for k in stage.nodes if k != key]
    pairs += [(b, a) for a, b in pairs]
    stage.links.lose(pairs, 1000)
    return pairs


def joined(stage, key, pairs):
    stage.links.keep(pairs)


def lossy(stage, key, extra):
    """From or to this host, or both."""
    others = [k for k in stage.nodes if k != key]
    rng = random.Random(extra)
    pairs = rng.choice((
        [(key, k) for k in others], [(k, key) for k in others],
        [(key, k) for k in others] + [(k, key) for k in others]))
    stage.links.lose(pairs, rng.randint(50, 600))
    return pairs


def stopped(stage, key, extra):
    stage.lab.host[key].stop_all()


def goes_on(stage, key, kept):
    if stage.lab.host[key].up:
        stage.lab.host[key].continue_all()


def unplugged(stage, key, extra):
    stage.lab.switch.unplug(stage.lab.host[key])


def plugged(stage, key, kept):
    if stage.lab.host[key].up:
        stage.lab.switch.replug(stage.lab.host[key])


# -- one process -------------------------------------------------------------

def engine_killed(stage, key, extra):
    stage.keeper.off.add(key)
    host = stage.lab.host[key]
    pids = host.pids('hawatchd')
    host.kill(pids)
    wait_gone(pids)


def engine_back(stage, key, kept):
    stage.keeper.off.discard(key)
    if stage.lab.host[key].up and not stage.lab.host[key].pids('hawatchd'):
        stage.keeper.start(key)


def engine_upgraded(stage, key, extra):
    """As an upgrade does it: it is asked to end, and started at once."""
    host = stage.lab.host[key]
    stage.keeper.off.add(key)
    try:
        pids = host.pids('hawatchd')
        host.kill(pids, signal.SIGTERM)
        wait_gone(pids)
        stage.keeper.start(key)
    finally:
        stage.keeper.off.discard(key)


def front_killed(stage, key, extra):
    host = stage.lab.host[key]
    host.kill(host.pids('hawatch-front'))


def paused(find):
    """SIGSTOP to the processes that find(stage, key) names."""
    def strike(stage, key, extra):
        pids = find(stage, key)
        stage.lab.host[key].kill(pids, signal.SIGSTOP)
        return pids
    return strike


def resumed(stage, key, pids):
    host = stage.lab.host[key]
    if host.up:
        host.kill(set(pids) & set(host.processes()), signal.SIGCONT)


def named(comm):
    return lambda stage, key: stage.lab.host[key].pids(comm)


def worded(word):
    """A process of PostgreSQL, by what its title says."""
    def find(stage, key):
        return [p for p, (comm, line) in
                stage.lab.host[key].processes().items()
                if comm == 'postgres' and word in line]
    return find


def the_postmaster(stage, key):
    return [p for p in [stage.lab.pg[key].postmaster()] if p]


# -- disks and the packet filter ---------------------------------------------

def full(path):
    def strike(stage, key, extra):
        stage.keeper.excused.add(key)
        stage.disks.fill(key, path)
    return strike


def room(path):
    def mend(stage, key, kept):
        stage.disks.empty(key, path)
        stage.keeper.look()
        stage.keeper.excused.discard(key)
    return mend


def flushed(stage, key, extra):
    stage.lab.host[key].run(['nft', 'flush', 'ruleset'], check=False)


def flushing(stage, key, extra):
    return stage.lab.host[key].popen(
        ['sh', '-c', 'while :; do nft flush ruleset; sleep 0.05; done'],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def flushed_enough(stage, key, proc):
    host = stage.lab.host[key]
    if host.up:
        host.kill(p for p, (_, line) in host.processes().items()
                  if 'flush ruleset' in line)
    proc.wait(20)


# -- the register ------------------------------------------------------------

def register_restored(stage, key, extra):
    """Its host gets back the files of some rounds ago."""
    if not stage.backups:
        return
    old = stage.backups[int(extra * len(stage.backups))]
    engine_killed(stage, key, extra)
    path = stage.lab.host[key].path(disks.STATE)
    for name in os.listdir(path):
        if name != 'ballast':
            os.unlink(os.path.join(path, name))
    for name in os.listdir(old):
        shutil.copy2(os.path.join(old, name), path)
    stage.keeper.off.discard(key)
    stage.keeper.start(key)


def register_copy(stage, at):
    """Of its files."""
    path = stage.lab.host['a1'].path(disks.STATE)
    for name in os.listdir(path):
        if name != 'ballast':
            with contextlib.suppress(FileNotFoundError):    # just renamed
                shutil.copy2(os.path.join(path, name), at)


# -- links ---------------------------------------------------------------

def one_way(stage, pair, extra):
    stage.links.lose([pair], 1000)
    return [pair]


def both_ways(stage, pair, extra):
    stage.links.lose([pair, pair[::-1]], 1000)
    return [pair, pair[::-1]]


def loss(stage, pair, extra):
    stage.links.lose([pair], 50 + int(extra * 550))
    return [pair]


def slow(stage, pair, extra):
    stage.links.delay(pair, 20 + int(extra * 380))


def fast(stage, pair, kept):
    stage.links.prompt(pair)


def healed(stage, pair, pairs):
    stage.links.keep(pairs)


# -- above the database --------------------------------------------------

def on_host(fault):
    """A fault of votesite.faults, on a host that is there."""
    def act(stage, key, kept=None):
        if stage.lab.host[key].up:
            fault(stage.lab.host[key])
    return act


def started(name):
    def mend(stage, key, kept):
        host = stage.lab.host[key]
        if host.up and not host.pids(name):
            services.start(host, name)
    return mend


def iam_started(stage, key, kept):
    host = stage.lab.host[key]
    if host.up:
        services.supervisorctl(host, 'start', 'iam')


def supervisord_stopped(stage, key, extra):
    found = _family(stage.lab.host[key])
    above.supervisord_stopped(stage.lab.host[key])
    return found


def supervisord_killed(stage, key, extra):
    found = _family(stage.lab.host[key])
    host = stage.lab.host[key]
    host.kill(above.pids(host, 'supervisord'))
    return found


def _family(host):
    """supervisord and what it started, and what they started."""
    found = census.living(host)
    family = {p for p, (_, comm, _) in found.items() if comm == 'supervisord'}
    while True:
        more = {p for p, (parent, _, _) in found.items()
                if parent in family} - family
        if not more:
            break
        family |= more
    return family


def supervisord_started(stage, key, family):
    """As the manual has it: what is left of its programs ends first."""
    host = stage.lab.host[key]
    if host.up and not above.pids(host, 'supervisord'):
        found = census.living(host)
        left = [p for p, (parent, _, _) in found.items()
                if p in (family or ()) or parent in (family or ())]
        host.kill(left)
        wait_gone(left)
        services.start(host, 'supervisord')


def ballot_box_ends(stage, key, extra):
    """Again and again."""
    host = stage.lab.host[key]
    text = host.read(BALLOT_BOX)
    _rewrite(host, '#!/bin/sh\nexit 1\n')
    host.kill(above.pids(host, 'ballot_box.py'))
    return text


def ballot_box_starts(stage, key, text):
    host = stage.lab.host[key]
    if text:
        _rewrite(host, text)
    if text and host.up:
        services.supervisorctl(host, 'start', 'ballot-box')


def _rewrite(host, text):
    """Owner and mode stay as they are."""
    with open(host.path(BALLOT_BOX), 'w') as f:
        f.write(text)


# -- load ----------------------------------------------------------------

def busy(stage, key, extra):
    """Loops on every processor of the machine."""
    return [subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', 'sh', '-c',
                              'while :; do :; done'],
                             stdin=subprocess.DEVNULL)
            for _ in range(os.cpu_count() or 2)]


def idle(stage, key, procs):
    for proc in procs:
        proc.kill()
        proc.wait()
