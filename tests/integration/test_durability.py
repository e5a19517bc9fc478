"""Writers that are killed, a server that is restarted, many at once: nothing acknowledged is lost, nothing is there twice.

usage: test_durability.py GRAPH_WRITER FAULTLINE [unittest options]

On an SQLite file; beside a PostgreSQL server (with_postgres) on that. FL_LONG=1 runs the figures of docs/benchmarks.md: 100
kills, 20 restarts; without it a few of each.
"""
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

LONG = os.environ.get("FL_LONG") == "1"
KILLS = 100 if LONG else 5
RESTARTS = 20 if LONG else 3
WRITES = 1000
WRITERS = READERS = 10
SERVER = os.environ.get("FL_TEST_STORE")
writer_program, faultline = "", ""


def psql(sql):
    out = subprocess.run(["psql", "-qXAtc", f"SET client_min_messages = warning; SET search_path = faultline; {sql}"],
                         capture_output=True, text=True, timeout=120, check=True)
    return [line.split("|") for line in out.stdout.splitlines()]


def control(*arguments, check=True):
    command = [os.environ["FL_TEST_PG_CTL"], *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=check, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Durability(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fl_durability_")
        self.addCleanup(shutil.rmtree, self.folder)
        self.random = random.Random(5)
        self.url = SERVER or f"sqlite:{self.folder}/store.db"
        if SERVER:
            psql("DROP SCHEMA IF EXISTS faultline CASCADE")

    def rows(self, sql):
        if SERVER:
            return psql(sql)
        with sqlite3.connect(f"{self.folder}/store.db") as db:
            return [[str(value) for value in row] for row in db.execute(sql)]

    def start(self, *arguments):
        return subprocess.Popen([writer_program, self.url, *map(str, arguments)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def finish(self, process):
        out, err = process.communicate(timeout=600)
        self.assertEqual((process.returncode, err), (0, ""))
        return out

    def kept(self, author):
        """The numbers of an author's items, each once."""
        references = [row[0] for row in self.rows(f"SELECT reference FROM evidence WHERE author = '{author}'")]
        self.assertEqual(len(references), len(set(references)))
        return {int(reference.rpartition("/")[2]) for reference in references}

    def check_graph(self):
        """What foreign keys, checksums and the program itself say of what is there."""
        if not SERVER:
            self.assertEqual(self.rows("PRAGMA integrity_check"), [["ok"]])
            self.assertEqual(self.rows("PRAGMA foreign_key_check"), [])
        checked = subprocess.run([faultline, "graph", "check", "--store", self.url], capture_output=True, text=True, timeout=120)
        if "choose one of" not in checked.stderr: # a build without it
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def kill(self, process, round_):
        """The writer; with a server every other time the server, as a machine that fails would, which is then started again."""
        if not SERVER or round_ % 2 == 0:
            process.send_signal(signal.SIGKILL)
            return
        folder = pathlib.Path(os.environ["FL_TEST_PG_CTL"]).parent
        os.kill(int((folder / "data/postmaster.pid").read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
        process.send_signal(signal.SIGKILL)
        for _ in range(50): # until what is left of the old one has noticed
            time.sleep(0.2)
            control("start", check=False)
            if subprocess.run(["psql", "-qXAtc", "SELECT 1"], capture_output=True, check=False).returncode == 0:
                return
        self.fail("the server does not come back")

    def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(self):
        started = time.monotonic()
        self.finish(self.start("write", "whole", WRITES))
        whole_s = time.monotonic() - started
        cut = 0
        for round_ in range(KILLS):
            author = f"killed-{round_}"
            process = self.start("write", author, WRITES)
            acknowledged = set()
            for _ in range(self.random.randrange(WRITES)):
                acknowledged.add(int(process.stdout.readline()))
            time.sleep(self.random.random() * whole_s / WRITES) # anywhere within a write
            self.kill(process, round_)
            acknowledged |= {int(line) for line in process.stdout.read().splitlines()}
            process.communicate(timeout=60)
            kept = self.kept(author)
            self.assertLessEqual(acknowledged, kept)
            self.assertLessEqual(len(kept - acknowledged), 1) # committed, and killed before it said so
            cut += len(acknowledged) < WRITES
        self.assertEqual(self.kept("whole"), set(range(WRITES)))
        self.assertGreater(cut, 0)
        self.check_graph()
        print(f"{KILLS} kills, {cut} of them in the middle of {WRITES} writes ({whole_s:.2f} s)", file=sys.stderr)

    @unittest.skipUnless(SERVER, "only a server restarts")
    def test_a_bulk_load_survives_restarts_of_the_server(self):
        count, restarts = 20000 * RESTARTS, 0
        loader = self.start("load", "bulk", count, 500)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(loader.stdout))
        reader.start()
        while restarts < RESTARTS and loader.poll() is None:
            if len(lines) > restarts * count / 500 / RESTARTS: # evenly, in the middle of a batch
                control("restart")
                restarts += 1
            time.sleep(0.001 + self.random.random() / 100)
        loader.wait(timeout=900)
        reader.join()
        self.assertEqual((loader.returncode, loader.stderr.read()), (0, ""))
        loader.stderr.close()
        loader.stdout.close()
        self.assertEqual(restarts, RESTARTS)
        self.assertEqual(len(lines), count // 500)
        self.assertEqual(self.kept("bulk"), set(range(count)))
        self.check_graph()
        print(f"{restarts} restarts during a load of {count} items", file=sys.stderr)

    def test_many_at_once_lose_nothing_and_double_nothing(self):
        writers = WRITERS if SERVER else 2
        readers = READERS if SERVER else 2
        self.finish(self.start("write", "first", 1))
        started = [self.start("write", f"writer-{i}", 100) for i in range(writers)]
        started += [self.start("load", f"loader-{i}", 1000, 100) for i in range(writers)]
        started += [self.start("read", "reader", 20) for i in range(readers)]
        for process in started:
            self.finish(process)
        for i in range(writers):
            self.assertEqual(self.kept(f"writer-{i}"), set(range(100)))
            self.assertEqual(self.kept(f"loader-{i}"), set(range(1000)))
        self.check_graph()


if __name__ == "__main__":
    writer_program, faultline = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=1)
