#!/usr/bin/env python3
"""`faultline leak` and `faultline signatures` as their users meet them: files, folders, a server, bad input, the contract.

usage: test_leak.py FAULTLINE SOURCE_DIR [unittest options]

Profiles are made here (tests/support/made_profiles.py), or are those of the shop under examples/. Where the recordings of
FL_SHARED (or ../shared beside the tree) are, a few of them are asked about, too.
"""
import gzip
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    import jsonschema
except ImportError:  # the package python3-jsonschema
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
SHARED = pathlib.Path(os.environ.get("FL_SHARED", SOURCE / ".." / "shared"))
SHOP = SOURCE / "examples/shop/incidents/cache-growth/profiles"
sys.path.insert(0, str(SOURCE / "tests/support"))
import made_profiles as made  # noqa: E402

TIMEOUT_S = 120
OWN = """signatures:
  - name: big-puts
    title: Puts of a megabyte are kept
    verdict: leak
    subject: site
    prior: 0.9
    must:
      - {feature: shape, matches: '^growing$'}
      - {feature: block_bytes, at_least: 1000000}
      - {feature: leaf, matches: '^main\\.put$'}
      - {feature: growth_z, at_least: 3}
      - {feature: turnover, at_most: 2}
    cause: They are kept.
    fix: Do not keep them.
    references: ['https://example.org/1']
"""


class Leak(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def environment(self, **extra):
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        return {**kept, "HOME": str(self.place), **extra}

    def run_it(self, *words, code=0, **extra):
        done = subprocess.run([FAULTLINE, *map(str, words)], capture_output=True, env=self.environment(**extra), timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, code, done.stderr.decode() + done.stdout.decode()[:2000])
        return done

    def answer(self, *words, code=0, **extra):
        document = json.loads(self.run_it("leak", *words, "--format", "json", code=code, **extra).stdout)
        if jsonschema is not None:
            schema = json.loads((SOURCE / "schemas/json/leak.schema.json").read_text())
            jsonschema.validate(document, schema)
        return document

    def failure(self, *words, code=1):
        done = self.run_it(*words, code=code)
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()

    def leaking(self, count=10, name="leak", **options):
        made.write(self.place / name, made.leaking(count, **options))
        return self.place / name

    # --- what it finds ---

    def test_a_leak_is_named_with_its_line_and_the_time_that_is_left(self):
        document = self.answer(self.leaking(), "--limit", "2GiB")
        first = document["findings"][0]
        self.assertEqual((document["verdict"], first["verdict"], first["function"]), ("leak", "leak", "main.put"))
        self.assertEqual((first["file"], first["line"]), ("/src/shop/main.go", 11))
        growth = first["growth_bytes_per_hour"]
        self.assertLess(growth["low"], 60 * 40 * 2**20)
        self.assertGreater(growth["high"], 60 * 40 * 2**20)
        left = first["seconds_to_limit"]["value"]  # (2 GiB - 400 MiB) at 40 MiB a minute
        self.assertAlmostEqual(left, (2048 - 400) / 40 * 60, delta=300)
        self.assertIn("heap", first["support"])

    def test_a_program_that_keeps_nothing_is_not_said_to_leak(self):
        made.write(self.place / "steady", made.steady(10))
        for code in (0, 6):
            done = subprocess.run([FAULTLINE, "leak", self.place / "steady", "--format", "json"], capture_output=True,
                                  env=self.environment(), timeout=TIMEOUT_S)
            if done.returncode == code:
                self.assertIn(json.loads(done.stdout)["verdict"], ("no-leak", "bounded-growth", "not-enough-data"))
                return
        self.fail(done.stderr.decode())

    def test_two_snapshots_are_not_enough_and_what_to_collect_is_said(self):
        document = self.answer(self.leaking(2, first=1, more=1), code=6)
        self.assertEqual((document["verdict"], document["kind"]), ("not-enough-data", None))
        self.assertTrue(document["collect"])

    def test_the_order_and_the_names_of_files_do_not_matter(self):
        folder = self.leaking()
        straight = self.run_it("leak", *sorted(folder.iterdir()), "--format", "json").stdout
        mixed = self.place / "mixed"
        mixed.mkdir()
        files = sorted(folder.iterdir())
        random.Random(4).shuffle(files)
        for i, path in enumerate(files):
            shutil.copy(path, mixed / f"{i:02}.bin")
        self.assertEqual(straight, self.run_it("leak", *sorted(mixed.iterdir()), "--format", "json").stdout)
        self.assertEqual(straight, self.run_it("leak", mixed, "--format", "json").stdout)

    def test_plain_gzip_and_zstd_are_told_by_content(self):
        folder = self.leaking()
        whole = self.answer(folder)
        plain = self.place / "plain"
        made.write(plain, made.leaking(10), name="a-{}.txt", compress=False)
        self.assertEqual(whole, self.answer(plain))
        zstd = shutil.which("zstd")
        if zstd is not None:
            for path in sorted(plain.iterdir()):
                subprocess.run([zstd, "-q", "--rm", path], check=True)
            self.assertEqual(whole, self.answer(plain))

    def test_standard_input_is_one_more_file(self):
        folder = self.leaking()
        whole = self.answer(folder)
        last = sorted(folder.iterdir())[-1]
        bytes_ = last.read_bytes()
        last.unlink()
        done = subprocess.run([FAULTLINE, "leak", folder, "-", "--format", "json"], input=bytes_, capture_output=True,
                              env=self.environment(), timeout=TIMEOUT_S, check=True)
        self.assertEqual(json.loads(done.stdout)["findings"], whole["findings"])

    def test_goroutines_one_by_one_are_compared(self):
        dump = "goroutine 1 [select]:\nmain.wait()\n\t/m.go:9 +0x1\n\n"
        for i in (1, 2):
            (self.place / f"{i}.txt").write_text(dump * 9 * i)
        out = self.run_it("leak", "--diff", self.place / "1.txt", self.place / "2.txt").stdout.decode()
        self.assertIn("main.wait", out)

    def test_the_shop_that_keeps_its_receipts(self):
        document = self.answer(SHOP / "orders")
        self.assertEqual(document["verdict"], "leak")
        self.assertIn(document["findings"][0]["function"], ("main.(*receipts).remember", "main.(*receipts).of", "main.render"))
        self.assertNotEqual(self.run_it("leak", SHOP / "payment", "--format", "json", code=6).stdout, b"")

    def test_the_page_has_the_four_steps(self):
        page = self.run_it("leak", self.leaking()).stdout.decode()
        at = [page.index(step) for step in ("Leak: main.put", "1 Phenomenon", "2 Snapshot", "3 Comparison", "4 Verification", "Fix")]
        self.assertEqual(at, sorted(at))

    def test_recordings(self):
        programs = SHARED / "profiles/go/1.26"
        if not programs.is_dir():
            self.skipTest("no recordings")
        for name, verdict, kind in (("map_grow_only", "leak", "map-only-grows"), ("syncmap_store_only", "leak", "sync-map-never-deleted"),
                                    ("nilmap_rebuild", "churn", "nil-map-rebuilt"), ("goroutine_park_map", "leak", "goroutines-parked"),
                                    ("map_never_shrinks", "retention", "map-never-shrinks"), ("concurrent_map_write", "crash", "concurrent-map-writes")):
            with self.subTest(name):
                document = self.answer(programs / name)
                self.assertEqual((document["verdict"], document["kind"]), (verdict, kind))

    # --- two by hand ---

    def test_two_snapshots_are_compared_with_their_sampling_error(self):
        paths = sorted(self.leaking(10).iterdir())
        document = json.loads(self.run_it("leak", "--diff", paths[0], paths[-1], "--format", "json").stdout)
        first = document["rows"][0]
        self.assertEqual((document["schema"], first["function"], first["change"]), ("faultline.leak-diff/1", "main.put", 360 * 2**20))
        # Blocks of 1 MiB, one sample each 512 KiB: of n blocks the variance is n S^2 (1-p)/p, p = 1 - exp(-2).
        p = 1 - 2.718281828459045 ** -2
        self.assertAlmostEqual(first["error"], ((40 + 400) * (1 << 20) ** 2 * (1 - p) / p) ** 0.5, delta=1)
        self.assertTrue(first["real"])
        other = next(row for row in document["rows"] if row["function"] == "main.handle")
        self.assertEqual((other["change"], other["real"]), (0, False))
        # whatever the order in which they are given
        self.assertEqual(document, json.loads(self.run_it("leak", "--diff", paths[-1], paths[0], "--format", "json").stdout))
        page = self.run_it("leak", "--diff", paths[0], paths[-1]).stdout.decode()
        self.assertRegex(page, r"40 MiB +400 MiB +\+360 MiB +\+-\S+ \S+ +main\.put")

    def test_what_cannot_be_compared_is_said(self):
        heap = sorted(self.leaking(2).iterdir())[0]
        other = made.write(self.place / "other", made.leaking(1, program="/usr/bin/billing"))[0]
        goroutines = sorted((SHOP / "orders").glob("goroutine-*"))
        self.assertIn("of two programs", self.failure("leak", "--diff", heap, other))
        self.assertIn("different kinds", self.failure("leak", "--diff", heap, goroutines[0]))
        self.assertIn("--diff compares two files", self.failure("leak", "--diff", heap, code=2))
        self.run_it("leak", "--diff", goroutines[0], goroutines[-1])

    # --- beside telemetry ---

    def triage(self, *words, code=0):
        done = self.run_it("triage", "--otlp", SHOP.parent, "--baseline", SHOP.parent.parent / "baseline", "--at", "2026-11-23T00:06:50Z",
                           "--store", "none", "--format", "json", *words, code=code)
        document = json.loads(done.stdout)
        if jsonschema is not None:
            jsonschema.validate(document, json.loads((SOURCE / "schemas/json/triage.schema.json").read_text()))
        return document

    def test_a_triage_names_the_line_that_the_profiles_show(self):
        for words in (["--pprof", SHOP], ["--pprof", SHOP / "orders"], ["--pprof", f"orders={SHOP / 'orders'}"]):
            first = self.triage(*words)["hypotheses"][0]
            self.assertEqual((first["service"], first["cause"], first["locus"]["kind"]), ("orders", "memory-leak", "frame"))
            self.assertRegex(first["locus"]["name"], r"^main\..*receipts.* \(receipts\.go:\d+\)$|^main\.render \(receipts\.go:\d+\)$")
            told = [e for e in first["evidence"] if e["modality"] == "profiles"]
            self.assertTrue(told and told[0]["query"].startswith("faultline leak "))

    def test_profiles_become_series_of_the_timeline(self):
        without, with_them = self.triage(), self.triage("--pprof", SHOP)
        self.assertEqual(with_them["modalities"]["metrics"]["series"] - without["modalities"]["metrics"]["series"], 4)

    def test_findings_are_events_in_the_four_steps_with_commands_that_show_them(self):
        document = self.triage("--pprof", SHOP)
        events = [e for e in document["events"] if "render" in e["text"] or "agree" in e["text"] or "in use" in e["text"]]
        self.assertEqual([e["text"].split(":")[0] for e in events], ["phenomenon", "snapshot", "comparison", "verification"])
        self.assertEqual({e["service"] for e in events}, {"orders"})
        self.assertEqual([e["at"] for e in events], sorted(e["at"] for e in events))
        self.assertLess(events[0]["at"], events[1]["at"])
        for event in events:
            words = event["query"].split()
            self.assertEqual(words[0], "faultline")
            self.assertNotEqual(self.run_it(*words[1:]).stdout, b"")
        self.assertNotIn("events", self.triage())

    def test_profiles_that_cannot_be_used_cost_themselves(self):
        (self.place / "orders").mkdir()
        (self.place / "orders/heap.pb.gz").write_text("<!DOCTYPE html><html></html>")
        document = self.triage("--pprof", self.place / "orders", code=5)
        self.assertEqual(document["hypotheses"][0]["service"], "orders")
        self.assertTrue(any("profiles of orders" in w for w in document["warnings"]), document["warnings"])

    def test_profiles_of_nobody_are_asked_about(self):
        profile = made.write(self.place, made.leaking(1))[0]
        said = self.failure("triage", "--otlp", SHOP.parent, "--at", "2026-11-23T00:06:50Z", "--store", "none", "--pprof", profile)
        self.assertIn("say --pprof SERVICE=", said)
        for option in ("--pprof", "--trace", "--heap", "--gc-log", "--jfr"):
            said = self.failure("triage", "--otlp", SHOP.parent, "--at", "2026-11-23T00:06:50Z", "--store", "none",
                                option, "http://admin:hunter2@shop:6060/")
            self.assertIn("http://...@shop:6060/", said)
            self.assertNotIn("hunter2", said)

    # --- input that is not what it should be ---

    def test_what_else_lies_in_a_folder_is_named_and_passed_over(self):
        folder = self.leaking()
        (folder / "notes.md").write_text("what we did\n")
        (folder / "index.json").write_text('{"cause": "fatal error: concurrent map writes"}')
        shutil.copy(SOURCE / "tests/fixtures/gotrace/small-1.26.trace.zst", folder / "trace.out")
        document = self.answer(folder)
        self.assertEqual(document["verdict"], "leak")
        self.assertEqual(document["series"]["inputs"]["trace"], 1)
        for word in ("notes.md", "index.json"):
            self.assertTrue(any(word in w for w in document["warnings"]), document["warnings"])

    def test_damage_costs_the_file_and_makes_the_answer_a_partial_one(self):
        folder = self.leaking(12)
        files = sorted(folder.iterdir())
        whole = files[3].read_bytes()
        files[3].write_bytes(whole[:len(whole) // 2])
        files[5].write_bytes(gzip.decompress(files[5].read_bytes())[:-10])
        document = self.answer(folder, code=5)
        self.assertEqual((document["verdict"], document["series"]["unreadable"]), ("leak", 2))
        self.assertTrue(any(files[3].name in w for w in document["warnings"]))

    def test_bits_that_flip_never_crash_it(self):
        chance = random.Random(7)
        profile = made.heap(1e9, [(("main.put", "main.main"), 1 << 20, 5, 5)])
        for _ in range(60):
            bad = bytearray(profile)
            for _ in range(chance.randrange(1, 4)):
                bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
            (self.place / "bad").write_bytes(bytes(bad[:chance.randrange(1, len(bad) + 1)]))
            done = subprocess.run([FAULTLINE, "leak", self.place / "bad"], capture_output=True, env=self.environment(), timeout=TIMEOUT_S)
            self.assertIn(done.returncode, (0, 1, 5, 6), done.stderr)

    def test_half_of_two_programs_each_is_refused(self):
        self.leaking()
        self.leaking(name="other", program="/usr/bin/billing")
        said = self.failure("leak", self.place / "leak", self.place / "other")
        self.assertRegex(said, r"profiles of two programs: \d+ are of '\w+' and \d+ of '\w+'; give those of one")

    def test_a_stray_profile_of_another_program_costs_itself(self):
        self.leaking()
        self.leaking(1, name="other", program="/usr/bin/billing")
        document = self.answer(self.place / "leak", self.place / "other")
        self.assertEqual(document["verdict"], "leak")
        self.assertTrue(any("another program ('billing')" in w for w in document["warnings"]), document["warnings"])

    def test_two_builds_are_taken_and_said(self):
        self.leaking(6)
        self.leaking(6, name="next", build_id="b2", start_s=1793750400 + 360, first=280)
        document = self.answer(self.place / "leak", self.place / "next")
        self.assertTrue(any("several builds" in w for w in document["warnings"]), document["warnings"])

    def test_mixed_sampling_rates_are_said(self):
        self.leaking(6)
        self.leaking(6, name="next", rate=1 << 20, start_s=1793750400 + 360, first=280)
        document = self.answer(self.place / "leak", self.place / "next")
        self.assertTrue(any("sampling rate" in w for w in document["warnings"]), document["warnings"])

    def test_a_login_page_is_called_one(self):
        (self.place / "heap.pb.gz").write_text("<!DOCTYPE html><html><title>Sign in</title></html>")
        self.assertIn("web page", self.failure("leak", self.place / "heap.pb.gz"))

    def test_a_bomb_is_refused(self):
        with gzip.open(self.place / "bomb.pb.gz", "wb", compresslevel=9) as out:
            for _ in range(300):
                out.write(b"\0" * (1 << 20))
        self.assertNotEqual(self.failure("leak", self.place / "bomb.pb.gz"), "")

    def test_what_is_not_there_or_holds_nothing_is_an_error(self):
        self.assertIn("cannot read", self.failure("leak", self.place / "none"))
        (self.place / "empty").mkdir()
        self.assertIn("holds no such file", self.failure("leak", self.place / "empty"))
        (self.place / "text").write_text("hello\n")
        self.assertIn("not a profile", self.failure("leak", self.place / "text"))

    def test_words_that_do_not_go_together(self):
        for words, said in ((["leak"], "PATH|URL is missing"), (["leak", "a", "--watch", "10m"], "--watch is for addresses"),
                            (["leak", "a", "--gc"], "--gc is for addresses"), (["leak", "http://a", "--every", "1m"], "--every goes with --watch"),
                            (["leak", "a", "--limit", "5x"], "is not a size like 512MiB"), (["leak", "a", "--limit", "0"], "is not a size")):
            self.assertIn(said, self.failure(*words, code=2))
        self.assertIn("is not an http:// or https:// URL", self.failure("leak", "ftp://a/"))

    # --- signatures ---

    def test_own_signatures_are_used_from_everywhere(self):
        folder = self.leaking()
        own = self.place / "own"
        own.mkdir()
        (own / "big.yaml").write_text(OWN)
        (own / "README.md").write_text("not one")
        for words, extra in ((["--signatures", own], {}), (["--signatures", own / "big.yaml"], {})):
            document = self.answer(folder, *words, **extra)
            self.assertEqual((document["kind"], document["findings"][0]["fix"]), ("big-puts", "Do not keep them."))
        config = self.place / "config/faultline/signatures"
        config.mkdir(parents=True)
        (config / "big.yaml").write_text(OWN)
        self.assertEqual(self.answer(folder, XDG_CONFIG_HOME=str(self.place / "config"))["kind"], "big-puts")

    def test_a_bad_signature_is_named_with_its_place(self):
        (self.place / "bad.yaml").write_text(OWN.replace("growth_z", "groth_z"))
        for words in (["leak", self.leaking(), "--signatures", self.place / "bad.yaml"], ["signatures", "test", self.place / "bad.yaml"]):
            self.assertIn("bad.yaml:11:10: there is no feature 'groth_z'", self.failure(*words))

    def test_signatures_are_listed_shown_and_tested(self):
        (self.place / "own.yaml").write_text(OWN)
        listed = self.run_it("signatures", "list").stdout.decode()
        self.assertGreater(len([line for line in listed.splitlines() if line[:1].isalpha()]), 30)
        shown = self.run_it("signatures", "show", "map-only-grows", "nan-keys").stdout.decode()
        for word in ("up to Go 1.23", "from Go 1.24", "math.IsNaN", "https://go.dev/blog/swisstable"):
            self.assertIn(word, shown)
        self.assertIn("did you mean 'nan-keys'", self.failure("signatures", "show", "nan-key"))
        self.assertIn("NAME is missing", self.failure("signatures", "show", code=2))
        self.assertIn("list takes no name", self.failure("signatures", "list", "x", code=2))
        self.assertIn("choose one of: list, show, test", self.failure("signatures", "look", code=2))
        tested = self.run_it("signatures", "test", self.place / "own.yaml", self.leaking()).stdout.decode()
        self.assertIn("big-puts is well formed", tested)
        self.assertIn("big-puts holds for main.put", tested)
        made.write(self.place / "steady", made.steady(10))
        self.assertIn("none of them holds", self.run_it("signatures", "test", self.place / "own.yaml", self.place / "steady").stdout.decode())

    def test_the_library_is_as_its_schema_says(self):
        if jsonschema is None:
            self.skipTest("no python3-jsonschema")
        schema = json.loads((SOURCE / "schemas/json/signature.schema.json").read_text())
        items = json.loads(self.run_it("signatures", "list", "--format", "json").stdout)
        self.assertGreater(len(items), 35)
        jsonschema.validate({"signatures": [{k: v for k, v in item.items() if v is not None} for item in items]}, schema)

    # --- a server ---

    def serve(self, profiles, fail_after=None, others=None):
        """A program that serves its n-th heap profile at the n-th request; returns its address and what it was asked."""
        asked, answers = [], dict(others or {})

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                path, heaps = self.path.split("?")[0], sum(p.startswith("/debug/pprof/heap") for p in asked)
                if path == "/debug/pprof/":
                    body = b"<html><head><title>/debug/pprof/</title></head><body><a href='heap?debug=1'>heap</a></body></html>"
                elif path == "/debug/pprof/heap" and (fail_after is None or heaps <= fail_after):
                    body = profiles[min(heaps, len(profiles)) - 1]
                else:
                    body = answers.get(path)
                self.send_response(200 if body is not None else 404)
                self.end_headers()
                self.wfile.write(body if body is not None else b"no\n")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}", asked

    def snapshots(self, count):
        return [gzip.compress(profile) for profile in made.leaking(count)]

    def test_a_watched_program_is_asked_once_a_round_and_its_cost_is_said(self):
        address, asked = self.serve(self.snapshots(8))
        document = self.answer(address, "--watch", "1400ms", "--every", "200ms")
        self.assertEqual((document["verdict"], document["findings"][0]["function"]), ("leak", "main.put"))
        heaps = [path for path in asked if "heap" in path]
        self.assertEqual(document["series"]["inputs"]["heap"], len(heaps))
        self.assertTrue(6 <= len(heaps) <= 8, asked)
        self.assertTrue(all("gc=" not in p and "seconds=" not in p for p in asked), asked)
        self.assertEqual(document["series"]["cost"]["requests"], len(asked))
        self.assertGreater(document["series"]["cost"]["bytes"], 0)

    def test_collections_are_asked_for_only_where_told(self):
        address, asked = self.serve(self.snapshots(1))
        self.answer(address, "--gc", code=6)
        self.assertEqual([p for p in asked if "gc=1" in p], [p for p in asked if "/heap" in p])

    def test_one_look_is_not_enough_and_says_so(self):
        address, _ = self.serve(self.snapshots(1))
        document = self.answer(address, code=6)
        self.assertEqual(document["verdict"], "not-enough-data")

    def test_a_program_that_stops_answering_leaves_what_there_is(self):
        address, asked = self.serve(self.snapshots(8), fail_after=6)
        document = self.answer(address, "--watch", "5s", "--every", "100ms", code=5)
        self.assertEqual((document["verdict"], document["series"]["inputs"]["heap"]), ("leak", 6))
        self.assertEqual(sum("/heap" in p for p in asked), 9)  # three more, and no more

    def test_interrupted_it_answers_with_what_it_has(self):
        address, asked = self.serve(self.snapshots(200))
        running = subprocess.Popen([FAULTLINE, "leak", address, "--watch", "1h", "--every", "50ms", "--format", "json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment())
        deadline = time.monotonic() + 60
        while sum("/heap" in p for p in asked) < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 0, err.decode())
        self.assertEqual(json.loads(out)["verdict"], "leak")

    def test_a_server_without_profiles_or_with_a_login_page_says_so(self):
        address, _ = self.serve([b"<!DOCTYPE html><html><title>Sign in</title></html>"])
        self.assertIn("page", self.failure("leak", address + "/debug/pprof/heap"))
        self.assertNotEqual(self.failure("leak", address + "/nothing/here"), "")
        self.assertIn("127.0.0.1:9", self.failure("leak", "http://127.0.0.1:9/"))


if __name__ == "__main__":
    del sys.argv[1:3]
    unittest.main(verbosity=1)
