#!/usr/bin/env python3
"""Runs credtrace on texts that are made to be slow, at their full sizes, and asserts answers, speed and memory.

    benches/hostile.py                                    # 200 MB and 64 MB texts, release build
    benches/hostile.py --engine pure --scale 0.1          # a tenth of them
    benches/hostile.py --record benches/record/2026-01-31-hostile.md

Each text has a floor: so many megabytes for each second of processor time, start-up and report included, whatever other
processes do meanwhile. Memory is the peak of the process. CREDTRACE names the program to measure (default:
target/release/credtrace). Uses Python's standard library alone, and makes keys up while it runs.
"""

import argparse
import base64
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEGABYTE = 1_000_000
PREFIXES = (
    "sk- sk-ant-api03- sk-proj- gsk_ ghp_ hf_ AKIA xai- openai anthropic cohere mistral_api_key api_key= deepseek AIza "
    "github_pat_ glpat- npm_ pplx- r8_ lsv2_pt_ sk-lf- pk-lf- eyJ bearer azure huggingface token: key= nvapi- tvly- "
    "sk-or-v1- AccountKey="
).split() + ["-----BEGIN "]
WORDS = b"the quick brown fox jumps over the lazy dog and sleeps then "
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def line_of_keys(size, keys):
    """One line of words with this many different keys in it, evenly spread."""
    generator = random.Random(1)
    room = size // keys
    filler = WORDS * (room // len(WORDS) + 1)
    for _ in range(keys):
        body = "".join(generator.choices(LETTERS, k=93))
        key = f" sk-ant-api03-{body}AA ".encode()
        yield filler[: room - len(key)] + key


def repeated(piece):
    block = piece * (MEGABYTE // len(piece))
    return lambda size: (block[: min(len(block), size - at)] for at in range(0, size, len(block)))


def noise(size):
    generator = random.Random(2)
    return (generator.randbytes(min(MEGABYTE, size - at)) for at in range(0, size, MEGABYTE))


def forms(prefix):
    """A beginning of a key in every encoding."""
    plain = prefix.encode()
    yield from (plain, plain.upper(), plain.hex().encode(), plain.hex().upper().encode())
    for lead in range(3):
        encoded = base64.b64encode(b"x" * lead + plain)
        yield from (encoded, encoded.rstrip(b"="))
    yield base64.b64encode(base64.b64encode(plain))
    for form in ("%%%02x", "%%%02X", "\\u%04x", "\\x%02x", "&#%d;", "&#x%x;"):
        yield "".join(form % byte for byte in plain).encode()
    yield from (prefix.encode("utf-16-le"), prefix.encode("utf-16-be"))


def mix(size):
    """Beginnings of keys in every encoding and what stands between words, in an order that does not repeat."""
    generator = random.Random(3)
    glue = [b'"', b"'", b" ", b"\n", b"=", b":", b"\\n", b'" + "', b"\x1b[31m", b"\xe2\x80\x8b", b"%", b"&", b"\\", b"("]
    pieces = glue + [form for prefix in PREFIXES for form in forms(prefix)]
    written = 0
    while written < size:
        block = b"".join(generator.choices(pieces, k=50_000))[: size - written]
        written += len(block)
        yield block


class Case:
    """A text, the least speed in megabytes a second of processor time, the most memory in megabytes, and its answer."""

    def __init__(self, name, size, blocks, speed, memory, answer):
        self.name, self.size, self.blocks = name, size, blocks
        self.speed, self.memory, self.answer = speed, memory, answer


def few(summary):
    return summary["findings"] < 3 and "work-cap" not in summary["skipped"]


def cases(scale):
    keys, line, rest = int(100_000 * scale), int(200 * MEGABYTE * scale), int(64 * MEGABYTE * scale)
    line -= line % keys
    return [
        Case("one line with 100,000 keys", line, lambda size: line_of_keys(size, keys), 30, 100 + keys * 3000 / MEGABYTE,
             lambda summary: summary["findings"] + summary["skipped"].get("match-cap", 0) == keys),
        Case("nothing but `a`", rest, repeated(b"a"), 100, 60, few),
        Case("nothing but `sk-`", rest, repeated(b"sk-"), 50, 100, few),
        Case("noise", rest, noise, 100, 60, few),
        Case("beginnings of keys in every encoding, shuffled", rest, mix, 5, 100,
             lambda summary: summary["skipped"].get("work-cap", 0) > 0 and summary["warnings"]),
    ]


def write(path, case):
    """Writes a text in a process of its own: what this one holds would count as memory of the program that it starts."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            with path.open("wb") as file:
                file.writelines(case.blocks(case.size))
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(process, 0)[1] == 0, case.name


def last_line(path):
    with path.open("rb") as file:
        for line in file:
            pass
    return line


def measure(case, program, options, folder):
    path = folder / "text"
    write(path, case)
    assert path.stat().st_size == case.size, case.name
    report = folder / "report.jsonl"
    command = [program, "scan", "--format", "jsonl", "--output", report, "--quiet", "--engine", options.engine,
               "--threads", str(options.threads), path]
    environment = {"CREDTRACE_HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    summary = json.loads(last_line(report))
    processor, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MEGABYTE
    speed = case.size / MEGABYTE / processor
    faults = []
    if process.returncode not in (0, 1) or summary["bytes_scanned"] != case.size or not case.answer(summary):
        faults.append(f"status {process.returncode}, answer {summary}")
    if speed < case.speed:
        faults.append(f"{speed:.1f} MB/s, where {case.speed} is the least")
    if peak > case.memory:
        faults.append(f"{peak:.0f} MB, where {case.memory:.0f} is the most")
    row = (f"| {case.name} | {case.size / MEGABYTE:.0f} | {wall:.2f} | {processor:.2f} | {speed:.1f} | {case.speed} "
           f"| {peak:.0f} | {summary['findings']} | {summary['skipped'] or ''} |")
    return row, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="how large the texts are [default: 1]")
    parser.add_argument("--engine", default="fastest", help="fastest or pure [default: fastest]")
    parser.add_argument("--threads", type=int, default=2, help="[default: 2]")
    parser.add_argument("--record", type=Path, help="append the table to this file")
    options = parser.parse_args()
    program = Path(os.environ.get("CREDTRACE", "target/release/credtrace")).resolve()
    title = f"{options.threads} threads, engine {options.engine}, {platform.system()} on {os.cpu_count()} processors"
    lines = [f"## {title}", "", "| text | MB | s | processor, s | MB/s of processor | at least | peak MB | findings | skipped |",
             "|---|---|---|---|---|---|---|---|---|"]
    failed = False
    with tempfile.TemporaryDirectory(prefix="credtrace-hostile-") as folder:
        for case in cases(options.scale):
            row, faults = measure(case, program, options, Path(folder))
            print(row, flush=True)
            lines.append(row)
            for fault in faults:
                failed = True
                print(f"FAILED: {case.name}: {fault}", file=sys.stderr, flush=True)
    if options.record and not failed:
        with options.record.open("a") as record:
            record.write("\n".join(lines) + "\n\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
