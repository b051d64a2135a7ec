"""The engine ends by SIGKILL at points of its plans and is restarted as systemd
would: each time there is one primary that takes votes, no acknowledged vote is
missing, the other node is latched or follows, and the pair can be made whole.

The usual run takes the points of crash.points.selection; HAWATCH_ALL_POINTS=1
takes all that can be met, as scripts/crash-points does. HAWATCH_BUILD_CRASH
names the build with -Dcrash_points=true.
"""

import os

import pytest

from crash import points
from crash.runner import known, run

BUILD = os.environ.get('HAWATCH_BUILD_CRASH')
ALL = os.environ.get('HAWATCH_ALL_POINTS') == '1'
WANTED = (points.pairs(points.SURE) + points.pairs(points.CHANCE) if ALL
          else points.selection())

pytestmark = pytest.mark.skipif(not BUILD,
                                reason='HAWATCH_BUILD_CRASH is not set')


@pytest.fixture(scope='module')
def rounds():
    """{(scenario, point): what came of it}, on two labs side by side."""
    return {(done.scenario, done.point): (done, log)
            for done, log in run(os.path.abspath(BUILD), WANTED)}


def test_every_point_is_accounted_for():
    """A new row must be put into a scenario, or there is a reason."""
    met = {points.bare(p) for t in (points.SURE, points.CHANCE)
           for _, p in points.pairs(t)}
    every = set(known(BUILD))
    assert every and not met - every
    assert [p for p in every - met if not points.reason(p)] == []
    assert not set(points.selection()) - set(points.pairs(points.SURE))


@pytest.mark.parametrize('scenario, point', WANTED,
                         ids=['%s-%s' % w for w in WANTED])
def test_killed_at(rounds, scenario, point):
    done, log = rounds[scenario, point]
    if done.problems:
        print(log)
    assert not done.problems, '\n'.join(done.problems)
    if not done.met:
        assert (scenario, point) in points.pairs(points.CHANCE), \
            'the point was not met'
        pytest.skip('not met this time')
