"""Stores as they go wrong, and copies of them: the whole program on SQLite files and, beside a server (with_postgres), on PostgreSQL.

usage: test_stores.py GRAPH_WRITER FAULTLINE SOURCE [unittest options]

Each mistake is one clear sentence, exit code 1, and leaves what was there as it was.
"""
import json
import os
import pathlib
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

WRITER, FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
SERVER = os.environ.get("FL_TEST_STORE")
PG = {name: value for name, value in os.environ.items() if name.startswith("PG")}
SANITIZED = b"__asan_init" in FAULTLINE.read_bytes()
files = unittest.skipIf(SERVER, "files are tested without a server")
CASE = "examples/shop/incidents"
ITEMS = 3000
KILLS = 6
HOSTILE = "'); DROP TABLE node; -- <script>alert(1)</script> ]]> \x1b[31m \"q\\ é"


def psql(sql, database="postgres"):
    subprocess.run(["psql", "-qXAtc", f"SET client_min_messages = warning; {sql}", database], capture_output=True, timeout=120, check=True)


def control(*arguments):
    command = [os.environ["FL_TEST_PG_CTL"], *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Stores(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fl_stores_"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {**{name: value for name, value in os.environ.items() if name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")},
                            **PG, "HOME": str(self.folder), "USER": "tester"}
        self.store = str(self.folder / "store.db")
        if SERVER:
            psql("DROP SCHEMA IF EXISTS faultline CASCADE")

    def run_it(self, *words, store=None, **options):
        command = [FAULTLINE, *words] + (["--store", str(store)] if store else [])
        done = subprocess.run(command, capture_output=True, timeout=300, env=self.environment, cwd=self.folder, check=False, **options)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def good(self, *words, store=None):
        code, out, err = self.run_it(*words, store=store)
        self.assertIn(code, (0, 5, 6), (words, out, err))
        return out

    def refused(self, expected, *words, store=None, **options):
        code, out, err = self.run_it(*words, store=store, **options)
        self.assertEqual((code, out), (1, ""), err)
        self.assertIn(expected, err)
        self.assertEqual(err.count("\n"), 1, err)
        return err

    def teach(self, store, items=ITEMS):
        """Two incidents, one of them confirmed in hostile words, and a graph of evidence."""
        for name in ("cache-growth", "pool-exhaustion"):
            case = SOURCE / CASE / name
            truth = json.loads((case / "truth.json").read_text())
            out = self.good("triage", "--otlp", str(case), "--baseline", str(SOURCE / CASE / truth["baseline"]),
                            "--at", truth["incident_time"], "--format", "json", store=store)
            incident = json.loads(out)["incident"]["id"]
        self.good("confirm", incident, "--cause", HOSTILE, "--fix", HOSTILE, "--note", HOSTILE, "--author", HOSTILE, store=store)
        if items:
            subprocess.run([WRITER, store, "load", "bulk", str(items), "500"], check=True, timeout=300, env=self.environment, stdout=subprocess.DEVNULL)
        return incident

    def contents(self, store):
        """Everything that the program shows of a store."""
        listed = self.good("incidents", "--format", "json", store=store)
        incidents = json.loads(listed)["incidents"]
        return [self.good("graph", "export", store=store), listed] + [
            self.good("show", one["id"], *how, store=store) for one in incidents for how in (("--format", "json"), ("--timeline",))]

    # ---- copies ----

    def pairs(self):
        """From, to, and back into a third."""
        middle = SERVER or str(self.folder / "middle.db")
        return self.store, middle, str(self.folder / "third.db")

    def test_a_copy_and_a_copy_of_it_are_the_store(self):
        first, middle, third = self.pairs()
        self.teach(first)
        before = self.contents(first)
        copied = json.loads(self.good("graph", "copy", first, middle, "--format", "json"))
        self.assertEqual(copied["read"], copied["added"])
        self.assertGreaterEqual(copied["read"]["evidence"], ITEMS)
        self.assertEqual(self.contents(middle), before)
        self.good("graph", "copy", middle, third)
        self.assertEqual(self.contents(third), before)
        again = json.loads(self.good("graph", "copy", first, middle, "--format", "json"))
        self.assertEqual((again["read"], set(again["added"].values())), (copied["read"], {0}))
        for store in (middle, third):
            self.assertIn("Nothing is wrong", self.good("graph", "check", store=store))

    def test_a_copy_that_is_killed_at_any_moment_is_taken_up_again(self):
        first, middle, third = self.pairs()
        self.teach(first)
        chance = random.Random(11)
        for source, target in ((first, middle), (middle, third)):
            begun = time.monotonic()
            self.good("graph", "copy", source, str(self.folder / f"timed{begun}.db"))
            whole_s = time.monotonic() - begun
            killed = 0
            for _ in range(KILLS):
                process = subprocess.Popen([FAULTLINE, "graph", "copy", source, target], env=self.environment,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(chance.random() * whole_s)
                process.kill()
                if process.wait() < 0:
                    killed += 1
                else:
                    whole_s /= 2  # with all of it there already, the next is over sooner
            self.good("graph", "copy", source, target)
            self.assertEqual(self.contents(target), self.contents(first))
            self.assertIn("Nothing is wrong", self.good("graph", "check", store=target))
            self.assertGreater(killed, 0)

    def test_what_the_other_store_has_stays(self):
        first, middle, _ = self.pairs()
        self.teach(first)
        self.teach(middle, items=100)
        before = json.loads(self.good("graph", "export", store=middle))
        self.good("graph", "copy", first, middle)
        after = json.loads(self.good("graph", "export", store=middle))
        for table in ("nodes", "edges", "evidence"):
            self.assertLessEqual({row["id"] for row in before[table]}, {row["id"] for row in after[table]})

    def test_a_copy_without_two_stores_is_refused(self):
        self.refused("a store is not copied into itself", "graph", "copy", self.store, self.store)
        self.refused("no store at ", "graph", "copy", self.store, "other.db")
        self.assertEqual(list(self.folder.glob("*.db")), [])
        code, _, err = self.run_it("graph", "copy", self.store)
        self.assertEqual(code, 2)
        self.assertIn("graph copy wants FROM TO behind it", err)

    # ---- files that are no stores, disks that are full ----

    @files
    def test_a_file_that_is_no_store_is_left_alone(self):
        text, other = self.folder / "text.db", self.folder / "other.db"
        text.write_text("This is no database, but a letter.\n" * 100)
        with sqlite3.connect(other) as database:
            database.execute("CREATE TABLE mine (a)")
        database.close()
        for path, expected in ((text, "text.db is not a Faultline store"), (other, "other.db is an SQLite file but not a Faultline store")):
            before = path.read_bytes()
            for words in (["graph", "stats"], ["graph", "check"], ["graph", "migrate"], ["incidents"]):
                self.refused(expected, *words, store=path)
            self.refused(expected, "graph", "copy", str(path), "new.db")
            self.assertEqual(path.read_bytes(), before)

    def space(self, *, size=None, read_only=None):
        """Words before a command that run it where a small disk is, or where a folder is read only; None where that is not permitted."""
        inside = (f"mount -t tmpfs -o size={size} tmpfs {self.folder}/disk" if size
                  else f"mount --bind {read_only} {read_only} && mount -o remount,ro,bind {read_only}")
        words = ["unshare", "-m", "sh", "-c", f'{inside} && exec "$@"', "sh"]
        return words if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0 else None

    @files
    def test_a_full_disk_is_said_and_nothing_is_half_there(self):
        self.teach(self.store, items=10000)
        graph = self.folder / "graph.json"
        graph.write_text(self.good("graph", "export", store=self.store))
        (self.folder / "disk").mkdir()
        words = self.space(size="400k")
        if words is None:
            self.skipTest("mounting is not permitted here")
        script = '"$0" graph import "$1" --store disk/new.db; echo "exit $?" >&2; "$0" graph check --store disk/new.db; ls disk >&2'
        done = subprocess.run([*words, "sh", "-c", script, str(FAULTLINE), str(graph)], capture_output=True, text=True, timeout=120,
                              env=self.environment, cwd=self.folder, check=False)
        self.assertRegex(done.stderr, r"faultline: .*(disk is full|No space left)[^\n]*\nexit 1\n")
        self.assertTrue("Nothing is wrong" in done.stdout or "disk/new.db" in done.stderr, done.stdout + done.stderr)

    @files
    def test_a_limit_on_the_size_of_files_is_said_and_the_store_stays_sound(self):
        self.teach(self.store, items=10000)
        graph, new = self.folder / "graph.json", self.folder / "new.db"
        graph.write_text(self.good("graph", "export", store=self.store))
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        err = self.refused("store ", "graph", "import", str(graph), store=new, preexec_fn=limit, restore_signals=False)
        self.assertIn("new.db", err)
        self.assertIn("Nothing is wrong", self.good("graph", "check", store=new))
        self.good("graph", "import", str(graph), store=new)
        self.assertEqual(self.good("graph", "export", store=new), self.good("graph", "export", store=self.store))

    @files
    def test_a_read_only_disk_is_read_and_not_written(self):
        (self.folder / "disk").mkdir()
        store = self.folder / "disk/store.db"
        incident = self.teach(str(store), items=10)
        before = {path.name: path.read_bytes() for path in store.parent.iterdir()}
        export = self.good("graph", "export", store=store)
        words = self.space(read_only=store.parent)
        if words is None:
            self.skipTest("mounting is not permitted here")
        run = lambda *more: subprocess.run([*words, str(FAULTLINE), *more, "--store", str(store)], capture_output=True, text=True,
                                           timeout=120, env=self.environment, cwd=self.folder, check=False)
        read = run("graph", "export")
        self.assertEqual((read.returncode, read.stderr, read.stdout), (0, "", export))
        written = run("confirm", incident, "--cause", "another")
        self.assertEqual((written.returncode, written.stdout), (1, ""))
        self.assertIn("read-only", written.stderr.lower().replace("readonly", "read-only"))
        self.assertEqual({path.name: path.read_bytes() for path in store.parent.iterdir()}, before)

    @files
    def test_two_programs_on_one_file_wait_for_each_other(self):
        self.teach(self.store)
        graph, new = self.folder / "graph.json", str(self.folder / "new.db")
        graph.write_text(self.good("graph", "export", store=self.store))
        both = [subprocess.Popen([FAULTLINE, "graph", "import", graph, "--store", new], env=self.environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
                for _ in range(2)]
        self.assertEqual([(one.communicate(timeout=120)[1], one.returncode) for one in both], [(b"", 0), (b"", 0)])
        self.assertEqual(self.good("graph", "export", store=new), graph.read_text())

    @files
    def test_a_file_that_somebody_holds_is_waited_for_and_then_said(self):
        incident = self.teach(self.store, items=0)
        before = self.good("graph", "export", store=self.store)
        holder = sqlite3.connect(self.store, isolation_level=None)
        self.addCleanup(holder.close)
        holder.execute("BEGIN IMMEDIATE")
        self.refused("is being written by another process", "confirm", incident, "--cause", "another", store=self.store)
        self.assertEqual(self.good("graph", "export", store=self.store), before)  # a reader does not wait
        holder.execute("ROLLBACK")
        self.good("confirm", incident, "--cause", "another", store=self.store)

    # ---- words and documents ----

    @files
    def test_words_that_are_no_text_are_refused(self):
        incident = self.teach(self.store, items=0)
        before = self.good("graph", "export", store=self.store)
        self.refused("put the rest into a note", "confirm", incident, "--cause", "x" * 100_000, store=self.store)
        self.refused("put the rest into a note", "resolve", incident, "--fix", "x" * 100_000, store=self.store)
        self.refused("is not UTF-8", "confirm", incident, "--cause", os.fsdecode(b"pool \xff"), store=self.store)
        self.refused("is not UTF-8", "resolve", incident, "--fix", os.fsdecode(b"\xc3"), store=self.store)
        self.refused("is not UTF-8", "confirm", incident, "--note", os.fsdecode(b"\xed\xa0\x80"), store=self.store)
        self.assertEqual(self.good("graph", "export", store=self.store), before)

    def document(self, **tables):
        path = self.folder / "document.json"
        path.write_text(json.dumps({"schema": "faultline.graph/1", **tables}))
        return str(path)

    @files
    def test_a_fix_of_an_unknown_cause_and_a_circle_are_refused(self):
        self.teach(self.store, items=0)
        graph = json.loads(self.good("graph", "export", store=self.store))
        edge = next(edge for edge in graph["edges"] if edge["kind"] == "resolved-by")
        fix = [node for node in graph["nodes"] if node["id"] == edge["to"]]
        self.refused("an edge ends at a node that is not there", "graph", "import", self.document(nodes=fix, edges=[edge]), store="new.db")
        self.refused('no edge "introduced" leads from a cause to a cause', "graph", "import",
                     self.document(nodes=[node for node in graph["nodes"] if node["kind"] == "cause"],
                                   edges=[self.introduced(graph)]), store="new.db")

    def introduced(self, graph):
        """A cause that introduces itself. The program says the id that such an edge has."""
        cause = next(node["id"] for node in graph["nodes"] if node["kind"] == "cause")
        edge = {"id": "1", "kind": "introduced", "from": cause, "to": cause, "qualifier": None, "recorded": "2024-01-01T00:00:00Z"}
        err = self.refused("is not that of this kind", "graph", "import", self.document(edges=[edge]), store="new.db")
        return {**edge, "id": err.rpartition("which is ")[2].split()[0]}

    @files
    def test_a_key_of_a_megabyte_and_a_document_of_a_hundred_are_refused(self):
        node = {"id": "1", "kind": "cause", "key": "x" * 1_000_000, "title": None, "recorded": "2024-01-01T00:00:00Z"}
        self.refused("a row larger than 256 KiB begins here", "graph", "import", self.document(nodes=[node]), store="new.db")
        path = self.folder / "large.json"
        with open(path, "wb") as file:
            file.write(b'{"schema": "faultline.graph/1", "nodes": [{"key": "')
            for _ in range(100):
                file.write(b"x" * 1_000_000)
        begun = time.monotonic()
        self.refused("a row larger than 256 KiB begins here", "graph", "import", str(path), store="new.db")
        self.assertLess(time.monotonic() - begun, 10)
        self.assertFalse((self.folder / "new.db").exists())

    @files
    @unittest.skipIf(SANITIZED, "a sanitizer's own memory would count")
    def test_a_document_of_a_hundred_megabytes_is_read_in_little_memory(self):
        self.teach(self.store, items=500)
        graph = json.loads(self.good("graph", "export", store=self.store))
        path = self.folder / "large.json"
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"schema": "faultline.graph/1"')
            for table, share in (("nodes", 30e6), ("edges", 30e6), ("evidence", 40e6)):
                rows = [json.dumps(row) for row in graph[table]]
                times = int(share / sum(len(row) + 2 for row in rows)) + 1
                file.write(f', "{table}": [' + ", ".join(rows * times) + "]")
            file.write("}")
        self.assertGreater(path.stat().st_size, 100_000_000)
        code = "import resource, subprocess, sys; p = subprocess.run(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(p.returncode)"
        done = subprocess.run([sys.executable, "-c", code, FAULTLINE, "graph", "import", path, "--store", "new.db", "--format", "json"],
                              capture_output=True, text=True, timeout=300, env=self.environment, cwd=self.folder, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLess(int(done.stdout.splitlines()[-1]), 160_000)  # kB; SQLite keeps 64 MB of pages
        self.assertEqual(self.good("graph", "export", store="new.db"), self.good("graph", "export", store=self.store))

    # ---- servers ----

    @unittest.skipUnless(SERVER, "there is no server")
    def test_a_wrong_password_and_a_wrong_name_are_said_without_the_password(self):
        folder = pathlib.Path(os.environ["FL_TEST_PG_CTL"]).parent / "data"
        psql("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'right'")
        rules = (folder / "pg_hba.conf").read_text()
        (folder / "pg_hba.conf").write_text("local all guarded scram-sha-256\n" + rules)
        control("reload")
        time.sleep(0.3)
        try:
            err = self.refused("password authentication failed", "graph", "stats", store="postgresql://guarded:wrong@/postgres")
            self.assertNotIn("wrong", err)
            self.refused("no store in database", "graph", "stats", store="postgresql://guarded:right@/postgres")
        finally:
            (folder / "pg_hba.conf").write_text(rules)
            control("reload")
        self.refused('database "nowhere" does not exist', "graph", "stats", store="postgresql:///nowhere")

    @unittest.skipUnless(SERVER, "there is no server")
    def test_a_server_that_is_gone_is_said(self):
        self.refused("reaching the store at /nowhere failed", "graph", "stats", store="postgresql:///postgres?host=/nowhere")
        self.refused("reaching the store at 127.0.0.1 failed", "graph", "stats", store="postgresql://127.0.0.1:1/postgres")

    @unittest.skipUnless(SERVER, "there is no server")
    def test_a_newer_store_on_a_server_is_refused(self):
        self.teach(SERVER, items=0)
        psql("INSERT INTO faultline.version VALUES (99)")
        for words in (["graph", "stats"], ["graph", "migrate"], ["graph", "migrate", "--dry-run"]):
            self.refused("has version 99; this program knows up to", *words, store=SERVER)

    @unittest.skipUnless(SERVER, "there is no server")
    def test_a_migration_of_a_server_that_fails_leaves_it_as_it_was(self):
        first = (SOURCE / "schemas/sql/postgresql/001_incidents.sql").read_text()
        psql("CREATE SCHEMA faultline; SET search_path = faultline; CREATE TABLE version (version integer NOT NULL);"
             f"{first}; INSERT INTO version VALUES (1); CREATE TABLE evidence (mine text)")
        plan = json.loads(self.good("graph", "migrate", "--dry-run", "--format", "json", store=SERVER))
        self.assertEqual((plan["version"], plan["migrations"][0]["version"]), (1, 2))
        self.refused("already exists", "graph", "migrate", store=SERVER)
        tables = subprocess.run(["psql", "-qXAtc", "SELECT count(*) FROM pg_tables WHERE schemaname = 'faultline' AND tablename = 'node'"],
                                capture_output=True, text=True, check=True).stdout
        self.assertEqual(tables.strip(), "0")
        psql("DROP TABLE faultline.evidence; CREATE TABLE faultline.live (mine text)")  # in the way of version 6
        self.refused("already exists", "graph", "migrate", store=SERVER)
        plan = json.loads(self.good("graph", "migrate", "--dry-run", "--format", "json", store=SERVER))
        self.assertEqual((plan["version"], plan["migrations"][0]["version"]), (5, 6))
        psql("DROP TABLE faultline.live")
        self.good("graph", "migrate", store=SERVER)
        self.assertIn("Nothing is wrong", self.good("graph", "check", store=SERVER))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
