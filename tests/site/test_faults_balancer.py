"""A balancer that cannot be steered while the primary is lost: the database
goes over all the same, and hactl names the balancer."""

from lab import faults as lab_faults, wait_for
from votesite import faults, services
from votesite.watch import Case, no_drift


def test_balancer_without_its_admin_port(make_site):
    """It asks /health by itself and goes on with that."""
    site = make_site()
    lb = site.lab.host['lb']
    path = '/etc/haproxy/haproxy.cfg'
    was = lb.read(path)
    lb.write(path, ''.join(x for x in was.splitlines(True)
                           if 'ipv4@' not in x))
    restart(site, lb)
    with Case(site, changes=1, nobody=5) as case:
        lab_faults.databases_killed(site.lab)
        site.wait_role('s2', 'primary', 20)
        case.web.wait_acked(50, since=case.at, server=site.lab.s2.address)
        for key in 's1', 's2':
            no_drift(site, key)
        case.said(['prod-s2: balancer lb is not as wanted: '
                   '10.77.0.9:9999: connect: Connection refused'],
                  deadline=15)
        case.both()
        lb.write(path, was)
        restart(site, lb)
        wait_for(lambda: site.hactl('s2', 'status').stdout.count(
            'balancer lb is not') == 0, 15, 'the balancer is steered again',
            every=0.2)
        case.both()


def restart(site, lb):
    faults.haproxy_killed(lb)
    services.start(lb, 'haproxy')
    wait_for(lambda: len(site.in_traffic()) == 2, 10)


def test_balancer_of_a_host_without_its_socket(make_site):
    """The one that leads the applications of prod-s1 to the database: they go
    on to ask the old primary, so that host leaves the traffic."""
    site = make_site(layout='stable')
    s1 = site.lab.s1
    s1.run(['mv', services.ADMIN, services.ADMIN + '.away'])
    with Case(site, changes=1, limit=3000, nobody=5) as case:
        lab_faults.databases_killed(site.lab)
        site.wait_role('s2', 'primary', 20)
        case.web.wait_acked(50, since=case.at, server=site.lab.s2.address)
        case.leaves('s1', 15)
        case.said(['prod-s1: balancer pg-local is not as wanted: '
                   '/run/haproxy/admin.sock: connect: No such file'],
                  asker='s2')
        s1.run(['mv', services.ADMIN + '.away', services.ADMIN])
        case.comes_back('s1', 70)
        wait_for(lambda: 'balancer pg-local is not' not in site.hactl(
            's1', 'status').stdout, 10, 'it is steered again', every=0.2)
