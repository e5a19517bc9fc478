#!/usr/bin/env python3
"""faultline heap against what the virtual machine said of itself, and from outside.

usage: test_heap.py FAULTLINE SOURCE_DIR

Dumps that need a state are made by tests/corpus/jvm-heaps/HeapLab.java, where there is a Java to run it.
The labelled recordings (FL_SHARED, or ../shared beside the tree) hold heap dumps of Java 17 with the texts of jmap -histo.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
except ImportError:
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
SAMPLE = SOURCE / "tests/fuzz/corpus/hprof/sample-8"
SHARED = pathlib.Path(os.environ.get("FL_SHARED", SOURCE.parent / "shared")) / "profiles/jvm"
PRIMITIVE = {"B": "byte", "C": "char", "D": "double", "F": "float", "I": "int", "J": "long", "S": "short", "Z": "boolean"}
# The virtual machine keeps classes that no dump lists.
UNLISTED = {"java.lang.Class"}


def run(*arguments):
    done = subprocess.run([FAULTLINE, "heap", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout, done.stderr


def triage(*words):
    """Of an incident of the shop in which orders runs out of memory."""
    place = SOURCE / "examples/shop/incidents"
    done = subprocess.run([FAULTLINE, "triage", "--otlp", place / "cache-growth", "--baseline", place / "baseline", "--at", "2026-11-23T00:06:50Z",
                           "--store", "none", "--format", "json", *map(str, words)], capture_output=True, text=True, check=False, timeout=300)
    document = json.loads(done.stdout) if done.stdout else None
    if document is not None and jsonschema is not None:
        jsonschema.validate(document, json.loads((SOURCE / "schemas/json/triage.schema.json").read_text()))
    return done.returncode, document, done.stderr


def readable(name):
    depth = len(name) - len(name.lstrip("["))
    inner = name[depth:]
    if depth:
        inner = inner[1:-1] if inner[0] == "L" else PRIMITIVE[inner]
    return inner + "[]" * depth


def jmap(path):
    """class -> (instances, bytes), out of what jmap -histo printed."""
    text = subprocess.run(["zstd", "-dcq", path], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^\s*\d+:\s+(\d+)\s+(\d+)\s+(\S+)", text, re.M)
    return {readable(name): (int(count), int(size)) for count, size, name in rows}


def histogram(path):
    code, out, err = run(path, "--top", 0, "--format", "json")
    assert code == 0, err
    return {row["class"]: (row["instances"], row["bytes"]) for row in json.loads(out)["classes"]}


SCHEMA = json.loads((SOURCE / "schemas/json/heap.schema.json").read_text())


def valid(answer):
    """The answer, which is as the schema says: against the part for its kind, whose message names what is wrong."""
    if jsonschema is not None:
        part = [name for name, place in SCHEMA["$defs"].items() if place.get("properties", {}).get("kind", {}).get("const") == answer["kind"]]
        assert len(part) == 1, answer["kind"]
        jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{part[0]}"}).validate(answer)
    return answer


class Sample(unittest.TestCase):
    def test_what_the_schema_does_not_name_is_no_answer(self):
        def objects(place, where):
            if isinstance(place, dict):
                if place.get("type") == "object":
                    yield where, place
                for key, inner in place.items():
                    yield from objects(inner, f"{where}/{key}")
            elif isinstance(place, list):
                for i, inner in enumerate(place):
                    yield from objects(inner, f"{where}/{i}")

        self.assertEqual([where for where, place in objects(SCHEMA, "") if place.get("additionalProperties") is not False], [])
        self.assertEqual([where for where, place in objects(SCHEMA, "") if not set(place["required"]) <= set(place["properties"])], [])

    def test_each_answer_is_as_the_schema_says(self):
        views = ("histogram", "paths", "collections", "loaders", "threads", "finalizers", "top", "dominators", "unreachable")
        for words in [*(("--view", view) for view in views), ("--retained",), (SAMPLE,),
                      ("--oql", "SELECT * FROM shop.Cache$Entry"), ("--oql", "SELECT inbounds(e), e.count FROM shop.Cache$Entry e")]:
            with self.subTest(words):
                code, out, err = run(SAMPLE, *words, "--format", "json")
                self.assertEqual((code, err), (0, ""))
                valid(json.loads(out))

    def test_a_tree_begins_where_it_is_told_to(self):
        code, out, err = run(SAMPLE, "--view", "dominators", "--depth", 1, "--format", "json")
        self.assertEqual((code, err), (0, ""))
        answer = json.loads(out)
        self.assertEqual({row["depth"] for row in answer["rows"]}, {1})
        self.assertEqual(sum(row["retained_bytes"] for row in answer["rows"]), answer["whole_bytes"])
        largest = answer["rows"][0]
        code, out, err = run(SAMPLE, "--view", "dominators", "--object", largest["object"], "--format", "json")
        self.assertEqual((code, err), (0, ""))
        below = json.loads(out)
        self.assertEqual((below["rows"][0]["object"], below["whole_bytes"]), (largest["object"], largest["retained_bytes"]))
        for wrong in ("0x1", "8018", "0xg", "0x", "0x00000000000000001"):
            code, out, err = run(SAMPLE, "--view", "dominators", "--object", wrong)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(f"--object {wrong}: no object of the dump has this address", err)

    def test_consumers_sum_up_to_what_the_roots_keep(self):
        code, out, err = run(SAMPLE, "--view", "top", "--top", 0, "--format", "json")
        self.assertEqual((code, err), (0, ""))
        answer = json.loads(out)
        for table in ("largest", "classes", "packages", "loaders"):
            self.assertEqual(sum(row["retained_bytes"] for row in answer[table]), answer["reached_bytes"], table)

    def test_text_and_json_say_the_same(self):
        code, text, _ = run(SAMPLE)
        self.assertEqual(code, 0)
        self.assertIn("Layout:    compressed, inferred", text)
        self.assertIn("            5            160  shop.Cache$Entry\n", text)
        self.assertEqual(histogram(SAMPLE)["shop.Cache$Entry"], (5, 160))
        self.assertIn("\nCounted:   every object of the dump, reachable or not\n", text)
        _, out, _ = run(SAMPLE, "--format", "json")
        self.assertIs(json.loads(out)["includes_unreachable"], True)

    def test_only_the_histogram_counts_what_is_not_reachable(self):
        _, text, _ = run(SAMPLE, "--view", "paths")
        self.assertNotIn("Counted:", text)

    def test_paths_name_the_static(self):
        code, text, _ = run(SAMPLE, "--view", "paths")
        self.assertEqual(code, 0)
        self.assertIn("class shop.Cache\n", text)
        self.assertIn(".ENTRIES java.lang.Object[]\n", text)

    def test_the_same_dump_twice_is_no_leak(self):
        code, text, _ = run(SAMPLE, SAMPLE)
        self.assertEqual(code, 0)
        self.assertIn("Verdict: no-leak\n", text)
        code, text, _ = run(SAMPLE, SAMPLE, SAMPLE)
        self.assertEqual(code, 0)
        self.assertIn("Nothing that is there in all dumps", text)
        self.assertEqual(run(*[SAMPLE] * 33)[0], 2)

    def test_leak_wants_a_second_dump(self):
        done = subprocess.run([FAULTLINE, "leak", SAMPLE, "--format", "json"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 6, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["verdict"], "not-enough-data")
        self.assertIn("a second heap dump", answer["collect"][0])
        with tempfile.TemporaryDirectory() as folder:
            later = pathlib.Path(folder) / "later.hprof"
            later.write_bytes(SAMPLE.read_bytes())
            done = subprocess.run([FAULTLINE, "leak", SAMPLE, later], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("No leak", done.stdout)

    def test_a_cut_dump_is_a_partial_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            cut = pathlib.Path(folder) / "cut.hprof"
            cut.write_bytes(SAMPLE.read_bytes()[:-30])
            code, text, err = run(cut)
        self.assertEqual(code, 5)
        self.assertIn("the heap dump ends inside an object", err)
        self.assertIn("what stands before it is counted", text)

    def test_a_triage_takes_dumps_and_says_what_is_wrong_with_them(self):
        with tempfile.TemporaryDirectory() as folder:
            cut = pathlib.Path(folder) / "cut.hprof"
            cut.write_bytes(SAMPLE.read_bytes()[:-30])
            code, document, _ = triage("--heap", f"orders={cut}")
            self.assertEqual(code, 5)
            self.assertTrue(any("cut.hprof: the heap dump ends inside an object" in w for w in document["warnings"]), document["warnings"])
            code, document, _ = triage("--heap", f"nobody={SAMPLE}")
            self.assertEqual((code, [w for w in document["warnings"] if "nobody" in w]),
                             (0, ["no telemetry tells of the service nobody, whose heap dumps were given"]))
        code, document, _ = triage("--heap", f"orders={SAMPLE}")
        event = document["events"][0]
        self.assertEqual((code, event["service"], event["text"][:12]), (0, "orders", "a heap dump:"))
        self.assertEqual(run(*event["query"].split()[2:])[0], 0)
        for words, said in (([SAMPLE], "say --heap SERVICE="), ([f"orders={SAMPLE}.none"], "cannot open")):
            code, document, err = triage("--heap", *words)
            self.assertEqual((code, document), (1, None))
            self.assertIn(said, err)
        code, document, _ = triage("--heap", f"orders={__file__}")
        self.assertEqual(code, 5)
        self.assertTrue(any("this is neither a heap dump" in w for w in document["warnings"]))

    def test_what_is_no_dump_is_an_error(self):
        code, out, err = run(__file__)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("no heap dump: it does not begin with 'JAVA PROFILE'", err)


class Options(unittest.TestCase):
    def test_an_option_that_would_change_nothing_is_told(self):
        for words, sentence in (
            ((SAMPLE, "--view", "threads"), "--view is of one dump; several are compared by their paths"),
            (("--oql", "SELECT * FROM shop.Cache", "--view", "top"), "--oql asks a question of its own, without --view"),
            (("--view", "top", "--depth", 2), "--object and --depth are of --view dominators"),
            (("--object", "0x8000"), "--object and --depth are of --view dominators"),
            (("--view", "loaders", "--retained"), "--retained is of the histogram; the other views have it anyhow"),
            ((SAMPLE, "--retained"), "--retained is of the histogram; the other views have it anyhow"),
        ):
            with self.subTest(words):
                code, out, err = run(SAMPLE, *words)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(sentence, err)
        self.assertEqual(run(SAMPLE, SAMPLE, "--view", "paths"), run(SAMPLE, SAMPLE))

    def test_without_roots_nothing_is_said_to_be_garbage(self):
        dump = SAMPLE.read_bytes()
        roots = [(5, 0x1000 + 0x100 * i) for i in range(10)] + [(8, 0x80e8), (3, 0x8100)]
        for tag, root in roots:
            there = bytes([tag]) + root.to_bytes(8, "big")
            self.assertEqual(dump.count(there), 1, hex(root))
            dump = dump.replace(there, bytes([tag]) + bytes(8))
        with tempfile.TemporaryDirectory() as folder:
            rootless = pathlib.Path(folder) / "rootless.hprof"
            rootless.write_bytes(dump)
            out = run(rootless, "--view", "unreachable")[1]
            self.assertIn("classes stand in for them", out)
            self.assertRegex(out, "No class keeps [1-9][0-9]* objects, [1-9][0-9]* bytes; a root that the dump does not have may.")
            self.assertTrue(json.loads(run(rootless, "--view", "unreachable", "--format", "json")[1])["without_roots"])
        self.assertIn("the next collection takes them", run(SAMPLE, "--view", "unreachable")[1])

    def test_a_dump_that_was_cut_between_two_objects_says_so(self):
        whole = SAMPLE.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            cut = pathlib.Path(folder) / "cut.hprof"
            cut.write_bytes(whole[:-9])  # all but the record that ends it
            code, out, err = run(cut)
            self.assertEqual(code, 5)
            self.assertIn(f"the heap dump was cut: what ends it is missing (byte {len(whole) - 9})", err)
            self.assertIn("#instances", out)
            self.assertEqual(json.loads(run(cut, "--format", "json")[1])["damage"]["offset"], len(whole) - 9)
            self.assertEqual(json.loads(run(SAMPLE, cut, "--format", "json")[1])["verdict"], "not-enough-data")


VIEWS = (
    (), ("--top", 0), ("--retained",), ("--retained", "--format", "json"), ("--weak", "--retained"), ("--layout", "full", "--retained"),
    ("--view", "paths"), ("--view", "paths", "--format", "json"), ("--view", "collections", "--format", "json"),
    ("--view", "loaders"), ("--view", "threads", "--top", 0), ("--view", "finalizers", "--format", "json"),
    ("--view", "top"), ("--view", "dominators", "--depth", 6), ("--view", "unreachable"),
    ("--oql", "SELECT s, s.@retainedHeapSize, inbounds(s), outbounds(s) FROM java.lang.String s"),
    ("--oql", "SELECT * FROM INSTANCEOF java.lang.Object o WHERE o.@usedHeapSize > 100", "--format", "json"),
)


class Index(unittest.TestCase):
    """What is answered out of an index is what is answered without it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dump = pathlib.Path(self.folder.name) / "app.hprof"
        self.index = pathlib.Path(self.folder.name) / "app.hprof.flx"
        self.dump.write_bytes(SAMPLE.read_bytes())

    def tearDown(self):
        self.folder.cleanup()

    def same(self, dump, index, *view):
        """Without one, with one that is made anew, and out of that one; which is then not written again."""
        plain = run(dump, *view)
        index.unlink(missing_ok=True)
        self.assertEqual(run(dump, *view, "--index-file", index), plain)
        made = index.stat()
        self.assertEqual(run(dump, *view, "--index-file", index), plain)
        self.assertEqual(index.stat().st_ino, made.st_ino)

    def test_each_view_is_the_same(self):
        for dump in ("sample-8", "sample-4", "cut"):
            source = SAMPLE.with_name(dump.replace("cut", "sample-8")).read_bytes()
            self.dump.write_bytes(source[:-30] if dump == "cut" else source)
            for view in VIEWS:
                with self.subTest(dump=dump, view=view):
                    self.same(self.dump, self.index, *view)

    @unittest.skipUnless(SHARED.is_dir(), "skipped: no recordings")
    def test_each_view_of_recordings_is_the_same(self):
        for packed in ("17/static_hashmap/heap-end.hprof.zst", "17/threadlocal_pool/heap-end.hprof.zst", "special/truncated.hprof.zst"):
            subprocess.run(["zstd", "-dcfq", SHARED / packed, "-o", self.dump], check=True)
            for view in VIEWS:
                with self.subTest(dump=packed, view=view):
                    self.same(self.dump, self.index, *view)

    @unittest.skipUnless(SHARED.is_dir(), "skipped: no recordings")
    def test_what_was_made_by_one_view_serves_the_others(self):
        shutil.copy(SHARED / "17/static_hashmap/heap-end.hprof.zst", self.dump)  # the index is of what is in it
        run(self.dump, "--index")
        made = self.index.stat()
        for view in VIEWS:
            if "--weak" not in view and "--layout" not in view:
                self.assertEqual(run(self.dump, *view, "--index"), run(self.dump, *view), view)
        self.assertEqual(self.index.stat().st_ino, made.st_ino)

    def test_two_dumps_have_an_index_each(self):
        later = self.dump.with_name("later.hprof")
        later.write_bytes(SAMPLE.read_bytes())
        for _ in range(2):
            self.assertEqual(run(self.dump, later, "--index"), run(self.dump, later))
        self.assertTrue(self.index.exists() and later.with_name("later.hprof.flx").exists())
        code, _, err = run(self.dump, later, "--index-file", self.index)
        self.assertEqual(code, 2)
        self.assertIn("--index-file is of one dump; --index keeps one beside each", err)

    def test_what_is_wrong_with_an_index_is_said_and_mended(self):
        plain = run(self.dump, "--retained")[1]

        def spoil(what):
            text = bytearray(self.index.read_bytes())
            what(text)
            self.index.write_bytes(text)

        def cut(text):
            del text[5000:]

        def flip(text):
            text[4100] ^= 1

        def version(text):
            text[8] ^= 1

        other = SAMPLE.with_name("sample-4").read_bytes()
        for spoiled, said in (
            (lambda: spoil(cut), "the index ends before the end of its section 'class"),
            (lambda: spoil(flip), "the section 'places' of the index is damaged"),
            (lambda: spoil(version), "the index was written by another version of faultline"),
            (lambda: os.utime(self.dump, ns=(1, 1)), "the index belongs to another dump, or this one was changed since"),
            (lambda: run(self.dump, "--weak", "--index"), "the index was made with --weak"),
        ):
            run(self.dump, "--index")
            spoiled()
            code, out, err = run(self.dump, "--retained", "--index")
            self.assertEqual((code, out), (0, plain))
            self.assertIn(f"{self.index}: {said}", err)
            self.assertIn("; it is made anew", err)
            self.assertEqual(len(err.splitlines()), 1)
            self.assertEqual(run(self.dump, "--retained", "--index"), (0, plain, ""))
        self.dump.write_bytes(other)
        self.assertIn("belongs to another dump", run(self.dump, "--index")[2])

    def test_what_is_no_index_is_left_alone(self):
        notes = self.dump.with_name("notes.txt")
        notes.write_text("not to be lost")
        code, out, err = run(self.dump, "--index-file", notes)
        self.assertEqual((code, out), run(self.dump)[:2])
        self.assertIn("this is no index of a heap and stays as it is: none is kept", err)
        self.assertEqual(notes.read_text(), "not to be lost")

    @unittest.skipIf(os.geteuid() == 0 and shutil.which("setpriv") is None, "skipped: nothing is closed to this user")
    def test_an_index_that_cannot_be_read_is_told_as_such(self):
        plain = run(self.dump)
        run(self.dump, "--index")
        self.index.chmod(0)
        words = [FAULTLINE, "heap", self.dump, "--index"]
        if os.geteuid() == 0:  # may read anything, unless it gives that away
            words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search", *words]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual((done.returncode, done.stdout), plain[:2])
        self.assertIn("app.hprof.flx: the index cannot be read: Permission denied; it stays as it is, and none is kept", done.stderr)
        self.assertEqual(self.index.stat().st_mode & 0o777, 0)

    def test_a_run_that_is_killed_leaves_nothing_behind(self):
        def die_early():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))  # SIGXFSZ in the midst of writing

        done = subprocess.run([FAULTLINE, "heap", self.dump, "--index"], capture_output=True, text=True, check=False, timeout=300, preexec_fn=die_early)
        self.assertLess(done.returncode, 0)
        self.assertEqual(sorted(path.name for path in self.dump.parent.iterdir()), ["app.hprof"])

    def test_without_room_the_answer_is_the_same(self):
        plain = run(self.dump, "--retained")
        code, out, err = run(self.dump, "--retained", "--index-file", self.dump.with_name("none") / "app.flx")
        self.assertEqual((code, out), plain[:2])
        self.assertIn("none/app.flx: the index is not kept: No such file or directory", err)

        def no_large_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

        done = subprocess.run([FAULTLINE, "heap", self.dump, "--retained", "--index"], capture_output=True, text=True, check=False,
                              timeout=300, preexec_fn=no_large_files, restore_signals=False)
        self.assertEqual((done.returncode, done.stdout), plain[:2])
        self.assertIn("the index is not kept: File too large", done.stderr)
        self.assertEqual(sorted(path.name for path in self.dump.parent.iterdir()), ["app.hprof"])

    def test_without_proc_an_index_is_kept_all_the_same(self):
        def inside(*words):
            jail = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh", FAULTLINE]
            return subprocess.run([*jail, *words], capture_output=True, text=True, check=False, timeout=300)

        try:
            if inside("--version").returncode != 0:
                self.skipTest("no namespaces here, or a build that needs /proc")
        except FileNotFoundError:
            self.skipTest("no unshare here")
        plain = run(self.dump, "--retained")
        done = inside("heap", self.dump, "--retained", "--index")
        self.assertEqual((done.returncode, done.stdout, done.stderr), plain)
        self.assertEqual(sorted(path.name for path in self.dump.parent.iterdir()), ["app.hprof", "app.hprof.flx"])
        made = self.index.stat()
        self.assertEqual(run(self.dump, "--retained", "--index"), plain)
        self.assertEqual(self.index.stat().st_ino, made.st_ino)

    def test_who_may_read_the_dump_may_read_its_index(self):
        for mode in (0o640, 0o600, 0o644):
            self.dump.chmod(mode)
            self.index.unlink(missing_ok=True)
            run(self.dump, "--index")
            self.assertEqual(self.index.stat().st_mode & 0o777, mode)


def ask(query, *more, path=SAMPLE):
    code, out, err = run(path, "--oql", query, "--format", "json", *more)
    assert (code, err) == (0, ""), err
    return valid(json.loads(out))


class Questions(unittest.TestCase):
    def test_text_and_json_say_the_same(self):
        query = "SELECT e, e.count, e.key FROM shop.Cache$Entry e WHERE e.next != null"
        answer = ask(query)
        self.assertEqual((answer["columns"], answer["row_count"]), (["e", "e.count", "e.key"], 1))
        self.assertEqual(answer["rows"], [[{"object": "0x8018", "class": "shop.Cache$Entry"}, 42,
                                           {"object": "0x8058", "class": "java.lang.String", "text": "hello"}]])
        code, text, _ = run(SAMPLE, "--oql", query)
        self.assertEqual(code, 0)
        self.assertIn('\nshop.Cache$Entry @ 0x8018       42  java.lang.String @ 0x8058 "hello"\n1 row\n', text)

    def test_rows_are_bounded_and_counted(self):
        answer = ask("SELECT DISTINCT OBJECTS outbounds(e) FROM shop.Cache$Entry e", "--top", 1)
        self.assertEqual((answer["row_count"], len(answer["rows"])), (3, 1))
        self.assertEqual(answer["columns"], ["object", "shallow", "retained"])
        _, text, _ = run(SAMPLE, "--oql", "SELECT * FROM shop.Cache$Entry", "--top", 2)
        self.assertIn("... and 3 rows more; --top 0 shows all\n", text)
        _, text, _ = run(SAMPLE, "--oql", "SELECT * FROM shop.Cache$Entry", "--top", 4)
        self.assertIn("... and 1 row more; --top 0 shows all\n", text)
        count = json.loads(run(SAMPLE, "--format", "json")[1])["class_count"]
        self.assertIn("\n... and 1 class more; --top 0 shows all\n", run(SAMPLE, "--top", count - 1)[1])

    def test_what_is_wrong_is_said_with_its_place(self):
        for query, message in (("SELECT", "--oql, byte 6: expected a value, found the end"),
                               ("SELECT * FROM a.B", "--oql, byte 14: there is no class a.B in the dump"),
                               ("SELECT e.cuont FROM shop.Cache$Entry e", "--oql, byte 9: no object has a field 'cuont'"),
                               ("SELECT x FROM y" + " " * 100000, "a query of 100015 bytes is too long: at most 65536")):
            code, out, err = run(SAMPLE, "--oql", query)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(message, err)


def findings(path):
    code, out, err = run(path, "--view", "collections", "--format", "json", "--top", 3)
    assert (code, err) == (0, ""), err
    return {row["kind"]: row for row in valid(json.loads(out))["findings"]}


@unittest.skipUnless(SHARED.is_dir(), "skipped: no recordings")
class Collections(unittest.TestCase):
    def test_keys_without_equals_are_named(self):
        found = findings(SHARED / "17/key_no_equals/heap-end.hprof.zst")
        self.assertEqual(found["keys-without-equals"]["class"], "LeakLab$BadKey")
        self.assertEqual((found["keys-without-equals"]["part"], found["keys-without-equals"]["whole"]), (120000, 120000))
        self.assertIn("repeated-texts", found)

    def test_a_thread_local_of_a_pool_is_named(self):
        found = findings(SHARED / "17/threadlocal_pool/heap-end.hprof.zst")
        self.assertEqual(list(found), ["thread-local-in-pool"])
        self.assertIn("LeakLab$Ctx.TL: 8 of 9 threads", found["thread-local-in-pool"]["evidence"])
        _, text, _ = run(SHARED / "17/threadlocal_pool/heap-end.hprof.zst", "--view", "collections")
        self.assertIn("thread-local-in-pool: LeakLab$Ctx.TL: 8 of 9 threads", text)

    def test_nothing_is_said_of_healthy_collections(self):
        for name in ("healthy_lru", "healthy_soft", "static_hashmap", "chm_lambda_capture"):
            with self.subTest(name):
                self.assertEqual(findings(SHARED / "17" / name / "heap-end.hprof.zst"), {})


@unittest.skipUnless(SHARED.is_dir(), "skipped: no recordings")
class QuestionsAboutRecordings(unittest.TestCase):
    LEAK = SHARED / "17/static_hashmap/heap-end.hprof.zst"

    def test_the_maps_that_are_large_are_found(self):
        large = ask("SELECT h, h.size FROM INSTANCEOF java.util.HashMap h WHERE h.table.@length > 1000", path=self.LEAK)
        self.assertEqual([row[1] for row in large["rows"]], [603, 60000])
        unrooted = ask("-- the query as it is passed around\nSELECT * FROM INSTANCEOF java.util.HashMap h \n"
                            "WHERE h.table.@length > 1000 \nAND NOT h.@gcRootInfo IS NOT NULL", path=self.LEAK)
        self.assertEqual([row[0] for row in unrooted["rows"]], [row[0] for row in large["rows"]])
        self.assertGreater(unrooted["rows"][1][2], 60000 * 32)

    def test_who_keeps_a_map_is_found(self):
        answer = ask("SELECT inbounds(h) FROM java.util.HashMap h WHERE h.size = 60000", path=self.LEAK)
        holders = answer["rows"][0][0]
        self.assertEqual(holders["count"], 1)
        self.assertEqual(holders["items"][0]["class"], "java.lang.Class")

    def test_counts_are_those_of_the_histogram(self):
        ours = ask("SELECT c.@name, c.@numberOfObjects FROM java.lang.Class c WHERE c.@numberOfObjects > 0",
                        "--top", 0, path=self.LEAK)
        self.assertEqual(dict(ours["rows"]), {name: row[0] for name, row in histogram(self.LEAK).items()})


@unittest.skipUnless(SHARED.is_dir(), "skipped: no recordings")
class Recordings(unittest.TestCase):
    def agree(self, ours, theirs, least):
        """Classes with as many instances have as many bytes; `least` of them there are."""
        alike = [name for name in theirs if name in ours and ours[name][0] == theirs[name][0] and name not in UNLISTED]
        for name in alike:
            if not name.endswith("[]"):  # as many arrays need not be the same ones
                self.assertEqual(ours[name], theirs[name], name)
        self.assertGreaterEqual(len(alike), least)

    def test_classes_are_those_of_jmap(self):
        for dump in sorted(SHARED.glob("17/*/heap-end.hprof.zst")):
            with self.subTest(dump.parent.name):
                self.agree(histogram(dump), jmap(dump.parent / "jmap-histo-live.txt.zst"), 650)

    def test_a_dump_and_a_histogram_of_one_moment_are_equal(self):
        ours, theirs = histogram(SHARED / "special/gz6.hprof.gz"), jmap(SHARED / "special/class_histogram.txt.zst")
        self.assertEqual({n: r for n, r in ours.items() if n not in UNLISTED},
                         {n: r for n, r in theirs.items() if n not in UNLISTED})

    def test_each_answer_is_as_the_schema_says(self):
        for dump in (*sorted(SHARED.glob("17/*/heap-end.hprof.zst")), *sorted(SHARED.glob("special/*.hprof*"))):
            for view in ("histogram", "paths", "collections", "loaders", "threads", "finalizers", "top", "dominators", "unreachable"):
                with self.subTest(dump=dump, view=view):
                    out = run(dump, "--view", view, "--format", "json")[1]
                    self.assertEqual(valid(json.loads(out))["kind"], f"heap-{view}")
        valid(ask("SELECT s, s.value, s.@retainedHeapSize, outbounds(s), s.@gcRootInfo, s.coder = 0 FROM java.lang.String s",
                  path=SHARED / "17/key_no_equals/heap-end.hprof.zst"))

    def test_two_dumps_tell_leaks_from_healthy_programs(self):
        for truth in sorted(SHARED.glob("17/*/truth.json")):
            folder, wanted = truth.parent, json.loads(truth.read_text())
            half, end = folder / "heap-half.hprof.zst", folder / "heap-end.hprof.zst"
            with self.subTest(folder.name):
                if not half.exists():
                    continue
                code, out, err = run(end, half, "--format", "json")  # the times order them
                self.assertEqual(code, 0, err)
                answer = valid(json.loads(out))
                self.assertEqual(answer["verdict"] == "leak", wanted["verdict"] == "leak")
                if answer["verdict"] == "leak":
                    self.assertEqual(len(answer["growths"]), 1)
                    self.assertIn(answer["growths"][0]["holder"], wanted["cause"])

    def test_leak_takes_dumps_like_profiles(self):
        for name in ("static_hashmap", "threadlocal_pool", "healthy_lru"):
            folder = SHARED / "17" / name
            wanted = json.loads((folder / "truth.json").read_text())
            with self.subTest(name):
                done = subprocess.run([FAULTLINE, "leak", folder / "heap-half.hprof.zst", folder / "heap-end.hprof.zst", "--format", "json"],
                                      capture_output=True, text=True, check=False, timeout=300)
                self.assertEqual(done.returncode, 0, done.stderr)
                answer = json.loads(done.stdout)
                self.assertEqual(answer["verdict"], "leak" if wanted["verdict"] == "leak" else "no-leak")
                for finding in answer["findings"]:
                    self.assertIn(finding["holder"], wanted["cause"])
                    self.assertGreater(finding["growth_bytes_per_hour"]["value"], 0)

    def check_path(self, path, holder, has_before):
        """From the heap down; the holder's class is on it, but that of a ThreadLocal, which keeps nothing itself."""
        self.assertEqual([step["what"] for step in path].index("heap"), 0)
        self.assertTrue(holder.endswith(".TL") or holder in [f"{above['class']}.{step['field']}" for above, step in zip(path, path[1:])], path)
        for above, step in zip(path, path[1:]):
            self.assertLessEqual(step["retained_bytes"], above["retained_bytes"])
        self.assertEqual({step["before_bytes"] is not None for step in path}, {has_before})
        self.assertTrue(all((step["before_bytes"] or 0) < step["retained_bytes"] for step in path))

    def test_dumps_name_the_cause_of_an_incident(self):
        cases = (("static_hashmap", ("half", "end"), "LeakLab$SessionRegistry.SESSIONS", "java-static-map-grows"),
                 ("threadlocal_pool", ("half", "end"), "LeakLab$Ctx.TL", "java-thread-local-in-pool"),
                 ("key_no_equals", ("end",), "LeakLab$KeyedCache.M", "java-keys-without-equals"))
        _, without, _ = triage()
        for name, parts, place, kind in cases:
            files = ",".join(str(SHARED / "17" / name / f"heap-{part}.hprof.zst") for part in parts)
            code, document, err = triage("--heap", f"orders={files}")
            self.assertEqual((code, err), (0, ""), name)
            first = document["hypotheses"][0]
            self.assertEqual((first["service"], first["cause"], first["locus"]["kind"], first["locus"]["name"]),
                             ("orders", "memory-leak", "frame", place))
            told = [e for e in first["evidence"] if e["modality"] == "profiles"]
            self.assertIn(kind, json.dumps(told[0]))
            self.check_path(told[0]["path"], place, len(parts) > 1)
            series = document["modalities"]["metrics"]["series"] - without["modalities"]["metrics"]["series"]
            self.assertEqual(series, len(parts) > 1)
            for event in document["events"]:
                self.assertIn(event["query"].split()[1], ("heap", "leak", "signatures"))
                shown = subprocess.run([FAULTLINE, *event["query"].split()[1:]], capture_output=True, check=False, timeout=300)
                self.assertIn(shown.returncode, (0, 6), event)
        healthy = [SHARED / "17/healthy_lru" / f"heap-{part}.hprof.zst" for part in ("half", "end")]
        code, document, _ = triage("--heap", "orders=" + ",".join(map(str, healthy)))
        self.assertNotIn("heap dump of", json.dumps([h["locus"] for h in document["hypotheses"]]))
        self.assertIn("show no leak", json.dumps(document))

    def test_a_drill_takes_the_dumps_of_a_case(self):
        """The case says nothing of its own but the telemetry: what names the frame is the dumps."""
        shop = SOURCE / "examples/shop/incidents"
        with tempfile.TemporaryDirectory() as place:
            case = pathlib.Path(place) / "cases" / "leak"
            (case / "heaps" / "orders").mkdir(parents=True)
            for file in (shop / "cache-growth").iterdir():
                if file.is_file():
                    (case / file.name).symlink_to(file)
            (case.parent / "baseline").symlink_to(shop / "baseline")
            for part in ("half", "end"):
                (case / "heaps" / "orders" / f"{part}.hprof.zst").symlink_to(SHARED / "17/static_hashmap" / f"heap-{part}.hprof.zst")
            done = subprocess.run([FAULTLINE, "drill", "--cases", case.parent, "--format", "json"], capture_output=True, text=True, timeout=300)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            (case / "heaps" / "orders" / "a,b").write_text("")
            done = subprocess.run([FAULTLINE, "drill", "--cases", case.parent], capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 5)
            self.assertIn("case leak counts as a miss: ", done.stderr)
            self.assertIn("a dump's path has no comma", done.stderr)
            (case / "heaps" / "orders" / "a,b").unlink()
            (case / "heaps" / "orders" / "gone").symlink_to("/nowhere")  # no file, and so not read
            (case / "heaps" / "orders" / "text").write_text("no dump")  # read, and a warning of the triage
            done = subprocess.run([FAULTLINE, "drill", "--cases", case.parent], capture_output=True, text=True, timeout=300)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_one_dump_names_who_keeps_most(self):
        for truth in sorted(SHARED.glob("17/*/truth.json")):
            wanted = json.loads(truth.read_text())
            if wanted["verdict"] != "leak":
                continue
            with self.subTest(truth.parent.name):
                code, out, err = run(truth.parent / "heap-end.hprof.zst", "--view", "paths", "--format", "json")
                self.assertEqual(code, 0, err)
                self.assertIn(json.loads(out)["accumulates_in"], wanted["cause"])

    def test_retained_sizes_are_those_of_other_programs(self):
        """What Eclipse MAT and VisualVM say of the table of that map."""
        code, out, err = run(SHARED / "17/static_hashmap/heap-end.hprof.zst", "--view", "paths", "--format", "json")
        self.assertEqual(code, 0, err)
        table = [p for p in json.loads(out)["paths"] if p["label"] == "java.util.HashMap$Node[]"]
        self.assertEqual(max(p["retained_bytes"] for p in table), 17316304)

    def test_a_cut_recording_gives_what_it_has(self):
        code, text, err = run(SHARED / "special/truncated.hprof.zst")
        self.assertEqual(code, 5)
        self.assertIn("the heap dump ends inside an object (byte 8999992)", err)
        self.assertIn("Objects:   101982", text)


LAB = SOURCE / "tests/corpus/jvm-heaps/HeapLab.java"
# Virtual machines to try beside the one that is installed: FL_JAVAS=/path/of/java:/path/of/another
JAVAS = [java for java in [shutil.which("java"), *os.environ.get("FL_JAVAS", "").split(":")] if java]


@unittest.skipUnless(shutil.which("javac") and JAVAS, "skipped: no Java to make dumps with")
class Situations(unittest.TestCase):
    """Programs that brought their heap into one state, on each virtual machine that there is."""

    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.place = pathlib.Path(place.name)
        subprocess.run(["javac", "-nowarn", "-Xlint:-options", "--release", "17", "-d", cls.place / "classes", LAB],
                       check=True, timeout=300, capture_output=True)

    def dump(self, java, situation):
        """None where this virtual machine is too old for it."""
        path = self.place / f"{situation}-{JAVAS.index(java)}.hprof"
        if not path.exists():
            done = subprocess.run([java, "-Xmx64m", "-cp", self.place / "classes", "HeapLab", situation, path],
                                  capture_output=True, text=True, check=False, timeout=300)
            if "NoSuchMethodException: java.lang.Thread.startVirtualThread" in done.stderr:
                return None
            self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def each(self, situation, view, *more):
        """The answer as text and as JSON."""
        for java in JAVAS:
            path = self.dump(java, situation)
            if path is None:
                continue
            with self.subTest(java):
                code, text, err = run(path, "--view", view, *more)
                self.assertEqual((code, err), (0, ""))
                code, out, err = run(path, "--view", view, "--format", "json", *more)
                self.assertEqual((code, err), (0, ""))
                yield text, valid(json.loads(out))

    def test_a_loader_that_is_loaded_again_is_found_with_what_holds_it(self):
        for text, answer in self.each("redeploy", "loaders"):
            self.assertEqual([row["kind"] for row in answer["findings"]], ["loaded-again"])
            found = answer["findings"][0]
            self.assertEqual((found["part"], found["whole"], found["class"]), (2, 3, "java.net.URLClassLoader"))
            self.assertGreater(found["bytes"], 3 * 200_000)
            for row in found["loaders"]:
                self.assertGreater(row["retained_bytes"], 200_000)
                held = [(step.get("meant"), step.get("by")) for step in row["way"]]
                self.assertIn(("HeapLab", ".LISTENERS" if row["is_closed"] else ".current"), held)
            self.assertIn("3 loaders of the class java.net.URLClassLoader have the same classes from file:", text)
            self.assertIn("class HeapLab .LISTENERS\n", text)

    def test_loaders_with_classes_of_their_own_are_no_finding(self):
        for situation in ("plugins", "idle"):
            for text, answer in self.each(situation, "loaders"):
                self.assertEqual(answer["findings"], [])
                self.assertIn("No findings.\n", text)
                self.assertEqual(len(answer["loaders"]), answer["loader_count"])

    def test_a_finalizer_that_holds_up_others_is_found(self):
        for text, answer in self.each("finalizers", "finalizers"):
            self.assertEqual([row["kind"] for row in answer["findings"]], ["finalizers-wait"])
            row = answer["finalizables"][0]
            self.assertEqual((row["class"], row["registered"], row["queued"], row["taken"]), ("HeapLab$Slow", 1000, 1999, 1))
            self.assertEqual(row["kept_bytes"], 1999 * (16 + 2016))  # the thread that runs one has it
            self.assertIn("the finalizer of HeapLab$Slow runs\n", text)
        for text, answer in self.each("idle", "finalizers"):
            self.assertEqual(answer["findings"], [])

    def test_a_triage_takes_what_one_dump_shows_alone(self):
        for situation, kind in (("redeploy", "java-class-loaders-stay"), ("finalizers", "java-finalizers-wait"), ("idle", None)):
            for java in JAVAS:
                code, document, err = triage("--heap", f"orders={self.dump(java, situation)}")
                self.assertEqual((code, err), (0, ""), situation)
                told = [e["finding"] for e in document["hypotheses"][0]["evidence"] if "finding" in e]
                self.assertEqual(told, [kind] if kind else [], situation)

    def test_threads_have_their_stack_and_what_lies_on_it(self):
        for text, answer in self.each("threads", "threads"):
            workers = [row for row in answer["threads"] if row["name"].startswith("worker-")]
            self.assertEqual([row["name"] for row in workers], ["worker-4", "worker-3", "worker-2", "worker-1"])
            for number, row in zip((4, 3, 2, 1), workers):
                self.assertEqual((row["state"], row["is_daemon"], row["is_virtual"]), ("waiting", True, False))
                self.assertEqual([(l["class"], l["retained_bytes"]) for l in row["thread_locals"]], [("byte[]", 50016)])
                held = [h for h in row["held"] if h["class"] == "byte[]"]
                self.assertEqual([h["retained_bytes"] for h in held], [number * 100_000 + 16])
                frame = row["frames"][held[0]["frame"]]
                self.assertEqual((frame["class"], frame["method"], frame["source"]), ("HeapLab", "worker", "HeapLab.java"))
            self.assertRegex(text, r'"worker-4" java.lang.Thread @ 0x[0-9a-f]+, waiting, daemon\n')
            self.assertIn("  HeapLab$Context.BUFFER = byte[] @ 0x", text)

    def test_what_no_root_keeps_is_counted(self):
        for text, answer in self.each("garbage", "unreachable", "--top", 0):
            dropped = {row["class"]: row["instances"] for row in answer["classes"]}["HeapLab$Dropped"]
            self.assertEqual(dropped, 3000)  # of 3,100: a list keeps the others
            self.assertEqual(sum(row["bytes"] for row in answer["classes"]), answer["unreachable_bytes"])
            self.assertIn("         3000          48000  HeapLab$Dropped\n", text)

    def test_what_keeps_most_stands_first(self):
        for _, answer in self.each("threads", "top"):
            self.assertEqual([row["class"] for row in answer["largest"][:2]], ["java.lang.Thread"] * 2)
            self.assertEqual(answer["classes"][0]["name"], "java.lang.Thread")
        for text, answer in self.each("threads", "dominators"):
            self.assertEqual([row.get("class") for row in answer["rows"][:3]],
                             ["java.lang.Thread", "byte[]", "java.lang.ThreadLocal$ThreadLocalMap"])
            self.assertRegex(text, r"  400016 +\d+\.\d%   byte\[\] @ 0x")

    def test_virtual_threads_are_counted_by_what_they_run(self):
        for text, answer in self.each("virtual", "threads"):
            tasks = [row for row in answer["virtual_threads"] if row.get("task", "").startswith("HeapLab")]
            self.assertEqual([(row["count"], row["waiting"], row["unreached"]) for row in tasks], [(20, 20, 0)])
            self.assertGreater(tasks[0]["retained_bytes"], 20 * 300_000)
            self.assertIn("Virtual threads\n", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
