"""What scripts/demo shows."""

import argparse
import sys
import textwrap
import time

from lab import auditor, exit_on_term, faults, wait_for
from lab.cluster import now
from lab.story import dominates, story

from .site import Site

FAULTS = {
    'database': (faults.databases_killed,
                 'SIGKILL to every process of the primary\'s PostgreSQL'),
    'host': (faults.host_lost, 'power cut on the primary\'s host'),
    'cut': (faults.cut_off, 'the primary is cut off from its peers; clients '
            'still reach it'),
}
LAYOUTS = {
    'repoint': 'their files name the primary, and are rewritten',
    'stable': 'their files name an HAProxy on their host, which is steered'}
HINTS = '''
The lab stays up. Its hosts have neither ssh nor systemd: where a next command
begins with "ssh -t prod-s1", it is "tests/lab/labctl exec {id} s1" here.
Look around:
  tests/lab/labctl status {id}
  tests/lab/labctl exec {id} s2 hactl status
  tests/lab/labctl exec {id} s2 hactl checks
  tests/lab/labctl exec {id} s2 hactl drift
  tests/lab/labctl exec {id} s2 hactl plan promote prod-s1
  tests/lab/labctl exec {id} client curl -si http://10.77.0.12:8008/health
  tests/lab/labctl exec {id} client curl -s http://10.77.0.12:8008/metrics
  tests/lab/labctl exec {id} s2 supervisorctl status
  tests/lab/labctl exec -u postgres {id} s2 psql -h /run/postgresql votes
  grep -v level=info {dir}/s2/hawatchd.log
{rebuild}and when you have seen enough:
  tests/lab/labctl down {id}
'''
REBUILD = '''Make the old primary a standby, and let it take over in peace:
  tests/lab/labctl exec {id} s1 hactl rejoin
  tests/lab/labctl exec {id} s2 hactl preflight
  tests/lab/labctl exec {id} s2 hactl switchover prod-s1
Nobody takes over by himself for a while:
  tests/lab/labctl exec {id} s1 hactl pause --for 30m 'new disks'
  tests/lab/labctl exec {id} s1 hactl resume
Its database dies once more:
  tests/lab/labctl exec {id} s1 pkill -KILL -u postgres
What was that?
  tests/lab/labctl exec {id} s2 hactl report
'''


def progress(text):
    print(textwrap.fill('==> ' + text, 79, subsequent_indent='    ',
                        break_on_hyphens=False),
          flush=True)


def print_story(lines, fault):
    """Within 80 columns."""
    for ms, who, what in lines:
        what = what or fault
        first = '%9.1f ms  %-8s ' % (ms, who)
        print(textwrap.fill(what, 79, initial_indent=first,
                            subsequent_indent=' ' * len(first)))


def show(site, fault, every=False):
    action, words = FAULTS[fault]
    lab = site.lab
    # Programs that have only just started were not yet there at first.
    wait_for(lambda: site.hactl('s1', 'drift').returncode == 0, 30,
             'both hosts are as their roles demand', every=0.5)
    print(site.hactl('s1', 'status').stdout)
    progress('voters cast votes over HTTP, through the balancer; some more '
             'write to the database')
    web, vote = site.vote_web(), site.vote()
    site.vote('pinned', hosts=['s1'])
    for voter in site.voters:
        voter.wait_acked(50, deadline=20)
    progress(words)
    at = now()
    at = action(lab) or at
    server = lab.s2.address
    for voter in (vote, web):
        voter.wait_acked(300, since=at, server=server, deadline=30)
    site.wait_role('s2', 'primary', 20)
    print()
    print_story(story(site, web, at, brief=not every), words)
    print('\nmost of the outage of the site:')
    for part in dominates(story(site, web, at)):
        print(textwrap.fill(part, 79, initial_indent='  ',
                            subsequent_indent='      '))
    for voter, what in ((vote, 'at the database'), (web, 'over HTTP')):
        print('no vote %s for %.0f ms' % (
            what, auditor.outage(voter.attempts(), at) / 1e6))
    site.wait_plan_end('s2')
    print()
    print(site.hactl('s2', 'status').stdout)
    progress('the auditor compares what was acknowledged with what is there')
    return site.audit('s2', at)['ok']


def print_hints(lab, fault):
    # A host that was switched off has to be switched on first; then its
    # daemon is there, and nothing was rebuilt yet.
    rebuild = REBUILD.format(id=lab.id) if lab.s1.up else ''
    print(HINTS.format(id=lab.id, dir=lab.dir, rebuild=rebuild))


def main():
    parser = argparse.ArgumentParser(prog='demo', description=__doc__)
    parser.add_argument('--keep', action='store_true',
                        help='leave the lab up, and say what to try')
    parser.add_argument('--fault', choices=FAULTS, default='database',
                        help='what goes wrong (default: %(default)s)')
    parser.add_argument('--all', action='store_true',
                        help='every line of the logs, not the story alone')
    parser.add_argument('--layout', choices=LAYOUTS, default='repoint',
                        help='how the applications find the primary: ' +
                        '; '.join('%s, %s' % x for x in LAYOUTS.items()))
    args = parser.parse_args()
    exit_on_term()
    progress('an election site: prod-s1 and prod-s2 with PostgreSQL, '
             'memcached, ballot-box, iam, supervisord and nginx; the '
             'witness prod-a1; HAProxy in front')
    start = time.monotonic()
    site = Site(args.layout, detached=args.keep)
    site.up()
    kept = False
    try:
        progress('votes are taken by both, prod-s1 is primary, prod-s2 its '
                 'candidate, after %.0f s' % (time.monotonic() - start))
        good = show(site, args.fault, args.all)
        if args.keep:
            kept = True
            print_hints(site.lab, args.fault)
    finally:
        if not kept:
            site.down()
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
