"""A stand-in for iam_celery and, with the argument beat, iam_celery_beat: the
one looks for work in iam's database, the other leaves a sign of life there."""

import os
import socket
import sys
import time

sys.path[:0] = [os.path.dirname(__file__), '/usr/lib/python3/dist-packages']

import psycopg2                                     # noqa: E402
from iam import database                            # noqa: E402

WORK = 'SELECT count(*) FROM authevent WHERE tally_status = %s', ('pending',)
BEAT = ('INSERT INTO heartbeat (host, pid, at) VALUES (%s, %s, now()) '
        'ON CONFLICT (host) DO UPDATE SET pid = excluded.pid, at = now()',
        (socket.gethostname(), os.getpid()))


def main():
    words = database()
    statement = BEAT if sys.argv[1:] == ['beat'] else WORK
    conn = None
    while True:
        try:
            if conn is None:
                conn = psycopg2.connect(**words)
                conn.autocommit = True
            conn.cursor().execute(*statement)
        except psycopg2.Error as e:
            print('database: %s' % str(e).strip(), flush=True)
            if conn is not None:
                conn.close()
            conn = None
        time.sleep(1)


if __name__ == '__main__':
    main()
