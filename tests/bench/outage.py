"""Write outage per fault: fresh lab, fault, votes, auditor; medians."""

import statistics
import time

from lab import auditor, faults, wait_for
from lab.cluster import Cluster, now
from lab.story import dominates, story

T = 2.0


class Row:
    """One line of the table."""

    def __init__(self, name, fault, limit, stock=None, survivor='s2',
                 hold=0.0, after=None):
        self.name = name
        self.fault = fault
        self.limit = limit      # s, of the vote client
        self.stock = stock      # s, of plain libpq; None: not promised
        self.survivor = survivor
        self.hold = hold        # s between fault and what undoes it
        self.after = after


def thaw(lab):
    lab.s1.continue_all()


ROWS = [
    Row('all database processes killed', faults.databases_killed, 0.3),
    Row('switchover', faults.switchover, 0.3),
    Row('host lost', faults.host_lost, T + 0.3, stock=T + 0.6),
    Row('primary cut off, clients still reach it', faults.cut_off, T + 0.5),
    # Stock libpq hangs until the thaw: the stopped host's kernel goes on
    # confirming what it receives, so tcp_user_timeout never ends it.
    Row('processes stopped 60 s, continued', faults.stopped, T + 0.5,
        hold=60, after=thaw),
    Row('standby lost', faults.standby_lost, 1.0, survivor='s1'),
    # "No interruption": no longer than a commit may take on a busy machine.
    # With etcd it takes a member with it.
    Row('arbiter lost, standby alive', faults.arbiter_lost, 0.1,
        survivor='s1', hold=3 * T),
]


def once(row, template, **kw):
    """One run of one row on a lab of its own; kw: of Cluster."""
    cluster = Cluster(**kw).up(template)
    try:
        return _once(cluster, row)
    finally:
        cluster.down()


def _once(cluster, row):
    lab = cluster.lab
    vote = cluster.vote()
    stock = cluster.vote('stock')
    pinned = cluster.vote('pinned', hosts=['s1'])
    waiter = cluster.vote('waiter')
    for voter in (vote, stock, pinned, waiter):
        voter.wait_acked(20, deadline=20)
    # Not in step with the renewals: they come every T/5.
    time.sleep((now() // 1000 % 400) / 1000)
    at = now()
    at = row.fault(lab) or at
    server = lab.host[row.survivor].address
    vote.wait_acked(100, since=at, server=server, deadline=20)
    if row.fault is not faults.stopped:
        stock.wait_acked(20, since=at, server=server, deadline=20)
    wait_for(lambda: now() - at > row.hold * 1e9, row.hold + 5, every=0.2)
    lines = story(cluster, vote, at)
    thawed = None
    if row.after:
        thawed = now()
        row.after(lab)
        vote.wait_acked(300, server=server, deadline=20)
    changes = 1 if row.survivor == 's2' else 0
    report = cluster.audit(row.survivor, at, changes)
    late = 0 if thawed is None else sum(
        len(v.acked(thawed, lab.s1.address)) for v in cluster.voters)
    gap = {v.name: (auditor.outage(v.attempts(), at) or 0) / 1e9
           for v in (vote, stock)}
    return {'outage': gap['vote'], 'stock': gap['stock'],
            'lost': len(report['lost']), 'ok': report['ok'] and late == 0,
            'two_writers': len(report['two_writers']) + late,
            'dominates': dominates(lines)}


def measure(rows, runs, template, say, **kw):
    """Prints as it goes; returns the table. kw: of Cluster."""
    table = []
    for row in rows:
        found = []
        for i in range(runs):
            found.append(once(row, template, **kw))
            say('%s, run %d of %d: %.0f ms' % (
                row.name, i + 1, runs, found[-1]['outage'] * 1e3))
        table.append((row, found))
    return table


def print_table(table):
    print('\n%-42s %8s %8s %8s %8s %6s %6s' % (
        'fault', 'median', 'worst', 'limit', 'stock', 'lost', 'twice'))
    good = True
    for row, found in table:
        median = statistics.median(f['outage'] for f in found)
        stock = statistics.median(f['stock'] for f in found)
        lost = sum(f['lost'] for f in found)
        twice = sum(f['two_writers'] for f in found)
        fits = median <= row.limit and not lost and not twice and \
            (row.stock is None or stock <= row.stock) and \
            all(f['ok'] for f in found)
        good = good and fits
        print('%-42s %6.0fms %6.0fms %6.0fms %6.0fms %6d %6d%s' % (
            row.name, median * 1e3, max(f['outage'] for f in found) * 1e3,
            row.limit * 1e3, stock * 1e3, lost, twice,
            '' if fits else '   MISSED'))
        middle = sorted(found, key=lambda f: f['outage'])[len(found) // 2]
        for part in middle['dominates']:
            print('    ' + part)
    return good
