"""One failover with every engine under valgrind: no access that is not allowed,
and nothing lost by an engine that was told to end. hawatch-front and
hawatch-probe take from themselves what valgrind needs (files, memory); they run
as they are. valgrind is slow, so T is long here and nothing is timed."""

import os
import re
import shutil
import signal

import pytest

from lab import faults, product, wait_for
from lab.cluster import Cluster, now
from lab.wait import Late

TOOL = '''#!/bin/sh
LD_PRELOAD=%(pidfd)s exec valgrind -q --leak-check=full \\
    --show-leak-kinds=definite --log-file=%(logs)s/%%p %(real)s "$@"
'''


def collect(lab):
    """The programs, the engine behind a script that calls valgrind."""
    product.collected(lab)
    lab.valgrind = os.path.join(lab.dir, 'valgrind')
    os.makedirs(lab.valgrind)
    pidfd = shutil.copy2(lab.tool('lab-pidfd.so'), lab.programs)
    engine = os.path.join(lab.programs, 'hawatchd')
    os.rename(engine, engine + '.real')
    with open(engine, 'w') as f:
        f.write(TOOL % {'logs': lab.valgrind, 'pidfd': pidfd,
                        'real': engine + '.real'})
    os.chmod(engine, 0o755)


def complaints(lab):
    found = []
    for name in sorted(os.listdir(lab.valgrind)):
        with open(os.path.join(lab.valgrind, name)) as f:
            text = re.sub(r'==\d+== ?', '', f.read()).strip()
        if text:
            found.append('%s:\n%s' % (name, text))
    return found


def start(host):
    try:
        product.daemon_start(host)
    except Late:
        pass                            # it needs longer for its first word


@pytest.fixture
def watched(template, monkeypatch):
    monkeypatch.setattr(product, 'collected', product.collect, raising=False)
    monkeypatch.setattr(product, 'collect', collect)
    cluster = Cluster(settings={'ttl': '10s'})
    try:
        cluster.lab.up()
        cluster.lab.build_pair(template)
        for key in cluster.lab.nodes:
            start(cluster.lab.host[key])
        wait_for(cluster.init, 90, 'hactl init succeeds', every=0.5)
        cluster.wait_candidates('s1', ['prod-s2'], 90)
        yield cluster
    finally:
        print(cluster.logs())
        cluster.down()


def test_failover_under_valgrind(watched):
    cluster, lab = watched, watched.lab
    vote = cluster.vote()
    vote.wait_acked(10, server=lab.s1.address)
    at = now()
    faults.databases_killed(lab)
    vote.wait_acked(50, since=at, server=lab.s2.address, deadline=60)
    cluster.wait_plan_end('s2', 60)
    assert cluster.audit('s2', at)['ok']
    cluster.rebuild('s1', 's2')
    cluster.wait_candidates('s2', ['prod-s1'], 60)
    watched = [p for key in ('s1', 's2', 'a1')
               for p in engines(lab.host[key])]
    assert len(watched) >= 3
    for pid in watched:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not [p for p in watched if os.path.exists(
        '/proc/%d' % p)], 60, 'the engines have ended')
    assert len(os.listdir(lab.valgrind)) >= 3
    assert complaints(lab) == []


def engines(host):
    """Processes of this host that run hawatchd under valgrind."""
    found = []
    for pid in host.processes():
        try:
            with open('/proc/%d/cmdline' % pid, 'rb') as f:
                words = f.read().split(b'\0')
        except OSError:
            continue
        if any(w.endswith(b'/hawatchd.real') for w in words):
            found.append(pid)
    return found
