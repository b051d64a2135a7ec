import argparse
import os
import platform
import sys
import tempfile
import time

from lab import exit_on_term

from . import cost, outage


def surroundings():
    with open('/proc/loadavg') as f:
        load = f.read().split()[:3]
    print('%s, %d CPUs, load %s; %s' % (
        platform.platform(), os.cpu_count(), ' '.join(load),
        time.strftime('%Y-%m-%d %H:%M')))
    print('T = 2 s; PostgreSQL and all hosts of the lab on this machine')
    print('vote client: hosts s1, s2 in this order, 4 connections, a vote '
          'every 10 ms each,\n  retry after 5 ms, 250 ms for each connect '
          'and each vote; outage: first acknowledged\n  vote after the fault '
          'minus last one before')
    print('stock: libpq, one connection, connect_timeout=2, '
          'tcp_user_timeout=1000,\n  target_session_attrs=read-write')


def main():
    parser = argparse.ArgumentParser(prog='bench')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--only', help='rows whose name contains this; '
                        '"cost" for memory, CPU and the health endpoint')
    args = parser.parse_args()
    exit_on_term()
    start = time.monotonic()

    def say(text):
        print('[%4d s] %s' % (time.monotonic() - start, text), flush=True)

    surroundings()
    good = True
    rows = [r for r in outage.ROWS if not args.only or args.only in r.name]
    with tempfile.TemporaryDirectory(prefix='hawatch-pair.') as template:
        if rows:
            table = outage.measure(rows, args.runs, template, say)
            good = outage.print_table(table)
        if not args.only or args.only == 'cost':
            good = cost.measure(template, say) and good
    print('load at the end: %.2f' % os.getloadavg()[0])
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
