"""The files of a deployed web host, as text. Where one depends on the role of
its host the lines are those of the deployment, to the byte."""

PASSWORDS = {'ballot_box': 'b4ll0t', 'iam': '1am'}

ACCOUNTS = (            # name, number
    ('ballotbox', 1100),
    ('iam', 1101),
)

SCHEMA = {
    'ballot_box': '''
CREATE TABLE election (id bigint PRIMARY KEY, state text);
CREATE TABLE vote (election_id bigint, client text, n bigint, at timestamptz,
    PRIMARY KEY (election_id, client, n));
INSERT INTO election SELECT 5000 + i, 'registered' FROM generate_series(1, 5) i;
INSERT INTO election VALUES (1, 'started');
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO ballot_box;
''',
    'iam': '''
CREATE TABLE authevent (id bigint PRIMARY KEY, status text,
    tally_status text);
CREATE TABLE auth_user (id bigint PRIMARY KEY, username text);
CREATE TABLE heartbeat (host text PRIMARY KEY, pid bigint, at timestamptz);
INSERT INTO authevent VALUES (1, 'started', 'notstarted');
INSERT INTO auth_user SELECT i, 'voter' || i FROM generate_series(1, 100) i;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO iam;
''',
}

# Before the lab's own lines, so that the applications' passwords count.
HBA = '''\
host ballot_box ballot_box 10.77.0.0/24 md5
host iam iam 10.77.0.0/24 md5
host ballot_box ballot_box 127.0.0.1/32 md5
host iam iam 127.0.0.1/32 md5
'''

MEMCACHED = '''\
# memcached default config file
-d
logfile /var/log/memcached.log
-m 64
-p 11211
-u memcache
%s
-P /var/run/memcached/memcached.pid
'''

# What the unit of a deployed host does: Debian's own script of old waits a
# second between stop and start.
MEMCACHED_INIT = '''\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          memcached
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: memcached
### END INIT INFO
pidfile=/run/memcached.pid
stop() {
	start-stop-daemon --stop --quiet --oknodo --retry KILL/5 \\
		--pidfile $pidfile --exec /usr/bin/memcached
	rm -f $pidfile
}
start() {
	install -d -o memcache -g memcache /run/memcached
	/usr/share/memcached/scripts/start-memcached /etc/memcached.conf \\
		$pidfile </dev/null >/dev/null 2>&1
}
case "$1" in
start) start ;;
stop) stop ;;
restart|force-reload) stop; start ;;
status) start-stop-daemon --status --pidfile $pidfile \\
	--exec /usr/bin/memcached ;;
*) exit 1 ;;
esac
'''

BALLOT_BOX = '''\
application.secret = "Ahx7"
db.default.url="jdbc:postgresql://%(db)s/ballot_box"
db.default.driver="org.postgresql.Driver"
db.default.user=ballot_box
db.default.pass="%(password)s"
app.datastore.ssl_root="https://vote.example.com:14453"
app.eopeers.dir=/etc/eopeers/
# memcached
ehcacheplugin=disabled
memcached.host="%(memcached)s"
logger.memcached=WARN
app.cache.expiration_seconds = 5
'''

DEPLOY = '''\
DEBUG = False
EMAIL_HOST = 'localhost'

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': 'iam',
        'USER': 'iam',
        'PASSWORD': '%(password)s',
        'HOST': '%(host)s',
        'PORT': '%(port)s',
    }
}

ROOT_URLCONF = 'custom_urls'
'''

PROGRAMS = {
    'ballot-box': '''\
[program:ballot-box]
command=/home/ballotbox/run.sh
directory=/home/ballotbox/ballot-box
autostart=true
autorestart=true
stopwaitsecs=3
user=ballotbox
redirect_stderr=true
stopasgroup=true
''',
    'syncdirs_from_master': '''\
[program:syncdirs-from-master]
command=/usr/bin/syncdirs_from_master.sh
process_name=%%(program_name)s
autostart=%(standby)s
autorestart=true
user=ballotbox
redirect_stderr=true
''',
}
# Beat runs on the primary's host alone.
for _name, _start in (('iam', 'true'), ('iam_celery', 'true'),
                      ('iam_celery_beat', '%(primary)s')):
    PROGRAMS[_name] = '''\
[program:%s]
command=/home/iam/%s.sh
process_name=%%%%(program_name)s
directory=/home/iam/iam/iam/
autostart=%s
autorestart=true
stopwaitsecs=3
user=iam
environment=PATH="/home/iam/env/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
redirect_stderr=true
''' % (_name, _name, _start)

RUN = '#!/bin/bash\nexec /usr/bin/python3 -ISB %s\n'

# With the faults of the deployed script: the trap is broken, and nothing ends
# the children when supervisord kills the shell.
# Where there is more than one to pull from.
SYNCDIRS_SOURCE = '/etc/syncdirs.source'
SYNCDIRS = '''\
#!/bin/bash
PIDFILE=/var/run/syncdirs.pidfile

trap "{ [ -f $PIDFILE ] && kill -9 $(cat $PIDFILE) }" SIGINT SIGTERM

while true
do
  rsync -avz -e "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null" ballotbox@%(peer)s:/home/ballotbox/datastore/ /home/ballotbox/datastore/
  rsync -avz -e "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null" ballotbox@%(peer)s:/srv/certs/selfsigned/ /srv/certs/selfsigned/
  sleep 600

done
'''

NGINX = '''\
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 512; }
http {
    access_log off;
    proxy_cache_path /var/lib/nginx/cache levels=1:2 keys_zone=iam:1m
        inactive=1h max_size=16m;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_read_timeout 120s;
    server {
        listen 80;
        location /api/ { proxy_pass http://127.0.0.1:9000; }
        location ~ ^/(admin-api/)?(iam/.*)$ {
            proxy_pass http://127.0.0.1:10081/$2$is_args$args;
            proxy_cache iam;
            proxy_cache_valid 200 1s;
            proxy_cache_use_stale error timeout updating http_500 http_502
                http_503 http_504;
            proxy_cache_bypass $http_authorization;
            add_header X-Cache-Status $upstream_cache_status always;
        }
    }
    server {
        listen 10081;
        location / { proxy_pass http://127.0.0.1:10080; }
    }
}
'''

HAPROXY = '''\
global
    stats socket /run/haproxy/admin.sock mode 660 level admin
%(global)s    stats timeout 30s
    user haproxy
    group haproxy
    nbthread 1
    maxconn 1024
defaults
    mode http
    timeout connect 250ms
    timeout client 1h
    timeout server 1h
    timeout check 500ms
    retries 2
    option redispatch 1
'''

BALANCER = '''\
frontend votes
    bind :80
    timeout client 30s
    default_backend web
backend web
    balance roundrobin
    timeout server 30s
    option httpchk GET /health
    http-check expect status 200
    default-server check port 8008 inter 500ms fall 2 rise 2 on-marked-down shutdown-sessions
'''

# On each web host of the layout "stable": one server, pointed to the primary.
LOCAL = '''\
listen pg
    mode tcp
    bind 127.0.0.1:6432
    timeout connect 100ms
    retries 20
    server primary %(address)s:5432 tcp-ut 1s on-marked-down shutdown-sessions
listen memcached
    mode tcp
    bind 127.0.0.1:11311
    server primary %(address)s:11211 tcp-ut 1s on-marked-down shutdown-sessions
'''


def memcached(listen):
    return MEMCACHED % listen


def ballot_box(db, cache, more=''):
    return BALLOT_BOX % {'db': db, 'memcached': cache,
                         'password': PASSWORDS['ballot_box']} + more


def deploy(host, port='5432'):
    return DEPLOY % {'host': host, 'port': port,
                     'password': PASSWORDS['iam']}
