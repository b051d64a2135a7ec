"""The lab proves itself before it judges others: no hawatchd runs here."""

import contextlib
import os
import pty
import subprocess
import sys
import time

import pytest

from lab import Lab, auditor, gc, labs, wait_for
from lab.voters import Voter

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def strict(pair):
    pair.pg['s1'].set('synchronous_standby_names', 'FIRST 1 ("prod-s2")')
    wait_for(lambda: pair.pg['s1'].sql(
        'SELECT sync_state FROM pg_stat_replication') == [['sync']])


def judge(survivor, *voters, fault=None, changes=1):
    for v in voters:
        v.stop()
    attempts = [a for v in voters for a in v.attempts()]
    report = auditor.audit(attempts, survivor.votes(), fault, changes)
    print(auditor.verdict(report))
    return report


def pings(lab, one, other):
    return lab.host[one].run(['ping', '-c', '1', '-W', '1', '-n',
                              lab.host[other].address],
                             check=False).returncode == 0


# -- network and power -------------------------------------------------------

def test_cuts(lab):
    assert pings(lab, 'client', 's1') and pings(lab, 's1', 's2')
    lab.cut('s1', ['s2', 'a1'])
    assert not pings(lab, 's1', 's2') and not pings(lab, 'a1', 's1')
    assert pings(lab, 'client', 's1') and pings(lab, 'a1', 's2')
    lab.heal('s1', ['s2'])
    wait_for(lambda: pings(lab, 's1', 's2'))
    assert not pings(lab, 'a1', 's1')
    lab.heal()
    wait_for(lambda: pings(lab, 'a1', 's1'))
    lab.switch.unplug(lab.s1)
    assert not pings(lab, 'client', 's1')
    lab.switch.replug(lab.s1)
    wait_for(lambda: pings(lab, 'client', 's1'))


def test_a_command_from_the_shell(lab):
    """With the terminal that it is given on; ^C ends it, and no more."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(sys.executable, [
            sys.executable, '-B', '-m', 'lab', 'exec', lab.id, 's1', 'sh',
            '-c', 'echo on $(hostname), $TERM; exec sleep 60'], dict(
                os.environ, PYTHONPATH=TESTS, TERM='vt220'))
    said = b''
    while b'vt220' not in said:
        said += os.read(fd, 4096)
    os.write(fd, b'\x03')
    with contextlib.suppress(OSError):      # the terminal's end
        while more := os.read(fd, 4096):
            said += more
    status = os.waitpid(pid, 0)[1]
    os.close(fd)
    assert b'on prod-s1, vt220' in said and b'Traceback' not in said, said
    assert os.waitstatus_to_exitcode(status) in (130, -2)


def test_labs_side_by_side(lab):
    with Lab() as other:
        other.s1.run(['hostname', 'other'])
        assert lab.s1.run(['hostname']).stdout == 'prod-s1\n'
        other.power_cut('s1')
        assert pings(lab, 'client', 's1')
        assert not pings(other, 'client', 's1')
        directory = other.dir
    assert not os.path.exists(directory)
    assert pings(lab, 'client', 's1')


def test_power_cut_and_boot(pair):
    s1 = pair.pg['s1']
    s1.sql("INSERT INTO vote VALUES ('hand', 1, now())", db='votes')
    pair.s1.write('/run/gone', '')
    before = s1.sql('SELECT pg_postmaster_start_time()')
    pair.power_cut('s1')
    assert not pings(pair, 'client', 's1')
    pair.boot('s1', daemon=False)
    wait_for(lambda: pings(pair, 'client', 's1'))
    assert not pair.s1.processes()
    assert not os.path.exists(pair.s1.path('/run/gone'))
    s1.start()
    assert ('hand', 1) in s1.votes()
    assert s1.sql('SELECT pg_postmaster_start_time()') != before
    # The boot fence closed the port; without the daemon nobody opens it.
    pair.s1.run(['nft', 'delete', 'table', 'inet', 'hawatch'], check=False)
    wait_for(lambda: s1.streams_to(pair.pg['s2']), 20)


def test_stop_and_continue(pair):
    voter = Voter(pair)
    voter.wait_acked(10)
    pair.s1.stop_all()
    stopped = time.monotonic_ns()
    wait_for(lambda: any(a.outcome == 'refused' and a.detail == 'timeout' and
                         a.start > stopped for a in voter.attempts()))
    assert not voter.acked(stopped)
    pair.s1.continue_all()
    voter.wait_acked(10)
    assert judge(pair.pg['s1'], voter, fault=stopped)['ok']


def test_nothing_is_a_zombie(pair):
    """A killed process that still shows makes a dead server look alive."""
    pair.pg['s1'].kill_all()
    seen = pair.s1.run(['ps', '-e', '-o', 'stat=,comm=']).stdout
    assert 'postgres' not in seen and 'Z' not in seen


def test_postgres_is_not_root(pair):
    for pid in pair.s1.pids('postgres'):
        assert os.stat('/proc/%d' % pid).st_uid != 0
    assert os.stat(pair.s1.path('/run/postgresql')).st_mode & 0o777 == 0o700


def test_full_state():
    with Lab(state_tmpfs={'s1': '256k'}) as lab:
        ballast = lab.s1.fill('/var/lib/hawatch')
        with pytest.raises(OSError):
            lab.s1.write('/var/lib/hawatch/x', 'x' * 4096)
        os.unlink(ballast)
        lab.s1.write('/var/lib/hawatch/x', 'x' * 4096)


def test_gc_takes_only_the_orphans(lab):
    """A creator that was killed leaves a directory and nothing else."""
    code = ('import sys, time; sys.path.insert(0, %r)\n'
            'from lab import Lab\n'
            'print(Lab().up().id, flush=True)\n'
            'time.sleep(60)\n' % TESTS)
    child = subprocess.Popen([sys.executable, '-c', code],
                             stdout=subprocess.PIPE, text=True)
    orphan = child.stdout.readline().strip()
    inits = _inits(lab)
    child.kill()
    child.wait()
    child.stdout.close()
    wait_for(lambda: len(_inits(lab)) == len(inits) - 5,
             what='the orphan\'s hosts end')
    assert orphan in labs()
    assert orphan in gc()
    assert orphan not in labs() and lab.id in labs()


def _inits(lab):
    found = []
    for entry in os.listdir('/proc'):
        try:
            with open('/proc/%s/cmdline' % entry) as f:
                if f.read().startswith(lab.tool('lab-init')):
                    found.append(entry)
        except OSError:
            continue
    return found


# -- the auditor, on a failover by hand --------------------------------------

def failover_by_hand(pair):
    fault = time.monotonic_ns()
    pair.pg['s1'].kill_all()
    pair.pg['s2'].promote()
    return fault


@pytest.mark.parametrize('mode', ['vote', 'stock'])
def test_failover_by_hand_loses_nothing(pair, mode):
    strict(pair)
    voter = Voter(pair, mode)
    voter.wait_acked(50, server=pair.s1.address)
    fault = failover_by_hand(pair)
    voter.wait_acked(50, since=fault, server=pair.s2.address)
    report = judge(pair.pg['s2'], voter, fault=fault)
    assert report['ok'] and report['outage_ms'] < 1000
    assert [w['server'] for w in report['writers']] == \
        [pair.s1.address, pair.s2.address]


def test_pinned_never_leaves(pair):
    strict(pair)
    pinned = Voter(pair, 'pinned', hosts=['s1'], words=['-n', '1'])
    pinned.wait_acked(5)
    fault = failover_by_hand(pair)
    wait_for(lambda: sum(a.outcome == 'refused' for a in pinned.attempts())
             > 5)
    assert not pinned.acked(fault + 10**8)
    assert judge(pair.pg['s2'], pinned)['ok']


def test_waiter_waits_in_its_commit(pair):
    """No time-out of its own: with the standby frozen it waits, and says
    success as soon as the standby flushes."""
    strict(pair)
    waiter = Voter(pair, 'waiter', words=['-n', '1'])
    waiter.wait_acked(5)
    pair.s2.stop_all()
    wait_for(lambda: pair.pg['s1'].sql(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    ) == [['1']])
    frozen = time.monotonic_ns()
    pair.s2.continue_all()
    assert waiter.wait_acked(1, since=frozen)
    assert waiter.acked(frozen)[0].start < frozen
    assert judge(pair.pg['s1'], waiter)['ok']


def test_auditor_finds_lost_votes(pair):
    """Asynchronous replication, the standby behind: votes are lost."""
    voter = Voter(pair)
    voter.wait_acked(20)
    pair.cut('s1', ['s2'])
    voter.wait_acked(20)
    fault = failover_by_hand(pair)
    voter.wait_acked(20, since=fault, server=pair.s2.address)
    report = judge(pair.pg['s2'], voter, fault=fault)
    assert not report['ok'] and len(report['lost']) >= 20


def test_auditor_finds_two_writers(pair):
    """The old primary lives on and a client still reaches it."""
    pinned = Voter(pair, 'pinned', hosts=['s1'])
    voter = Voter(pair, 'vote', hosts=['s2'])
    pinned.wait_acked(20)
    pair.cut('s1', ['s2', 'a1'])
    pair.pg['s2'].promote()
    voter.wait_acked(20)
    pinned.wait_acked(20)
    report = judge(pair.pg['s2'], pinned, voter)
    assert not report['ok']
    assert any(f['certain'] for f in report['two_writers'])


def test_warned_is_not_acknowledged(pair):
    """Success that the standby never confirmed comes with a WARNING."""
    strict(pair)
    pair.cut('s1', ['s2'])
    voter = Voter(pair, 'waiter', words=['-n', '1'])
    s1 = pair.pg['s1']
    waiting = ("SELECT pid FROM pg_stat_activity "
               "WHERE wait_event = 'SyncRep'")
    pid = wait_for(lambda: s1.sql(waiting))[0][0]
    s1.sql('SELECT pg_cancel_backend(%s)' % pid)
    wait_for(lambda: any(a.outcome == 'ack-warning'
                         for a in voter.attempts()))
    voter.stop()
    report = auditor.audit(voter.attempts(), set())
    assert report['warned'] == 1 and not report['lost']
