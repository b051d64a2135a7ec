"""A run: round after round on one site, a fresh one when it is beyond help,
and the table at the end."""

import collections
import os
import tempfile
import time
import traceback

from . import schedule
from .rounds import Rounds, line
from .stage import Stage

CLOSING = 60            # seconds until the site is well at the end
# Notes of the doctor, beside those about faults that missed.
REJOINS = ('follows', 'rewind', 'clone')
PERSONS = ('register adopted', 'register and primary', 's1', 's2', 's3')
WORD = 'by a person\'s word'
FRESH = 3               # sites in a row that do not come up end the run


class Chaos:
    def __init__(self, args, template):
        self.args = args
        self.template = template
        self.stage = None
        self.done = []
        self.count = collections.Counter()
        self.problems = []      # of what is looked at but at the end of a round
        self.acked = 0
        self.logs = args.logs or tempfile.mkdtemp(prefix='chaos-logs.')
        self.begin = time.monotonic()

    def run(self):
        args = self.args
        print('seed %s, layout %s, register %s, proofs %s, logs of what fails '
              'in %s' % (args.seed, args.layout, args.register, args.proofs,
                         self.logs), flush=True)
        try:
            self._rounds()
        except (KeyboardInterrupt, SystemExit):
            print('interrupted', flush=True)
        finally:
            if self.stage is not None:
                self._close(audit=True)
        return self.table()

    def _over(self, number):
        args = self.args
        return (args.minutes is not None and
                time.monotonic() - self.begin > args.minutes * 60) or \
            (args.rounds is not None and number >= args.rounds) or \
            (args.takeovers is not None and
             sum(r.takeovers for r in self.done) >= args.takeovers)

    def _rounds(self):
        args, failed = self.args, 0
        drawn = schedule.rounds(args.seed, args.kinds, args.first)
        number = 0
        while not self._over(number):
            if self.stage is None:
                try:
                    self._open()
                    failed = 0
                except (AssertionError, RuntimeError, OSError) as e:
                    failed += 1
                    self._problem('no site: %s' % ' '.join(
                        str(e).split())[:300])
                    if failed == FRESH:
                        return
                    continue
            number += 1
            self._round(next(drawn))

    def _round(self, drawn):
        try:
            result = self.rounds.run(drawn)
        except Exception:
            self._problem('round %d: %s' % (
                drawn.number, traceback.format_exc()))
            self._save('%04d' % drawn.number, [traceback.format_exc()])
            self._close(audit=False)
            return
        self.done.append(result)
        print(line(result, time.monotonic() - self.begin), flush=True)
        if result.problems:
            self._save('%04d' % drawn.number, [
                schedule.words(drawn.strikes)] + result.problems)
        if result.broken:
            self._close(audit=False)

    # -- sites -----------------------------------------------------------

    def _open(self):
        self.stage = None
        stage = Stage(self.args.layout, self.template, self.args.register,
                      self.args.proofs, self.args.before)
        self.stage = stage
        self.rounds = Rounds(stage, self.args.seed)
        stage.doctor.well()
        stage.backup()

    def _close(self, audit):
        """What its votes came to is kept."""
        stage, self.stage = self.stage, None
        ledger = stage.ledger
        try:
            if audit:
                for voter in stage.site.voters:
                    voter.stop()
                holder = stage.doctor.well(CLOSING)
                acked, words = ledger.audit(holder)
                for w in words:
                    self._problem('at the end: ' + w)
                print('%d votes acknowledged, compared with the rows of %s' % (
                    acked, holder), flush=True)
        except (AssertionError, RuntimeError, OSError) as e:
            self._problem('no audit: %s' % ' '.join(str(e).split())[:300])
        finally:
            ledger.read()
            self.count.update(ledger.count)
            stage.journal.read()
            self.count.update(stage.journal.count)
            self.count['shot'] += stage.doctor.shot
            self.count['rebuilt'] += stage.doctor.rebuilt
            for group, n in ledger.hung.items():
                self.count['hung ' + group] += n
            stage.down()

    def _problem(self, words):
        self.problems.append(words)
        print('FAILED: ' + words, flush=True)

    def _save(self, name, words):
        path = os.path.join(self.logs, name)
        self.stage.save(path, words)
        print('          logs in ' + path, flush=True)

    # -- the end ---------------------------------------------------------

    def table(self):
        done, count = self.done, self.count
        worst = {}
        for r in done:
            for s in r.round.strikes:
                name = s.kind + (' (one of two)'
                                 if len(r.round.strikes) > 1 else '')
                row = worst.setdefault(name, [0, 0, 0.0, 0.0, 0])
                row[0] += 1
                row[1] += r.takeovers
                row[2] = max(row[2], r.db)
                row[3] = max(row[3], r.http)
                row[4] += bool(r.problems)
        print('\n%-36s %6s %9s %9s %9s %6s' % (
            'fault', 'rounds', 'takeovers', 'db ms', 'http ms', 'failed'))
        for name in sorted(worst):
            print('%-36s %6d %9d %9.0f %9.0f %6d' % (name, *worst[name]))
        false = sum('FALSE FAILOVER' in p for r in done for p in r.problems)
        bad = sum(bool(r.problems) for r in done)
        for words, value in (
                ('seconds', '%.0f' % (time.monotonic() - self.begin)),
                ('rounds', len(done)),
                ('takeovers', sum(r.takeovers for r in done)),
                ('votes acknowledged', count['ack']),
                ('lost', count['lost']),
                ('present more than once, or cast twice', count['twice']),
                ('two-writer instants', count['two writers']),
                ('answers read after the next one wrote',
                 count['late answers']),
                ('longest outage at the database, ms', '%.0f' % max(
                    [r.db for r in done], default=0)),
                ('longest outage over HTTP, ms', '%.0f' % max(
                    [r.http for r in done], default=0)),
                ('false failovers', false),
                ('rounds that did not come well',
                 sum(r.broken for r in done)),
                ('hosts latched', count['latched']),
                ('rejoins begun: nothing to do, by rewind, by a copy',
                 ' / '.join(str(count['rejoin: ' + how])
                            for how in REJOINS)),
                ('hosts switched off by agents, and on by a person',
                 count['shot']),
                ('hosts that a person had to rebuild', count['rebuilt']),
                ('hosts that went on by a person\'s word', sum(
                    WORD in n for r in done for n in r.notes)),
                ('rounds in which persons did anything', sum(any(
                     n.startswith(PERSONS) for n in r.notes) for r in done)),
                ('votes without an answer', count['unknown']),
                ('of them hung to their limit, database / HTTP', '%d / %d' % (
                    count['hung db'], count['hung http'])),
                ('acknowledged with a warning', count['ack-warning'])):
            print('%-48s  %s' % (words, value))
        failed = bad + len(self.problems)
        print('%d passed, %d failed' % (len(done) - bad, failed))
        return 1 if failed or not done else 0
