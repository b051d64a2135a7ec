"""What an operator reads afterwards: who did what, how long nobody could
write, and that it is still what was written; all of one cluster that hands
over and then loses its primary."""

import json
import os
import re
import signal

import pytest

from lab import auditor, product, wait_for
from lab.cluster import now
from test_switchover import switchover


def objects(done):
    return [json.loads(x) for x in done.stdout.splitlines()]


def history(cluster, key, *words):
    done = cluster.hactl(key, 'history', '--json', *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return objects(done)[0]


def events(cluster, key, *words):
    return [x['ev'] for x in history(cluster, key, *words)['records']]


def report(cluster, key, *words):
    done = cluster.hactl(key, 'report', '--json', *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return objects(done)[0]


def check_report(doc, vote, at, holder, old, worse):
    """What it says of the outage is what the client saw, which is asked a
    little later and sees no less."""
    gap = auditor.outage(vote.attempts(), at) / 1e6
    print('outage by the report %s ms, by the client %.0f ms' % (
        doc.get('outage_ms'), gap))
    assert doc['holder'] == holder
    assert doc['to']['node'] == holder
    assert doc['from']['node'] == old
    assert -50 <= gap - doc['outage_ms'] <= worse
    assert doc['durability'] == 'strict'
    assert [x['at_ms'] for x in doc['timeline']] == sorted(
        x['at_ms'] for x in doc['timeline'])
    clocks = {x['node']: x for x in doc['clocks']}
    assert clocks[old]['by'] in ('record', 'now') and abs(
        clocks[old]['offset_ms']) < 1000


def check_json(cluster):
    """Of a real engine; what changes something is in the other tests."""
    for words in (['status'], ['checks'], ['drift'], ['plan', '--tables'],
                  ['plan', 'promote', 'prod-s2'],
                  ['plan', 'switchover', 'prod-s2'], ['register', 'show'],
                  ['history'], ['history', '--verify'], ['report'],
                  ['role', '--is', 'primary'], ['gate'], ['ping'], ['ack'],
                  ['config', 'check'], ['pki', 'check'], ['docs'],
                  ['promote', 'prod-s9'], ['unfence', '--yes'],
                  ['init', '--holder', 'prod-s1', '--yes'],
                  ['drift', '--apply', '--yes']):
        done = cluster.hactl('s1', *words, '--json')
        said = objects(done)
        assert said and all(x['schema'] == 1 for x in said), words
        assert said[-1]['exit'] == done.returncode, words
        if done.returncode != 0:
            assert said[-1]['refused'] and said[-1]['next'], (words, said)


def test_story(cluster):
    lab = cluster.lab
    check_json(cluster)
    vote = cluster.vote()
    vote.wait_acked(20)
    log = os.path.join(lab.dir, 'watch.log')
    with open(log, 'w') as out:
        watch = lab.s1.popen(['hactl', 'status', '--watch'], stdout=out)
    wait_for(lambda: 'prod-s2' in open(log).read(), 10, 'the watch began')

    at = now()
    done = switchover(cluster, 's1', 'prod-s2')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'took: ' in done.stdout
    cluster.wait_candidates('s2', ['prod-s1'], 30)
    cluster.wait_plan_end('s2')
    vote.wait_acked(20, since=at, server=lab.s2.address, deadline=10)
    doc = report(cluster, 's1')
    check_report(doc, vote, at, 'prod-s2', 'prod-s1', 400)
    assert doc['proof'] == 'released' and not doc['silent']
    assert doc['summary'].startswith('prod-s1 handed over to prod-s2 at ')
    steps = re.findall(r'^ +\d+\.\d+ s  (\w+) ', done.stdout, re.M)
    assert steps and len(set(steps)) == len(steps), done.stdout
    # What only asked, and was refused, is nobody's order.
    assert not [x for x in history(cluster, 's1', '--all')['records']
                if x['ev'] == 'order.refused' and 'ngine' in x['why']]
    # Nor is a register taken for right that refuses it.
    assert cluster.hactl('s1', 'register', 'adopt', '--yes').returncode == 1
    assert 'register.adopt' not in events(cluster, 'a1', '--all')
    assert [x['verb'] for x in history(cluster, 's1', '--all')['records']
            if x['ev'] == 'order.refused'][-1:] == ['register-adopt']
    orders = [x for x in history(cluster, 's1')['records']
              if x['ev'] == 'order.taken']
    assert [(x['verb'], x['uid']) for x in orders] == [
        ('init', 0), ('ack', 0), ('switchover', 0)]
    assert 'plan.row' not in events(cluster, 's2')
    assert 'plan.row' in events(cluster, 's2', '--all')
    said = open(log).read()
    assert re.search(r'^\d\d:\d\d:\d\d  prod-s2  primary;', said, re.M), said

    # The primary is lost, and comes back with its story.
    cluster.hactl('s2', 'ack')
    at = now()
    lab.s2.kill(lab.s2.pids('postgres'))
    vote.wait_acked(20, since=at, server=lab.s1.address, deadline=15)
    wait_for(lambda: report(cluster, 's1').get('outage_ms') is not None, 10,
             'both have written it down', every=0.3)
    doc = report(cluster, 's1', '3')
    check_report(doc, vote, at, 'prod-s1', 'prod-s2', 400)
    assert doc['epoch'] == 3 and doc['proof'] in ('released', 'lease')
    text = cluster.hactl('s2', 'report').stdout
    print(text)
    assert all(len(x) <= 80 for x in text.splitlines())
    assert text.startswith(('PostgreSQL on prod-s2 ended at ',
                            'prod-s2 let clients write no more at '))
    assert 'missing ' not in text
    assert 'no vote: strict' in ' '.join(text.split())
    # A witness knows the last epoch by the others.
    assert report(cluster, 'a1')['epoch'] == 3
    assert abs(report(cluster, 'a1', '3')['outage_ms'] -
               doc['outage_ms']) < 50
    markdown = cluster.hactl('s2', 'report', '2', '--markdown').stdout
    assert markdown.startswith('# Epoch 2')

    # An engine that ends leaves nothing half; the next goes on with it.
    cluster.engine_kill('s1')
    product.daemon_start(lab.s1)
    wait_for(lambda: cluster.hactl('s1', 'history', '--verify').returncode
             == 0, 15, 'the chain holds', every=0.2)
    assert not [x for x in cluster.events('s1')
                if x.get('ev') == 'history.failed']

    # Somebody would have it otherwise.
    path = '/var/lib/hawatch/history'
    lab.s1.write(path, lab.s1.read(path).replace(
        '"verb":"switchover"', '"verb":"reboot"'), 0o600)
    done = cluster.hactl('s1', 'history', '--verify')
    assert done.returncode == 1 and 'broken at history, line' in done.stderr
    done = cluster.hactl('s1', 'history')
    assert 'NOT AS IT WAS WRITTEN' in ' '.join(done.stdout.split())
    cluster.wait_role('s1', 'primary', 20)
    lab.s1.kill(lab.s1.pids('hactl'), signal.SIGINT)
    assert watch.wait(10) == 0


DECISIONS = ('plan.start', 'claim.proof', 'record.written', 'fence.open',
             'plan.end')


def check_change(cluster, epoch, old, new):
    """All that an audit of this change needs is written down."""
    doc = report(cluster, 's1', str(epoch))
    assert (doc['holder'], doc['old']) == (new, old), doc
    assert doc['proof'] == 'released' and doc['outage_ms'] > 0, doc
    assert doc['summary'].startswith(
        '%s handed over to %s at ' % (old, new)), doc['summary']
    mine = [x['ev'] for x in doc['timeline'] if x['node'] == new]
    assert not set(DECISIONS) - set(mine), (epoch, mine)
    gone = [x['ev'] for x in doc['timeline'] if x['node'] == old]
    assert not {'order.taken', 'fence.closed', 'record.written'} - set(gone)
    return doc


def test_busy(cluster, request):
    """Many changes of who may write, one after the other, and somebody who
    goes on asking for what is refused: none of them is left out."""
    if not request.config.getoption('--long'):
        pytest.skip('takes a minute: --long')
    # A storm of one kind costs the others nothing.
    cluster.lab.s2.run(
        ['sh', '-c', 'i=0; while [ $i -lt 600 ]; do hactl ack >/dev/null 2>&1;'
         ' i=$((i + 1)); done'], check=False, timeout=120)
    keys, epoch = ('s1', 's2'), 1
    for epoch in range(2, 12):
        old, new = keys[epoch % 2], keys[(epoch + 1) % 2]
        done = switchover(cluster, old)
        assert done.returncode == 0, done.stdout + done.stderr
        cluster.wait_candidates(new, ['prod-' + old], 30)
        cluster.wait_plan_end(new)
    wait_for(lambda: 'history.left-out' in events(cluster, 's2'), 30,
             'what is left out is counted', every=0.5)
    for at in range(2, epoch + 1):
        doc = check_change(cluster, at, 'prod-' + keys[at % 2],
                           'prod-' + keys[(at + 1) % 2])
        assert not [x for x in doc['anomalies']
                    if x['after_ms'] > 10000 or x['after_ms'] < -5000]
    left = [x for x in history(cluster, 's2')['records']
            if x['ev'] == 'history.left-out']
    assert left[0]['kinds']['order.refused'] > 100
    for key in keys:
        assert cluster.hactl(key, 'history', '--verify').returncode == 0
    text = cluster.hactl('s2', 'report', '2').stdout
    print(text)
