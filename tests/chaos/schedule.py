"""Which faults, on whom, for how long, and when: drawn from a seed.

A round is drawn from the seed and its number alone, so it is the same in every
run with this seed, whatever happened before it, and a run can begin anywhere.
Targets are roles, since who holds the cluster is what a run finds out."""

import collections
import itertools
import math
import random

# after: seconds from the beginning of the round. seconds: how long it lasts,
# None until another node has taken over.
Strike = collections.namedtuple('Strike', 'kind target seconds after extra')
Round = collections.namedtuple('Round', 'number gap strikes')

PAIRS = 0.25            # of the rounds have two faults
GAP = (0.3, 2.0)        # seconds of peace before a round
AFTER = (0.0, 2.0)      # the second fault of a pair
WAYS = {'truth': 4, 'lie': 3, 'fail': 1, 'hang': 1, 'blind': 1}
HELD = (1.5, 5.0)       # one of a pair that would last until a takeover


def words(strikes):
    return ' + '.join('%s %s%s%s' % (
        s.kind, s.target, '' if s.seconds is None else ' %.2fs' % s.seconds,
        ' after %.2fs' % s.after if s.after else '') for s in strikes)


def length(rng, low, high):
    """Short ones are as likely as long ones."""
    if high == 0:
        return 0.0
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def strike(rng, kinds, paired):
    kind = rng.choices(kinds, [k.weight for k in kinds])[0]
    target = rng.choice(kind.targets + kind.lasts * len(kind.targets))
    seconds = kind.lengths(target)
    if seconds is not None:
        seconds = length(rng, *seconds)
    held = rng.uniform(*HELD)
    if paired and seconds is None:
        seconds = held
    return Strike(kind.name, target, seconds, 0.0, rng.random())


def draw(seed, number, kinds):
    rng = random.Random('%s/%d' % (seed, number))
    gap = rng.uniform(*GAP)
    paired = rng.random() < PAIRS
    first = strike(rng, kinds, paired)
    company = {k.name: k.company for k in kinds}[first.kind]
    paired = paired or (company > 0 and rng.random() < company)
    if not paired:
        return Round(number, gap, (first,))
    second = strike(rng, kinds, True)
    for _ in range(20):
        if _together(kinds, first, second):
            break
        second = strike(rng, kinds, True)
    else:
        return Round(number, gap, (first,))
    return Round(number, gap, (first, second._replace(
        after=rng.uniform(*AFTER))))


def _together(kinds, *both):
    apart = {k.name: k.not_with for k in kinds}
    return len({(s.kind, s.target) for s in both}) == len(both) and not any(
        a.kind in apart[b.kind] for a in both for b in both)


def way(seed, number, lies=True):
    """What the fence agents do in that round."""
    rng = random.Random('%s/%d/agents' % (seed, number))
    ways = {w: n for w, n in WAYS.items() if lies or w != 'lie'}
    return rng.choices(list(ways), ways.values())[0]


def rounds(seed, kinds, first=1):
    for number in itertools.count(first):
        yield draw(seed, number, kinds)
