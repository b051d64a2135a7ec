"""The timeline of a fault, from the daemons' logs and the clients' votes."""

import calendar
import time


def offset():
    """Wall clock minus CLOCK_MONOTONIC, in ns, now."""
    return time.time_ns() - time.monotonic_ns()


def stamp_ns(ts):
    """2026-11-20T10:00:00.123456Z in ns since 1970."""
    whole, _, part = ts.rstrip('Z').partition('.')
    sec = calendar.timegm(time.strptime(whole, '%Y-%m-%dT%H:%M:%S'))
    return sec * 10**9 + int(part.ljust(9, '0'))


def story(cluster, vote, fault, tail_ms=300, brief=False):
    """[(ms after the fault, who, what)], from the last vote before the outage
    to a moment after the first vote behind it. Brief: without the events of
    level info, which are the single steps."""
    ends = sorted(a.end for a in vote.attempts() if a.outcome == 'ack')
    gaps = [(b - a, a, b) for a, b in zip(ends, ends[1:]) if b > fault]
    if not gaps:
        return []
    _, last, first = max(gaps)
    server = {a.end: a.server for a in vote.attempts()}
    lines = [(fault, 'fault', ''),
             (last, 'client', 'last vote, by %s' % server[last]),
             (first, 'client', 'first vote, by %s' % server[first])]
    wall = offset()
    for key in cluster.lab.nodes:
        for event in cluster.events(key):
            if 'ts' not in event or brief and event.get('level') == 'info':
                continue
            at = stamp_ns(event['ts']) - wall
            if min(last, fault) <= at <= first + tail_ms * 10**6:
                lines.append((at, cluster.lab.host[key].name, _words(event)))
    return [((at - fault) / 1e6, who, what)
            for at, who, what in sorted(lines)]


def _words(event):
    skip = ('ts', 'level', 'ev', 'epoch')
    return ' '.join([event.get('ev', '?')] + [
        v if k == 'text' else '%s=%s' % (k, v)
        for k, v in event.items() if k not in skip and v])


def dominates(lines, share=3):
    """The longest stretches of the outage between two lines of its story."""
    inside = []
    for line in lines:
        if line[1] == 'client' and line[2].startswith('last'):
            inside = [line]
        elif inside:
            inside.append(line)
        if line[1] == 'client' and line[2].startswith('first'):
            break
    parts = [(b[0] - a[0], a, b) for a, b in zip(inside, inside[1:])]
    parts.sort(key=lambda p: -p[0])
    return ['%.0f ms from %s to %s' % (ms, _short(a), _short(b))
            for ms, a, b in parts[:share] if ms >= 1]


def _short(line):
    words = line[2].split(',')[0].split()[:3]
    return ' '.join([line[1]] + words).rstrip(' :')
