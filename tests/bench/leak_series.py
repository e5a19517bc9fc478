#!/usr/bin/env python3
"""How long `faultline leak` takes on a series of snapshots: 10 small ones, and 1,000 of a usual service.

usage: leak_series.py FAULTLINE [--runs N]

The snapshots are made here (tests/support/made_profiles.py). A usual service's is 100 KB as it lies on disk: some 2,200 samples
of stacks up to 30 deep out of 2,000 functions. Prints a line for each with the median wall time, processor time and the peak of memory.
"""
import argparse
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import made_profiles as made  # noqa: E402


def usual(index, stacks):
    """Most sites stay within their noise; one in a hundred keeps what it makes."""
    chance, held = random.Random(index), []
    for at, (stack, size) in enumerate(stacks):
        live = 5 + at % 20 + (index if at % 100 == 0 else chance.randrange(3))
        held.append((stack, size, live + 50 * (index + 1), live))
    return made.heap(1793750400 + 60 * index, held)


def usual_stacks(count=2200):
    chance = random.Random(1)
    names = [f"example.com/shop/internal/pkg{i % 97}.(*Type{i % 211}).Method{i}" for i in range(2000)]
    roots = [tuple(chance.choice(names) for _ in range(8)) for _ in range(40)]
    return [(tuple(chance.choice(names) for _ in range(chance.randrange(4, 22))) + chance.choice(roots), 16 << chance.randrange(10))
            for _ in range(count)]


def small(index):
    held = [((f"main.site{i}", "main.serve", "main.main"), 512 << i % 8, 1000 * (index + 1), 100 + i * index) for i in range(60)]
    return made.heap(1793750400 + 60 * index, held)


def measure(program, folder, runs):
    walls, cpus, peak = [], [], 0
    for _ in range(runs):
        begin = time.perf_counter()
        child = os.posix_spawn(program, [program, "leak", str(folder), "--format", "json"], dict(os.environ, HOME=str(folder)),
                               file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
        _, status, used = os.wait4(child, 0)
        walls.append(time.perf_counter() - begin)
        cpus.append(used.ru_utime + used.ru_stime)
        peak = max(peak, used.ru_maxrss)
        if os.waitstatus_to_exitcode(status) not in (0, 6):
            sys.exit(f"{folder}: exit code {os.waitstatus_to_exitcode(status)}")
    return statistics.median(walls), statistics.median(cpus), peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("faultline", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    program = str(arguments.faultline.resolve())
    with tempfile.TemporaryDirectory() as place:
        stacks = usual_stacks()
        for name, count, make in (("small", 10, small), ("usual", 100, lambda i: usual(i, stacks)), ("usual", 1000, lambda i: usual(i, stacks))):
            folder = pathlib.Path(place) / f"{name}{count}"
            files = made.write(folder, (make(i) for i in range(count)), name="heap-{:04}.pb.gz")
            wall, cpu, peak = measure(program, folder, arguments.runs)
            size = statistics.mean(p.stat().st_size for p in files)
            print(f"{count} {name} snapshots of {size / 1000:.1f} KB: {wall * 1000:.1f} ms wall, {cpu * 1000:.1f} ms processor, {peak / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
