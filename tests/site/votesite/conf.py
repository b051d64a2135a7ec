"""hawatch.conf of a site: the groups of the shipped example, with the lab's
addresses. What is different from the example is said here, and nowhere else.
"""

import os
import re

from lab.product import SOURCE

from . import files

SAMPLE = os.path.join(SOURCE, 'conf', 'examples', 'sequent.conf')
ADDRESSES = (('172.31.43.83', '10.77.0.11'), ('172.31.43.90', '10.77.0.12'),
             ('172.31.43.17', '10.77.0.13'), ('172.31.43.5', '10.77.0.9'))
# The balancer of the lab speaks plain HTTP to the web hosts.
IAM_TLS = re.compile(r'\t\tport = 443;\n\t\ttls = true;\n\t\tca = .*\n')
# What a layout with stable addresses does not need: nothing is rewritten.
REPOINT_ONLY = ('memcached-listen', 'ballot-box-memcached', 'ballot-box-db',
                'iam-db')
RESTART_ON = re.compile(r'\t\trestart_on = .*\n')
# With a third web host the puller has two to choose from: its script reads a
# file of one line, as the example advises, which is an item of its own.
SOURCE_ITEM = '''\
\t{
\t\tname = "pullers-source";
\t\ttype = "line";
\t\twhen = "before";
\t\tfile = "%s";
\t\tmatch = "^.*$";
\t\tstandby = "${primary.name}";
\t}''' % files.SYNCDIRS_SOURCE
PULLERS = '\t\tprogram = "syncdirs-from-master";\n'
QUICK = '\t\tinterval = "500ms";\n\t\ttimeout = "450ms";\n\t}'
LOCAL = (
    ('pg-local', 'pg', 5432),
    ('memcached-local', 'memcached', 11211),
)
TRAFFIC = '''\
\t{
\t\tname = "%s";
\t\ttype = "haproxy";
\t\tfrom = "every";
\t\tsockets = [ "/run/haproxy/admin.sock" ];
\t\tbackend = "%s";
\t\tserver = "primary";
\t\taddress = "${primary.address}";
\t\tport = %d;
\t}'''


def elements(group):
    """{name: text} of what the example has in a group, in its order."""
    with open(SAMPLE) as f:
        text = f.read()
    for here, there in ADDRESSES:
        text = text.replace(here, there)
    body = re.search(r'^%s = \($(.*?)^\);$' % group, text, re.M | re.S)
    found = {}
    for block in re.findall(r'^\t\{\n.*?^\t\}', body.group(1), re.M | re.S):
        found[re.search(r'name = "(.*?)";', block).group(1)] = block
    return found


def group(name):
    """The text of a group of the example that is no list."""
    with open(SAMPLE) as f:
        return re.search(r'^%s = \{$.*?^\};$' % name, f.read(),
                         re.M | re.S).group(0)


def settings(layout='repoint', quick=True, checks=None, converge=None,
             traffic=None, data=2, **more):
    """Settings for product.conf_text. quick: checks each 500 ms, as the tests
    of one fault do not wait for an operator's patience. checks, converge,
    traffic: {name: text} that is put over an element, None to drop it. data:
    how many web hosts."""
    all_checks = elements('checks')
    all_checks['iam'] = IAM_TLS.sub('\t\tport = 80;\n', all_checks['iam'])
    if quick:
        for name, text in all_checks.items():
            if re.search(r'type = "(http|memcached|supervisor)"', text):
                text = re.sub(r'\t\t(interval|timeout) = .*\n', '', text)
                all_checks[name] = text[:-2] + QUICK
    items = elements('converge')
    balancers = elements('traffic')
    if data > 2:
        items['pullers'] = items['pullers'].replace(
            PULLERS, PULLERS + '\t\trestart_on = [ "pullers-source" ];\n')
        items = dict({'pullers-source': SOURCE_ITEM}, **items)
    if layout == 'stable':
        items = {n: t if n == 'pullers' else RESTART_ON.sub('', t)
                 for n, t in items.items() if n not in REPOINT_ONLY}
        for row in LOCAL:
            balancers[row[0]] = TRAFFIC % row
    groups = []
    for found, change in ((all_checks, checks), (items, converge),
                          (balancers, traffic)):
        found.update(change or {})
        groups.append(',\n'.join(t for t in found.values() if t))
    return dict({
        'checks': groups[0],
        'more': 'converge = (\n%s\n);\ntraffic = (\n%s\n);\n%s\n' % (
            groups[1], groups[2], group('files'))}, **more)
