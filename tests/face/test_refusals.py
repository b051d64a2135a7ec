"""Every refusal in the sources ends with a command to run next, and is known
to a test. Read from the sources, so that a new one cannot be forgotten."""

import ast
import glob
import os
import re

from engine import SOURCE

# function: places of its text and of its next command
CALLS = {'orders_refuse': (3, 4), 'orders_no': (3, 4), 'refuse': (3, 4),
         'conn_refuse': (2, 3),
         'remote_refuse': (3, 4), 'reload_refuse': (1, 2),
         'ask_conf': (0, 1), 'pki_result': (1, 2),
         'print_wrong': (0, 1), 'verb_wrong': (1, 3), 'wrong_text': (2, 1)}
# How a next command may begin.
COMMANDS = ('hactl ', 'ssh ', 'sudo ', 'systemctl ', 'journalctl ', 'ls ',
            'psql ', 'nft ', 'man ', 'cat ', 'chmod ', 'openssl ',
            'etcdctl ', 'GRANT ', 'ALTER ', 'service ', 'scp ', 'editor ')
# NULL is there "hactl config check".
CHECKED = ('hactl/ask.c', 'hactl/cmd_config.c', 'hactl/cmd_local.c',
           'hactl/cmd_pki.c')
# What is no part of a command that is pasted.
REMARK = re.compile(r', |; (?!hactl )|once |then:|(?<![-"])\bagain\b')
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|' r"'(?:[^'\\]|\\.)*'|"
                   r'/\*.*?\*/|//[^\n]*', re.S)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def sources():
    found = {}
    for folder in ('engine', 'hactl', 'core'):
        for path in sorted(glob.glob(
                os.path.join(SOURCE, 'src', folder, '*.c'))):
            with open(path) as f:
                text = f.read()
            found[folder + '/' + os.path.basename(path)] = re.sub(
                r'/\*.*?\*/', lambda m: re.sub(r'[^\n]', ' ', m.group()),
                text, flags=re.S)
    return found


def arguments(text, at):
    """Those of the call whose parenthesis is at that place."""
    found, word, depth, quoted = [], '', 0, None
    while True:
        c = text[at]
        if quoted:
            word += c
            if c == '\\':
                at += 1
                word += text[at]
            elif c == quoted:
                quoted = None
        elif c in '"\'':
            quoted = c
            word += c
        elif c == ',' and depth == 1:
            found.append(word.strip())
            word = ''
        else:
            depth += (c in '([{') - (c in ')]}')
            if depth == 0:
                return found + [word.strip()]
            word += c if depth > 1 or c not in '([{' else ''
        at += 1


def literals(word):
    """The strings in an expression; those that follow each other are one."""
    found, at = [], 0
    if re.match(r'\s*(get_str|verb_again|verb_again_with|next_kept|'
                r'nodes_example|reload_copies|diff_next)\(', word):
        return []                               # what somebody else said
    for m in LITERAL.finditer(word):
        if found and not word[at:m.start()].strip():
            found[-1] += m.group(1)
        else:
            found.append(m.group(1))
        at = m.end()
    return found


def statement(text, at):
    """To its end."""
    quoted = False
    while text[at] != ';' or quoted:
        if text[at] == '\\':
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        at += 1
    return at


def assigned(text, name):
    """The strings that this variable gets anywhere in the file."""
    found = []
    for m in re.finditer(r'\b%s\s*(?:\[\w*\])?\s*=[^=]' % name, text):
        found += literals(text[m.end() - 1:statement(text, m.end() - 1)])
    for m in re.finditer(r'snprintf\(\s*%s\b' % name, text):
        args = arguments(text, text.index('(', m.start()))
        found += literals(args[2])
    return [x for x in found if x]


def calls():
    """(place, its texts, its commands)"""
    for name, text in sources().items():
        for function, (why, then) in CALLS.items():
            for m in re.finditer(r'(?<!\w)%s\(' % function, text):
                args = arguments(text, m.end() - 1)
                if text[m.start() - 1] == '\n' or len(args) <= then or \
                        'const char' in args[then]:
                    continue                    # where it is made
                here = text[text.rindex('\n{\n', 0, m.start()):
                            text.index('\n}\n', m.start())]
                place = '%s:%d' % (name, text.count('\n', 0, m.start()) + 1)
                said = literals(args[why])
                if not said and re.fullmatch(r'\w+', args[why]):
                    said = assigned(here, args[why])
                next_ = literals(args[then])
                if not next_ and re.fullmatch(r'\w+', args[then]):
                    next_ = assigned(here, args[then])
                yield place, said, next_, args[then]


def core_texts():
    """What the core says to an order: sentences that it returns."""
    for name, text in sources().items():
        if not name.startswith('core/'):
            continue
        for m in re.finditer(r'return\s+(?=")', text):
            said = ''.join(LITERAL.findall(
                text[m.end():statement(text, m.end())]))
            if ' ' in said:
                yield '%s:%d' % (name, text.count('\n', 0, m.start()) + 1), \
                    said


def test_each_ends_with_a_command():
    bad, count = [], 0
    for place, _, commands, expression in calls():
        count += 1
        if expression == 'NULL' and not place.startswith(CHECKED):
            bad.append('%s: none' % place)
        # "hactl %s": what is printed there is a verb, or a name.
        bad += ['%s: %s' % (place, x) for x in commands
                if not x.startswith(COMMANDS) and x[:2] != '%s' or
                REMARK.search(x)]
    for place, said in core_texts():
        count += 1
        why, _, command = said.partition('\\n')
        if not command.startswith(COMMANDS) or REMARK.search(command):
            bad.append('%s: %s' % (place, said))
    assert not bad, '\n'.join(bad)
    assert count > 60, 'the sources are read as something else'


def phrases(text):
    """Its runs of words, as long as it takes to be told from others."""
    text = text.partition('\\n')[0]
    for part in re.split(r'%[-.*\d]*(?:ll|z)?\w', text):
        words = re.sub(r'\\.', ' ', part).split()
        for i in range(max(1, len(words) - 2)):
            if len(words[i:i + 3]) >= min(3, len(text.split())):
                yield ' '.join(words[i:i + 3])


def strings_c(text):
    """Its string literals; those that follow each other are one."""
    found, end = [], None
    text = re.sub(TOKEN, lambda m: m.group() if m.group()[0] == '"' else ' ',
                  text)
    for m in LITERAL.finditer(text):
        if end is not None and not text[end:m.start()].strip():
            found[-1] += m.group(1)
        else:
            found.append(m.group(1))
        end = m.end()
    return found


def strings_py(text):
    """Without those that are a statement: they say what is meant."""
    tree = ast.parse(text)
    said = {id(x.value) for x in ast.walk(tree) if isinstance(x, ast.Expr)}
    return [x.value for x in ast.walk(tree)
            if isinstance(x, ast.Constant) and isinstance(x.value, str) and
            id(x) not in said]


def known_words():
    """What the tests compare with: no comment of theirs counts."""
    known = []
    for path in glob.glob(os.path.join(SOURCE, 'tests', '*', '*')):
        if path.endswith(('.c', '.py')) and '/fuzz/' not in path:
            with open(path) as f:
                text = f.read()
            for x in (strings_py if path.endswith('.py') else strings_c)(text):
                known.append(' '.join(re.sub(r'\\.|"', ' ', x).split()))
    return '\n'.join(known)


def test_what_a_comment_says_is_no_test():
    assert strings_c('/* "a" */ x("b" /* c */\n "d", \'"\', "e\\"f"); // "g"') \
        == ['bd', 'e\\"f']
    assert strings_py('"""a"""\n# "b"\nassert x == "c" "d", f"e{y}"\n') == [
        'cd', 'e']


def test_each_is_known_to_a_test():
    """Some words of it, without a break, are in a string of a test."""
    known = known_words()
    missing = []
    for place, texts, _, _ in calls():
        missing += ['%s: %s' % (place, x) for x in texts
                    if list(phrases(x)) and
                    not any(p in known for p in phrases(x))]
    missing += ['%s: %s' % (place, x) for place, x in core_texts()
                if not any(p in known for p in phrases(x))]
    assert not missing, '\n'.join(missing)
