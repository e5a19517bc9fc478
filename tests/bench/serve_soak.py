#!/usr/bin/env python3
"""The daemon's memory under a steady load: many series by remote write, many log templates by Loki push.

usage: serve_soak.py FAULTLINE [--series N] [--templates N] [--interval SECONDS] [--minutes N] [--data DIR]

Starts `faultline serve` on a free port of loopback in a folder of its own. Every interval each series gets one sample, in requests of
2,000 samples that are spread evenly over the interval, and each template ten lines. Prints a line a minute with the resident memory,
the data on disk and how many requests were answered with what, and at the end the peak and the growth of the second half, by least
squares, in MiB an hour. Ends with 1 where a request was not taken.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

SAMPLES_A_REQUEST = 2000
LINES_A_REQUEST = 1000


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, payload):
    """A length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def labels(index):
    pairs = (("__name__", f"app_metric_{index % 400}"), ("instance", f"10.0.{index // 400 % 250}.1:9090"), ("job", f"service-{index % 50}"),
             ("shard", str(index // 100000)))
    return b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in pairs)


def series_bytes(index):
    """A series up to its one sample, which is always SAMPLE_BYTES long."""
    told = labels(index)
    return b"\x0a" + varint(len(told) + 18) + told


def sample_bytes(value, at_ms):
    return b"\x12\x10\x09" + struct.pack("<d", value) + b"\x10" + varint(at_ms)


def snappy(plain):
    """A block of literals only: what a compressor makes of noise."""
    out = bytearray(varint(len(plain)))
    for begin in range(0, len(plain), 65536):
        part = plain[begin:begin + 65536]
        out += b"\xf4" + struct.pack("<H", len(part) - 1) + part
    return bytes(out)


def loki(first, count, round_number):
    now = time.time_ns()
    streams = collections.defaultdict(list)
    for index in range(first, first + count):
        template = f"stage {chr(97 + index % 26)}{chr(97 + index // 26 % 26)}{chr(97 + index // 676 % 26)} finished"
        streams[index % 50].append([str(now + index), f"{template} order {round_number * 7919 + index} in {index % 900} ms"])
    return json.dumps({"streams": [{"stream": {"service_name": f"service-{service}"}, "values": lines}
                                   for service, lines in streams.items()]}).encode()


class Daemon:
    def __init__(self, program, data):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.data = data
        self.answers = collections.Counter()
        self.process = subprocess.Popen([program, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", data],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, XDG_STATE_HOME=data))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for _ in range(200):
            if self.is_ready():
                return
            time.sleep(0.05)
        raise SystemExit("the daemon does not listen, or is not ready")

    def is_ready(self):
        try:
            self.connection.request("GET", "/readyz")
            answer = self.connection.getresponse()
            answer.read()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return False

    def post(self, path, body, **headers):
        self.connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = self.connection.getresponse()
        answer.read()
        self.answers[answer.status] += 1

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def disk_mib(self):
        return sum(path.stat().st_size for path in pathlib.Path(self.data).rglob("*") if path.is_file()) / 1048576


def growth_mib_an_hour(points):
    """Least squares over (seconds, MiB)."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread > 0 else 0.0


def one_round(daemon, prefixes, args, number, measure):
    """One sample for every series and the lines, spread over the interval."""
    begin = time.time()
    requests = [("samples", at) for at in range(0, len(prefixes), SAMPLES_A_REQUEST)]
    lines = list(range(0, 10 * args.templates, LINES_A_REQUEST))
    every = max(1, len(requests) // max(1, len(lines)))
    for index in range(0, len(requests) * (1 if lines else 0), every):
        if lines:
            requests.insert(index + index // every, ("lines", lines.pop()))
    requests += [("lines", at) for at in lines]
    for index, (kind, at) in enumerate(requests):
        if kind == "samples":
            sample = sample_bytes(float(number * 15 + at % 7), int(time.time() * 1000))
            body = snappy(b"".join(prefix + sample for prefix in prefixes[at:at + SAMPLES_A_REQUEST]))
            daemon.post("/api/v1/write", body, Content_Type="application/x-protobuf", Content_Encoding="snappy",
                        X_Prometheus_Remote_Write_Version="0.1.0")
        else:
            daemon.post("/loki/api/v1/push", loki(at % args.templates, min(LINES_A_REQUEST, args.templates), number),
                        Content_Type="application/json")
        measure()
        ahead = begin + args.interval * (index + 1) / len(requests) - time.time()
        if ahead > 0:
            time.sleep(ahead)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faultline")
    parser.add_argument("--series", type=int, default=1000000)
    parser.add_argument("--templates", type=int, default=10000)
    parser.add_argument("--interval", type=float, default=60)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--data", help="a folder that is kept; otherwise a temporary one")
    args = parser.parse_args()
    prefixes = [series_bytes(index) for index in range(args.series)]
    with tempfile.TemporaryDirectory() as own:
        daemon = Daemon(args.faultline, args.data or own)
        begin, told, points = time.time(), [0.0], []

        def measure():
            seconds = time.time() - begin
            if seconds < told[0]:
                return
            told[0] += 60
            points.append((seconds, daemon.resident_mib()))
            print(f"{seconds / 60:5.1f} min  {points[-1][1]:7.1f} MiB resident  {daemon.disk_mib():8.1f} MiB on disk"
                  f"  {daemon.cpu_s():7.1f} s of processor  answers {dict(daemon.answers)}", flush=True)

        try:
            number = 0
            while time.time() - begin < 60 * args.minutes:
                one_round(daemon, prefixes, args, number, measure)
                number += 1
            told[0] = 0
            measure()
        finally:
            daemon.process.terminate()
            daemon.process.wait(timeout=120)
    late = [point for point in points if point[0] >= points[-1][0] / 2]
    print(f"{args.series} series, {args.templates} templates: at most {max(y for _, y in points):.0f} MiB;"
          f" the second half grows by {growth_mib_an_hour(late):.1f} MiB an hour")
    return 0 if all(status // 100 == 2 for status in daemon.answers) else 1


if __name__ == "__main__":
    sys.exit(main())
