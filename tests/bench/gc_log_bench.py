#!/usr/bin/env python3
"""How fast garbage collection logs are read, beside what only looks at the bytes.

usage: gc_log_bench.py FAULTLINE LOG [MEGABYTES]

LOG is repeated, with its uptimes moved on, until it has MEGABYTES (107). All programs run in turn on the same file, which is in
the page cache; the median of user and system time of seven rounds counts. A log to begin with: tests/bench/gc_logs/GcLab.java.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 7
UPTIME = re.compile(rb"\]\[(\d+\.\d+)s\]")


def grow(source, target, size):
    lines = source.read_bytes().splitlines(keepends=True)
    ends = [float(m.group(1)) for m in map(UPTIME.search, lines) if m]
    step, written, turn = (ends[-1] if ends else 0) + 1, 0, 0
    with open(target, "wb") as out:
        while written < size:
            for line in lines:
                moved = UPTIME.sub(lambda m: b"][%.3fs]" % (float(m.group(1)) + turn * step), line, count=1)
                written += out.write(moved)
            turn += 1
    return written


def cpu_of(command):
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=nowhere)
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.stdout.close()
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[0]} failed")
    return usage.ru_utime + usage.ru_stime


def main():
    faultline, log = sys.argv[1], pathlib.Path(sys.argv[2])
    size = float(sys.argv[3] if len(sys.argv) > 3 else 107) * 1e6
    with tempfile.TemporaryDirectory() as place:
        big = pathlib.Path(place) / "gc.log"
        written = grow(log, big, size)
        commands = {"faultline gc": [faultline, "gc", big], "grep -c Pause": ["grep", "-c", "Pause", big],
                    "awk '{n += NF}'": ["awk", "{n += NF} END {print n}", big], "wc -l": ["wc", "-l", big]}
        times = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(cpu_of(command))
        print(f"{written / 1e6:.1f} MB")
        for name, values in times.items():
            print(f"{name:18} {statistics.median(values):.3f} s of the processor (best {min(values):.3f})")


if __name__ == "__main__":
    main()
