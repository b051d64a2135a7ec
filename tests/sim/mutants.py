#!/usr/bin/env python3
"""Breaks the core on purpose, one rule at a time, and demands that the
simulator notices, by the promise that the rule is there for.

A mutation is a list of (file or pattern of files in src/core, exact old text,
new text); a file named sim/x.c is the simulator's own, where the rule is one of
the server's or of the kernel's. Old text that is not there exactly once is an
error: the table must follow the code. The seed that is known to catch it is
tried first, then all of them from 1. The seeds move with whatever the simulator
draws: --write brings mutations.py and the table in README.md up to those found.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from mutations import MUTATIONS

BASE = ("clock", "emit", "error", "file", "json", "mem", "random", "sink", "str")
VIOLATED = re.compile(r"VIOLATED (\S+) seed (\d+) at \d+ ms: (.*)")


class Builder:
    """Compiles everything once, and then only what a mutation changes."""

    def __init__(self, source, work, cc):
        self.source, self.work, self.cc = work / "tree", work, cc
        self.objects = {}
        # As it is now: it may be edited while the mutants run.
        for part in ("include", "src/core", "src/base", "tests/sim"):
            shutil.copytree(source / part, self.source / part)

    def flags(self, core):
        return ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-w",
                "-I", str(core.parent), "-I", str(self.source / "include"),
                "-I", str(self.source / "src")]

    def compile(self, path, core, out):
        subprocess.run([self.cc, *self.flags(core), "-c", str(path),
                        "-o", str(out)], check=True)
        return out

    def prepare(self, pool):
        core = self.source / "src" / "core"
        files = sorted(core.glob("*.c"))
        files += sorted((self.source / "tests" / "sim").glob("*.c"))
        files += [self.source / "src" / "base" / f"{b}.c" for b in BASE]
        jobs = {}
        for path in files:
            out = self.work / f"{path.parent.name}-{path.stem}.o"
            jobs[path] = pool.submit(self.compile, path, core, out)
        self.objects = {path: job.result() for path, job in jobs.items()}

    @staticmethod
    def edit(core, file, old, new):
        """Replaces the text where it is, once; the name of that file."""
        found = [(path, path.read_text()) for path in sorted(core.glob(file))]
        found = [(path, text) for path, text in found if old in text]
        count = sum(text.count(old) for _, text in found)
        if count != 1:
            raise ValueError(f"{file}: old text found {count} times: {old!r}")
        path, text = found[0]
        path.write_text(text.replace(old, new))
        return path.name

    def build(self, name, edits):
        """The simulator with these edits; ValueError if one does not fit."""
        home = self.work / name
        copies = {"core": home / "core", "sim": home / "sim"}
        shutil.copytree(self.source / "src" / "core", copies["core"])
        shutil.copytree(self.source / "tests" / "sim", copies["sim"])
        changed = set()
        for file, old, new in edits:
            part = "sim" if file.startswith("sim/") else "core"
            changed.add((part, self.edit(
                copies[part], file.removeprefix("sim/"), old, new)))
        headers = {part for part, f in changed if not f.endswith(".c")}
        objects = []
        for path, made in self.objects.items():
            part = path.parent.name
            if part in headers or (part, path.name) in changed:
                made = self.compile(copies[part] / path.name, copies["core"],
                                    home / f"{part}-{path.stem}.o")
            objects.append(str(made))
        binary = home / "hawatch-sim"
        subprocess.run([self.cc, "-o", str(binary), *objects, "-ljansson"],
                       check=True)
        return binary


def hunt(binary, expected, seeds, limit):
    """(seed, promise, what) of the first violation that is expected."""
    others = set()
    # Of its own time, however busy the machine is; also while it says nothing.
    with subprocess.Popen(["prlimit", f"--cpu={limit}", str(binary),
                           "--seeds", seeds, "--all"],
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as sim:
        try:
            for line in sim.stdout:
                found = VIOLATED.match(line)
                if found and found[1] in expected:
                    return int(found[2]), found[1], found[3]
                if found:
                    others.add(found[1])
        finally:
            sim.kill()
    return None, " ".join(sorted(others)), ""


def judge(builder, args, mutation):
    name, expected, known, edits = mutation
    try:
        binary = builder.build(name, edits)
    except ValueError as error:
        return False, name, "", "", str(error)
    except subprocess.CalledProcessError:
        return False, name, "", "", "it does not build"
    seed = None
    if known and not args.anew:
        seed, promise, what = hunt(binary, expected.split(), str(known),
                                   args.limit)
    if seed is None:
        seed, promise, what = hunt(binary, expected.split(),
                                   f"1..{args.seeds}", args.limit)
    shutil.rmtree(binary.parent)
    if seed is None:
        return False, name, "", "", (f"not caught by {expected}" +
                                     (f", only {promise}" if promise else ""))
    return True, name, str(seed), promise, what


def rewrite(home, found):
    """mutations.py and the table of README.md, by {name: (seed, promise)}."""
    table = home / "mutations.py"
    text = table.read_text()
    for name, _, seed, _ in MUTATIONS:
        if name in found:
            text, count = re.subn(
                r'(\("%s",(?:\s*"[^"]*")+,\s*)%s\b' % (re.escape(name), seed),
                lambda m, to=found[name][0]: m.group(1) + to, text)
            if count != 1:
                raise ValueError(f"{table}: {name}: {count} rows")
    table.write_text(text)
    page = home / "README.md"
    text = page.read_text()
    rows = re.findall(r"(?m)^\| ([^|]+) \| [^|]+ \| \d+ \| \S+ \|\n", text)
    lines = dict(zip(rows, re.findall(
        r"(?m)^\| [^|]+ \| [^|]+ \| \d+ \| \S+ \|\n", text)))
    start = text.index(lines[rows[0]])
    for line in lines.values():
        text = text.replace(line, "", 1)
    new = ""
    for name, promises, _, _ in MUTATIONS:
        if name in found:
            lines[name] = "| %s | %s | %s | %s |\n" % (
                name, ", ".join(promises.split()), *found[name])
        new += lines.get(name, "")
    page.write_text(text[:start] + new + text[start:])


def main():
    top = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, default=top)
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("--seeds", type=int, default=3000)
    parser.add_argument("--limit", type=int, default=100,
                        help="seconds of a processor for one mutation")
    parser.add_argument("--anew", action="store_true",
                        help="from seed 1, to make the table")
    parser.add_argument("--write", action="store_true",
                        help="keep the seeds that were found")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", help="mutations whose name matches this")
    args = parser.parse_args()
    chosen = [m for m in MUTATIONS if not args.only or
              re.search(args.only, m[0])]
    passed = failed = 0
    found = {}
    with tempfile.TemporaryDirectory(prefix="hawatch-mutants-") as work, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        builder = Builder(args.source, pathlib.Path(work), args.cc)
        builder.prepare(pool)
        print(f"{'mutation':34} {'seed':>5} promise  how", flush=True)
        jobs = [pool.submit(judge, builder, args, m) for m in chosen]
        for job in concurrent.futures.as_completed(jobs):
            ok, name, seed, promise, what = job.result()
            passed += ok
            failed += not ok
            if ok:
                found[name] = seed, promise
            print(f"{name:34} {seed:>5} {promise:8} "
                  f"{'' if ok else 'FAILED: '}{what}", flush=True)
    if args.write:
        rewrite(args.source / "tests" / "sim", found)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
