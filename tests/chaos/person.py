"""The person whom two lone hosts need, and what the manual promises of them.

Nobody takes over from a host that is only silent, and nobody writes while the
hosts do not hear each other, until it is proved that one of them is off: by
fence agents that tell the truth, or by this person. He says so only of a host
that is off: it lost its power, or he pulls its plug first, as the manual tells
him to, or he waits until both hear each other again. He is as good as his word,
and no agent lies here: with a proof that is false there may be two writers, and
the manual says so."""

from lab import wait_for
from lab.cluster import now

from . import orders
from .kinds import T

ALONE = (1.5 * T, 3 * T)    # seconds until he comes
CLOSED = T + 0.5            # the lease, and a busy machine
GOES_ON = 40                # seconds
BELIEVED = 20               # seconds: who was heard within two T is not off
AFTER = int(0.3e9)          # ns: what was on its way


class Person:
    """For one round. way: what the agents do, None without."""

    def __init__(self, stage, way):
        self.stage = stage
        self.way = way
        self.said = None        # when he said that a host is off
        self.pulled = None      # whose plug he pulled
        self.notes = []

    # -- what is promised ------------------------------------------------

    def proved(self, f):
        """Is another to go on by itself while this lasts?"""
        if f.strike.target in f.kind.heard:
            return False
        return f.strike.target not in f.kind.silent or (
            self.way == 'truth' and f.strike.kind != 'both-off')

    def _off(self, f):
        """Do switches see a host off, whatever else they do?"""
        return self.way is not None and f.strike.kind != 'both-off' and (
            f.kind.ends or f.strike.kind == 'standby-lost')

    def may_move(self, faults):
        """May the holder be another one now?"""
        for f in faults:
            silent = f.strike.target in f.kind.silent
            if f.kind.may_move(f.strike.target, f.seconds()) and (
                    f.kind.ends or not silent):
                return True
            if self.way == 'truth' and f.kind.lease and f.seconds() >= T / 2:
                return True
        return self.said is not None or (
            self.way == 'truth' and sum(f.kind.lease for f in faults) > 1)

    def closed(self, f):
        """(from, to) in which nobody may write while only this fault lasts."""
        if f.strike.target not in f.kind.silent or (
                self.way == 'truth' and self.proved(f)) or self._off(f):
            return None
        begin, end = f.begin + int(CLOSED * 1e9), self.said or f.end
        return (begin, end) if begin < end else None

    def judge(self, faults):
        """What was promised and not kept: [words]. What comes of two faults
        at once is for the votes to tell."""
        times = self.closed(faults[0]) if len(faults) == 1 else None
        by = self.stage.ledger.between(*times) if times else []
        return ['NOT CLOSED: %d votes by %s' % (len(by), ', '.join(
            sorted(set(by))))] if by else []

    # -- what he does ----------------------------------------------------

    def goes_on(self, f):
        """(keys, since when): whose votes end a fault that has no length."""
        if f.strike.kind == 'both-off':
            return [f.key], f.struck + AFTER
        if f.strike.kind == 'standby-lost':
            return [self.stage.other(f.key)], f.struck + AFTER
        return [self.stage.other(f.key)], f.begin

    def wait(self, f, taken):
        """While a fault lasts that nobody can decide but him. taken: does
        whoever is to go on take votes?"""
        low, high = ALONE
        end = now() + (low + f.strike.extra * (high - low)) * 1e9

        def there():
            self.stage.keeper.look()
            return now() > end or taken()
        wait_for(there, 2 * high, 'nothing', every=0.05)
        if taken():
            return
        lost, here = self._who(f)
        if f.strike.target in f.kind.heard:
            self._fence(lost, taken)
            return
        if self.stage.lab.host[lost].up:
            if f.strike.extra < 0.5:
                self.notes.append('waits for ' + lost)
                return
            self.pulled = lost
            self.stage.keeper.off.add(lost)
            self.stage.lab.power_cut(lost)
        elif f.strike.kind == 'both-off' and f.strike.extra < 0.3:
            self.notes.append('waits for ' + lost)
            return
        self._say(here)
        wait_for(taken, GOES_ON, '%s goes on by a person\'s word' % here,
                 every=0.05)

    def _fence(self, key, taken):
        """It cannot write, and is heard: a word about it is not believed, and
        its lease is no proof. Stopped by order it gives the record away."""
        order = orders.fence(self.stage, key, None)
        self.notes.append('%s is fenced by a person' % key)
        wait_for(lambda: self.stage.keeper.look() or taken(), GOES_ON,
                 'another takes over from ' + key, every=0.05)
        order.wait(GOES_ON)

    def _who(self, f):
        """(who is to be off, who is to go on)"""
        if f.strike.kind == 'both-off':
            return self.stage.other(f.key), f.key
        return f.key, self.stage.other(f.key)

    def _say(self, key):
        """That the other one is off, until he is believed."""
        self.said = now()
        last = ['']

        def believed():
            self.stage.keeper.look()
            done = self.stage.site.hactl(
                key, 'promote', self.stage.lab.host[key].name, '--fenced',
                'pulled the plug', '--yes')
            last[0] = ' '.join((done.stdout + done.stderr).split())
            return done.returncode == 0
        try:
            wait_for(believed, BELIEVED, 'a person is believed', every=0.2)
        except AssertionError as e:
            raise AssertionError('%s: %s' % (e, last[0])) from None
        self.notes.append('%s goes on by a person\'s word' % key)

    def plugs_in(self):
        """Whom he switched off."""
        if self.pulled and not self.stage.lab.host[self.pulled].up:
            self.stage.lab.boot(self.pulled)
            self.stage.keeper.off.discard(self.pulled)
