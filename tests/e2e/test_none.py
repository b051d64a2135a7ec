"""Two lone hosts: the register is a copy on each, and what one of them may do
alone is what somebody says of the other."""

import json
import os

import pytest

from crash.rounds import Unit
from lab import faults, wait_for
from lab.cluster import Cluster, now
from lab.power import Power

T = 1.0
SETTINGS = {'ttl': '1s', 'min_interval': '0s'}
AGENTS = '''proofs = [ "released", "agent" ];
agent_after = "1500ms";
agents = (
%s
);
''' % ',\n'.join(
    '  { name = "power-%s"; node = "prod-%s"; agent = "/etc/hawatch/fence_lab"; '
    'timeout = "5s"; retries = 0; options = [ "plug=%s", "way=truth" ]; '
    'secrets = [ "password=/etc/hawatch/power.pw" ]; }' % (key, key, key)
    for key in ('s1', 's2'))


@pytest.fixture
def lone(make_cluster):
    return make_cluster(register='none', settings=SETTINGS)


def taken(cluster, key, *words):
    """The order is taken, as soon as nothing stands against it."""
    def done():
        answer = cluster.hactl(key, *words, '--yes')
        cluster.last = answer.stdout + answer.stderr
        return answer.returncode == 0
    wait_for(done, 20, 'hactl %s is taken' % words[0], every=0.2)


def word(cluster, key):
    """A person has made sure that the other host is off."""
    taken(cluster, key, 'promote', 'prod-' + key, '--fenced',
          'pulled the plug')


def silence(vote, since, seconds):
    """Nothing is acknowledged from T after that on."""
    end = since + int((T + 0.8) * 10**9)
    wait_for(lambda: now() > end, 10, 'the lease has ended', every=0.05)
    start = now()
    wait_for(lambda: now() - start > seconds * 10**9, 10, 'then some more',
             every=0.1)
    assert not vote.acked(start)


def said(cluster, key, *words):
    return ' '.join(cluster.hactl(key, *words).stdout.split())


def test_by_a_persons_word(lone, request):
    """The standby is lost: writes stop, and go on by a person's word. The
    primary is lost: nobody takes over but by a person's word; the old one comes
    back closed, and learns."""
    lab = lone.lab
    vote = lone.vote()
    vote.wait_acked(20)
    assert lone.status('s1')['register']['type'] == 'none'
    wait_for(lambda: lone.hactl('s2', 'preflight').returncode == 0, 10)
    assert 'prod-s2 takes over only if PostgreSQL on prod-s1 ends' in said(
        lone, 's2', 'preflight')
    at = now()
    faults.standby_lost(lab)
    silence(vote, at, 0.5)
    assert lone.status('s1')['waits_for'] == 'other-silent'
    assert 'hactl promote prod-s1 --fenced' in said(lone, 's1', 'why')
    back = now()
    word(lone, 's1')
    vote.wait_acked(20, since=back, server=lab.s1.address)
    assert lone.record('s1')['epoch'] == 1
    assert lone.candidates('s1') == []
    lab.boot('s2')
    lone.wait_candidates('s1', ['prod-s2'], 20)
    assert {e['text'] for e in lone.events('s1')
            if e.get('ev') == 'register.both'} == {'prod-s2'}
    vote.wait_acked(20, since=now())
    faults.host_lost(lab)
    at = now()
    silence(vote, at, 0.5)
    assert lab.pg['s2'].in_recovery()
    why = said(lone, 's2', 'why')
    assert 'hactl promote prod-s2 --fenced' in why, why
    word(lone, 's2')
    vote.wait_acked(20, since=at, server=lab.s2.address)
    assert [e['text'] for e in lone.events('s2')
            if e.get('ev') == 'claim.proof'] == ['operator: pulled the plug']
    if not request.config.getoption('--long'):
        return
    lab.boot('s1')
    wait_for(lambda: lone.record('s1').get('epoch') ==
             lone.record('s2')['epoch'] > 1, 20, 'prod-s1 learns')
    assert lone.http('s1', '/primary')[0] == 503
    assert lone.audit('s2', changes=2)['ok']


def test_primary_without_room(make_cluster):
    """It is heard, and so never off: it stops by itself, and hands over."""
    lone = make_cluster(register='none', settings=SETTINGS,
                        data_tmpfs={'s1': '300m'})
    lab = lone.lab
    vote = lone.vote()
    vote.wait_acked(20)
    lab.s1.fill('/var/lib/postgresql')
    at = now()
    vote.wait_acked(50, since=at, server=lab.s2.address, deadline=20)
    assert lone.status('s2')['durable']['proof'] == 'released'
    assert lone.audit('s2')['ok']


@pytest.fixture
def long_only(request):
    """Before any cluster is made."""
    if not request.config.getoption('--long'):
        pytest.skip('--long')


def test_reboots_and_switchover(long_only, lone):
    """A switchover asks nobody. Both lose their power and one comes back: it
    stays closed until the other is there."""
    lab = lone.lab
    vote = lone.vote()
    vote.wait_acked(20)
    done = lone.hactl('s1', 'switchover', '--yes', '--end-transactions')
    assert done.returncode == 0, done.stdout + done.stderr
    vote.wait_acked(20, since=now(), server=lab.s2.address)
    lone.wait_candidates('s2', ['prod-s1'], 30)
    faults.host_lost(lab, 's1')
    faults.host_lost(lab, 's2')
    at = now()
    lab.boot('s2')
    silence(vote, at, 3)
    assert lone.http('s2', '/primary')[0] == 503
    lab.boot('s1')
    vote.wait_acked(20, since=at, deadline=40)
    lone.wait_candidates('s2', ['prod-s1'], 30)
    # A server that ends is released by its engine, and needs no proof.
    at = now()
    faults.databases_killed(lab, 's2')
    vote.wait_acked(20, since=at, server=lab.s1.address, deadline=20)
    assert lone.audit('s1', changes=4)['ok']


CRASH = os.environ.get('HAWATCH_BUILD_CRASH')
# Of a renewal: nothing is written; the first copy may be; the first copy is,
# whose host that is; both are.
PLACES = ('idle:cas-before:4', 'idle:fsync-before:7', 'idle:fsync-after:7',
          'idle:cas-sent:4', 'idle:cas-reply:4')


def test_killed_between_the_copies(long_only, make_cluster, monkeypatch):
    """The holder's engine is killed at the steps of a write, on the host whose
    copy is first and on the other, and is started again: it goes on, and both
    copies are the same in the end."""
    if not CRASH:
        pytest.skip('HAWATCH_BUILD_CRASH is not set')
    monkeypatch.setenv('HAWATCH_BUILD', CRASH)
    lone = make_cluster(register='none', settings=SETTINGS)
    vote = lone.vote()
    vote.wait_acked(20)
    for key, other in (('s1', 's2'), ('s2', 's1')):
        if key == 's2':
            taken(lone, 's1', 'switchover', '--end-transactions')
        lone.wait_candidates(key, ['prod-' + other], 30)
        for place in PLACES:
            unit = Unit(lone)
            unit.arm(key, place)
            unit.wait(lambda: key in unit.ended, 20, 'an end at ' + place)
            assert unit.unasked == []
            lone.wait_role(key, 'primary', 20)
            vote.wait_acked(20, since=now(), server=lone.lab.host[key].address)
            lone.wait_candidates(key, ['prod-' + other], 30)
    wait_for(lambda: nonce(lone, 's1') == nonce(lone, 's2'), 20,
             'both copies are the same')
    assert lone.record('s2')['epoch'] == 2
    assert lone.audit('s2', changes=1)['ok']


def nonce(cluster, key):
    return json.loads(cluster.hactl(
        key, 'register', 'show', '--json').stdout)['record']['nonce']


def power_calls(lab):
    return lab.s1.read('/run/power/calls').split('\n')[:-1]


@pytest.fixture
def powered(request, template):
    cluster = Cluster(register='none', settings=dict(SETTINGS, more=AGENTS))
    power = Power(cluster.lab)
    yield cluster.up(template)
    power.stop()
    if getattr(request.node, 'failed', False):
        print(cluster.logs())
    cluster.down()


def test_by_agents(long_only, powered):
    """Agents see the standby's host off, and the primary goes on; they switch
    the primary's host off, and the standby takes over."""
    lab = powered.lab
    vote = powered.vote()
    vote.wait_acked(20)
    at = now()
    faults.standby_lost(lab)
    silence(vote, at, 1)
    assert power_calls(lab) != []
    lab.s1.write('/run/power/s2.is-off', '')    # what its switch says
    vote.wait_acked(20, since=at + 3 * 10**9, deadline=20)
    assert powered.status('s1')['register']['without'] == 'prod-s2'
    assert set(power_calls(lab)) <= {'s2 status', 's2 monitor'}
    os.unlink(lab.s1.path('/run/power/s2.is-off'))
    lab.boot('s2')
    powered.wait_candidates('s1', ['prod-s2'], 30)
    faults.engine_stopped(lab)
    at = now()
    vote.wait_acked(20, since=at, server=lab.s2.address, deadline=20)
    assert not lab.s1.up
    assert powered.status('s2')['durable']['proof'] == 'agent'
    assert powered.audit('s2', changes=2)['ok']
