"""What the voters were told, kept while it grows, and compared with the
database of the moment after each round and once more, in full, at the end.

Beside the numbers of the votes it looks at their times: a row holds the moment
at which its server executed the vote, by the one clock of the machine, so the
acknowledged votes in this order name the writer of each moment. It may change
as the register's holders did, and no more often."""

import collections
import os
import time

from lab.auditor import ACKED

ACK, WARNED, UNKNOWN, DENIED = range(1, 5)
CODE = {'ack': ACK, 'ack-warning': WARNED, 'unknown': UNKNOWN,
        'error': DENIED}
LATE = 200

Seen = collections.namedtuple('Seen', 'start end client seq server')


class Voice:
    """One voter's log, of which each line is read once."""

    def __init__(self, voter, group):
        self.voter = voter
        self.group = group
        self.offset = 0

    def lines(self):
        if not os.path.exists(self.voter.log):
            return []
        with open(self.voter.log) as f:
            f.seek(self.offset)
            text = f.read()
        text = text[:text.rfind('\n') + 1]
        self.offset += len(text)
        return [x.split() for x in text.splitlines()]


class Ledger:
    def __init__(self, site):
        self.site = site
        self.voices = []
        self.told = collections.defaultdict(bytearray)  # client: by number
        self.fresh = []         # acknowledged, and not yet compared
        self.ends = collections.defaultdict(list)       # group: ns
        self.low = collections.defaultdict(int)         # compared up to
        self.present = 0        # rows that were there at the last look
        self.count = collections.Counter()
        self.hung = collections.Counter()               # group: timeouts
        self.twice = []
        self.last = {}          # server: the last vote it acknowledged
        self.writer = None      # of the last vote that was compared

    def add(self, voter, group):
        """group: of the voters whose silence is measured together."""
        self.voices.append(Voice(voter, group))
        return voter

    # -- reading ---------------------------------------------------------

    def read(self):
        for voice in self.voices:
            for w in voice.lines():
                self._line(voice.group, w)

    def _line(self, group, w):
        start, end, client, seq, server, outcome, detail = w
        if detail == 'timeout':
            self.hung[group] += 1
        self.count[outcome] += 1
        if outcome == 'refused':
            return              # nothing was sent
        seq, told = int(seq), self.told[client]
        if len(told) <= seq:
            told.extend(bytes(seq + 1 - len(told)))
        if told[seq]:
            self.twice.append((client, seq))
        told[seq] = CODE[outcome]
        if outcome in ACKED:
            self.fresh.append(Seen(int(start), int(end), client, seq, server))
        if outcome == 'ack':
            self.ends[group].append(int(end))

    def acked(self, group, since, server=None):
        """How many not yet compared votes of a group ended after since."""
        self.read()
        if server is None:
            return sum(e > since for e in self.ends[group][-4000:])
        clients = {v.voter.name for v in self.voices if v.group == group}
        return sum(s.end > since and s.server == server and
                   s.client.rpartition('.')[0] in clients
                   for s in self.fresh)

    def between(self, begin, end):
        """Who acknowledged votes that were not yet compared: [server]."""
        self.read()
        return [s.server for s in self.fresh if begin < s.end < end]

    def gap(self, group, begin, at, end):
        """The longest silence in ms that ends between at and end."""
        ends = sorted(e for e in self.ends[group] if begin <= e <= end)
        gaps = [b - a for a, b in zip([begin] + ends, ends) if b > at]
        return max(gaps, default=end - at) / 1e6

    def forget(self, before):
        """Times that no round asks for any more."""
        for group, ends in self.ends.items():
            self.ends[group] = [e for e in ends if e >= before]

    # -- comparing -------------------------------------------------------

    def check(self, primary, holders, late=LATE):
        """What is wrong with the votes since the last look: [words]. holders:
        addresses of the register's holders since then, in order. late: ms by
        which a client may read an old answer too late."""
        self.read()
        fresh, self.fresh = self.fresh, []
        high = {c: len(t) - 1 for c, t in self.told.items()}
        rows = self._rows(primary, high)
        words = []
        lost = [s for s in fresh if (s.client, s.seq) not in rows and
                self.told[s.client][s.seq] == ACK]
        self.count['lost'] += len(lost)
        words += ['LOST: %s vote %d, acknowledged by %s' % (
            s.client, s.seq, s.server) for s in lost[:5]]
        denied = [k for k in rows if k[1] < len(self.told[k[0]]) and
                  self.told[k[0]][k[1]] == DENIED]
        if denied:
            words.append('denied and there: %s' % denied[:5])
        if self.twice:
            words.append('cast twice: %s' % self.twice[:5])
            self.count['twice'] += len(self.twice)
            self.twice = []
        words += self._writers(fresh, rows, holders, late)
        self.low.update(high)
        words += self._none_gone(primary)
        return words

    def _rows(self, primary, high):
        """{(client, n): ns of CLOCK_MONOTONIC} of what was not compared."""
        offset = time.time_ns() - time.monotonic_ns()
        found = {}
        want = ' OR '.join("(client = '%s' AND n > %d)" % (c, self.low[c])
                           for c in high) or 'false'
        for db, where in (('votes', want), (
                'ballot_box', 'election_id = 1 AND (%s)' % want)):
            for client, n, at in self.site.lab.pg[primary].sql(
                    'SELECT client, n, (extract(epoch FROM at) * 1000000)'
                    '::bigint FROM vote WHERE ' + where, db=db, timeout=60):
                found[client, int(n)] = int(at) * 1000 - offset
        return found

    def _none_gone(self, primary):
        """No row of an earlier look has vanished since."""
        count = sum(int(self.site.lab.pg[primary].sql(
            'SELECT count(*) FROM vote', db=db, timeout=60)[0][0])
            for db in ('votes', 'ballot_box'))
        before, self.present = self.present, count
        return ['%d rows, and %d at an earlier look' % (count, before)] \
            if count < before else []

    def _writers(self, fresh, rows, holders, limit):
        """Did more than one write at a time?"""
        known = sorted((rows[s.client, s.seq], s) for s in fresh
                       if (s.client, s.seq) in rows)
        order = [self.writer] if self.writer else []
        first = {}              # index in order: when it began to
        late = []
        for at, s in known:
            if not order or order[-1] != s.server:
                order.append(s.server)
                first[len(order) - 1] = at
        words = []
        if not _within(order, holders):
            self.count['two writers'] += 1
            words.append('TWO WRITERS: votes by %s, holders were %s' % (
                ', '.join(order[:20]), ', '.join(holders)))
        for n, at in first.items():
            if n == 0:
                continue
            late += [(s.end - at, s) for t, s in known
                     if s.server == order[n - 1] and t < at < s.end]
        if late:
            ms = max(late)[0] / 1e6
            self.count['late answers'] += len(late)
            if ms > limit:
                self.count['two writers'] += 1
                words.append('TWO WRITERS: an answer of %s was read %.0f ms '
                             'after the next one wrote' % (
                                 max(late)[1].server, ms))
        if order:
            self.writer = order[-1]
        return words

    def audit(self, primary):
        """Everything, once more: [words]. The voters have stopped."""
        self.read()
        rows = self.site.rows(primary)
        words, acked, lost, denied = [], 0, [], []
        for client, told in self.told.items():
            for seq, code in enumerate(told):
                there = (client, seq) in rows
                if code == ACK:
                    acked += 1
                    if not there:
                        lost.append((client, seq))
                elif code == DENIED and there:
                    denied.append((client, seq))
        unheard = [(c, n) for c, n in rows if c in self.told and not (
            n < len(self.told[c]) and self.told[c][n]) and
            n != len(self.told[c])]
        count = sum(int(self.site.lab.pg[primary].sql(
            'SELECT count(*) FROM vote', db=db)[0][0])
            for db in ('votes', 'ballot_box'))
        self.count['lost'] = max(self.count['lost'], len(lost))
        self.count['twice'] += count - len(rows)
        for what, found in (
                ('LOST', lost), ('denied and there', denied),
                ('rows that nobody cast', unheard),
                ('rows twice', [count - len(rows)] * (count != len(rows)))):
            if found:
                words.append('%s: %d, as %s' % (what, len(found), found[:5]))
        return acked, words


def _within(order, holders):
    """Is order what is left of holders when some are left out?"""
    place = iter(holders)
    return all(any(o == h for h in place) for o in order)
