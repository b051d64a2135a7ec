"""The chaos is itself looked at: does a slow link make slow, a lossy one lose,
a full disk refuse, and does the ledger find what it is there to find?"""

import os
import re
import subprocess

import pytest

from chaos import schedule
from chaos.disks import STATE
from chaos.disturb import BURST, burst
from chaos.journal import Journal
from chaos.kinds import BY_NAME, KINDS, LINKS, T, possible
from chaos.ledger import Ledger, _within
from chaos.links import Links
from chaos.versions import without
from lab import Lab, product, wait_for

S1, S2 = '10.77.0.11', '10.77.0.12'


# -- the schedule ------------------------------------------------------------

def test_a_round_is_drawn_from_seed_and_number():
    one = [schedule.draw('1', n, KINDS) for n in range(1, 100)]
    assert one[50] == schedule.draw('1', 51, KINDS)
    assert one != [schedule.draw('2', n, KINDS) for n in range(1, 100)]


def test_every_kind_is_drawn_on_every_target():
    drawn = {(s.kind, s.target) for n in range(8000)
             for s in schedule.draw('1', n, KINDS).strikes}
    assert drawn == {(k.name, t) for k in KINDS for t in k.targets}


def test_many_rounds_move_the_holder():
    for given in ({'arbiter'}, {'etcd'}):
        takes = sum(any(s.seconds is None or s.kind == 'switchover' for s in
                        schedule.draw('1', n, possible(given)).strikes)
                    for n in range(1000))
        assert takes > 400


def test_lengths_are_as_the_table_says():
    for n in range(2000):
        drawn = schedule.draw('3', n, KINDS)
        for s in drawn.strikes:
            kind = BY_NAME[s.kind]
            if s.seconds is None:
                assert s.target in kind.lasts and len(drawn.strikes) == 1
            elif s.target not in kind.lasts:
                low, high = kind.seconds
                assert low <= s.seconds <= high


def test_what_a_run_has_no_option_for_is_not_drawn():
    usual = {k.name for k in possible({'arbiter'})}
    assert 'register-restored' in usual and 'pause' in usual
    assert not usual & {'quorum-lost', 'engine-of-before'}
    assert 'quorum-lost' in {k.name for k in possible({'etcd'})}


def test_what_does_not_go_together():
    drawn = [[s.kind for s in schedule.draw('1', n, possible(
        {'arbiter', 'before'})).strikes] for n in range(3000)]
    old = [d for d in drawn if 'engine-of-before' in d]
    assert not any('pause' in d for d in old)
    assert 0.5 < sum(len(d) == 2 for d in old) / len(old) < 1


def test_agents_are_drawn_from_seed_and_number():
    ways = [schedule.way('1', n) for n in range(200)]
    assert ways[7] == schedule.way('1', 7) and set(ways) == set(schedule.WAYS)
    assert ways != [schedule.way('2', n) for n in range(200)]


def test_keys_that_a_version_does_not_know():
    text = 'a = 1;\nb = {\n\tc = 2;\n};\n\td = [ 3,\n\t 4 ];\ne = 5;\n'
    assert without(text, [(2, 'b'), (7, 'e')]) == \
        'a = 1;\n\n\n\n\td = [ 3,\n\t 4 ];\n\n'
    assert without(text, [(3, 'c')]).count('\n') == text.count('\n')


def test_bursts_are_shorter_than_half_the_lease():
    for n in range(2000):
        for part in burst('1', n):
            assert 0 <= part.begin
            assert part.begin + part.seconds <= BURST < T / 2


# -- the network -------------------------------------------------------------

@pytest.fixture(scope='module')
def lab():
    with Lab() as lab:
        yield lab


def ping(lab, key, address, count=10):
    """(how many of count were answered, mean ms)"""
    out = lab.host[key].run(['ping', '-q', '-i', '0.02', '-W', '1', '-c',
                             str(count), address], check=False).stdout
    mean = re.search(r'= [\d.]+/([\d.]+)/', out)
    return int(re.search(r'(\d+) received', out)[1]), \
        float(mean[1]) if mean else None


def received(host):
    """Frames that have come in by its cable."""
    return int(host.read('/sys/class/net/eth0/statistics/rx_packets'))


def test_one_way_and_healed(lab):
    links = Links(lab)
    assert ping(lab, 's1', S2, 5)[0] == 5
    links.lose([('s2', 's1')], 1000)
    got = received(lab.s2)
    assert ping(lab, 's1', S2, 5)[0] == 0
    assert received(lab.s2) >= got + 5      # the way there is open
    assert ping(lab, 's1', '10.77.0.13', 5)[0] == 5
    links.keep([('s2', 's1')])
    # The address has to be resolved anew.
    wait_for(lambda: ping(lab, 's1', S2, 5)[0] == 5, 10)


def test_loss(lab):
    links = Links(lab)
    links.lose([('s1', 's2')], 500)
    assert 50 < ping(lab, 's1', S2, 200)[0] < 150
    links.heal()
    assert ping(lab, 's1', S2, 20)[0] == 20


def test_delay_of_one_direction(lab):
    links = Links(lab)
    try:
        links.delay(('s1', 's2'), 150)
        count, mean = ping(lab, 's1', S2)
        assert count == 10 and 145 < mean < 260
        assert ping(lab, 's1', '10.77.0.13')[1] < 50
        links.prompt(('s1', 's2'))
        assert ping(lab, 's1', S2)[1] < 50
    finally:
        links.stop()


def test_delayed_stream_arrives_whole(lab):
    """Frames that the kernel wanted to cut and to check late are whole."""
    links = Links(lab)
    try:
        links.delay(('s1', 's2'), 30)
        server = lab.s2.popen(
            ['python3', '-c', 'import socket,hashlib\n'
             's=socket.create_server(("",7001));print("x",flush=True)\n'
             'c=s.accept()[0];h=hashlib.sha1()\n'
             'while True:\n d=c.recv(65536)\n if not d: break\n h.update(d)\n'
             'print(h.hexdigest())'], stdout=subprocess.PIPE, text=True)
        server.stdout.readline()
        sent = lab.s1.run(
            ['python3', '-c', 'import socket,hashlib\n'
             'd=bytes(range(256))*8192\n'
             'c=socket.create_connection(("%s",7001));c.sendall(d);c.close()\n'
             'print(hashlib.sha1(d).hexdigest())' % S2]).stdout
        assert server.communicate(timeout=20)[0] == sent
    finally:
        links.stop()


# -- disks -------------------------------------------------------------------

def test_full_disk():
    """In a mount namespace of its own, as scripts/chaos has."""
    code = ('from lab import Lab\nfrom chaos.disks import Disks, STATE\n'
            'lab = Lab()\ndisks = Disks(lab)\ndisks.mount()\n'
            'try:\n lab.up()\n disks.fill("s1", STATE)\n'
            ' print(lab.s1.run(["sh", "-c", "echo 1 > %s/x"], check=False)'
            '.returncode)\n disks.empty("s1", STATE)\n'
            ' print(lab.s1.run(["sh", "-c", "echo 1 > %s/x"], check=False)'
            '.returncode)\n'
            'finally:\n [h.power_off() for h in lab.host.values()]\n'
            ' disks.umount(); lab.down()\n' % (STATE, STATE))
    here = os.path.join(product.SOURCE, 'tests')
    done = subprocess.run(
        ['unshare', '--mount', '--propagation', 'private', '/usr/bin/python3',
         '-B', '-c', code], env=dict(os.environ, PYTHONPATH=here),
        stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    refused, taken = done.stdout.split()
    assert refused != '0' and taken == '0'


# -- the ledger --------------------------------------------------------------

class Told:
    """Voters' lines, and a database with these rows."""

    def __init__(self, tmp_path, lines, rows):
        path = os.path.join(tmp_path, 'votes')
        with open(path, 'w') as f:
            f.write(''.join('%d %d %s %d %s %s -\n' % x for x in lines))
        self.log, self.name = path, 'v'
        self.ledger = Ledger(self)
        self.ledger.add(self, 'db')
        self.ledger._rows = lambda primary, high: rows
        self.ledger._none_gone = lambda primary: []

    def check(self, *holders):
        return ' '.join(self.ledger.check('s1', holders))


MS = 10**6
CALM = [(0, 9 * MS, 'v.0', 1, S1, 'ack'),
        (10 * MS, 19 * MS, 'v.0', 2, S1, 'ack'),
        (50 * MS, 59 * MS, 'v.0', 3, S2, 'ack')]
ROWS = {('v.0', 1): 5 * MS, ('v.0', 2): 15 * MS, ('v.0', 3): 55 * MS}


def test_ledger_content(tmp_path):
    told = Told(tmp_path, CALM, ROWS)
    assert told.check(S1, S2) == ''
    assert told.ledger.count['ack'] == 3
    assert told.ledger.gap('db', 0, 0, 60 * MS) == 40


def test_ledger_finds_a_lost_vote(tmp_path):
    rows = {k: v for k, v in ROWS.items() if k[1] != 2}
    assert 'LOST: v.0 vote 2' in Told(tmp_path, CALM, rows).check(S1, S2)


def test_ledger_finds_a_denied_vote(tmp_path):
    lines = CALM + [(60 * MS, 61 * MS, 'v.0', 4, S2, 'error')]
    rows = dict(ROWS)
    rows['v.0', 4] = 60 * MS
    assert 'denied' in Told(tmp_path, lines, rows).check(S1, S2)


def test_ledger_finds_a_second_writer(tmp_path):
    lines = CALM + [(60 * MS, 69 * MS, 'v.1', 1, S1, 'ack')]
    rows = dict(ROWS)
    rows['v.1', 1] = 65 * MS
    assert 'TWO WRITERS' in Told(tmp_path, lines, rows).check(S1, S2)
    assert Told(tmp_path, lines, rows).check(S1, S2, S1) == ''


def test_ledger_finds_a_late_answer(tmp_path):
    lines = [CALM[0], (10 * MS, 300 * MS, 'v.0', 2, S1, 'ack'), CALM[2]]
    assert 'TWO WRITERS' in Told(tmp_path, lines, ROWS).check(S1, S2)


def test_ledger_finds_a_writer_that_holds_nothing(tmp_path):
    assert 'TWO WRITERS' in Told(tmp_path, CALM, ROWS).check(S1)


def test_within():
    assert _within([], ['a']) and _within(['a', 'c'], ['a', 'b', 'c'])
    assert not _within(['c', 'a'], ['a', 'b', 'c'])


def test_links_are_all_six():
    assert len(set(LINKS)) == 6


# -- the engines' own words --------------------------------------------------

def read(tmp_path, **lines):
    """A journal of these lines, of s1 and s2."""
    hosts = {k: type('Host', (), {'address': a})
             for k, a in (('s1', S1), ('s2', S2))}
    journal = Journal(type('Lab', (), {'dir': tmp_path, 'pg': hosts,
                                       'host': hosts}))
    for key in hosts:
        (tmp_path / key).mkdir()
        (tmp_path / key / 'hawatchd.log').write_text(''.join(
            'ts=1 ' + x + '\n' for x in lines.get(key, ())))
    journal.read()
    return journal


def written(words):
    return 'ev=record.written level=notice epoch=1 text="%s seq 1, candid' \
        'ates none"' % words


PAUSED, RESUMED = 'ev=failover.paused epoch=1', 'ev=failover.resumed epoch=1'


def test_journal(tmp_path):
    journal = read(
        tmp_path, s1=[written('held epoch 1')],
        s2=[PAUSED, RESUMED, written('claimed epoch 2'),
            written('held epoch 2'), 'ev=node.latched epoch=1',
            'ev=rejoin.compared level=notice epoch=2 how=rewind why=""'])
    assert journal.read() == {1: S1, 2: S2}
    assert journal.count == {'latched': 1, 'rejoin: rewind': 1}
    assert journal.taken_in_a_pause() == []


def test_journal_finds_who_takes_over_in_a_pause(tmp_path):
    journal = read(tmp_path, s1=[written('held epoch 1')],
                   s2=[PAUSED, written('claimed epoch 2')])
    assert 'epoch 2, by s2' in journal.taken_in_a_pause()[0]
    assert journal.taken_in_a_pause() == []


def test_who_holds_may_go_on_in_a_pause(tmp_path):
    """And a restarted engine has to be told again that there is one."""
    journal = read(
        tmp_path, s1=[written('held epoch 1'), PAUSED,
                      written('claimed epoch 2')],
        s2=[PAUSED, 'ev=daemon.start', written('claimed epoch 3')])
    assert journal.taken_in_a_pause() == []
