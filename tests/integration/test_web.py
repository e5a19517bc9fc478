#!/usr/bin/env python3
"""The pages in a real browser: Debian's Chromium, driven by playwright-core.

usage: test_web.py FAULTLINE FOLDER [node's test options]

The packages of tests/web/package-lock.json are installed into FOLDER by `npm ci`, pictures of the pages are left in
FOLDER/shots. Without Chromium, node, npm or a way to the registry the test says so and ends with 77, which is "skipped".
"""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from daemon import Daemon

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ROOT / "tests" / "web"
SHOP = ROOT / "examples" / "shop" / "incidents"
HEAPS = pathlib.Path(os.environ.get("FL_SHARED", ROOT.parent / "shared")) / "profiles/jvm/17/static_hashmap"
NO_WAY = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET", "ENETUNREACH", "E403", "E407", "ENOTCACHED")
HOSTILE = '<img src=x onerror=alert(1)>"\'&\x1b[31mred\u202egnp.exe\u2066'


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def install(folder):
    """node_modules as the lock says; made once for a lock."""
    for program in ("chromium", "node", "npm"):
        if not shutil.which(program):
            skip(f"{program} is not there")
    lock = hashlib.sha256((PAGES / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "installed"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PAGES / name, folder / name)
    if stamp.exists() and stamp.read_text() == lock:
        return
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        if any(word in done.stderr for word in NO_WAY):
            skip("npm could not install what drives the browser")
        sys.exit(f"npm ci failed: {done.stderr[-2000:]}")
    stamp.write_text(lock)


class Web:
    """A `faultline web` of the test's own."""

    def __init__(self, faultline, store):
        self.process = subprocess.Popen([faultline, "web", "--store", str(store), "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        found = re.search(r"http://\S+", self.process.stderr.readline())
        assert found, "faultline web did not start"
        self.url = found.group(0).rstrip("/")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while self.process.poll() is None:  # told more than once, which is once
            self.process.terminate()
        assert self.process.returncode == 0, "faultline web did not end in order"


def triage(faultline, store, telemetry, at, *options):
    """The id under which it is stored."""
    done = subprocess.run([faultline, "triage", "--otlp", str(telemetry), "--at", at, "--store", str(store), "--format", "json", *options],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 5, 6), done.stderr
    return json.loads(done.stdout)["incident"]["id"]


def hostile_telemetry(folder):
    """Metrics of a service with such a name, which break at minute 30."""
    base = 1_700_000_000
    points = [{"timeUnixNano": str((base + 60 * i) * 10**9), "asDouble": (5 if i < 30 else 500) + i % 3} for i in range(40)]
    # A megabyte of a name, too.
    metrics = [{"name": name, "unit": "%", "gauge": {"dataPoints": points}} for name in ("cpu." + HOSTILE, "cpu." + "\u05d0" * 500_000)]
    text = {"resourceMetrics": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": HOSTILE}}]},
                                 "scopeMetrics": [{"metrics": metrics}]}]}
    (folder / "metrics.otlp.jsonl").write_text(json.dumps(text) + "\n")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(base + 30 * 60))


def wide_telemetry(folder):
    """Thirty services with 9 metrics each, every 15 seconds of an hour, which break at minute 50."""
    base, lines, noise = 1_700_000_000, [], random.Random(7)
    for service in range(30):
        metrics = []
        for number in range(9):
            values = [100 + noise.gauss(0, 5) + (400 + 3 * number + 5 * service if i >= 200 else 0) for i in range(240)]
            points = [{"timeUnixNano": str((base + 15 * i) * 10**9), "asDouble": round(v, 3)} for i, v in enumerate(values)]
            metrics.append({"name": f"work.{number}.duration", "unit": "ms", "gauge": {"dataPoints": points}})
        about = {"attributes": [{"key": "service.name", "value": {"stringValue": f"service-{service}"}}]}
        lines.append(json.dumps({"resourceMetrics": [{"resource": about, "scopeMetrics": [{"metrics": metrics}]}]}))
    (folder / "metrics.otlp.jsonl").write_text("\n".join(lines) + "\n")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(base + 50 * 60))


def fill(faultline, folder, store):
    """Incidents by what they are."""
    quiet = ("--baseline", str(SHOP / "baseline"))
    subprocess.run([faultline, "graph", "init", "--store", str(store)], check=True, capture_output=True, timeout=120)
    hostile = folder / "hostile"
    hostile.mkdir()
    at = hostile_telemetry(hostile)
    wide = folder / "wide"
    wide.mkdir()
    wide_at = wide_telemetry(wide)
    dumps = [HEAPS / f"heap-{part}.hprof.zst" for part in ("half", "end")]
    kept = {"kept": triage(faultline, store, SHOP / "cache-growth", "2026-11-23T00:06:50Z", *quiet, "--heap", "orders=" + ",".join(map(str, dumps)))} \
        if dumps[0].exists() else {}
    return {
        **kept,
        "wide": triage(faultline, store, wide, wide_at, "--window", "10m"),
        "hostile": triage(faultline, store, hostile, at),
        "said": triage(faultline, store, SHOP / "pool-exhaustion", "2026-11-22T23:58:50Z", *quiet),
        "exception": triage(faultline, store, SHOP / "pool-exhaustion", "2026-11-22T23:58:48Z", *quiet),
        "leak": triage(faultline, store, SHOP / "cache-growth", "2026-11-23T00:06:50Z", *quiet, "--pprof", str(SHOP / "cache-growth/profiles")),
    }


def multiply(store, count):
    """Copies of the stored incidents under other ids."""
    with sqlite3.connect(store) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(incident)") if row[1] != "id"]
        rows = db.execute(f"SELECT {','.join(columns)} FROM incident").fetchall()
        marks = ",".join("?" * (len(columns) + 1))
        db.executemany(f"INSERT INTO incident (id,{','.join(columns)}) VALUES ({marks})",
                       ((f"made-{i:05}", *rows[i % len(rows)]) for i in range(count - len(rows))))


def large_graph(store):
    """Ten thousand more nodes, which all hang on one: number 77."""
    with sqlite3.connect(store) as db:
        team = db.execute("SELECT team FROM node LIMIT 1").fetchone()[0]
        db.execute("INSERT INTO node VALUES (?, 77, 'service', 'hub', NULL, 1)", (team,))
        db.executemany("INSERT INTO node VALUES (?, ?, 'service', ?, NULL, 1)", ((team, 1000 + i, f"made-{i:05}") for i in range(10_000)))
        db.executemany("INSERT INTO edge VALUES (?, ?, 'calls', 77, ?, NULL, 1)", ((team, 1000 + i, 1000 + i) for i in range(10_000)))


def read_results(text):
    """What node's test runner says (TAP): the tests as (passed, name, seconds, what it says of a failure)."""
    tests, inside = [], None
    for line in text.splitlines():
        found = re.match(r"(not ok|ok) \d+ - (.*)", line)
        if found:
            tests.append([found[1] == "ok", found[2].replace("\\#", "#"), 0.0, []])
        elif tests and line == "  ---":
            inside = tests[-1]
        elif line == "  ...":
            inside = None
        elif inside and line.startswith("  duration_ms: "):
            inside[2] = float(line.split()[1]) / 1000
        elif inside and not inside[0] and not re.match(r"  (location|failureType|code|name|stack): |    at |.*node:internal", line):
            inside[3].append(line.strip())
    return tests


def run_pages(file, folder, given, options, timeout=1500):
    """The exit code. All that node says is kept in FOLDER; here each test is a line, and what failed is said once more at the end, so
    that it is seen where the beginning of a log is cut off."""
    for one in PAGES.glob("*.cjs"):
        shutil.copy(one, folder / one.name)
    log = folder / (file + ".log")
    given = {**given, "shots": str(folder / "shots"), "chromium": shutil.which("chromium")}
    with log.open("w") as out:
        try:
            code = subprocess.run(["node", "--test", "--test-reporter=tap", *options, str(folder / file)], timeout=timeout, stdout=out, stderr=subprocess.STDOUT,
                                  env={**os.environ, "FL_PAGES": json.dumps(given), "NODE_PATH": str(folder / "node_modules")}).returncode
        except subprocess.TimeoutExpired:
            code = 1
            out.write(f"\nnot ok 0 - the tests together took more than {timeout} s\n")
    text = log.read_text(errors="replace")
    tests = read_results(text)
    for line in re.findall(r"^# (?:\\\\)?# (.*)$", text, re.M):
        print(line)
    tests = [test for test in tests if not test[1].endswith("# SKIP test name does not match pattern")]
    for passed, name, seconds, _ in tests:
        print(f"{'ok' if passed else 'FAILED'} {name} ({seconds:.1f} s)")
    failed = [test for test in tests if not test[0]]
    if code != 0 and not failed:
        print(text[-2000:])
    for _, name, _, said in failed:
        print(f"\nFAILED: {name}")
        print("\n".join("    " + line[:300] for line in said[:12]))
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed; all of it is in {log}")
    return code


def main():
    faultline, folder = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    install(folder)
    with tempfile.TemporaryDirectory(prefix="faultline-web-") as own:
        own = pathlib.Path(own)
        ids = fill(faultline, own, own / "store.db")
        shutil.copy(own / "store.db", own / "big.db")
        multiply(own / "big.db", 10_000)
        large_graph(own / "big.db")
        token = subprocess.run([faultline, "token", "--role", "read", "--file", str(own / "tokens")], check=True, capture_output=True, text=True,
                               timeout=60).stdout.strip()
        with Web(faultline, own / "store.db") as web, Web(faultline, own / "big.db") as big, Daemon(faultline) as daemon, \
                Daemon(faultline, "--tokens", str(own / "tokens")) as guarded:
            given = {"url": web.url, "big": big.url, "ids": ids, "live": f"http://127.0.0.1:{daemon.port}",
                     "guarded": f"http://127.0.0.1:{guarded.port}", "token": token}
            code = run_pages("pages.cjs", folder, given, sys.argv[3:])
    sys.exit(code)


if __name__ == "__main__":
    main()
