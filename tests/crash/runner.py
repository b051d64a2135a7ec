"""Rounds on several clusters side by side, each in a process of its own."""

import json
import multiprocessing
import os
import queue
import subprocess
import tempfile
import time

from lab.cluster import Cluster

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


def run(build, wanted, labs=2):
    """Results of all wanted (scenario, point), as they come, with the logs of
    those that failed."""
    context = multiprocessing.get_context('fork')
    tasks, results = context.Queue(), context.Queue()
    for task in list(wanted) + [None] * labs:
        tasks.put(task)
    with tempfile.TemporaryDirectory(prefix='hawatch-pair.') as template:
        os.chmod(template, 0o711)
        parts = []
        for n in range(labs):
            path = os.path.join(template, str(n))
            os.mkdir(path)
            parts.append(context.Process(
                target=worker, args=(build, path, tasks, results),
                daemon=True))
            parts[-1].start()
        left = labs
        while left:
            try:
                got = results.get(timeout=10)
            except queue.Empty:
                if not any(part.is_alive() for part in parts):
                    raise RuntimeError('the labs are gone') from None
                continue
            if got is None:
                left -= 1
            else:
                yield got
        for part in parts:
            part.join()


def known(build):
    """Every point that the engine has."""
    return subprocess.run(
        [os.path.join(build, 'src/engine/hawatchd'), '--crash-points'],
        stdout=subprocess.PIPE, text=True, check=True).stdout.split()
