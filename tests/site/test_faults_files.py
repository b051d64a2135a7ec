"""Files that cannot be changed in a takeover: the database goes over and all
other items are brought about; what is left is named, and is brought about once
the file is mended: at once, within a minute, or by hactl drift --apply."""

import os
import time

from lab import faults, wait_for
from lab.host import wait_gone
from votesite import conf, repoint
from votesite.watch import Case, apply, drift, no_drift, right

IAM_DIR = os.path.dirname(repoint.DEPLOY)
RESTART = 5     # s: both hosts restart their applications, on a busy machine


def settings(*names):
    """These items are given up soon, not after 30 s."""
    items = conf.elements('converge')
    return conf.settings(converge={
        name: items[name][:-2] + '\t\ttimeout = "3s";\n\t}'
        for name in names})


def taken_over(site, case):
    faults.databases_killed(site.lab)
    site.wait_role('s2', 'primary', 20)
    case.db.wait_acked(20, server=site.lab.s2.address)


def differ(site, key, names, deadline=15):
    """Until these items of that host differ and nothing else does."""
    wait_for(lambda: set(drift(site, key) or ()) == set(names), deadline,
             '%s differs in %s' % (key, names), every=0.2)


def test_full_disk_and_no_match(make_site):
    """On the new primary the disk under one file is full, and it is made as
    soon as there is room; on the other host a line has another form, is given
    up, and made within a minute after it was mended."""
    site = make_site(settings=settings('ballot-box-memcached'))
    s1, s2 = site.lab.s1, site.lab.s2
    was = s2.read(repoint.DEPLOY)
    small(s2, IAM_DIR)
    ballast = s2.fill(IAM_DIR)
    repoint.edit(s1, repoint.BALLOT_BOX, r'^memcached\.host=',
                 'memcached.host = ')
    with Case(site, changes=1, limit=3000, nobody=RESTART) as case:
        taken_over(site, case)
        differ(site, 's2', ['iam-db'])
        right(site, 's2', 's2', ['iam-db'])
        assert s2.read(repoint.DEPLOY) == was
        case.said(['prod-s2 iam-db (line) differs',
                   'No space left on device'], ['drift'])
        case.said(['prod-s1 ballot-box-memcached (line) differs: '
                   'no line matches'], ['drift'])
        differ(site, 's1', ['ballot-box-memcached'])
        right(site, 's1', 's2', ['ballot-box-memcached'])
        wait_for(lambda: [e for e in site.events('s1') if e.get('item') ==
                          'ballot-box-memcached' and
                          e['ev'] == 'converge.failed'], 10, 'it is given up')
        repoint.edit(s1, repoint.BALLOT_BOX, r'^memcached\.host = ',
                     'memcached.host=')
        case.leaves('s2')
        os.unlink(ballast)
        no_drift(site, 's2', 5)
        right(site, 's2', 's2')
        case.comes_back('s2')
        no_drift(site, 's1', 66)
        right(site, 's1', 's2')
        case.both()


def small(host, path):
    """The directory lies on a file system of its own, with little room."""
    host.run(['sh', '-c', 'set -e; cp -a %s /run/kept; mount -t tmpfs -o '
              'size=64k,mode=755 tmpfs %s; cp -a /run/kept/. %s' % (
                  path, path, path)])


def test_missing_and_two_matches_and_no_file(make_site):
    """On the new primary a file is missing, and in another one there are two
    lines for one; on the other host a directory is in a file's place."""
    lines = ['memcached-listen', 'ballot-box-memcached', 'iam-db']
    site = make_site(settings=settings(*lines))
    s1, s2 = site.lab.s1, site.lab.s2
    gone(s2, repoint.MEMCACHED)
    repoint.edit(s2, repoint.BALLOT_BOX, r'^(memcached\.host=.*)$', r'\1\n\1')
    gone(s1, repoint.DEPLOY)
    s1.run(['mkdir', repoint.DEPLOY])
    with Case(site, changes=1, limit=5000, nobody=RESTART) as case:
        taken_over(site, case)
        differ(site, 's2', lines[:2])
        differ(site, 's1', lines[2:])
        assert "jdbc:postgresql://localhost:" in s2.read(repoint.BALLOT_BOX)
        assert s2.read(repoint.DEPLOY).count("'HOST': 'localhost'") == 1
        right(site, 's1', 's2', ['iam-db'])
        case.leaves('s1', 15, count=5)
        for words in (
                ['prod-s2 memcached-listen (line) differs: open: No such file',
                 'prod-s2 ballot-box-memcached (line) differs: 2 lines match',
                 'first next ssh -t prod-s2 hactl drift --apply'],
                ['prod-s1 iam-db (line) differs: it is not a regular file',
                 'next hactl drift --apply']):
            case.said(words, ['drift'])
        s1.run(['rmdir', repoint.DEPLOY])
        back(s1, repoint.DEPLOY)
        back(s2, repoint.MEMCACHED)
        repoint.edit(s2, repoint.BALLOT_BOX,
                     r'^(memcached\.host=.*)\n\1$', r'\1')
        for key in 's2', 's1':
            code, text = apply(site, key)
            assert code == 0, text
            no_drift(site, key)
            right(site, key, 's2')
        case.comes_back('s1')


def gone(host, path):
    os.rename(host.path(path), host.path(path + '.away'))


def back(host, path):
    os.rename(host.path(path + '.away'), host.path(path))


def test_line_without_match_keeps_voters_away(make_site):
    """On the host that stays a standby's, the application's line cannot be
    found: it answers every check and fails each vote. It leaves the traffic
    until the line is mended, also over a new engine."""
    site = make_site(settings=settings('ballot-box-db'))
    s1 = site.lab.s1
    repoint.edit(s1, repoint.BALLOT_BOX, r'^db\.default\.url=',
                 'db.default.url = ')
    with Case(site, changes=1, limit=6000, nobody=RESTART) as case:
        taken_over(site, case)
        differ(site, 's1', ['ballot-box-db'])
        case.leaves('s1', 10, count=100)
        case.said(['prod-s1: 1 of', 'could not be brought about; /health '
                   'says 503', 'next hactl drift --apply'])
        engine = s1.pids('hawatchd')
        s1.kill(engine)
        wait_gone(engine)
        site.engine_start('s1')
        stays_out(site, ['prod-s2'])
        repoint.edit(s1, repoint.BALLOT_BOX, r'^db\.default\.url = ',
                     'db.default.url=')
        no_drift(site, 's1', 15)
        right(site, 's1', 's2')
        case.comes_back('s1', 15)


def stays_out(site, names, seconds=8):
    """Only these get traffic, from the first moment to the last."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert site.in_traffic() == names
        time.sleep(0.1)
