"""Outage of a whole site per fault and layout: votes over HTTP through the
balancer, beside votes cast at the database; and where the time went."""

import re
import statistics
import time

from lab import auditor, wait_for
from lab.cluster import now
from lab.story import offset, stamp_ns
from votesite import Site


# s, beyond the database's outage in the same run.
LAYOUTS = (('repoint', 1.0), ('stable', 0.3))
ROW_TEXT = re.compile(r'(\w+): (\w[\w-]*) after (\d+) ms')


def once(row, layout, template, **kw):
    """One run of one fault on a site of its own; kw: of Site."""
    site = Site(layout, **kw).up(template)
    try:
        return _once(site, row)
    finally:
        site.down()


def _once(site, row):
    lab = site.lab
    vote = site.vote()
    web = site.vote_web()
    for voter in (vote, web):
        voter.wait_acked(50, deadline=20)
    time.sleep((now() // 1000 % 400) / 1000)
    at = now()
    at = row.fault(lab) or at
    server = lab.host[row.survivor].address
    vote.wait_acked(100, since=at, server=server, deadline=20)
    wait_for(lambda: len(web.acked(at + 3 * 10**9)) > 100, 40,
             'votes over HTTP go on after the fault')
    # A thaw comes after the figure; a minute of it would tell nothing more.
    wait_for(lambda: now() - at > min(row.hold, 10) * 1e9, 15, every=0.2)
    steps = plan_rows(site, row.survivor, at)
    if row.after:
        row.after(lab)
    changes = 1 if row.survivor == 's2' else 0
    for voter in site.voters:
        voter.stop()
    rows = site.rows(row.survivor)
    http = auditor.audit(web.attempts(), rows, at, changes)
    base = auditor.audit(vote.attempts(), rows, at, changes)
    for report in (http, base):
        if not report['ok']:
            print(auditor.verdict(report))
    return {'http': http['outage_ms'] / 1e3, 'base': base['outage_ms'] / 1e3,
            'lost': len(http['lost']) + len(base['lost']),
            'ok': http['ok'] and base['ok'], 'steps': steps,
            'failed': sum(1 for a in web.attempts() if a.start > at and
                          a.outcome != 'ack')}


def plan_rows(site, key, at):
    """[(ms after the fault, what)] of the node that took over."""
    wall = offset()
    found = []
    for event in site.events(key):
        if 'ts' not in event or event.get('ev') not in (
                'plan.row', 'plan.end', 'act.done', 'converge.change',
                'service.restart', 'site.reached', 'fence.open'):
            continue
        ms = (stamp_ns(event['ts']) - wall - at) / 1e6
        if ms >= 0:
            words = [event.get('text') or ' '.join(
                v for k, v in event.items()
                if k in ('kind', 'item', 'name', 'ms') and v)]
            found.append((ms, event['ev'] + ' ' + words[0]))
    return found


def durations(steps):
    """'claim 9, promote 31, ...' of the takeover, in ms."""
    found = []
    for _, text in steps:
        m = ROW_TEXT.search(text)
        if text.startswith('plan.row') and m and m.group(1) == 'takeover':
            found.append('%s %s' % (m.group(2), m.group(3)))
    return found


def beside(steps):
    """The same of what ran beside the plan: 'converge 412, traffic 6'."""
    found = []
    for ms, text in steps:
        words = text.split()
        if words[0] == 'act.done' and words[1] in (
                'pullers', 'converge', 'traffic', 'site'):
            found.append('%s %s (ended at %.0f)' % (
                words[1], words[2] if len(words) > 2 else '?', ms))
    return found


def measure(rows, runs, template, say, **kw):
    table = []
    for row in rows:
        for layout, extra in LAYOUTS:
            found = []
            for i in range(runs):
                found.append(once(row, layout, template, **kw))
                say('%s, %s, run %d of %d: HTTP %.0f ms, database %.0f ms' % (
                    row.name, layout, i + 1, runs, found[-1]['http'] * 1e3,
                    found[-1]['base'] * 1e3))
            table.append((row, layout, extra, found))
    return table


def print_table(table):
    print('\n%-40s %-8s %9s %9s %8s %8s %5s' % (
        'fault, votes over HTTP', 'layout', 'database', 'HTTP', 'worst',
        'limit', 'lost'))
    good = True
    for row, layout, extra, found in table:
        http = statistics.median(f['http'] for f in found)
        base = statistics.median(f['base'] for f in found)
        lost = sum(f['lost'] for f in found)
        fits = http <= base + extra and base <= row.limit and not lost and \
            all(f['ok'] for f in found)
        good = good and fits
        print('%-40s %-8s %7.0fms %7.0fms %6.0fms %6.0fms %5d%s' % (
            row.name, layout, base * 1e3, http * 1e3,
            max(f['http'] for f in found) * 1e3, (base + extra) * 1e3, lost,
            '' if fits else '   MISSED'))
        middle = sorted(found, key=lambda f: f['http'])[len(found) // 2]
        if durations(middle['steps']):
            print('    plan, ms: ' + ', '.join(durations(middle['steps'])))
        if beside(middle['steps']):
            print('    beside:   ' + ', '.join(beside(middle['steps'])))
        print('    attempts that failed after the fault: %d' %
              middle['failed'])
    return good
