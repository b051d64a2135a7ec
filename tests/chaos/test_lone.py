"""What is drawn for two lone hosts, and what their judge wants."""

import pytest

from chaos import schedule
from chaos.disturb import ROWS, burst, of_two
from chaos.kinds import KINDS, possible
from chaos.person import CLOSED, Person
from chaos.rounds import Active

S1 = '10.77.0.11'


def test_two_lone_hosts_have_no_third():
    there = {k.name: k for k in possible({'none'})}
    for n in range(2000):
        for s in schedule.draw('1', n, list(there.values())).strikes:
            assert 'arbiter' not in s.target and s.target in \
                there[s.kind].targets
    new = {'both-off', 'standby-lost', 'copy-lost'}
    assert new <= set(there)
    assert not set(there) & {'register-restored', 'standby-leaves',
                             'quorum-lost', 'engine-of-before'}
    assert not new & {k.name for k in possible({'arbiter'})}
    # What is silent is told of whom it may strike.
    assert all(t in k.targets for k in KINDS for t in k.silent)
    assert {t for r in of_two(ROWS) for t in r[3]} == {
        'holder', 'standby', 'holder>standby', 'standby>holder', 'machine'}
    assert all('arbiter' not in p.target for n in range(500)
               for p in burst('1', n, of_two(ROWS)))


def test_no_agent_of_two_lone_hosts_lies():
    ways = [schedule.way('1', n, lies=False) for n in range(300)]
    assert set(ways) == set(schedule.WAYS) - {'lie'}


def faults(*named):
    """Struck at 0 s, for so long: (kind, target, seconds)."""
    found = []
    for kind, target, seconds in named:
        f = Active(schedule.Strike(kind, target, seconds, 0.0, 0.6), 's1')
        f.begin, f.end = 0, int(seconds * 1e9)
        found.append(f)
    return found


def person(way=None, said=None, votes=()):
    """Where the votes ended at these seconds."""
    def between(begin, end):
        return [S1 for at in votes if begin < at * 1e9 < end]
    ledger = type('Ledger', (), {'between': staticmethod(between)})
    found = Person(type('Stage', (), {'ledger': ledger}), way)
    found.said = said and int(said * 1e9)
    return found


@pytest.mark.parametrize('kind, target, way, said, moves', [
    # Silence alone moves nobody, however long.
    ('cut-off', 'holder', None, None, False),
    ('stopped', 'holder', 'hang', None, False),
    ('engine-dead', 'holder', 'blind', None, False),
    ('one-way', 'holder>standby', None, None, False),
    # What is proved does, by whoever.
    ('cut-off', 'holder', 'truth', None, True),
    ('cut-off', 'standby', 'truth', None, True),
    ('cut-off', 'holder', None, 4, True),
    # What needs no proof: the server ended, or an order.
    ('databases-killed', 'holder', None, None, True),
    ('switchover', 'holder', 'fail', None, True),
    ('power', 'holder', None, None, True),
    ('power', 'standby', None, None, False),
    ('standby-lost', 'standby', None, None, False),
    ('nginx-killed', 'holder', 'truth', None, False)])
def test_who_may_move_two_lone_hosts(kind, target, way, said, moves):
    assert person(way, said).may_move(faults((kind, target, 5))) == moves


@pytest.mark.parametrize('kind, target, way, proved', [
    ('databases-killed', 'holder', None, True),
    ('power', 'holder', None, False),
    ('power', 'holder', 'truth', True),
    ('power', 'holder', 'blind', False),
    ('both-off', 'holder', 'truth', False),
    ('standby-lost', 'standby', 'truth', True),
    ('pgdata-full', 'holder', 'truth', False)])    # closed, and heard
def test_who_goes_on_by_himself(kind, target, way, proved):
    assert person(way).proved(faults((kind, target, 5))[0]) == proved


def test_two_faults_at_once_are_no_proof():
    both = faults(('cut-off', 'holder', 5), ('delay', 'holder>standby', 5))
    assert not person().may_move(both)
    assert person('truth').may_move(both)


@pytest.mark.parametrize('kind, target, way, said, closed', [
    ('cut-off', 'holder', None, None, True),
    ('power', 'standby', None, None, True),
    ('power', 'standby', None, CLOSED + 1, False),     # until he said it
    ('power', 'standby', 'truth', None, False),
    ('power', 'holder', 'fail', None, False),   # its switch is seen off
    ('unplugged', 'standby', 'hang', None, True),
    ('unplugged', 'standby', 'truth', None, False),
    ('both-off', 'standby', 'truth', None, True),   # it was not met
    ('both-ways', 'standby>holder', None, None, True),
    ('lossy', 'standby', None, None, False),
    ('memcached-hung', 'holder', None, None, False)])
def test_two_lone_hosts_are_closed(kind, target, way, said, closed):
    votes = [CLOSED - 1, CLOSED + 2, 8]
    found = person(way, said, votes).judge(faults((kind, target, 7)))
    assert bool(found) == closed, found
    if closed:
        assert 'NOT CLOSED: 1 votes by ' + S1 in found[0]
    assert not person(way, said, [1, 8]).judge(faults((kind, target, 7)))
