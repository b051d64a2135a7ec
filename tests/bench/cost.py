"""What the daemon costs while nothing happens, and what its health endpoint
gives while something does."""

import os
import re

from lab import faults, wait_for
from lab.cluster import Cluster, now
from lab.lab import NODES
from lab.product import HEALTH_PORT
from votesite import Site, conf

DAEMONS = ('hawatchd', 'hawatch-front', 'hawatch-probe')


def rollup(pid):
    """{name: KiB} of smaps_rollup."""
    with open('/proc/%d/smaps_rollup' % pid) as f:
        return {m[1]: int(m[2]) for m in
                re.finditer(r'^(\w+):\s+(\d+) kB', f.read(), re.M)}


def ticks(pid):
    """User and system time of a process, in seconds."""
    with open('/proc/%d/stat' % pid) as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def processes(cluster, key):
    return {name: cluster.lab.host[key].pids(name) for name in DAEMONS}


def idle(cluster, seconds=60):
    """CPU seconds per host in that time, and memory at its end."""
    before = {key: {p: ticks(p) for pids in processes(cluster, key).values()
                    for p in pids} for key in NODES}
    end = now() + seconds * 10**9
    wait_for(lambda: now() > end, seconds + 5, every=1)
    result = {}
    for key in NODES:
        cpu = sum(ticks(p) - t for p, t in before[key].items())
        maps = [rollup(p) for p in before[key]]
        result[key] = {
            'cpu': cpu * 60 / seconds,
            'dirty': sum(m['Private_Dirty'] for m in maps) / 1024,
            'pss': sum(m['Pss'] for m in maps) / 1024,
        }
    return result


def throughput(cluster, seconds=5):
    """Requests a second by wrk with 16 kept connections, /health."""
    done = cluster.lab.client.run(
        ['wrk', '-t1', '-c16', '-d%ds' % seconds, 'http://%s:%d/health' % (
            cluster.lab.s1.address, HEALTH_PORT)], timeout=seconds + 20)
    return float(re.search(r'Requests/sec:\s+([\d.]+)', done.stdout)[1])


def latency_during_failover(cluster, rate=2000, seconds=6):
    """The standby's /health while it takes over."""
    lab = cluster.lab
    proc = lab.client.popen(
        [os.path.join(lab.build, 'tests', 'bench', 'bench-rate'),
         lab.s2.address, str(HEALTH_PORT), '/health', str(rate),
         str(seconds)], stdout=-1, text=True)
    at = now()
    wait_for(lambda: now() - at > 2 * 10**9, 5, every=0.1)
    faults.databases_killed(lab)
    out = proc.communicate(timeout=seconds + 20)[0]
    assert lab.pg['s2'].in_recovery() is False
    return dict(word.split('=') for word in out.split())


def measure(template, whole, say):
    cluster = Cluster().up(template)
    try:
        say('idle for a minute')
        resting = idle(cluster)
        say('throughput of /health')
        rps = throughput(cluster)
        say('latency of /health during a failover')
        cluster.vote().wait_acked(10)
        late = latency_during_failover(cluster)
    finally:
        cluster.down()
    say('idle for a minute, with the checks of the example of a site')
    site = Site(settings=conf.settings(quick=False)).up(whole)
    try:
        around = idle(site)
    finally:
        site.down()
    print('\n%-10s %14s %14s %14s' % ('host', 'CPU s/min', 'private dirty',
                                      'PSS'))
    good = True
    for key, r in resting.items():
        fits = r['cpu'] <= 0.3 and r['dirty'] <= 6
        good = good and fits
        print('%-10s %14.2f %10.1f MiB %10.1f MiB%s' % (
            key, r['cpu'], r['dirty'], r['pss'], '' if fits else '   MISSED'))
    for key, r in around.items():
        print('%-10s %14.2f %10.1f MiB %10.1f MiB   with a site' % (
            key, r['cpu'], r['dirty'], r['pss']))
    print('(limits: 0.30 s, 6 MiB; with a site none. PSS beside PostgreSQL and '
          'other labs, which map some of the same libraries)')
    fits = rps >= 20000
    good = good and fits
    print('/health: %.0f requests/s (limit 20000)%s' % (
        rps, '' if fits else '   MISSED'))
    fits = float(late['p99_ms']) <= 2 and late['failed'] == '0'
    good = good and fits
    print('/health at 2000/s during a failover: p50 %s ms, p99 %s ms (limit '
          '2), worst %s ms, %s failed%s' % (
              late['p50_ms'], late['p99_ms'], late['max_ms'], late['failed'],
              '' if fits else '   MISSED'))
    return good
