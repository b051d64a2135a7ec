"""The services of a site's hosts: what a boot starts, and each one by hand."""

import os
import socket

from lab.wait import wait_for

from . import files

SYNCDIRS = '/usr/bin/syncdirs_from_master.sh'
ADMIN = '/run/haproxy/admin.sock'
STANDINS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        'standins')


# -- what is installed -----------------------------------------------------

def install_web(host, peers, primary, layout):
    """Every file of a web host, before it is switched on. peers: the other
    ones. primary: the host that has the database."""
    own = host is primary
    source = peers[0].name
    if len(peers) > 1:
        source = '$(cat %s)' % files.SYNCDIRS_SOURCE
        host.write(files.SYNCDIRS_SOURCE,
                   (peers[0] if own else primary).name + '\n')
    with open(os.path.join(STANDINS, 'ssh.py')) as f:
        host.write('/usr/bin/ssh', f.read(), 0o755)
    host.write(SYNCDIRS,
               files.SYNCDIRS % {'peer': source}, 0o744)
    _own(host, SYNCDIRS, 'ballotbox')
    for name in ('http1.py', 'memcache.py', 'ballot_box.py'):
        _standin(host, name, '/home/ballotbox/ballot-box/', 'ballotbox')
    for name in ('http1.py', 'iam.py', 'iam_celery.py'):
        _standin(host, name, '/home/iam/iam/iam/', 'iam')
    _script(host, '/home/ballotbox/run.sh',
            '/home/ballotbox/ballot-box/ballot_box.py', 'ballotbox')
    for name, words in (('iam', 'iam.py'), ('iam_celery', 'iam_celery.py'),
                        ('iam_celery_beat', 'iam_celery.py beat')):
        _script(host, '/home/iam/%s.sh' % name,
                '/home/iam/iam/iam/' + words, 'iam')
    for name, text in files.PROGRAMS.items():
        host.write('/etc/supervisor/conf.d/%s.conf' % name, text % {
            'primary': 'true' if own else 'false',
            'standby': 'false' if own else 'true'})
    host.write('/home/ballotbox/datastore/readme', 'public\n', 0o644)
    _own(host, '/home/ballotbox/datastore', 'ballotbox')
    host.write('/srv/certs/selfsigned/calist', 'public\n', 0o644)
    host.write('/etc/nginx/nginx.conf', files.NGINX)
    host.write('/etc/init.d/memcached', files.MEMCACHED_INIT, 0o755)
    if layout == 'stable':
        host.write('/etc/haproxy/haproxy.cfg', files.HAPROXY % {
            'global': ''} + files.LOCAL % {'address': primary.address})
    write_role(host, primary, layout)


def write_role(host, primary, layout, more=''):
    """The files whose text depends on the role of the host."""
    own = host is primary
    listen = '-l 127.0.0.1'
    if own or layout == 'stable':
        listen += ',' + host.address
    host.write('/etc/memcached.conf', files.memcached(listen))
    if layout == 'stable':
        text = files.ballot_box('127.0.0.1:6432', '127.0.0.1:11311', more)
        deploy = files.deploy('127.0.0.1', '6432')
    else:
        name = 'localhost' if own else primary.name
        cache = '127.0.0.1' if own else primary.name
        text = files.ballot_box(name + ':5432', cache + ':11211', more)
        deploy = files.deploy(name)
    host.write('/home/ballotbox/ballot-box/conf/application.local.conf', text,
               0o600)
    _own(host, '/home/ballotbox/ballot-box/conf/application.local.conf',
         'ballotbox')
    host.write('/home/iam/iam/iam/iam/deploy.py', deploy, 0o600)
    _own(host, '/home/iam/iam/iam/iam/deploy.py', 'iam')


def install_balancer(host, web):
    host.write('/etc/haproxy/haproxy.cfg', files.HAPROXY % {
        'global': '    stats socket ipv4@%s:9999 level admin\n' %
        host.address} + files.BALANCER + ''.join(
            '    server %s %s:80\n' % (w.name, w.address) for w in web))


def accounts(host):
    """Beside those that the host has: hawatch's is one of them."""
    for name, line in (('passwd', '%s:x:%d:%d::/home/%s:/bin/bash\n'),
                       ('group', '%s:x:%d:\n')):
        text = ''.join(x for x in host.read('/etc/' + name).splitlines(True)
                       if not x.startswith(tuple(
                           a + ':' for a, _ in files.ACCOUNTS)))
        for account, number in files.ACCOUNTS:
            text += line % ((account, number, number, account)
                            if name == 'passwd' else (account, number))
        host.write('/etc/' + name, text)


def _own(host, path, name):
    number = dict(files.ACCOUNTS)[name]
    full = host.path(path)
    os.chown(full, number, number)
    for top, dirs, names in os.walk(full):
        for entry in dirs + names:
            os.chown(os.path.join(top, entry), number, number)


def _standin(host, name, to, account):
    with open(os.path.join(STANDINS, name)) as f:
        host.write(to + name, f.read())
    _own(host, to, account)


def _script(host, path, program, account):
    host.write(path, files.RUN % program, 0o755)
    _own(host, path, account)


# -- what runs -------------------------------------------------------------

WEB_BOOT = '''\
mkdir -p /var/log/nginx /var/log/supervisor /var/lib/nginx/cache
service memcached start
nginx
%s
setsid --fork /usr/bin/ssh --server
exec /usr/bin/supervisord -c /etc/supervisor/supervisord.conf
'''


def boot_web(layout):
    """The services of a web host in the order of its units; one shell, as
    each look into a host costs."""
    local = 'mkdir -p /run/haproxy && haproxy -D -f /etc/haproxy/haproxy.cfg' \
        ' -p /run/haproxy.pid' if layout == 'stable' else ''

    def boot(host):
        host.spawn(['sh', '-c', WEB_BOOT % local], log(host))
    return boot


def boot_balancer(host):
    host.spawn(['sh', '-c', 'mkdir -p /run/haproxy && exec haproxy -D -f '
                '/etc/haproxy/haproxy.cfg -p /run/haproxy.pid'], log(host))


def log(host):
    return os.path.join(host.dir, 'services.log')


def start(host, name):
    """One service by hand, after it was killed."""
    argv = {'nginx': ['nginx'],
            'memcached': ['service', 'memcached', 'start'],
            'supervisord': ['supervisord', '-c',
                            '/etc/supervisor/supervisord.conf'],
            'haproxy': ['haproxy', '-D', '-f', '/etc/haproxy/haproxy.cfg',
                        '-p', '/run/haproxy.pid']}[name]
    host.spawn(argv, log(host))


def service(host, *words):
    return host.run(['service'] + list(words))


def supervisorctl(host, *words):
    """Its exit code is 3 on a healthy primary, where the puller rests."""
    return host.run(['supervisorctl'] + list(words), check=False).stdout


def programs(host):
    """{program: state} as supervisord says it; {} when it says nothing."""
    found = {}
    for line in supervisorctl(host, 'status').splitlines():
        words = line.split()
        if len(words) > 1 and words[1].isupper():
            found[words[0]] = words[1]
    return found


def wait_programs(host, wanted, deadline=15):
    wait_for(lambda: all(programs(host).get(p) == 'RUNNING' for p in wanted),
             deadline, 'the programs of %s run' % host.name, every=0.2)


def haproxy(host, command):
    """One command to the admin socket of this host's HAProxy."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(2)
        sock.connect(host.path(ADMIN))
        sock.sendall(command.encode() + b'\n')
        found = b''
        while True:
            more = sock.recv(65536)
            if not more:
                return found.decode()
            found += more


def http(host, url, *words):
    """(status, headers, body) as curl on this host sees it; 0: none."""
    done = host.run(['curl', '-s', '-i', '-m', '5', *words, url], check=False)
    head, _, body = done.stdout.replace('\r', '').partition('\n\n')
    lines = head.split('\n')
    if not lines[0].startswith('HTTP/'):
        return 0, {}, ''
    pairs = [x.partition(': ')[::2] for x in lines[1:]]
    return int(lines[0].split()[1]), {k.lower(): v for k, v in pairs}, body
