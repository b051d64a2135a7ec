"""Fixtures: a site, fresh for each test, or one for the tests of a file."""

import os
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from lab import exit_on_term, gc  # noqa: E402
from votesite import Site  # noqa: E402


exit_on_term()


def pytest_addoption(parser):
    parser.addoption('--rounds', type=int, help='failovers in a row, 4 unless '
                     'said; with more than four, in both layouts. Boots of an '
                     'old primary, 2 unless said')
    parser.addoption('--commands', choices=('native', 'repmgr'),
                     default='native', help='whose commands promote, follow '
                     'and rejoin')


def pytest_generate_tests(metafunc):
    """A test of many rounds is short unless it is asked to be long."""
    if 'rounds' in metafunc.fixturenames:
        rounds = metafunc.config.getoption('--rounds', None) or 4
        metafunc.parametrize('layout', ['repoint', 'stable'] if rounds > 4
                             else ['repoint'])


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
def make_site(request, template):
    made = []

    def make(daemon=True, **kw):
        kw.setdefault('commands', request.config.getoption('--commands'))
        site = Site(**kw)
        made.append(site)
        return site.up(template, daemon)

    yield make
    for site in made:
        if getattr(request.node, 'failed', False):
            print(site.logs())
        site.down()


@pytest.fixture(scope='module')
def kept_sites():
    kept = []
    yield kept
    for site in kept:
        site.down()


@pytest.fixture
def same_site(request, template, kept_sites):
    """One site under hawatchd for the tests of a file that leave it whole;
    after one that failed, another."""
    if not kept_sites:
        kept_sites.append(Site(
            commands=request.config.getoption('--commands')).up(template))
    yield kept_sites[0]
    if getattr(request.node, 'failed', False):
        site = kept_sites.pop()
        print(site.logs())
        site.down()


@pytest.fixture(scope='module')
def by_hand(template):
    """A site without hawatchd, for tests that leave it as it was."""
    site = Site().up(template, daemon=False)
    yield site
    site.down()
