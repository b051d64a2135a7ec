"""A stand-in for iam: one process that answers one request at a time, with a
new database connection for each, as Django's default is.

    GET /iam/api/auth-event/1/
"""

import json
import os
import re
import sys

sys.path[:0] = [os.path.dirname(__file__), '/usr/lib/python3/dist-packages']

import psycopg2                                     # noqa: E402
from http1 import serve                             # noqa: E402

DEPLOY = '/home/iam/iam/iam/iam/deploy.py'


def database(path=DEPLOY):
    """Words for psycopg2 out of Django's DATABASES."""
    settings = {}
    with open(path) as f:
        exec(compile(f.read(), path, 'exec'), settings)
    found = settings['DATABASES']['default']
    return {'host': found['HOST'], 'port': found['PORT'],
            'dbname': found['NAME'], 'user': found['USER'],
            'password': found['PASSWORD'], 'gssencmode': 'disable',
            'sslmode': 'disable', 'application_name': 'iam'}


def handler(words):
    def handle(method, path, body):
        m = re.match(r'/iam/api/auth-event/(\d+)/(\?.*)?$', path)
        if m is None:
            return 404, [], b'{"error": "no such thing"}'
        try:
            conn = psycopg2.connect(**words)
            try:
                cursor = conn.cursor()
                cursor.execute(
                    'SELECT id, status, tally_status, (SELECT count(*) FROM '
                    'auth_user) FROM authevent WHERE id = %s', (m.group(1),))
                id_, status, tally, users = cursor.fetchone()
            finally:
                conn.close()
        except (psycopg2.Error, TypeError) as e:
            print('database: %s' % str(e).strip(), flush=True)
            return 500, [], b'{"error": "database"}'
        return 200, [], json.dumps({'status': 'ok', 'events': {
            'id': id_, 'status': status, 'tally_status': tally,
            'users': users}}).encode()
    return handle


if __name__ == '__main__':
    serve('127.0.0.1', 10080, 1, handler(database()))
