#!/usr/bin/env python3
"""What it costs a Go program that the daemon asks for its profiles: processor time, allocation, latency of its own requests.

usage: scrape_overhead.py FAULTLINE [SECONDS [PAIRS [MEGABYTES]]]

Under a steady load, windows of SECONDS (60) with and without the daemon follow each other as with, without, without, with; PAIRS (6) of
each. Twice: at the default interval of a minute, and each second with nothing held back, which multiplies the cost and so says
what one round takes, whatever else the machine does. The program is tests/bench/scraped_service (Go, MEGABYTES (128) of small objects, 500
idle goroutines, its runtime has the profile goroutineleak), then the genuine Prometheus, scraping itself each second, where it is installed.
"""
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from daemon import Daemon  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
RATE = 200  # requests a second


def cpu_seconds(pid):
    """Of user and system, proc(5)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def allocated_bytes(url):
    try:
        with urllib.request.urlopen(url + "/debug/vars", timeout=10) as answer:
            return json.load(answer)["memstats"]["TotalAlloc"]
    except OSError:
        return None


def window(program, pid, url, asked, seconds):
    """CPU seconds, bytes allocated, and latencies of one window."""
    cpu, allocated = cpu_seconds(pid), allocated_bytes(url)
    done = subprocess.run([program, "-load", url + asked, "-rate", str(RATE), "-for", f"{seconds}s"], capture_output=True, text=True,
                          check=True)
    after = allocated_bytes(url)
    load = json.loads(done.stdout)
    assert load["failed"] == 0, load
    return {"cpu": cpu_seconds(pid) - cpu, "bytes": after - allocated if after else 0, **load}


def watched(faultline, url, interval, run):
    """run() while the daemon asks; its answer with how many profiles came, and the time that they took."""
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "faultline.yaml"
        config.write_text(f"sources:\n  pprof:\n    - interval: {interval}s\n      overhead: {0.01 if interval >= 60 else 1}\n"
                          f"      targets: [{{service: program, url: '{url}/debug/pprof'}}]\nincidents: {{enabled: false}}\n")
        with Daemon(faultline, "--config", str(config)) as daemon:
            out = run()
            figures = daemon.metrics()
            out["profiles"] = figures["faultline_pull_profiles_total"]
            out["busy"] = figures["faultline_pull_target_seconds_total"]
            return out


def measure(name, faultline, program, pid, url, asked, seconds, pairs):
    def one():
        return window(program, pid, url, asked, seconds)
    one()  # warm
    for interval in (60, 1):
        rows = {True: [], False: []}
        for i in range(2 * pairs):
            with_daemon = i % 4 in (0, 3)
            rows[with_daemon].append(watched(faultline, url, interval, one) if with_daemon else one())
        report(name, interval, seconds, rows)


def report(name, interval, seconds, rows):
    def middle(which, key):
        return statistics.median(r[key] for r in rows[which])
    more = [a["cpu"] - b["cpu"] for a, b in zip(rows[True], rows[False])]
    error = statistics.stdev(more) / len(more) ** 0.5 if len(more) > 1 else float("nan")
    extra, profiles = statistics.mean(more), statistics.mean(r["profiles"] for r in rows[True])
    print(f"{name}, every {interval} s, {len(more)} pairs of {seconds} s: {profiles:.1f} profiles a window,"
          f" {1e3 * statistics.mean(r['busy'] for r in rows[True]):.0f} ms until they were answered")
    print(f"  CPU {100 * middle(False, 'cpu') / seconds:.2f} % of a core without, {100 * middle(True, 'cpu') / seconds:.2f} % with:"
          f" {100 * extra / seconds:+.3f} +- {100 * error / seconds:.3f} % of a core")
    if interval < 60 and profiles:
        rounds = seconds / interval
        allocated = (middle(True, "bytes") - middle(False, "bytes")) / rounds
        print(f"  a round takes {1e3 * extra / rounds:.2f} ms of CPU: {100 * extra / rounds / 60:.4f} % of a core at the default of a minute"
              + (f"; it allocates {allocated / 1e3:.0f} kB" if allocated else ""))
    print(f"  requests: p50 {middle(False, 'p50_ms'):.2f} ms without, {middle(True, 'p50_ms'):.2f} with;"
          f" p99 {middle(False, 'p99_ms'):.2f} ms without, {middle(True, 'p99_ms'):.2f} with", flush=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main():
    faultline = sys.argv[1]
    seconds, pairs, megabytes = (int(sys.argv[i]) if len(sys.argv) > i else d for i, d in ((2, 60), (3, 6), (4, 128)))
    if shutil.which("go") is None:
        sys.exit("skipped: go is not installed")
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder) / "scraped_service")
        subprocess.run(["go", "build", "-o", program, "main.go"], cwd=HERE / "scraped_service", check=True,
                       env={**os.environ, "GOEXPERIMENT": "goroutineleakprofile"})
        service = subprocess.Popen([program, "-live", str(megabytes)], stdout=subprocess.PIPE, text=True)
        try:
            url = f"http://127.0.0.1:{int(service.stdout.readline())}"
            measure(f"Go service, {megabytes} MB", faultline, program, service.pid, url, "/work", seconds, pairs)
        finally:
            service.kill()
        if shutil.which("prometheus") is None:
            return
        port = free_port()
        config = pathlib.Path(folder) / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s}\nscrape_configs:\n"
                          f"- {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n")
        server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(5)
            measure("Prometheus", faultline, program, server.pid, f"http://127.0.0.1:{port}", "/api/v1/query?query=up", seconds, pairs)
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
