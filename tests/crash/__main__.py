"""scripts/crash-points: every point, and a table."""

import argparse
import collections
import os
import sys

from . import points
from .runner import known, run


def line(done):
    return '%-10s %-32s %-7s %8s %5.0f s  %s' % (
        done.scenario, done.point, 'met' if done.met else 'not met',
        '-' if done.outage_ms is None else '%d ms' % done.outage_ms,
        done.seconds, 'ok' if not done.problems else
        'FAILED: ' + done.problems[0].splitlines()[0])


def unmet_table(build):
    met = {points.bare(p) for t in (points.SURE, points.CHANCE)
           for _, p in points.pairs(t)}
    groups = collections.defaultdict(list)
    for p in known(build):
        if p not in met:
            groups[points.reason(p) or 'NO REASON KNOWN'].append(p)
    for words, names in groups.items():
        print('not reachable, %s:\n    %s' % (words, ' '.join(names)))
    return 'NO REASON KNOWN' not in groups


def main():
    parser = argparse.ArgumentParser(prog='crash-points')
    parser.add_argument('--few', action='store_true',
                        help='the selection of the usual test run')
    parser.add_argument('--only', default='', help='scenario, or part of '
                        'a point')
    parser.add_argument('--labs', type=int, default=2)
    parser.add_argument('--logs', help='a directory for the logs of rounds '
                        'that failed')
    args = parser.parse_args()
    build = os.path.abspath(os.environ['HAWATCH_BUILD_CRASH'])
    sure = points.selection() if args.few else points.pairs(points.SURE)
    wanted = sure + ([] if args.few else points.pairs(points.CHANCE))
    wanted = [w for w in wanted if args.only in (w[0], '') or
              args.only in w[1]]
    good = 0
    for done, log in run(build, wanted, args.labs):
        if not done.met and (done.scenario, done.point) in sure and \
                not done.problems:
            done = done._replace(problems=['the point was not met'])
        print(line(done), flush=True)
        for text in done.problems:
            print('    ' + text.replace('\n', '\n    '), flush=True)
        if args.logs and log:
            name = (done.scenario + '-' + done.point).replace(':', '_')
            with open(os.path.join(args.logs, name), 'w') as f:
                f.write('\n'.join(done.problems) + '\n' + log)
        good += not done.problems
    if not args.few and not args.only:
        unmet_table(build)
    print('%d of %d rounds passed' % (good, len(wanted)))
    return 0 if good == len(wanted) else 1


if __name__ == '__main__':
    sys.exit(main())
