"""scripts/crash-points: rounds on several clusters side by side."""

import argparse
import collections
import json
import multiprocessing
import os
import sys
import tempfile
import time

from lab.cluster import Cluster

from . import points
from .rounds import Result, Rounds


def worker(build, template, tasks, results):
    """Rounds on one cluster after the other; after a problem, or when a round
    could not put things right again, on a new one."""
    os.environ['HAWATCH_BUILD'] = build
    cluster, rounds = None, None
    while True:
        task = tasks.get()
        if task is None:
            break
        start = time.monotonic()
        try:
            if cluster is None:
                cluster = Cluster(settings={'min_interval': '0s'})
                cluster.up(template)
                rounds = Rounds(cluster)
            done = rounds.run(*task)
        except Exception as e:          # whatever it was, the others go on
            done = Result(task[0], task[1], False, None,
                          time.monotonic() - start, ['%s: %s' % (
                              type(e).__name__, e)], True)
        log = details(cluster) if done.problems and cluster else ''
        results.put((done, log))
        if done.broken and cluster:
            cluster.down()
            cluster = None
    if cluster:
        cluster.down()
    results.put(None)


def details(cluster):
    text = [json.dumps({key: cluster.status(key) for key in ('s1', 's2')},
                       indent=1)]
    for key, pg in cluster.lab.pg.items():
        rows = pg.sql('SELECT * FROM pg_stat_replication', check=False) \
            if cluster.lab.host[key].up else None
        text.append('%s: pg_stat_replication %s' % (key, rows))
    return '\n'.join(text) + '\n' + cluster.logs()


def run(build, wanted, labs=2, say=None):
    """Results of all wanted (scenario, point), as they come."""
    context = multiprocessing.get_context('fork')
    tasks, results = context.Queue(), context.Queue()
    for task in wanted:
        tasks.put(task)
    with tempfile.TemporaryDirectory(prefix='hawatch-pair.') as template:
        parts = []
        for n in range(labs):
            tasks.put(None)
            path = os.path.join(template, str(n))
            os.mkdir(path)
            os.chmod(template, 0o711)
            parts.append(context.Process(
                target=worker, args=(build, path, tasks, results)))
            parts[-1].start()
        left = labs
        while left:
            got = results.get()
            if got is None:
                left -= 1
                continue
            yield got
        for part in parts:
            part.join()


def line(done):
    return '%-10s %-32s %-7s %8s %5.0f s  %s' % (
        done.scenario, done.point, 'met' if done.met else 'not met',
        '-' if done.outage_ms is None else '%d ms' % done.outage_ms,
        done.seconds, 'ok' if not done.problems else
        'FAILED: ' + done.problems[0].splitlines()[0])


def known(build):
    """Every point that the engine has."""
    with os.popen(os.path.join(build, 'src/engine/hawatchd') +
                  ' --crash-points') as f:
        return f.read().split()


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
