#!/usr/bin/env python3
"""Make heap profiles as a large Go program writes them, for the benchmark of profiles.

usage: profile_inputs.py FOLDER [--samples N] [--seed N]

Writes FOLDER/big-1.pb.gz and big-2.pb.gz (N samples each, 375,000 unless told; about 14 MB when
inflated), full-1.pb.gz and full-2.pb.gz (the same number), and small-00.pb.gz to small-09.pb.gz (300
samples). The same arguments give the same bytes.

Of the big ones' samples one in ten has memory in use: a heap profile also lists what was ever allocated,
and 89 % of the samples of 270 recorded heap profiles are of that kind. Of the full ones' samples all have,
as right after the start of a program.

The call graph is a tree of packages that grow towards the leaves: stacks share their outer frames, as
those of one program do; a fifth of the locations have inlined calls; each stack occurs with several
block sizes, which is the label that Go gives its heap samples.
"""
import argparse
import gzip
import math
import pathlib
import random

SIZES = [8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 192, 208, 256, 320, 384, 416, 512, 640, 768, 1024,
         1280, 1536, 2048, 3072, 4096, 6144, 8192, 16384, 27264, 32768]
PERIOD = 524288


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body


def packed(field, values):
    return message(field, b"".join(map(varint, values)))


class Program:
    """Functions, locations, and stacks as a walk down a random tree."""

    def __init__(self, rng, functions, locations):
        self.rng = rng
        self.strings, self.index = [""], {"": 0}
        self.functions = functions
        self.locations = []
        self.children = {}
        for _ in range(locations):
            lines = [(rng.randrange(functions) + 1, rng.randrange(1, 900)) for _ in
                     range(1 if rng.random() < 0.8 else rng.randrange(2, 4))]
            self.locations.append((0x400000 + rng.randrange(1 << 24), lines))

    def text(self, value):
        if value not in self.index:
            self.index[value] = len(self.strings)
            self.strings.append(value)
        return self.index[value]

    def stack(self):
        """Innermost first. A path is repeated often near its root and seldom at its end."""
        rng, path, at = self.rng, [], 0
        for _ in range(rng.randrange(4, 12)):
            known = self.children.setdefault(at, [])
            if len(known) < 5 or (len(known) < 40 and rng.random() < 0.02):
                known.append(rng.randrange(len(self.locations)) + 1)
            at = known[int(len(known) * rng.random() ** 3)]
            path.append(at)
        return path[::-1]

    def tables(self):
        out = bytearray(message(3, number(1, 1) + number(2, 0x400000) + number(3, 0x2000000)
                                + number(5, self.text("/srv/shop/checkout")) + number(6, self.text("c0ffee42"))))
        for at, (address, lines) in enumerate(self.locations, 1):
            body = number(1, at) + number(2, 1) + number(3, address)
            for function, line in lines:
                body += message(4, number(1, function) + number(2, line))
            out += message(4, body)
        for at in range(1, self.functions + 1):
            package = f"example.com/shop/internal/part{at % 97}"
            name = self.text(f"{package}.(*Service{at % 31}).handle{at}")
            out += message(5, number(1, at) + number(2, name) + number(3, name)
                           + number(4, self.text(f"/src/{package}/file{at % 13}.go")) + number(5, at % 800 + 1))
        return bytes(out)


def profile(seed, sample_count, functions, locations, growth, live):
    """`live`: the share of samples with memory in use."""
    rng = random.Random(seed)
    program = Program(rng, functions, locations)
    types = [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")]
    out = bytearray()
    for name, unit in types:
        out += message(1, number(1, program.text(name)) + number(2, program.text(unit)))
    label = program.text("bytes")
    stacks = [program.stack() for _ in range(max(1, sample_count // 4))]
    for at in range(sample_count):
        size = SIZES[min(int(rng.expovariate(0.12)), len(SIZES) - 1)]
        sampled = min(int(rng.expovariate(0.5)) + 1, 60)
        in_use = 0 if rng.random() >= live else rng.randrange(1, sampled + 1) * growth
        scale = 1 / (1 - math.exp(-size / PERIOD))
        allocated, in_use = (int(count * scale) for count in (max(sampled, in_use), in_use))
        body = packed(1, stacks[at % len(stacks)])
        body += packed(2, [allocated, allocated * size, in_use, in_use * size])
        body += message(3, number(1, label) + number(3, size))
        out += message(2, body)
    out += program.tables()
    period = number(1, program.text("space")) + number(2, program.text("bytes"))
    for text in program.strings:
        out += message(6, text.encode())
    out += number(9, 1_700_000_000_000_000_000 + seed * 60_000_000_000) + message(11, period) + number(12, PERIOD)
    return gzip.compress(bytes(out), 1, mtime=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=375_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, live in (("big", 0.1), ("full", 1.0)):
        for at in (1, 2):
            bytes_ = profile(arguments.seed, arguments.samples, 6000, 20000, at, live)
            (arguments.folder / f"{name}-{at}.pb.gz").write_bytes(bytes_)
    for at in range(10):
        (arguments.folder / f"small-{at:02}.pb.gz").write_bytes(profile(arguments.seed + 2, 300, 200, 400, at + 1, 0.2))


if __name__ == "__main__":
    main()
