#!/usr/bin/env python3
"""A disk that is full while the daemon runs: a small tmpfs in a mount namespace of the test's own. New data is refused, what is there
is read, and data is taken again when there is room.

usage: test_full_disk.py FAULTLINE [unittest options]

Skipped where mounting is not permitted.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import Daemon

FAULTLINE = ""
DISK = "160m" # two segments of the log, of 64 MiB each
BALLAST_MIB = 80 # what leaves room for one of them
LINES = 500


def request_of(number, noise):
    lines = [{"timeUnixNano": str(time.time_ns()), "body": {"stringValue": f"{number} {i} {noise.randbytes(400).hex()}"}} for i in range(LINES)]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": lines}]}]}).encode()


class FullDisk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="faultline-disk-")
        self.addCleanup(folder.cleanup)
        self.disk = f"{folder.name}/disk"
        os.mkdir(self.disk)
        holder = subprocess.Popen(["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={DISK} tmpfs {self.disk} && echo mounted && exec cat'],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.wait, 60)
        self.addCleanup(holder.stdin.close)
        if holder.stdout.readline() != "mounted\n":
            self.skipTest("mounting is not permitted here")
        self.inside = ["nsenter", "-t", str(holder.pid), "-m", "--"]
        if subprocess.run([*self.inside, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("a mount namespace cannot be entered here")

    def run_inside(self, *words):
        return subprocess.run([*self.inside, *words], check=True, capture_output=True, text=True, timeout=60).stdout

    def daemon(self):
        return Daemon(FAULTLINE, data=self.disk, prefix=self.inside)

    def send(self, daemon, body):
        return daemon.ask("POST", "/v1/logs", body, {"Content-Type": "application/json"})

    def test_a_full_disk_refuses_new_data_and_goes_on_when_there_is_room(self):
        noise, taken, status = random.Random(7), [], 200
        self.run_inside("dd", "if=/dev/zero", f"of={self.disk}/ballast", "bs=1M", f"count={BALLAST_MIB}")
        with self.daemon() as daemon:
            for number in range(400):
                body = request_of(number, noise)
                status, headers, problem = self.send(daemon, body)
                if status != 200:
                    break
                taken.append(body)
            self.assertEqual(status, 503, problem)
            self.assertGreater(int(headers["Retry-After"]), 0)
            self.assertGreater(len(taken), 20)
            metrics = daemon.metrics()
            self.assertEqual(metrics["faultline_archive_batches_total"], len(taken))
            self.assertGreaterEqual(metrics['faultline_archive_refused_total{reason="disk"}'], 1)
            for path in ("/healthz", "/v1/status"):
                self.assertEqual(daemon.ask("GET", path)[0], 200, path)
            self.assertEqual(self.send(daemon, body)[0], 503)
            self.run_inside("rm", f"{self.disk}/ballast")
            self.assertTrue(daemon.wait_for(lambda: self.send(daemon, body)[0] == 200), "nothing is taken though there is room")
            taken.append(body)
            self.assertEqual(daemon.metrics()["faultline_archive_batches_total"], len(taken))
            daemon.kill()
        with self.daemon() as daemon: # what was acknowledged is there: all of it is known again
            for body in taken:
                self.assertEqual(self.send(daemon, body)[0], 200)
            metrics = daemon.metrics()
            self.assertEqual(metrics["faultline_archive_repeated_total"], len(taken))
            self.assertEqual(metrics["faultline_archive_batches_total"], 0)


if __name__ == "__main__":
    FAULTLINE = sys.argv[1]
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=1)
