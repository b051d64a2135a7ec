"""Compares what clients were told with what the surviving database holds.

It trusts nobody: not the daemon's log, not the lab. Its input is the voters'
logs and the rows of the vote table.
"""

import argparse
import collections
import json
import os
import sys

# held: behind a server that holds a request until there is a database, so that
# its start does not tell when the vote was cast.
Attempt = collections.namedtuple(
    'Attempt', 'start end client seq server outcome detail held',
    defaults=(False,))
ACKED = ('ack', 'ack-warning')


def read_log(path, held=False):
    """A log of lab-voter; a last line that is still being written is left."""
    found = []
    if not os.path.exists(path):
        return found
    with open(path) as f:
        for line in f:
            w = line.split()
            if len(w) != 7 or not line.endswith('\n'):
                continue
            found.append(Attempt(int(w[0]), int(w[1]), w[2], int(w[3]),
                                 w[4], w[5], w[6], held))
    return found


def runs(attempts):
    """Acknowledgements in the order of their start, as runs of one server."""
    found = []
    for a in sorted(attempts, key=lambda a: a.start):
        if not found or found[-1][0].server != a.server:
            found.append([])
        found[-1].append(a)
    return found


def least(attempts):
    """The fewest turns of writers by which each attempt can have been written
    while its server was the one, somewhere between its start and its end: the
    servers in that order."""
    order, until = [], {}       # until: when a server was the one for the last
    for a in sorted(attempts, key=lambda a: a.end):
        if order and order[-1] == a.server or \
                until.get(a.server, -1) >= a.start:
            continue
        if order:
            until[order[-1]] = a.end
        order.append(a.server)
    return order


def changed(order, changes):
    return [{
        'what': 'the writer changed %d times, %d expected' % (
            len(order) - 1, changes),
        'servers': order[:12],
        'certain': True}] if len(order) - 1 > changes else []


def two_writers(attempts, changes=1):
    """Acknowledgements that two servers gave in the same time.

    An acknowledgement was delivered somewhere between the attempt's start and
    its end. After the first of another server began, none of the former one
    may end; and the writer changes no more often than there were takeovers.
    certain: began after the other's first had ended, so no delay of the client
    explains it. Of attempts that were held only what is certain counts.
    Returns a list of findings."""
    acked = [a for a in attempts if a.outcome in ACKED]
    direct = [a for a in acked if not a.held]
    parts = runs(direct)
    found = changed([p[0].server for p in parts], changes) or \
        changed(least(acked), changes)
    first = {}
    for a in sorted(direct, key=lambda a: a.start):
        first.setdefault(a.server, a)
    order = sorted(first.values(), key=lambda a: a.start)
    if changes > len(order) - 1:
        return found + _overlaps(parts)
    for old, new in zip(order, order[1:]):
        late = [a for a in direct if a.server == old.server and
                a.end > new.start]
        if late:
            worst = max(late, key=lambda a: a.end)
            found.append({
                'what': '%d acknowledged by %s after %s began to' % (
                    len(late), old.server, new.server),
                'last': worst._asdict(), 'first_of_new': new._asdict(),
                'overlap_ms': (worst.end - new.start) / 1e6,
                'certain': any(a.start > new.end for a in late)})
    return found


def _overlaps(parts):
    """For a cluster that goes back and forth: run against next run."""
    found = []
    for one, other in zip(parts, parts[1:]):
        last = max(one, key=lambda a: a.end)
        if last.end > other[0].start:
            found.append({
                'what': '%s and %s acknowledged in the same time' % (
                    last.server, other[0].server),
                'last': last._asdict(), 'first_of_new': other[0]._asdict(),
                'overlap_ms': (last.end - other[0].start) / 1e6,
                'certain': False})
    return found


def outage(attempts, fault):
    """The longest time without an acknowledgement that ends after the fault,
    in ns; None when none came after it. Votes whose acknowledgement was on its
    way at the fault do not hide the gap, since the longest one counts."""
    ends = sorted(a.end for a in attempts if a.outcome == 'ack')
    gaps = [(b - a, a, b) for a, b in zip(ends, ends[1:]) if b > fault]
    return max(gaps)[0] if gaps else None


def audit(attempts, rows, fault=None, changes=1):
    """attempts of all voters, rows {(client, n)} of the survivor."""
    by_outcome = collections.Counter(a.outcome for a in attempts)
    keys = collections.Counter((a.client, a.seq) for a in attempts
                               if a.outcome != 'refused')
    lost = [a for a in attempts if a.outcome == 'ack' and
            (a.client, a.seq) not in rows]
    warned = [a for a in attempts if a.outcome == 'ack-warning']
    unknown = [a for a in attempts if a.outcome == 'unknown']
    denied = [a for a in attempts if a.outcome == 'error']
    # A client that was killed left no line about the vote that it had sent.
    last = {}
    for client, seq in keys:
        last[client] = max(seq, last.get(client, 0))

    def present(some):
        return sum((a.client, a.seq) in rows for a in some)

    report = {
        'attempts': dict(by_outcome),
        'acknowledged': by_outcome['ack'],
        'lost': [a._asdict() for a in lost],
        'warned': len(warned), 'warned_present': present(warned),
        'unknown': len(unknown), 'unknown_present': present(unknown),
        'denied': len(denied), 'denied_present': present(denied),
        'duplicates': sorted(k for k, n in keys.items() if n > 1),
        'unheard_of': sum(1 for c, n in rows if c in last and
                          (c, n) not in keys and n != last[c] + 1),
        'writers': [{'server': p[0].server, 'acknowledged': len(p),
                     'first_start': p[0].start,
                     'last_end': max(a.end for a in p)}
                    for p in runs([a for a in attempts
                                   if a.outcome in ACKED])],
        'two_writers': two_writers(attempts, changes),
    }
    if fault is not None:
        gap = outage(attempts, fault)
        report['outage_ms'] = None if gap is None else round(gap / 1e6, 3)
    report['ok'] = not (report['lost'] or report['two_writers'] or
                        report['duplicates'] or report['denied_present'] or
                        report['unheard_of'])
    return report


def verdict(report):
    """The report in words, one finding a line."""
    lines = ['%s: %d votes acknowledged, %d lost' % (
        'PASS' if report['ok'] else 'FAIL', report['acknowledged'],
        len(report['lost']))]
    for a in report['lost'][:5]:
        lines.append('  lost: %s vote %d, acknowledged by %s at %.3f s' % (
            a['client'], a['seq'], a['server'], a['end'] / 1e9))
    lines.append('  acknowledged with a warning %d (%d present), refused by '
                 'the server %d (%d)' % (
                     report['warned'], report['warned_present'],
                     report['denied'], report['denied_present']))
    lines.append('  without an answer %d (%d present)' % (
        report['unknown'], report['unknown_present']))
    lines.append('  writers: ' + (', then '.join(
        '%s (%d)' % (w['server'], w['acknowledged'])
        for w in report['writers'][:12]) or 'none'))
    for f in report['two_writers']:
        lines.append('  TWO WRITERS%s: %s%s' % (
            '' if f['certain'] else ' (or a slow client)', f['what'],
            ', for %.1f ms' % f['overlap_ms'] if 'overlap_ms' in f else ''))
    if report['duplicates']:
        lines.append('  cast twice: %s' % report['duplicates'][:5])
    if report['unheard_of']:
        lines.append('  rows that nobody cast: %d' % report['unheard_of'])
    if 'outage_ms' in report:
        lines.append('  write outage: %s' % (
            'no vote after the fault' if report['outage_ms'] is None
            else '%.0f ms' % report['outage_ms']))
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rows', required=True, help='file with lines '
                        '"client TAB n": the vote table of the survivor')
    parser.add_argument('--fault', type=int, help='CLOCK_MONOTONIC, ns')
    parser.add_argument('--changes', type=int, default=1)
    parser.add_argument('--json', action='store_true')
    parser.add_argument('log', nargs='+')
    args = parser.parse_args()
    with open(args.rows) as f:
        rows = {(c, int(n)) for c, n in (line.split() for line in f)}
    attempts = [a for log in args.log for a in read_log(log)]
    report = audit(attempts, rows, args.fault, args.changes)
    print(json.dumps(report, indent=1) if args.json else verdict(report))
    return 0 if report['ok'] else 1


if __name__ == '__main__':
    sys.exit(main())
