#!/usr/bin/env python3
"""Runs credtrace and Kingfisher beside each other on the same input and says how they compare.

Every program does its whole job (provenance and report included), on warm caches: one round that does not count, then
N rounds in which the programs take turns (A B C A B C ...), so that a machine that slows down slows all of them. Told
are medians of wall time, the ratio to Kingfisher with the same number of threads, processor time and peak memory. A run
during which other processes used a noticeable part of the machine makes its row noisy, marked (n).

    benches/compare.py --repo redis=path/to/redis.git --tree-of-repos --log 1000000000 --hook 10000,100000
    benches/compare.py --repo redis=path/to/redis.git --runs 5 --record benches/record/2026-01-31-name.md

CREDTRACE names the program to measure (default: target/release/credtrace), KINGFISHER its peer; without it
kingfisher-bin is installed into a virtual environment in the scratch folder. Uses Python's standard library alone.
Keys are made up while it runs, so that no file here holds a string of that shape.
"""

import argparse
import datetime
import json
import os
import platform
import random
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINGFISHER_VERSION = "2.14.0"
MEBIBYTE = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")
# Other processes may use this part of the machine before a run counts as noisy.
NOISE = 0.05


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------------------- measuring


def busy_seconds():
    """Returns the processor time of the whole machine so far, also what a host took from it."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _wait, interrupts, soft, steal = map(int, fields)
    return (user + nice + system + interrupts + soft + steal) / TICKS


class Run:
    """What one run of one program took."""

    def __init__(self, command, folder, environment):
        busy = busy_seconds()
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        self.talk = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        self.wall = time.perf_counter() - began
        process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.processor = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        others = busy_seconds() - busy - self.processor
        # The kernel counts in ticks: below a few of them nothing can be said of a short run.
        self.noisy = others > max(NOISE * self.wall * os.cpu_count(), 3 / TICKS)


class Program:
    """One program as it is run on one input, and the statuses with which it may end."""

    def __init__(self, name, threads, command, expected, folder=None):
        self.name, self.threads, self.command, self.folder = name, threads, command, folder
        self.expected = expected
        self.runs = []

    def run(self, environment):
        run = Run(self.command, self.folder, environment)
        if run.status not in self.expected:
            words = " ".join(map(str, self.command))
            sys.exit(f"{words}: ended with {run.status}, expected one of {self.expected}\n{run.talk[-2000:]}")
        return run

    def median(self, name):
        return statistics.median(getattr(run, name) for run in self.runs)


def take_turns(programs, rounds, environment):
    """Runs all programs in turns, the first round for nothing but the caches."""
    for number in range(rounds + 1):
        for program in programs:
            run = program.run(environment)
            if number > 0:
                program.runs.append(run)


# ------------------------------------------------------------------------------------------------------------- inputs


class Keys:
    """Makes synthetic keys: the same seed, the same keys."""

    URL = string.ascii_letters + string.digits + "-_"
    ALPHANUMERIC = string.ascii_letters + string.digits

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.made = 0

    def letters(self, alphabet, count):
        return "".join(self.random.choice(alphabet) for _ in range(count))

    def next(self):
        self.made += 1
        kind = self.made % 3
        if kind == 0:
            return "sk-ant-" + "api03-" + self.letters(self.URL, 93) + "AA"
        if kind == 1:
            return "gsk_" + self.letters(self.ALPHANUMERIC, 52)
        return "sk-proj-" + self.letters(self.URL, 74) + "T3Blbk" + "FJ" + self.letters(self.URL, 74)


LOG_WORDS = (
    "info debug warn error GET POST build step layer cache pulled digest index worker request response token usage "
    "model prompt completion latency queue retry timeout connection closed opened thread main module loaded config "
    "value set default started finished in ms bytes of from to at test passed compiling linking download registry "
    "checkout branch commit merge artifact upload key secret api auth session user account openai anthropic"
).split()


def log_block(generator, size):
    """Returns about `size` bytes of lines as build and service logs have them."""
    lines, length = [], 0
    while length < size:
        words = " ".join(generator.choices(LOG_WORDS, k=generator.randrange(4, 18)))
        numbers = f"{generator.getrandbits(64):016x} /srv/app/{generator.getrandbits(24)}/main.py:{generator.randrange(900)}"
        line = f"2026-03-{generator.randrange(1, 29):02}T{generator.randrange(24):02}:14:{generator.randrange(60):02}Z {words} {numbers}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()


def write_log(path, size, planted):
    """Writes a log of about `size` bytes; returns how many keys stand in it."""
    generator, keys = random.Random(1), Keys(2)
    blocks = [log_block(generator, MEBIBYTE // 2) for _ in range(32)]
    written = 0
    with open(path, "wb") as log:
        while written < size:
            log.write(generator.choice(blocks))
            if planted:
                log.write(f"level=debug env KEY={keys.next()} retry=1\n".encode())
            written = log.tell()
    return keys.made


def git(folder, *arguments, **options):
    settings = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0"]
    return subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, **options)


def staged_repository(folder, files):
    """Makes a repository of so many small files with one change staged, which holds one key."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE) as importer:
        write = importer.stdin.write
        write(b"commit refs/heads/main\ncommitter Bench <bench@example.com> 1700000000 +0000\ndata 5\nfiles\n")
        for number in range(files):
            text = f"def function_{number}():\n    return {number}\n".encode()
            path = f"src/d{number // 1000}/d{number // 25 % 40}/f{number}.py"
            write(f"M 100644 inline {path}\ndata {len(text)}\n".encode() + text + b"\n")
    if importer.returncode:
        sys.exit("git fast-import failed")
    git(folder, "reset", "-q", "--hard", "main")
    changed = folder / "src/d0/d0/f7.py"
    changed.write_text(changed.read_text() + f'CLIENT_KEY = "{Keys(3).next()}"\n')
    git(folder, "add", "src/d0/d0/f7.py")


def tree_of(folder, repositories):
    """Unpacks the files of HEAD of some repositories beside each other."""
    for name, path in repositories:
        target = folder / name.replace("/", "-")
        target.mkdir(parents=True)
        archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=path, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", str(target)], stdin=archive.stdout, check=True)
        if archive.wait():
            sys.exit(f"git archive failed in {path}")


def tree_size(folder):
    sizes = [path.lstat().st_size for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink()]
    return len(sizes), sum(sizes)


def pack_size(path):
    counted = subprocess.run(["git", "count-objects", "-v"], cwd=path, check=True, capture_output=True, text=True).stdout
    facts = dict(line.split(": ") for line in counted.splitlines())
    return int(facts["in-pack"]) + int(facts["count"]), int(facts["size-pack"]) * 1024


# ----------------------------------------------------------------------------------------------------------- programs


class Bench:
    """The programs, where they write, and what was measured so far."""

    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        default = Path(__file__).resolve().parent.parent / "target/release/credtrace"
        self.credtrace = str(Path(os.environ.get("CREDTRACE") or default).resolve())
        if not os.access(self.credtrace, os.X_OK):
            sys.exit(f"{self.credtrace}: not there; build it (cargo build --release) or name it by CREDTRACE=")
        self.kingfisher = os.environ.get("KINGFISHER") or install_kingfisher(scratch)
        home = scratch / "home"
        home.mkdir(exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "CREDTRACE_HOME": str(home / "credtrace"), "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            # Kingfisher makes a commit of what is staged, and finds nothing where git refuses to.
            **{f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER")
               for field, value in (("NAME", "Bench"), ("EMAIL", "bench@example.com"))},
        }
        self.report = scratch / "report.jsonl"
        self.tables = []

    def engines(self):
        """Returns the engines that the program under test has."""
        probe = self.scratch / "probe"
        # More than the program takes for small work, on which the engine that starts at once is used.
        probe.write_bytes(b"nothing to find\n" * (2 * MEBIBYTE // 16))
        Run(self.scan(probe, "fastest", 1), None, self.environment)
        fastest = self.summary()["engine"]
        return [(fastest, "fastest")] + ([] if fastest == "aho-corasick" else [("aho-corasick", "pure")])

    def scan(self, path, engine, threads):
        return [self.credtrace, "scan", str(path), "--format", "jsonl", "--output", str(self.report), "--quiet",
                "--engine", engine, "--threads", str(threads)]

    def summary(self):
        return json.loads(self.report.read_text().splitlines()[-1])

    def peer(self, path, threads, *more):
        return [self.kingfisher, "scan", str(path), "--no-validate", "--no-update-check", "-j", str(threads),
                "-f", "jsonl", "-o", os.devnull, *more]

    def compare(self, title, path, findings=None, peer_options=()):
        """Measures all programs on one input and keeps the table. Where keys were planted the peer must find some too."""
        say(f"measuring: {title}")
        programs = []
        peer_status = PEER_FOUND if findings else (0, *PEER_FOUND)
        for threads in self.options.threads:
            programs.append(Program("kingfisher", threads, self.peer(path, threads, *peer_options), peer_status))
            for name, engine in self.engines_known:
                programs.append(Program(f"credtrace, {name}", threads, self.scan(path, engine, threads), (0, 1, 2)))
        summaries = []
        for program in programs:
            if program.name != "kingfisher":
                program.run(self.environment)
                summaries.append(self.summary())
                assert_answer(title, summaries, findings)
        take_turns(programs, self.options.runs, self.environment)
        self.keep(title, programs, facts_of(summaries[0]))

    def compare_hook(self, files):
        folder = self.scratch / f"staged-{files}"
        say(f"making a repository of {files} files")
        staged_repository(folder, files)
        title = f"the hook: one staged file with a key, repository of {files:,} files"
        say(f"measuring: {title}")
        programs = [
            Program("kingfisher", 2, self.peer(folder, 2, "--staged"), PEER_FOUND),
            Program("credtrace hook", 2, [self.credtrace, "hook"], (1,), folder=folder),
        ]
        take_turns(programs, self.options.runs * 3, self.environment)
        self.keep(title, programs, "")
        if not self.options.keep:
            shutil.rmtree(folder)

    def keep(self, title, programs, facts):
        table = [f"### {title}", ""] + ([facts, ""] if facts else [])
        table += ["| program | threads | wall, s | from - to | times as fast | processor, s | peak, MiB |",
                  "|---|---|---|---|---|---|---|"]
        peers = {program.threads: program.median("wall") for program in programs if program.name == "kingfisher"}
        for program in programs:
            wall = program.median("wall")
            walls = [run.wall for run in program.runs]
            noisy = " (n)" if sum(run.noisy for run in program.runs) * 2 > len(program.runs) else ""
            ratio = peers.get(program.threads, 0) / wall
            table.append(
                f"| {program.name} | {program.threads} | {wall:.3f}{noisy} | {min(walls):.3f} - {max(walls):.3f} "
                f"| {ratio:.1f} | {program.median('processor'):.2f} | {program.median('peak'):.0f} |"
            )
        self.tables.append("\n".join(table))
        print(self.tables[-1] + "\n", flush=True)


# How Kingfisher ends when it found something, and when something that it found is alive.
PEER_FOUND = (200, 205)


def assert_answer(title, summaries, findings):
    """Stops where the engines or numbers of threads disagree, or do not find what was planted."""
    told = [{name: summary[name] for name in ("findings", "blobs_scanned", "bytes_scanned", "complete")} for summary in summaries]
    if any(answer != told[0] for answer in told):
        sys.exit(f"{title}: the runs of credtrace do not agree: {told}")
    if told[0]["blobs_scanned"] == 0:
        sys.exit(f"{title}: nothing was scanned")
    if findings is not None and told[0]["findings"] != findings:
        sys.exit(f"{title}: {told[0]['findings']} findings, {findings} keys were planted")


def facts_of(summary):
    whole = "" if summary["complete"] else f"; not complete ({len(summary['errors'])} errors)"
    return (f"credtrace scanned {summary['blobs_scanned']:,} texts, {summary['bytes_scanned'] / 1e6:,.0f} MB, "
            f"and reports {summary['findings']:,} findings{whole}.")


def install_kingfisher(scratch):
    folder = scratch / "kingfisher"
    program = folder / "bin/kingfisher"
    if not program.exists():
        say(f"installing kingfisher-bin {KINGFISHER_VERSION} into {folder}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin/pip"), "install", "--quiet", f"kingfisher-bin=={KINGFISHER_VERSION}"]
        subprocess.run(pip, check=True)
    return str(program)


# ------------------------------------------------------------------------------------------------------------- record


def first_line(command, folder=None):
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout.split("\n")[0].strip()
    except OSError:
        return ""


def machine():
    processors = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / MEBIBYTE
    model = processors[0] if processors else platform.machine()
    return f"{model}, {os.cpu_count()} processors, {memory:.0f} GiB of memory, {platform.system()} {platform.release()}"


def record(bench, command):
    project = Path(__file__).resolve().parent.parent
    commit = first_line(["git", "describe", "--always", "--dirty", "--abbrev=12"], project)
    lines = [
        f"# credtrace beside Kingfisher, {datetime.date.today():%Y-%m-%d}",
        "",
        "| | |",
        "|---|---|",
        f"| machine | {machine()} |",
        f"| credtrace | {first_line([bench.credtrace, '--version'])}, commit {commit}, build {bench.options.build}, "
        f"engines {', '.join(name for name, _ in bench.engines_known)} |",
        f"| peer | {first_line([bench.kingfisher, '--version'])}, `kingfisher scan INPUT --no-validate --no-update-check "
        "-j THREADS -f jsonl -o /dev/null`, a log with `--max-file-size 0`, the hook with `--staged` |",
        f"| credtrace's command | `credtrace scan INPUT --format jsonl --output FILE --quiet --engine ENGINE --threads THREADS`, "
        "the hook `credtrace hook` |",
        f"| method | {bench.options.runs} rounds in turns after one that does not count (the hook three times as many); medians; "
        "caches warm; peak is the greatest resident size, mapped packs included |",
        f"| noise | (n) marks a row where other processes used over {NOISE:.0%} of the machine in most runs |",
        f"| made by | `{command}` |",
        "",
    ]
    return "\n".join(lines + ["\n\n".join(bench.tables), ""])


# ------------------------------------------------------------------------------------------------------------ command


def named(text):
    name, _, path = text.rpartition("=")
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"{path} does not exist")
    return name or Path(path).resolve().name, Path(path).resolve()


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(number) for number in text.split(",") if number]
    parser.add_argument("--repo", metavar="[NAME=]PATH", type=named, action="append", default=[], help="a repository, its whole history")
    parser.add_argument("--tree", metavar="[NAME=]PATH", type=named, action="append", default=[], help="a folder of files")
    parser.add_argument("--tree-of-repos", action="store_true", help="a tree made of the files of all --repo")
    parser.add_argument("--log", metavar="BYTES", type=int, default=0, help="a log of this size, without and with keys")
    parser.add_argument("--hook", metavar="FILES,...", type=numbers, default=[], help="one staged change in repositories of so many files")
    parser.add_argument("--runs", metavar="N", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--threads", metavar="N,...", type=numbers, default=[1, 2], help="numbers of threads (default 1,2)")
    parser.add_argument("--build", metavar="TEXT", default="release", help="how credtrace was built, for the record")
    parser.add_argument("--scratch", metavar="DIR", help="where to make inputs; kept, while one made here is removed")
    parser.add_argument("--record", metavar="FILE", help="write the record here, whole or not at all")
    options = parser.parse_args(arguments)
    options.keep = options.scratch is not None
    if not (options.repo or options.tree or options.log or options.hook):
        parser.error("name something to measure: --repo, --tree, --log or --hook")
    return options


def shown(options):
    """Returns the command without paths of this machine."""
    parts = ["benches/compare.py"]
    parts += [f"--repo {name}=PATH" for name, _ in options.repo] + [f"--tree {name}=PATH" for name, _ in options.tree]
    parts += ["--tree-of-repos"] if options.tree_of_repos else []
    parts += [f"--log {options.log}"] if options.log else []
    parts += [f"--hook {','.join(map(str, options.hook))}"] if options.hook else []
    return " ".join(parts + [f"--runs {options.runs}", f"--threads {','.join(map(str, options.threads))}"])


def measure(options, scratch):
    bench = Bench(options, scratch)
    bench.engines_known = bench.engines()
    for name, path in options.repo:
        objects, size = pack_size(path)
        bench.compare(f"history of {name} ({objects:,} objects, {size / 1e6:,.0f} MB packed)", path)
    trees = list(options.tree)
    if options.tree_of_repos:
        folder = scratch / "tree"
        if not folder.exists():
            tree_of(folder, options.repo)
        trees.append((f"HEAD of {', '.join(name for name, _ in options.repo)}", folder))
    for name, path in trees:
        files, size = tree_size(path)
        bench.compare(f"tree: {name} ({files:,} files, {size / 1e6:,.0f} MB)", path)
    for planted in (False, True) if options.log else ():
        log = scratch / ("keys.log" if planted else "plain.log")
        made = write_log(log, options.log, planted)
        name = f"with {made:,} planted keys" if planted else "without a key"
        # By itself Kingfisher leaves out files of more than 256 MB.
        bench.compare(f"log of {options.log / 1e6:,.0f} MB {name}", log, made, ("--max-file-size", "0"))
        if not options.keep:
            log.unlink()
    for files in options.hook:
        bench.compare_hook(files)
    return bench


def main(arguments):
    options = options_of(arguments)
    scratch = Path(options.scratch or tempfile.mkdtemp(prefix="credtrace-bench-")).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        bench = measure(options, scratch)
        if options.record:
            beside = Path(options.record + ".part")
            beside.write_text(record(bench, shown(options)))
            beside.replace(options.record)
    finally:
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
