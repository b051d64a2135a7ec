"""Fixtures: a cluster of three nodes under hawatchd, fresh for each test."""

import os
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import exit_on_term, gc  # noqa: E402
from lab.cluster import Cluster  # noqa: E402


exit_on_term()


def pytest_addoption(parser):
    parser.addoption('--long', action='store_true', help='what the usual run '
                     'leaves out for the sake of time, too')
    parser.addoption('--register', choices=('arbiter', 'etcd'),
                     default='arbiter', help='where the record is kept in '
                     'all tests that do not say it')
    parser.addoption('--commands', choices=('native', 'repmgr'),
                     default='native', help='whose commands promote, follow '
                     'and rejoin in all tests that do not say it')
    parser.addoption('--rounds', type=int, help='so many failovers and '
                     'rejoins in test_rejoin.py')


@pytest.fixture(scope='session')
def template():
    """The first pair of this session, from which the others are copied."""
    gc()
    with tempfile.TemporaryDirectory(prefix='hawatch-pair.') as path:
        yield path


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == 'call':
        item.failed = outcome.get_result().failed


@pytest.fixture
def make_cluster(request, template):
    """For tests that need other settings than the usual ones."""
    made = []

    def make(**kw):
        kw.setdefault('register', request.config.getoption('--register'))
        kw.setdefault('commands', request.config.getoption('--commands'))
        cluster = Cluster(**kw)
        made.append(cluster)
        return cluster.up(template)

    yield make
    for cluster in made:
        if getattr(request.node, 'failed', False):
            print(cluster.logs())
        cluster.down()


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()
