"""Three data nodes: two candidates of one primary."""

import pytest

from lab import faults, wait_for
from lab.cluster import now


@pytest.fixture
def three(make_cluster):
    return make_cluster(data=3)


def test_comes_up(three):
    vote = three.vote()
    vote.wait_acked(50)
    for key in three.lab.data:
        record = three.record(key)
        assert record['candidates'] == ['prod-s2', 'prod-s3']
        assert (record['epoch'], record['holder']) == (1, 'prod-s1')
    s1 = three.lab.pg['s1']
    print(s1.sql('SHOW synchronous_standby_names'))
    print(s1.sql('SELECT application_name, sync_state FROM '
                 'pg_stat_replication ORDER BY 1'))
    assert three.audit('s1')['ok']
