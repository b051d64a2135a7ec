"""Durability bounded: commits wait for no standby, and what a takeover loses is
no more than was said, and is said."""

import re

from lab import auditor, faults, wait_for
from lab.cluster import now
from lab.pg import BIN, DATA
from test_failover import T

MAX_LOSS = 1 << 20
BOUNDED = {'more': 'durability = "bounded";\nmax_loss = "1MB";\n'}


def flushed(pg):
    return int(pg.sql("SELECT pg_current_wal_flush_lsn() - '0/0'")[0][0])


def lsn(text):
    high, low = text.split('/')
    return (int(high, 16) << 32) + int(low, 16)


def written(lab, start):
    """Where the log of prod-s1, which is off, ends."""
    done = lab.client.run([
        BIN + 'pg_waldump', '-p', lab.s1.path(DATA) + '/pg_wal', '-t', '1',
        '-s', '%X/%X' % (start >> 32, start & 0xffffffff)], check=False)
    return lsn(re.findall(r'lsn: (\S+),', done.stdout)[-1])


def test_what_is_lost(make_cluster):
    """The standby has received nothing for longer than T when the primary's
    host is lost; its connection still stood, and it lacked little."""
    cluster = make_cluster(settings=BOUNDED)
    lab, vote = cluster.lab, cluster.vote()
    assert lab.pg['s1'].sql('SHOW synchronous_standby_names') == [['']]
    vote.wait_acked(50)
    cut, seen = now(), []
    faults.standby_deaf(lab)

    def long_enough():
        seen.append((now(), flushed(lab.pg['s1'])))
        return now() - cut > 1.5 * T * 1e9
    wait_for(long_enough, 10, every=0.1)
    assert len(vote.acked(cut)) > 100
    faults.host_lost(lab)
    at = now()
    vote.wait_acked(50, since=at, server=lab.s2.address, deadline=15)
    fork = lsn(lab.pg['s2'].sql(
        "SELECT pg_read_file('pg_wal/00000002.history')")[0][1])
    missing = written(lab, seen[0][1]) - fork
    in_last_t = missing + fork - [p for t, p in seen if t < at - T * 1e9][-1]
    text = [e['text'] for e in cluster.events('s2')
            if e.get('ev') == 'takeover.loss'][-1]
    told = int(re.search(r'at most (\d+) bytes', text)[1])
    said = cluster.hactl('s2', 'report').stdout
    assert 'loss %s' % text in ' '.join(said.split()), said
    report = cluster.audit('s2', at)
    lost = report['lost']
    print('%d bytes missing, with %d votes; "%s"; %d written in the last T; '
          'outage %.0f ms' % (missing, len(lost), text, in_last_t,
                              auditor.outage(vote.attempts(), at) / 1e6))
    assert lost and all(a['end'] > cut for a in lost)
    assert not report['two_writers']
    assert missing <= told + in_last_t
    assert told <= MAX_LOSS


def test_too_far_behind(make_cluster):
    """No commit waits for the standby. It is taken out when it lacks too much,
    and does not take over."""
    cluster = make_cluster(settings=BOUNDED)
    lab, vote = cluster.lab, cluster.vote()
    vote.wait_acked(50)
    cut = now()
    faults.standby_deaf(lab)
    lab.pg['s1'].sql("SELECT pg_logical_emit_message(true, 'bulk', repeat('x', "
                     '%d))' % (2 * MAX_LOSS))
    cluster.wait_candidates('s1', [], 10)
    vote.wait_acked(100)
    gap = auditor.outage(vote.attempts(), cut) / 1e6
    print('the standby lost: %.0f ms without a vote' % gap)
    assert gap < 400
    faults.host_lost(lab)
    at = now()
    wait_for(lambda: now() - at > 3 * T * 1e9, 10, every=0.2)
    assert lab.pg['s2'].in_recovery() and not vote.acked(at + 10**8)
    lab.heal()
    lab.boot('s1')
    vote.wait_acked(50, since=at, server=lab.s1.address, deadline=30)
    cluster.wait_candidates('s1', ['prod-s2'], 30)
    assert cluster.audit('s1', changes=0)['ok']
