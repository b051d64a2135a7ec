"""Which point of which plan is met in which scenario.

The rows of SURE are met every time. Those of CHANCE depend on what the disk,
the register and the scheduler do in the same millisecond: a row's name is read
when the worker writes, which is in a later row if that one is short or another
write was under way; and a renewal falls into whatever row runs then. All
others cannot be met, and REASONS says why.
"""

import re

JOURNAL = 'fsync-before fsync-after'
ACT = 'act-start act-done'
CAS = 'cas-before cas-sent cas-reply'
FENCE = 'fence-before fence-after'


def _takeover():
    return {
        'takeover.claim': JOURNAL + ' ' + CAS,
        'takeover.readers': 'cas-before cas-sent',
        'takeover.mark': JOURNAL,
        'takeover.promote': ACT,
        'takeover.held': CAS,
        'takeover.relax': ACT,
        'takeover.settle': ACT,
        'takeover.open': FENCE,
        # Those that start here run beside: metadata and checkpoint are 1, 2.
        'takeover.commit': 'act-start:1 act-start:2 act-start:3 act-done',
        'takeover.announce': 'act-done:1',
    }


SURE = {
    'stepdown': {
        'stepdown.closed': FENCE,
        'stepdown.stopped': ACT,
        'stepdown.signal': ACT,
        'stepdown.release': CAS,
    },
    'takeover': _takeover(),
    'lost': _takeover(),
    'added': {
        'idle': 'act-start:1 act-start:2 act-done:1 act-done:2 '
                'fence-before:3 fence-before:4 fence-before:5 fence-after:3 '
                'fence-after:4 fence-after:5 fsync-before:3 fsync-before:4 '
                'fsync-after:3 fsync-after:4 '
                # One of these is the addition, the others are renewals.
                'cas-before:13 cas-before:14 cas-before:15 cas-before:16 '
                'cas-sent:13 cas-sent:14 cas-sent:15 cas-sent:16 '
                'cas-reply:13 cas-reply:14 cas-reply:15 cas-reply:16',
    },
    'restart': {
        'restart.closed': FENCE,
        'restart.stopped': ACT,
        'restart.start': ACT + ' ' + JOURNAL,
        'restart.relax': ACT,
        'restart.settle': ACT,
        'restart.open': FENCE,
        'restart.commit': ACT,
    },
    'both': {
        'restart.alone': CAS,
    },
    'standby': {
        'follow.signal': ACT,
        'follow.start': ACT + ' ' + JOURNAL,
    },
    'takenback': {
        'stepdown.release': CAS,
        'follow.signal': ACT,
        'follow.start': ACT,
        'takeover.claim': CAS,
        'takeover.promote': ACT,
        'takeover.held': CAS,
    },
    'claimant': {
        'takeover.running': ACT,
    },
    'switchover': {
        'switchover.checkpoint': ACT,
        'switchover.stopped': ACT,
        'switchover.signal': ACT,
        'switchover.release': CAS,
    },
}

CHANCE = {
    'stepdown': {'stepdown.closed': JOURNAL, 'stepdown.stopped': JOURNAL,
                 'stepdown.signal': JOURNAL, 'stepdown.release': JOURNAL},
    'takeover': {'takeover.readers': 'cas-reply',
                 # Names that were prepared while it followed need no act.
                 'takeover.names': ACT + ' cas-reply ' + JOURNAL,
                 'takeover.mark': 'cas-reply',
                 'takeover.promote': 'cas-reply ' + JOURNAL,
                 'takeover.held': JOURNAL, 'takeover.relax': JOURNAL,
                 'takeover.settle': JOURNAL, 'takeover.commit': JOURNAL,
                 'takeover.announce': 'act-done:2 ' + CAS + ' ' + JOURNAL},
    'restart': {'restart.stopped': JOURNAL, 'restart.relax': JOURNAL,
                'restart.settle': JOURNAL, 'restart.commit': JOURNAL},
    'both': {'restart.alone': JOURNAL, 'restart.relax': CAS},
    'standby': {'follow.signal': JOURNAL},
    'claimant': {'takeover.running': JOURNAL},
    'switchover': {
        'switchover.checkpoint': JOURNAL + ' ' + CAS,
        'switchover.near': JOURNAL + ' ' + CAS,
        'switchover.stopped': JOURNAL + ' ' + FENCE + ' ' + CAS,
        'switchover.flushed': JOURNAL, 'switchover.signal': JOURNAL,
        'switchover.release': JOURNAL},
}

REASONS = (
    (r'switchover\.heir:', 'answered in the turn of the order'),
    (r'switchover\.(drain|quiet|files):', 'a pair without a site has nothing '
     'to drain, to stop or to copy: answered in the turn of the row before'),
    (r'switchover\.closed:', 'answered in the turn of the row before: the '
     'fence closes when the server is seen to be gone'),
    (r'switchover\.(near|closed|flushed|release):act-',
     'the row starts nothing'),
    (r'rejoin\.', 'killed in the midst by tests/e2e/test_rejoin.py; at each '
     'point by the simulator alone'),
    (r'takeover\.(prove|wal|pullers|arrive|verify):',
     'answered in the turn of the row before: this lab has no site'),
    (r'\.(metadata|checkpoint|converge|traffic):',
     'runs beside: starts under commit, ends '
     'under announce'),
    (r'takeover\.running:', 'the claimant\'s PostgreSQL runs'),
    (r'takeover\.(readers|open):fsync', 'lasts less than a write'),
    (r'restart\.(closed|open):fsync', 'lasts less than a write'),
    (r'restart\.(?!alone).*:cas', 'no CAS; a renewal falls here by chance'),
    (r'\.(claim|prove|readers|wal|mark|held|closed|open|release|alone|'
     r'announce):act-', 'the row starts nothing'),
    (r':fence-', 'the fence stays as it is here, but for a renewal by chance'),
    (r':cas-', 'no CAS in this row; the release or renewal comes elsewhere'),
    (r'stepdown\.closed:fsync', 'lasts less than a write'),
)


def pairs(table):
    """[(scenario, point)] of a table."""
    return [(scenario, row + ':' + place)
            for scenario, rows in table.items()
            for row, places in rows.items() for place in places.split()]


def bare(point):
    """Without the number."""
    return re.sub(r':\d+$', '', point)


def reason(point):
    """Why a point is in no scenario."""
    for pattern, words in REASONS:
        if re.search(pattern, point):
            return words
    return None


def selection():
    """Every row with a deed and every place, each with the other at least
    once, in few rounds."""
    return [
        ('stepdown', 'stepdown.closed:fence-after'),
        ('stepdown', 'stepdown.stopped:act-done'),
        ('stepdown', 'stepdown.signal:act-done'),
        ('stepdown', 'stepdown.release:cas-sent'),
        ('takeover', 'takeover.claim:fsync-after'),
        ('takeover', 'takeover.claim:cas-reply'),
        ('takeover', 'takeover.mark:fsync-before'),
        ('takeover', 'takeover.promote:act-done'),
        ('takeover', 'takeover.settle:act-start'),
        ('lost', 'takeover.claim:cas-sent'),
        ('lost', 'takeover.promote:act-start'),
        ('lost', 'takeover.open:fence-before'),
        ('takeover', 'takeover.held:cas-before'),
        ('takeover', 'takeover.commit:act-start:1'),
        ('added', 'idle:act-done:2'),
        ('added', 'idle:fence-before:3'),
        ('added', 'idle:cas-sent:15'),
        ('restart', 'restart.start:act-start'),
        ('restart', 'restart.start:fsync-after'),
        ('both', 'restart.alone:cas-reply'),
        ('standby', 'follow.start:act-done'),
    ]
