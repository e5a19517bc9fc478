#!/usr/bin/env python3
"""Make the benchmarks' inputs out of labelled recordings.

usage: bench_inputs.py CASES OUT

CASES holds a folder per case with {logs,traces,metrics}.otlp.jsonl.zst; those of the first few are joined to
files that are large enough to time. Writes into OUT, unless it is there already:
    traces.jsonl logs.jsonl metrics.jsonl   OTLP JSON lines
    traces.pb logs.pb metrics.pb            the same as protobuf messages, each behind its length
    traces.bare.pb                          the messages without the lengths, which is one message again
    lines.txt                               the log bodies of all cases, a line each
"""
import json
import pathlib
import subprocess
import sys

CASES_JOINED = 5
CONVERTER = pathlib.Path(__file__).resolve().parent.parent / "support" / "otlp_json_to_proto.py"


def plain(path):
    return subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout


def join(cases, signal, out):
    with (out / f"{signal}.jsonl").open("wb") as target:
        for case in cases[:CASES_JOINED]:
            if (case / f"{signal}.otlp.jsonl.zst").is_file():
                target.write(plain(case / f"{signal}.otlp.jsonl.zst"))
    subprocess.run([sys.executable, str(CONVERTER), str(out / f"{signal}.jsonl"), str(out / f"{signal}.pb")], check=True)


def without_lengths(source, target):
    framed, at = source.read_bytes(), 0
    with target.open("wb") as bare:
        while at < len(framed):
            size = int.from_bytes(framed[at:at + 4], "big")
            bare.write(framed[at + 4:at + 4 + size])
            at += 4 + size


def log_lines(cases, target):
    with target.open("w") as lines:
        for case in cases:
            if not (case / "logs.otlp.jsonl.zst").is_file():
                continue
            for request in plain(case / "logs.otlp.jsonl.zst").splitlines():
                for resource in json.loads(request).get("resourceLogs", []):
                    for scope in resource.get("scopeLogs", []):
                        for record in scope.get("logRecords", []):
                            lines.write(record["body"].get("stringValue", "").replace("\n", " ") + "\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    cases, out = sorted(p.parent for p in pathlib.Path(sys.argv[1]).glob("*/truth.json")), pathlib.Path(sys.argv[2])
    if not cases:
        sys.exit(f"bench_inputs.py: no case under {sys.argv[1]}")
    out.mkdir(parents=True, exist_ok=True)
    if (out / "done").exists():
        return
    for signal in ("traces", "logs", "metrics"):
        join(cases, signal, out)
    without_lengths(out / "traces.pb", out / "traces.bare.pb")
    log_lines(cases, out / "lines.txt")
    (out / "done").touch()


if __name__ == "__main__":
    main()
