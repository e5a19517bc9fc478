#!/usr/bin/env python3
"""Input without end stays within the budgets: every run below 512 MiB, an answer, and a sentence.

usage: test_limits.py FAULTLINE [unittest options]

The input is made here, as protobuf, straight into the zstd program: hundreds of megabytes of records
whose labels, traces, lines or names never repeat. A small fault lies among them and is still found.
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

FAULTLINE = pathlib.Path(sys.argv[1]).resolve()
AT_S = 1700000000
AT = "2023-11-14T22:13:20Z"
MAX_BYTES = 512 << 20


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def fixed(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def attribute(key, value):
    return field(1, key) + field(2, field(1, value))


def request(service, records, wrap=lambda block: block):
    """A request of one resource and one scope; field 2 of the scope holds `records`, joined."""
    resource = field(1, field(1, attribute(b"service.name", service)))
    return field(1, resource + field(2, wrap(records)))


def framed(message):
    return struct.pack(">I", len(message)) + message


def write(path, messages):
    """Messages behind their length, compressed; the size before that."""
    size = 0
    with open(path, "wb") as out, subprocess.Popen(["zstd", "-1", "-q", "-c"], stdin=subprocess.PIPE, stdout=out) as zstd:
        for message in messages:
            size += zstd.stdin.write(framed(message))
        zstd.stdin.close()
    return size


def gauge(service, name, points):
    metric = field(1, name) + field(5, b"".join(field(1, p) for p in points))
    return request(service, field(2, metric))


def ns(second):
    return (AT_S + second) * 10**9


def fault():
    """bank's processor is at 95 % from the incident on, and was at about 10 before."""
    for minute in range(-20, 5):
        value = (95 if minute >= 0 else 10) + minute % 3
        yield gauge(b"bank", b"cpu_usage_percent", [fixed(3, ns(60 * minute + 1)) + fixed(4, struct.unpack("<Q", struct.pack("<d", value))[0])])


def label_sets(count):
    """A metric whose label never repeats."""
    at, per_request = fixed(3, ns(1)) + fixed(4, 0x3FF0000000000000), 1000
    example = field(1, at + field(7, attribute(b"id", b"%08d" % 0)))
    head = example[:-8]
    name = field(1, b"sessions")
    for first in range(0, count, per_request):
        points = b"".join([head + b"%08d" % i for i in range(first, first + per_request)])
        yield request(b"shop", field(2, name + field(5, points)))


def span(trace, identity, parent, name, start, length):
    made = field(1, struct.pack(">QQ", 1, trace)) + field(2, struct.pack(">Q", identity))
    if parent:
        made += field(4, struct.pack(">Q", parent))
    return field(2, made + field(5, name) + b"\x30\x02" + fixed(7, start) + fixed(8, start + length))


def spans(count, per_trace, names=1):
    """Traces of `per_trace` spans over a day and the incident; each span under the first of its trace."""
    for first in range(0, count, 1000):
        made = []
        for i in range(first, min(first + 1000, count)):
            trace, place = divmod(i, per_trace)
            start = ns(-86000 + trace * 86200 * per_trace // count) + place * 1000
            made.append(span(trace + 1, i + 1, trace * per_trace + 1 if place else 0, b"operation %d" % (i % names), start, 10**6))
        yield request(b"shop", b"".join(made))


def log(trace, identity, at, line):
    ids = field(9, struct.pack(">QQ", 2, trace)) + field(10, struct.pack(">Q", identity)) if trace else b""
    return field(2, fixed(1, at) + field(5, field(1, line)) + ids)


WORDS = [a + b + c for a in "bdfgklmn" for b in "aeiou" for c in ("r", "st", "lm", "nd", "x", "p")]


def words(i):
    """Letters only, so that no two lines share a template."""
    count, out = len(WORDS), []
    for _ in range(4):
        i, digit = divmod(i, count)
        out.append(WORDS[digit])
    return " ".join(out).encode()


def lines(count, distinct, traced, services=1):
    for first in range(0, count, 1000):
        made = []
        for i in range(first, first + 1000):
            at = ns(-86000 + i * 86200 // count)
            made.append(log(i // 2 + 1 if traced else 0, i + 1, at, words(i % distinct)))
        yield request(b"service %d" % (first // 1000 % services), b"".join(made))


class Limits(unittest.TestCase):
    def run_over(self, *parts, files=()):
        """(answer, peak bytes, seconds) of one triage over the fault and `parts`."""
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            size = write(folder / "fault.binpb.zst", fault())
            for number, part in enumerate(parts):
                size += write(folder / f"part{number}.binpb.zst", part)
            for name, make in files:
                make(folder / name)
            command = [str(FAULTLINE), "triage", "--otlp", place, "--at", AT, "--store", "none", "--format", "json"]
            begin = time.monotonic()
            with open(folder / "answer", "wb") as out, open(folder / "errors", "wb") as errors:
                process = subprocess.Popen(command, stdout=out, stderr=errors)
                _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak, seconds = usage.ru_maxrss * 1024, time.monotonic() - begin
            self.assertIn(process.returncode, (0, 5, 6), (folder / "errors").read_text())
            answer = json.loads((folder / "answer").read_text())
            print(f"{self._testMethodName}: {size / 1e6:.0f} MB of records, {seconds:.1f} s, peak {peak / 2**20:.0f} MiB", file=sys.stderr)
            for sentence in answer["warnings"]:
                print(f"    {sentence}", file=sys.stderr)
            self.assertLess(peak, MAX_BYTES)
            return answer

    def found_bank(self, answer):
        self.assertEqual(answer["verdict"], "cause-found")
        self.assertEqual(answer["hypotheses"][0]["service"], "bank")

    def warned(self, answer, sentence):
        self.assertTrue(any(sentence in warning for warning in answer["warnings"]), answer["warnings"])

    def test_ten_million_label_sets(self):
        answer = self.run_over(label_sets(10_000_000))
        self.warned(answer, "records were not counted: more distinct series, names or minutes than the limits allow")
        self.found_bank(answer)

    def test_more_spans_than_the_budget(self):
        answer = self.run_over(spans(1_500_000, 5))
        self.warned(answer, "spans were sampled: 50 % of the traces were used")
        self.found_bank(answer)

    def test_operations_that_never_repeat(self):
        answer = self.run_over(spans(600_000, 3, 600_000))
        self.found_bank(answer)

    def test_lines_that_never_repeat(self):
        answer = self.run_over(lines(1_500_000, 1_000_000, False, 40))
        self.warned(answer, "logs were sampled: 50 % of the traces were used")
        self.warned(answer, "more distinct log lines than the limit")
        self.found_bank(answer)

    def test_everything_at_once(self):
        answer = self.run_over(spans(1_000_000, 4, 1000), lines(1_000_000, 60_000, True, 40), label_sets(1_000_000))
        self.found_bank(answer)

    def test_a_line_of_a_gigabyte(self):
        def make(path):
            with open(path, "wb") as out:
                out.write(b'{"resourceSpans":"')
                out.seek(1 << 30)
                out.write(b'"}\n')
        answer = self.run_over(files=[("long.jsonl", make)])
        self.warned(answer, "long.jsonl:1: line is longer than 64 MiB (byte 0)")
        self.found_bank(answer)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
