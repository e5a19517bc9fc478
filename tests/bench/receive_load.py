#!/usr/bin/env python3
"""How many records a second the daemon takes on one core, over loopback, durable: bench_load on another core sends.

usage: receive_load.py BUILD-FOLDER [RECORDS [CONNECTIONS]]

Core 0 is the daemon's, core 1 the sender's. Each protocol has a daemon and a folder of its own.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from daemon import Daemon  # noqa: E402


def main(build, *counts):
    for path in ("/v1/logs", "/v1/traces", "/api/v1/write"):
        with Daemon(build / "faultline", prefix=("taskset", "-c", "0")) as daemon:
            words = [str(daemon.port), *(counts or ("5000000",))]
            words += ["16"] * (3 - len(words)) + [path]
            subprocess.run(["taskset", "-c", "1", str(build / "tests" / "bench_load"), *words], check=True)
            daemon.stop()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]).resolve(), *sys.argv[2:4])
