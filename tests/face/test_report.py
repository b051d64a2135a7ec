"""What is told afterwards, and meanwhile: history, report, watch."""

import re
import signal
import subprocess
import threading
import time

import pytest

import samples
from engine import HACTL, Engine, Terminal, run
from face import too_wide, objects


def test_durations_of_steps(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(engine, 'switchover', '--yes')
    assert 'took: drain 0.229 s, checkpoint 123.226 s' in ' '.join(
        done.stdout.split())
    last = objects(run(engine, 'switchover', '--yes', '--json').stdout)[-1]
    assert last['took_ms'] == {'drain': 229, 'checkpoint': 123226}
    engine.close()


def test_a_long_step_counts(tmp_path):
    """On a terminal, until the next one comes; a file holds lines alone."""
    go_on = threading.Event()
    steps = samples.STEPS[:1] + [go_on] + samples.STEPS[1:]
    engine = Engine(str(tmp_path), {'switchover': steps})
    terminal = Terminal(HACTL, 'switchover', '--yes', '-s', engine.path)
    terminal.read_until('...  for 0.5 s')
    terminal.read_until('...  for 0.7 s')
    go_on.set()
    assert terminal.end() == 0
    assert '\r\033[K' in terminal.text
    assert 'for 0.' not in run(engine, 'switchover', '--yes').stdout
    # A refusal begins a line of its own.
    go_on.clear()
    engine.answers['switchover'] = [samples.STEPS[0], go_on, {
        'exit': 8, 'refused': 'taken back', 'next': 'hactl status'}]
    terminal = Terminal(HACTL, 'switchover', '--yes', '-s', engine.path)
    terminal.read_until('...  for 0.5 s')
    go_on.set()
    assert terminal.end() == 8
    assert '\r\033[Khactl: taken back' in terminal.text
    engine.close()


def test_history(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(engine, 'history', '--all')
    assert engine.asked[-1] == {'verb': 'history', 'all': True}
    said = ' '.join(done.stdout.split())
    assert '2025-11-21 00:00:00 12345 order.taken promote, by root, ' \
        'why plug pulled' in said
    assert 'NOT AS IT WAS WRITTEN' in said
    assert 'proof operator: plug pulled' in said
    assert ('history.left-out lines of that time are left out: '
            '17 of order.refused') in said
    assert done.returncode == 1
    assert ('the chain is broken at history.1, line 12: the line has no sum'
            in ' '.join(done.stderr.split()))
    doc = engine.answers['history'][0]
    del doc['broken']
    doc['exit'] = 0
    done = run(engine, 'history', '--verify')
    assert done.returncode == 0 and not done.stderr
    assert 'the chain holds: 1234 lines in 2 files' in done.stdout
    assert 'ab' * 32 in done.stdout
    engine.close()


def test_report(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(engine, 'report', '12')
    assert {'verb': 'report', 'epoch': 12} in engine.asked
    said = ' '.join(done.stdout.split())
    assert said.startswith(
        'PostgreSQL on prod-s1 ended at 2025-11-21 00:00:00 UTC; prod-s2 took '
        'over after 1.403 s. Epoch 12 of cluster prod: held by prod-s2')
    assert ('outage 1.403 s: the last write was possible on prod-s1 until '
            '00:00:00.997 (postmaster.gone), the first on prod-s2 from '
            '00:00:02.400 on') in said
    assert 'proof lease' in said and 'no vote: strict' in said
    assert '80 bytes of write-ahead log behind' in said
    assert ('prod-s1 is 5.003 s ahead of it, by 3 changes of the record that '
            'both saw, which differ by 0.000 s') in said
    assert 'silent prod-a1' in said
    assert 'much later' not in said
    assert ('What happened each line at its moment, UTC, and how long after '
            'the last write was possible on prod-s1; what took time stands '
            'where it was over') in said
    assert '+ 1.350 s prod-s2 plan.row: takeover: claim is done, the step ' \
        'took 120 ms' in said
    times = re.findall(r'^(\d\d:\d\d:\d\d\.\d\d\d) ', done.stdout, re.M)
    assert times[1:] == sorted(times[1:])       # after the one odd line

    doc = objects(run(engine, 'report', '--json').stdout)[0]
    assert doc['outage_ms'] == 1403 and doc['bytes_behind'] == 80
    assert doc['from']['node'] == 'prod-s1' and doc['silent'] == ['prod-a1']
    assert [x['ev'] for x in doc['anomalies']] == ['plan.late']
    assert doc['clocks'][0]['offset_ms'] == 5003
    assert doc['since'] == 'the last write was possible on prod-s1'
    assert doc['since_at_ms'] == doc['from']['at_ms']
    assert [(x['ev'], x['after_ms'], x['took_ms']) for x in doc['timeline']
            if 'took_ms' in x] == [('plan.row', 1350, 120)]

    text = run(engine, 'report', '--markdown').stdout
    assert text.startswith('# Epoch 12 of cluster prod: held by prod-s2\n')
    assert 'settle \\| \\<late\\>' in text
    assert 'Each line at its moment, UTC' in text
    assert '| takeover: claim is done, the step took 120 ms |' in text
    assert len(set(x.count('|') - x.count('\\|') for x in text.splitlines()
                   if x.startswith('|'))) == 1
    engine.close()


def test_report_of_a_bounded_takeover(tmp_path):
    """The bytes at risk, instead of the word that no vote is."""
    doc = samples.report(samples.SHORT)
    for records in [h['records'] for h in doc['hosts'] if 'records' in h]:
        for x in records:
            if 'durability' in x:
                x['durability'] = 'bounded'
    doc['hosts'][1]['records'].append(samples.line(
        2100, 'prod-s2', 'takeover.loss', epoch=12, text='at most 4096 bytes '
        'of what is known to have been written are missing here'))
    engine = Engine(str(tmp_path), {'report': [doc]})
    said = ' '.join(run(engine, 'report').stdout.split())
    assert ' loss at most 4096 bytes of what is known to have been written ' \
        'are missing here log 80 bytes of write-ahead log behind: ' in said
    assert 'no vote' not in said and 'was acknowledged' not in said
    assert '- **loss**: at most 4096 bytes of what' in run(
        engine, 'report', '--markdown').stdout
    assert objects(run(engine, 'report', '--json').stdout)[-1]['loss'] \
        .startswith('at most 4096 bytes of')
    engine.close()


def test_report_of_what_is_left(tmp_path):
    """The old primary is gone with its story, and its clock with it."""
    doc = samples.report(samples.SHORT)
    doc['hosts'][0] = {'node': 'prod-s1', 'silent': 'connect-timeout',
                       'data': True}
    start = next(x for x in doc['hosts'][1]['records']
                 if x['ev'] == 'plan.start')
    start.update(old='prod-s1', heard_ms=600)
    engine = Engine(str(tmp_path), {'report': [doc]})
    said = ' '.join(run(engine, 'report').stdout.split())
    assert ('about 1.500 s: when the last write was possible is not known; '
            'prod-s2 heard of prod-s1 last at 00:00:00.900, and is open from '
            '00:00:02.400 on') in said
    assert 'silent prod-s1, prod-a1' in said
    assert said.startswith('prod-s1 was heard of last at 2025-11-21 00:00:00 '
                           'UTC; prod-s2 took over after about 1.500 s. ')
    assert ('missing not all lines of prod-s1 are here; its log has them: '
            'ssh prod-s1 "journalctl -u hawatchd --utc --since '
            "'2025-11-20 23:59:") in said

    # Nothing that both saw: by the answer.
    doc['hosts'][0] = {'node': 'prod-s1', 'sent_ms': 1000, 'got_ms': 1020,
                       'wall_ms': 2010, 'records': [samples.line(
                           1700, 'prod-s1', 'fence.closed', epoch=11)]}
    said = ' '.join(run(engine, 'report').stdout.split())
    assert 'prod-s1 is 1.000 s ahead of it now, by its answer' in said
    assert 'outage 1.700 s' in said

    doc['hosts'] = [{'node': x, 'silent': 'timeout'} for x in samples.SHORT]
    done = run(engine, 'report')
    assert done.returncode == 1 and 'next:  hactl history' in done.stderr
    assert 'no host that answers has written anything down of that epoch' in \
        ' '.join(done.stderr.split())
    assert run(engine, 'report', 'last').returncode == 2
    engine.close()


def test_report_of_the_last_change(tmp_path):
    """The last epoch as some data node shows it, so that a witness can be
    asked; and not one in which the primary only wrote its record again."""
    names = samples.SHORT
    docs = {12: samples.report(names),
            13: samples.rewritten(names, 13, 12),
            15: samples.rewritten(names, 15, 13)}
    status = samples.answers(names)['status']
    for node in status[0]['nodes']:
        if 'record' in node:
            node['record']['epoch'] = 15
    engine = Engine(str(tmp_path), {
        'status': status, 'report': lambda request: [docs[request['epoch']]]})
    again = ('No takeover: prod-s2 was the primary and stayed it, and lets '
             'clients write now. Its record was written again as epoch %d at '
             '2025-11-21 00:00:00 UTC, since the register had come back cold; '
             'no line says that clients had to wait.')
    said = ' '.join(run(engine, 'report').stdout.split())
    assert [x['epoch'] for x in engine.asked if x['verb'] == 'report'] == [
        15, 13, 12]
    assert 'took over after 1.403 s. Epoch 12 of cluster prod: held by ' \
        'prod-s2 later epoch 13: ' + again % 13 + ' later epoch 15: ' + \
        again % 15 + ' outage 1.403 s' in said, said
    doc = objects(run(engine, 'report', '--json').stdout)[-1]
    assert doc['epoch'] == 12 and doc['later'] == [
        {'epoch': x, 'summary': again % x} for x in (15, 13)]

    # Whoever asks for one gets it.
    said = ' '.join(run(engine, 'report', '15').stdout.split())
    assert said.startswith(again % 15 + ' Epoch 15 of cluster prod: held by ')
    assert 'outage none: ' in said and 'proof none was needed' in said
    assert 'missing' not in said and 'later' not in said

    # Where nothing is known of the change itself, the last one.
    docs[12]['hosts'] = []
    done = run(engine, 'report')
    assert done.returncode == 0 and not done.stderr
    assert ' '.join(done.stdout.split()).startswith(again % 15)
    engine.close()


def test_watch_on_a_terminal(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    terminal = Terminal(HACTL, 'status', '--watch', '-s', engine.path)
    terminal.read_until('\033[H\033[J')
    terminal.read_until('epoch 12345')
    engine.answers['status'][0]['nodes'][0]['record']['epoch'] = 777777
    for node in engine.answers['status'][0]['nodes']:
        node['record']['epoch'] = 777777
    terminal.read_until('epoch 777777')
    engine.close()
    terminal.read_until('the engine does not answer')
    terminal.write('\x03')
    assert terminal.end() == 0


def test_watch_in_a_file(tmp_path):
    """Only what changes; what counts down does not."""
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    doc = engine.answers['status'][0]
    done = [subprocess.Popen(
        [HACTL, 'status', '--watch', '-s', engine.path] + more,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        for more in ([], ['--json'])]
    wait(lambda: len(engine.asked) >= 5)
    doc['nodes'][0]['lease']['left_ms'] = 1
    doc['nodes'][0]['postgres']['wal_end'] = '16FFAB12/D374D848'
    before = len(engine.asked)
    wait(lambda: len(engine.asked) >= before + 5)
    doc['nodes'][1]['role'] = 'claiming'
    before = len(engine.asked)
    wait(lambda: len(engine.asked) >= before + 5)
    for p in done:
        p.send_signal(signal.SIGINT)
    text, lines = [p.communicate(timeout=10)[0] for p in done]
    assert [p.returncode for p in done] == [0, 0]
    assert len(objects(lines)) == 2
    assert [x['nodes'][1]['role'] for x in objects(lines)] == [
        'standby', 'claiming']
    assert len(re.findall(r'^\d\d:\d\d:\d\d  prod-s1 ', text, re.M)) == 1
    words = ' '.join(text.split())
    assert 'fence open' in words and 'fence readers' in words
    assert len(re.findall(r'^\d\d:\d\d:\d\d  prod-s2 ', text, re.M)) == 2
    assert not too_wide(text)
    engine.close()


@pytest.mark.parametrize('words', [
    ['docs'], ['docs', '--json'], ['status'], ['status', '--json'],
    ['status', '--watch'], ['status', '--watch', '--json'],
    ['switchover', '--yes'], ['switchover', '--yes', '--json']],
    ids=' '.join)
def test_what_cannot_be_written(tmp_path, words):
    """A disk that is full is no success, however late it is seen; and nobody
    watches for it."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    argv = [HACTL] + words + ([] if words[0] == 'docs' else
                              ['-s', engine.path])
    with open('/dev/full', 'w') as full:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=full,
                              timeout=20)
    assert done.returncode == 7
    engine.close()


def wait(ready, seconds=20):
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, 'late'
        time.sleep(0.02)
