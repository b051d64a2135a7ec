"""What an engine may say: with the names that people give their hosts, and
with the longest that the configuration takes."""

import copy

SHORT = ['prod-s1', 'prod-s2', 'prod-a1']
LONG = [('webserver-of-the-election-platform-in-the-northern-data-centre-'
         + x)[:63 - 3] + '-' + x for x in ('s1', 's2', 'a1')]
LONG_TEXT = ('the line that should read db.default.url is not there, and '
             'three others read db.default.url.of.the.old.primary') * 2


def node(name, role, names, **more):
    primary = role == 'primary'
    doc = {
        'schema': 1, 'node': name, 'data': role != 'witness',
        'arbiter': role == 'witness', 'mode': 'auto', 'role': role,
        'version': '0.1.0',
        'postgres': {'state': 'primary' if primary else 'standby',
                     'recovery': 'no' if primary else 'yes',
                     'timeline': 1234567890, 'wal_end': '16FFAB12/B374D848',
                     'receiver': not primary, 'upstream': '16FFAB12/C374D848',
                     'senders': [{'node': names[1]}],
                     'source': [] if primary else [names[0]],
                     'seen_ms': 120, 'system_id': '7312345678901234567'},
        'record': record(names),
        'paused': {'until': '2026-11-21T01:30:00Z', 'left_ms': 1234567,
                   'why': LONG_TEXT[:119], 'by': 'amy' * 20 + ' (uid 1234)',
                   'written': True},
        'register': {'read': True, 'revision': 123456789},
        'lease': {'mine': primary, 'left_ms': 123456, 'endless': False},
        'fence': {'writers': 'open' if primary else 'closed',
                  'readers_ms': 0 if primary else 1500, 'armed': 'yes',
                  'armed_why': ''},
        'waits_for': '' if primary else 'lease-runs',
        'waits_text': '' if primary else 'the lease may still run',
        'duty': {'name': 'serve' if primary else 'follow',
                 'why': 'the record says so, and PostgreSQL is as it says'},
        'claim': {'block': 'lease-runs', 'in_ms': 2000, 'text': 'waits'},
        'durable': {'latch': False, 'latch_why': ''},
        'site': {'role': role, 'primary': names[0]},
        'ready': {'ok': primary, 'reasons': [] if primary else
                  ['config-differs', 'plan-runs'], 'texts': [] if primary else
                  ['the hosts\' configurations differ', LONG_TEXT]},
        'health': {'ok': primary, 'reasons': '', 'spared': []},
        'checks': [
            {'name': 'iam-http-through-the-balancer', 'type': 'http',
             'up': 'yes', 'reason': '', 'seen_ms': 300,
             'since_ms': 7200000000, 'took_us': 912345678, 'health': True},
            {'name': 'ballot-box', 'type': 'supervisor', 'up': 'no',
             'reason': 'program-fatal:' + 'ballot-box-of-the-election' * 3,
             'seen_ms': 300, 'since_ms': 42000, 'took_us': 900,
             'health': True}],
        'drift': {'count': 1, 'items': [
            {'name': 'database-address-of-the-ballot-box', 'type': 'line',
             'holds': 'no', 'reason': LONG_TEXT, 'seen_ms': 5}]},
        'traffic': [{'name': 'loadbalancer-in-front-of-everything',
                     'ok': 'no', 'reason': LONG_TEXT, 'seen_ms': 5,
                     'in': [names[0]], 'out': [names[1]]}],
    }
    if role == 'witness':
        for key in ('ready', 'postgres', 'checks', 'drift', 'traffic', 'health'):
            del doc[key]
    doc.update(more)
    return doc


def record(names):
    return {'format': 1, 'cluster': 'prod', 'epoch': 12345, 'seq': 99,
            'holder': names[0], 'state': 'held', 'candidates': [names[1]],
            'ttl_ms': 5000, 'timeline': 12, 'lsn': '16FFAB12/B374D848',
            'system_id': '7312345678901234567',
            'taken_at_ms': 1763683200000,
            'paused': {'until_ms': 1763683200000, 'why': LONG_TEXT[:119],
                       'by': 'amy' * 20}}


def register(names):
    return {'instance': '0123456789abcdef0123456789abcdef', 'cold': True,
            'revision': 12345678, 'reported': [names[0]],
            'record': record(names)}


def status(names):
    return {'exit': 0, 'schema': 1, 'cluster': 'prod', 'self': names[0],
            'nodes': [node(names[0], 'primary', names),
                      node(names[1], 'standby', names),
                      node(names[2], 'witness', names)],
            'register': register(names)}


def plan(names):
    rows = [{'plan': p, 'row': row, 'limit_ms': 2500, 'late': 'abandon',
             'goal': 'the goal of this step is observed, and not believed',
             'forward': row == 'promote'}
            for p in ('switchover', 'takeover')
            for row in ('claim', 'proof', 'converge', 'traffic', 'verify',
                        'promote')]
    return {'exit': 0, 'schema': 1,
            'node': node(names[1], 'standby', names), 'rows': rows,
            'items': [{'name': 'database-address-of-the-ballot-box',
                       'what': '/srv/election/settings/local.py',
                       'becomes': LONG_TEXT, 'before': False}],
            'traffic': [{'name': 'lb', 'becomes': LONG_TEXT}],
            'verify': ['iam-http-through-the-balancer']}


STEPS = [{'step': 'drain', 'ms': 1, 'goal': 'no client is connected'},
         {'waits': 'lease-runs', 'ms': 120,
          'text': 'the holder\'s lease may still run'},
         {'step': 'checkpoint', 'ms': 230, 'goal': LONG_TEXT},
         {'note': LONG_TEXT, 'ms': 240},
         {'exit': 0, 'done': 'the target has taken over', 'epoch': 2,
          'ms': 123456}]


def line(ms, name, ev, **more):
    return dict({'at': '2025-11-21T00:00:00.000Z', 'at_ms': 1763683200000 + ms,
                 'node': name, 'ev': ev, 'level': 'notice'}, **more)


def history(names):
    return {'exit': 1, 'node': names[0], 'lines': 1234, 'files': 2,
            'sum': 'ab' * 32, 'broken': {'file': 'history.1', 'line': 12,
                                         'why': 'the line has no sum'},
            'records': [
                line(0, names[0], 'order.taken', verb='promote', uid=0,
                     pid=99, why='plug pulled', epoch=12345),
                line(1, names[0], 'plan.end', text='takeover: ' + LONG_TEXT,
                     proof='operator', proof_why='plug pulled', epoch=12345,
                     unlinked=True),
                line(2, names[0], 'standby.added', text=names[1],
                     epoch=12345),
                line(3, names[0], 'history.left-out', epoch=12345,
                     left_out=17, kinds={'order.refused': 17},
                     text='17 of order.refused', change=True)]}


SKEW = 5000        # ms that the old primary's clock is ahead


def report(names):
    """s1 is killed, s2 takes over; the clock of s1 is wrong."""
    old, new, other = names
    seen = [(0, 11, 'held', old), (2000, 12, 'claimed', new),
            (2300, 12, 'held', new)]
    wal = {'wal': '0/3000150', 'durability': 'strict', 'in_force': [new]}

    def saw(name, late):
        return [line(ms + late, name, 'record.seen', epoch=e, state=state,
                     holder=who) for ms, e, state, who in seen]

    first = saw(old, SKEW + 3) + [
        # Nothing of this outage: it was open again.
        line(200 + SKEW, old, 'fence.closed', epoch=11, **wal),
        line(300 + SKEW, old, 'fence.open', epoch=11, **wal),
        line(1000 + SKEW, old, 'postmaster.gone', epoch=11, **wal),
        line(1001 + SKEW, old, 'fence.closed', epoch=11, text='no lease',
             **wal)]
    second = saw(new, 0) + [
        line(1500, new, 'plan.start', epoch=11, text='takeover: claim',
             **dict(wal, wal='0/3000100')),
        line(2347, new, 'plan.row', epoch=12, level='info',
             text='takeover: claim after 120 ms'),
        line(2350, new, 'plan.late', epoch=12, text='settle | <late>',
             level='warn'),
        line(2400, new, 'fence.open', epoch=12, text='epoch 12',
             proof='lease', proof_why='', **wal),
        line(500000, new, 'plan.end', epoch=12, text='much later')]
    for lines in (first, second):
        lines.sort(key=lambda x: x['at_ms'])
    asked = {'sent_ms': 1000, 'got_ms': 1020}
    return {'exit': 0, 'cluster': 'prod', 'self': new, 'epoch': 12, 'hosts': [
        dict(asked, node=old, wall_ms=1010 + SKEW, records=first),
        dict(asked, node=new, wall_ms=1010, records=second),
        {'node': other, 'silent': 'connect-timeout'}]}


def rewritten(names, epoch, before):
    """s2, the primary, writes its record again as that epoch."""
    now = {'epoch': epoch, 'holder': names[1], 'primary': True}
    return {'exit': 0, 'cluster': 'prod', 'self': names[1], 'epoch': epoch,
            'hosts': [{'node': names[1], 'now': now, 'records': [
                line(-60000, names[1], 'fence.open', epoch=before),
                line(0, names[1], 'register.cold', epoch=before),
                line(30, names[1], 'record.written', epoch=epoch,
                     text='held epoch %d seq 8, candidates none' % epoch)]}]}


def reload(names):
    """Two hosts with the same new file, and one that is down."""
    changes = [
        {'key': 'checks[web].timeout', 'old': '1s, the default', 'new': '2s',
         'live': True},
        {'key': 'converge[app].primary', 'old': 'not shown',
         'new': 'not shown', 'live': True},
        {'key': 'checks', 'old': ', '.join(['pg'] * 20),
         'new': ', '.join(['web'] * 20), 'live': True}]
    hosts = [{'node': n, 'applied': True, 'digest': '0123456789abcdef',
              'changes': changes} for n in names[:2]]
    return {'exit': 0, 'applied': True, 'self': names[0], 'differ': [],
            'path': '/etc/hawatch/hawatch.conf', 'seen': '%s=0123456789abcdef '
            '%s=0123456789abcdef ' % tuple(names[:2]), 'nodes': hosts +
            [{'node': names[2], 'silent': 'connect-timeout'}]}


def reload_refused(names):
    """One has a bad file, and one a plan that runs."""
    obj = reload(names)
    obj['nodes'][0] = {
        'node': names[0], 'applied': False, 'refused': 'its file has 1 error, '
        'and what runs goes on', 'next': 'hactl config check',
        'errors': ['/etc/hawatch/hawatch.conf:12: modes: unknown key; did '
                   'you mean "mode"?']}
    obj['nodes'][1].update(applied=False, refused='a plan runs')
    obj.update(exit=1, applied=False, next='hactl config check',
               refused='%s: its file has 1 error, and what runs goes on; '
               'nothing was changed on any host' % names[0])
    return obj


def config_diff(names):
    return {'exit': 1, 'self': names[0],
            'path': '/etc/hawatch/hawatch.conf', 'nodes': [
        {'node': names[1], 'keys': [
            {'key': 'lease.slack', 'here': '50ms, the default',
             'there': '40ms', 'safety': True},
            {'key': 'checks[web].window', 'here': '7', 'there': '8',
             'safety': False}]},
        {'node': names[2], 'keys': []}]}


def would(names):
    return {'exit': 0, 'would': [
        {'serial': 1, 'at_ms': 1793000000123, 'text': '%s is lost: after '
         '2.1 s %s would have been promoted; it lacks 100 bytes of what was '
         'seen there last, for which no commit would have been acknowledged'
         % (names[0], names[1])}]}


def answers(names):
    found = {verb: STEPS for verb in
             ('promote', 'switchover', 'init', 'pause', 'resume', 'fence',
              'unfence', 'rejoin', 'ack', 'drift-apply',
              'notify-test')}
    found.update({
        'status': [status(names)],
        'plan': [plan(names)],
        'register-show': [{'exit': 0, 'register': register(names)}],
        'register-adopt': [{'exit': 0, 'register': register(names)}],
        'history': [history(names)],
        'report': [report(names)],
        'reload': [reload(names)],
        'config-diff': [config_diff(names)],
        'would': [would(names)],
        'role': [{'exit': 0, 'role': 'primary'}],
        'gate': [{'exit': 0, 'as': 'primary'}],
        'ping': [{'exit': 0, 'node': names[0], 'version': '0.1.0',
                  'pid': 4194304, 'up_ms': 123456789}],
    })
    return copy.deepcopy(found)
