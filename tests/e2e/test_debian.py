"""The instance as Debian lays it out: settings below /etc/postgresql, data
without any, started by pg_ctlcluster. With --long."""

import pytest

from test_rejoin import REJOIN, SETTINGS, check_rejoined, check_saved, \
    forget_wal, lose_primary, rejoin, restart_engine, rows_wait

from lab import pg, wait_for
from lab.cluster import Cluster, now

CLUSTER = '15/main'
ETC = '/etc/postgresql/' + CLUSTER
FILES = ('postgresql.conf', 'pg_hba.conf', 'pg_ident.conf')
WHERE = '''
data_directory = '%s'
hba_file = '%s/pg_hba.conf'
ident_file = '%s/pg_ident.conf'
external_pid_file = '/run/postgresql/15-main.pid'
# only of %s
'''


def debian(server):
    """As pg_createcluster would have made it."""
    host = server.host
    server.stop()
    host.run(['install', '-d', '-o', 'postgres', '-g', 'postgres', ETC,
              '/var/log/postgresql'])
    for name in FILES:
        host.run(['mv', pg.DATA + '/' + name, ETC + '/' + name])
    with open(host.path(ETC + '/postgresql.conf'), 'a') as f:
        f.write(WHERE % (pg.DATA, ETC, ETC, host.name))
    host.write(ETC + '/start.conf', 'manual\n')
    host.write(ETC + '/environment', '')
    host.write(ETC + '/pg_ctl.conf', "pg_ctl_options = ''\n")
    host.run(['pg_ctlcluster', '15', 'main', 'start'])
    wait_for(server.answers, 20)


def clone(cluster):
    cluster.wait_role('s1', 'latched', 20)
    forget_wal(cluster.lab.pg['s1'])
    wait_for(lambda: rejoin(cluster, 's1', '--clone', '--yes').returncode == 0,
             90, 'it is cloned', every=2)


@pytest.mark.parametrize('commands', ['native', 'repmgr'])
@pytest.mark.parametrize('how', ['rewind', 'clone'])
def test_rejoin(request, template, commands, how):
    if not request.config.getoption('--long'):
        pytest.skip('with --long')
    cluster = Cluster(commands=commands, settings=dict(
        SETTINGS, more=REJOIN if how == 'rewind' else '',
        backend='backend = "pg_ctlcluster"; cluster = "%s";' % CLUSTER))
    lab = cluster.lab
    try:
        lab.up()
        lab.build_pair(template)
        for key in lab.data:
            debian(lab.pg[key])
        wait_for(lambda: lab.pg['s1'].streams_to(lab.pg['s2']), 20)
        cluster.start()
        vote = cluster.vote()
        vote.wait_acked(10)
        began = now()
        if how == 'rewind':
            lose_primary(cluster, 's1', 's2', vote)
        else:
            lose_primary(cluster, 's1', 's2', vote,
                         'SELECT pg_switch_wal(); CHECKPOINT;')
            clone(cluster)
        check_rejoined(cluster, 's1', 's2')
        rows_wait(cluster, 's1', 's2')
        if how == 'rewind':
            check_saved(cluster, 's1', 2)
        kept = lab.host['s1'].read(ETC + '/postgresql.conf')
        assert '# only of prod-s1' in kept
        for name in FILES:
            done = lab.host['s1'].run(['test', '-e', pg.DATA + '/' + name],
                                      check=False)
            assert done.returncode != 0, name
        seen = lab.host['s1'].run(['pg_lsclusters', '-h']).stdout.split()
        assert seen[:4] == ['15', 'main', '5432', 'online,recovery'], seen
        restart_engine(cluster, 's1')
        assert cluster.audit('s2', began)['ok']
    except BaseException:
        print(cluster.logs())
        raise
    finally:
        cluster.down()
