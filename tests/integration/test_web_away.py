#!/usr/bin/env python3
"""The pages over a database that is stopped and started again, in a real browser.

usage: with_postgres test_web_away.py FAULTLINE FOLDER [node's test options]

As test_web.py, which has how a browser is driven.
"""
import os
import pathlib
import shutil
import subprocess
import sys

from daemon import Daemon
from test_web import SHOP, Web, install, run_pages, triage


def main():
    faultline, folder = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    store = os.environ["FL_TEST_STORE"]
    install(folder)
    subprocess.run([faultline, "graph", "init", "--store", store], check=True, capture_output=True, timeout=120)
    stored = triage(faultline, store, SHOP / "pool-exhaustion", "2026-11-22T23:58:48Z", "--baseline", str(SHOP / "baseline"))
    owner = [shutil.which("runuser"), "-u", "postgres", "--"] if os.getuid() == 0 else []
    with Web(faultline, store) as web, Daemon(faultline, "--store", store) as daemon:
        given = {"places": [web.url, f"http://127.0.0.1:{daemon.port}"], "id": stored, "control": [*owner, os.environ["FL_TEST_PG_CTL"]]}
        code = run_pages("away.cjs", folder, given, sys.argv[3:])
    sys.exit(code)


if __name__ == "__main__":
    main()
