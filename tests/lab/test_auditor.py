"""The auditor's arithmetic, on logs written by hand."""

import pytest

from lab.auditor import Attempt, audit, outage, verdict

MS = 10**6


def log(*lines):
    """(start ms, end ms, vote, server, outcome)"""
    return [Attempt(s * MS, e * MS, 'c.0', n, server, outcome, '-')
            for s, e, n, server, outcome in lines]


HANDOVER = log((0, 5, 1, 'A', 'ack'), (10, 15, 2, 'A', 'ack'),
               (20, 30, 3, 'A', 'unknown'), (90, 95, 4, 'B', 'ack'),
               (100, 105, 5, 'B', 'ack'))
ROWS = {('c.0', n) for n in (1, 2, 4, 5)}


def test_a_clean_handover():
    report = audit(HANDOVER, ROWS, fault=16 * MS)
    assert report['ok'] and report['outage_ms'] == 80
    assert report['unknown'] == 1 and report['unknown_present'] == 0
    assert verdict(report).startswith('PASS: 4 votes acknowledged, 0 lost')


def test_unknown_may_be_present():
    report = audit(HANDOVER, ROWS | {('c.0', 3)})
    assert report['ok'] and report['unknown_present'] == 1


def test_lost():
    report = audit(HANDOVER, ROWS - {('c.0', 2)})
    assert not report['ok'] and report['lost'][0]['seq'] == 2


@pytest.mark.parametrize('line, certain', [
    ((80, 92, 9, 'A', 'ack'), False),            # ends after B began
    ((97, 99, 9, 'A', 'ack'), True),             # begins after B's end
    ((97, 99, 9, 'A', 'ack-warning'), True),     # a warning is a delivery too
])
def test_two_writers(line, certain):
    report = audit(HANDOVER + log(line), ROWS | {('c.0', 9)})
    assert not report['ok']
    assert any(f['certain'] for f in report['two_writers']) == certain
    assert 'TWO WRITERS' in verdict(report)


@pytest.mark.parametrize('line, certain', [
    ((80, 92, 9, 'A', 'ack'), False),            # held since before B began
    ((10, 300, 9, 'A', 'ack'), False),
    ((97, 99, 9, 'A', 'ack'), True),             # begins after B's end
    ((110, 120, 9, 'A', 'ack'), True),
])
@pytest.mark.parametrize('all_held', [False, True])
def test_two_writers_before_applications(line, certain, all_held):
    """A vote that was held there proves something only by its start."""
    held = [a._replace(held=True) for a in log(line)]
    rest = [a._replace(held=all_held) for a in HANDOVER]
    report = audit(rest + held, ROWS | {('c.0', 9)})
    assert report['ok'] != certain
    assert all(f['certain'] for f in report['two_writers'])


def test_back_and_forth_before_applications():
    back = [a._replace(held=True) for a in HANDOVER + log(
        (190, 205, 6, 'A', 'ack'), (195, 203, 7, 'B', 'ack'),
        (200, 230, 8, 'B', 'ack'))]
    rows = ROWS | {('c.0', n) for n in (6, 7, 8)}
    assert not audit(back, rows)['ok']
    assert audit(back, rows, changes=2)['ok']
    again = back + [a._replace(held=True) for a in log(
        (206, 209, 9, 'B', 'ack'))]
    assert not audit(again, rows | {('c.0', 9)}, changes=2)['ok']
    assert audit(again, rows | {('c.0', 9)}, changes=3)['ok']


def test_back_and_forth_only_if_expected():
    back = HANDOVER + log((200, 205, 6, 'A', 'ack'))
    rows = ROWS | {('c.0', 6)}
    assert not audit(back, rows)['ok']
    assert audit(back, rows, changes=2)['ok']
    late = back + log((199, 201, 7, 'B', 'ack'))
    assert not audit(late, rows | {('c.0', 7)}, changes=2)['ok']


def test_cast_twice_denied_and_unheard_of():
    twice = HANDOVER + log((110, 115, 5, 'B', 'ack'))
    assert audit(twice, ROWS)['duplicates'] == [('c.0', 5)]
    denied = HANDOVER + log((110, 115, 6, 'B', 'error'))
    assert audit(denied, ROWS)['ok']
    assert not audit(denied, ROWS | {('c.0', 6)})['ok']
    assert not audit(HANDOVER, ROWS | {('c.0', 7)})['ok']
    assert audit(HANDOVER, ROWS | {('c.0', 6)})['ok']     # killed after it


def test_outage_is_not_hidden_by_votes_in_flight():
    """An answer that arrives just after the fault starts the gap."""
    assert outage(HANDOVER, 14 * MS) == 80 * MS
    assert outage(HANDOVER, 200 * MS) is None
