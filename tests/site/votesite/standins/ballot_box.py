"""A stand-in for ballot-box: takes votes over HTTP and commits them.

Like the real one it reads its configuration once, keeps its database
connections, looks at the election through memcached for each vote, and knows
nothing of failovers.

    POST /api/election/<id>/vote    {"voter": "...", "vote": n}
    GET  /api/election/<id>         its state, cached
    GET  /api/authorities           without database
"""

import json
import os
import re
import select
import socket
import sys
import threading

sys.path[:0] = [os.path.dirname(__file__), '/usr/lib/python3/dist-packages']

import psycopg2                                     # noqa: E402
from http1 import serve                             # noqa: E402
from memcache import Memcache                       # noqa: E402

CONF = '/home/ballotbox/ballot-box/conf/application.local.conf'
URL = re.compile(r'jdbc:postgresql://([^:/]+):(\d+)/(\w+)$')
VOTE = ('INSERT INTO vote (election_id, client, n, at) VALUES '
        '(%s, %s, %s, clock_timestamp())')


def read_conf(path):
    found = {}
    with open(path) as f:
        for line in f:
            m = re.match(r'([\w.]+)\s*=\s*(.*?)\s*$', line)
            if m:
                found[m.group(1)] = m.group(2).strip('"')
    return found


class Pool:
    """Connections are opened when they are needed and kept. One that the
    server has closed is replaced; one whose server is silent is not found
    out, unless the limits say so."""

    def __init__(self, conf):
        host, port, dbname = URL.match(conf['db.default.url']).groups()
        self.words = {
            'host': host, 'port': port, 'dbname': dbname,
            'user': conf['db.default.user'],
            'password': conf['db.default.pass'],
            'connect_timeout': conf.get('db.default.connect_timeout', '10'),
            'tcp_user_timeout': conf.get('db.default.tcp_user_timeout', '0'),
            'gssencmode': 'disable', 'sslmode': 'disable',
            'application_name': 'ballot-box'}
        self.idle = []
        self.room = threading.Semaphore(
            int(conf.get('db.default.max_connections', '10')))
        self.own = socket.gethostbyname(socket.gethostname())

    def take(self):
        if not self.room.acquire(timeout=1):
            raise psycopg2.OperationalError('no connection is free')
        try:
            while self.idle:
                kept = self.idle.pop()
                if not select.select([kept[0]], [], [], 0)[0]:
                    return kept
                kept[0].close()
            conn = psycopg2.connect(**self.words)
            conn.autocommit = True
            cursor = conn.cursor()
            cursor.execute('SELECT host(inet_server_addr())')
            server = cursor.fetchone()[0]
            if server.startswith('127.'):
                server = self.own
            return conn, cursor, server
        except BaseException:
            self.room.release()
            raise

    def give(self, kept):
        self.idle.append(kept)
        self.room.release()

    def drop(self, kept):
        """A broken connection; those beside it are as old."""
        kept[0].close()
        while self.idle:
            self.idle.pop()[0].close()
        self.room.release()


class BallotBox:
    def __init__(self, conf):
        self.pool = Pool(conf)
        self.cache = Memcache(conf['memcached.host'])
        self.seconds = int(conf.get('app.cache.expiration_seconds', '60'))
        self.head = [('X-Web', socket.gethostname())]
        if conf.get('db.default.connect_at_start') == 'true':
            self.pool.give(self.pool.take())

    def state(self, kept, election):
        """Of the election, from the cache if it knows it."""
        key = 'election.%d' % election
        state = self.cache.get(key)
        if state is None:
            kept[1].execute('SELECT state FROM election WHERE id = %s',
                            (election,))
            row = kept[1].fetchone()
            if row is None:
                raise KeyError(election)
            state = row[0]
            self.cache.set(key, state, self.seconds)
        return state

    def cast(self, kept, election, body):
        vote = json.loads(body)
        if self.state(kept, election) != 'started':
            return 400, [], {'error': 'election is not open'}
        del kept[0].notices[:]
        kept[1].execute(VOTE, (election, vote['voter'], vote['vote']))
        head = [('X-Database', kept[2])]
        if any(text.startswith('WARNING') for text in kept[0].notices):
            head.append(('X-Warning', 'commit'))
        return 200, head, {'payload': vote['vote']}

    def handle(self, method, path, body):
        status, head, found = self.route(method, path, body)
        return status, self.head + head, json.dumps(found).encode()

    def route(self, method, path, body):
        if path == '/api/authorities':
            return 200, [], {'payload': {'prod-a1': {}, 'prod-a2': {}}}
        m = re.match(r'/api/election/(\d+)(/vote)?$', path)
        if m is None or (method == 'POST') != bool(m.group(2)):
            return 404, [], {'error': 'no such thing'}
        kept = None
        try:
            kept = self.pool.take()
            if m.group(2):
                answer = self.cast(kept, int(m.group(1)), body)
            else:
                answer = 200, [], {'payload': {
                    'id': int(m.group(1)),
                    'state': self.state(kept, int(m.group(1)))}}
            self.pool.give(kept)
            return answer
        except (KeyError, ValueError):
            self.pool.give(kept)
            return 400, [], {'error': 'bad request'}
        except psycopg2.Error as e:
            if kept is not None:
                self.pool.drop(kept)
            print('database: %s' % str(e).strip(), flush=True)
            return 500, _sqlstate(e), {'error': 'database'}


def _sqlstate(e):
    """The server's own no, of which the client may be sure. A session that
    was ended in the middle may have committed."""
    code = e.pgcode
    if code is None or code.startswith(('57P0', '08')):
        return []
    return [('X-Sqlstate', code)]


if __name__ == '__main__':
    serve('0.0.0.0', 9000, 24, BallotBox(read_conf(CONF)).handle)
