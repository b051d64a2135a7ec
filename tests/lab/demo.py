"""What scripts/demo shows."""

import argparse
import sys
import textwrap
import time

from . import faults
from .cluster import Cluster, now
from .wait import exit_on_term
from .story import dominates, story

FAULTS = {
    'database': (faults.databases_killed,
                 'SIGKILL to every process of the primary\'s PostgreSQL'),
    'host': (faults.host_lost, 'power cut on the primary\'s host'),
    'cut': (faults.cut_off, 'the primary is cut off from its peers; clients '
            'still reach it'),
}
HINTS = '''
The lab stays up. Look around:
  tests/lab/labctl status {id}
  tests/lab/labctl exec {id} s2 hactl status
  tests/lab/labctl exec {id} s2 hactl plan promote prod-s1
  tests/lab/labctl exec {id} client curl -si http://10.77.0.12:8008/primary
  tests/lab/labctl exec -u postgres {id} s2 psql -h /run/postgresql votes
  grep -v level=info {dir}/s2/hawatchd.log
{rebuild}and when you have seen enough:
  tests/lab/labctl down {id}
'''
REBUILD = '''Rebuild the old primary as a standby, and see it become a candidate:
  tests/lab/labctl exec -u postgres {id} s1 repmgr -h 10.77.0.12 -U repmgr \\
      -d repmgr standby clone -c -F
  tests/lab/labctl exec {id} s1 hactl unfence
  tests/lab/labctl exec {id} s1 hactl status       # until it is a candidate
  tests/lab/labctl exec -u postgres {id} s1 repmgr standby register --force
Then let the next failover come at once, and cause it:
  tests/lab/labctl exec {id} s2 hactl ack
  tests/lab/labctl exec {id} s2 pkill -KILL -u postgres
'''


def progress(text):
    print('==> ' + text, flush=True)


def print_story(lines, fault):
    """Within 80 columns."""
    for ms, who, what in lines:
        what = what or fault
        first = '%9.1f ms  %-8s ' % (ms, who)
        print(textwrap.fill(what, 79, initial_indent=first,
                            subsequent_indent=' ' * len(first)))


def show(cluster, fault, every=False):
    action, words = FAULTS[fault]
    lab = cluster.lab
    print(cluster.hactl('s1', 'status').stdout)
    progress('four clients cast votes')
    vote = cluster.vote()
    for mode in ('stock', 'waiter'):
        cluster.vote(mode)
    cluster.vote('pinned', hosts=['s1'])
    for voter in cluster.voters:
        voter.wait_acked(50, deadline=20)
    progress(words)
    at = now()
    at = action(lab) or at
    vote.wait_acked(300, since=at, server=lab.s2.address, deadline=30)
    print()
    print_story(story(cluster, vote, at, brief=not every), words)
    print('\nmost of the outage:')
    for part in dominates(story(cluster, vote, at)):
        print(textwrap.fill(part, 79, initial_indent='  ',
                            subsequent_indent='      '))
    print()
    print(cluster.hactl('s2', 'status').stdout)
    report = auditor_verdict(cluster, at)
    return report['ok']


def auditor_verdict(cluster, at):
    progress('the auditor compares what was acknowledged with what is there')
    return cluster.audit('s2', at)


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
    args = parser.parse_args()
    exit_on_term()
    progress('three hosts: prod-s1 and prod-s2 with PostgreSQL, the witness '
             'prod-a1')
    start = time.monotonic()
    cluster = Cluster(detached=args.keep)
    cluster.up()
    kept = False
    try:
        progress('prod-s1 is primary, prod-s2 its candidate, after %.0f s'
                 % (time.monotonic() - start))
        good = show(cluster, args.fault, args.all)
        if args.keep:
            kept = True
            print_hints(cluster.lab, args.fault)
    finally:
        if not kept:
            cluster.down()
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
