#!/usr/bin/env python3
"""The program as its users meet it: exit codes, streams, colours, the store, the JSON contract.

usage: test_cli.py FAULTLINE SOURCE_DIR [unittest options]

Telemetry is made here: two services over half an hour, in which one begins to fail. Where the
recordings of FL_SHARED (or ../shared beside the tree) are, a drill over them is checked too.
"""
import gzip
import json
import os
import pathlib
import pty
import select
import stat
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
except ImportError:  # the package python3-jsonschema
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
SHARED = pathlib.Path(os.environ.get("FL_SHARED", SOURCE / ".." / "shared"))
AT_S = 1674984840  # 2023-01-29T09:34:00Z
AT = "2023-01-29T09:34:00Z"
ESC = "\033"


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def resource(service):
    return {"attributes": [attribute("service.name", service), attribute("service.instance.id", service + "-1")]}


def span(number, minute, service, name, start_ms, length_ms, parent=None, kind=2, error=False):
    start = (AT_S + 60 * minute) * 10**9 + start_ms * 10**6
    made = {"traceId": f"{number:032x}", "spanId": f"{number * 4 + kind:016x}", "name": name, "kind": kind,
            "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + int(length_ms * 10**6))}
    if parent is not None:
        made["parentSpanId"] = f"{number * 4 + parent:016x}"
    if error:
        made["status"] = {"code": 2}
    return service, made


def traces(minutes):
    """shop calls pay; from minute 0 on, pay is 80 times slower and fails."""
    lines, number = [], 1
    for minute in minutes:
        found = {}
        for i in range(20):
            bad = minute >= 0
            own = (800 if bad else 10) + i % 5
            made = [span(number, minute, "shop", "POST /buy", 100 * i, own + 20),
                    span(number, minute, "shop", "pay", 100 * i + 5, own + 6, parent=2, kind=3),
                    span(number, minute, "pay", "POST /charge", 100 * i + 7, own, parent=3, kind=1, error=bad)]
            for service, record in made:
                found.setdefault(service, []).append(record)
            number += 1
        lines.append({"resourceSpans": [{"resource": resource(s), "scopeSpans": [{"spans": r}]} for s, r in found.items()]})
    return lines


def metrics(minutes):
    lines = []
    for minute in minutes:
        points = {"shop": 0.10 + 0.01 * (minute % 3), "pay": 0.97 if minute >= 0 else 0.20 + 0.01 * (minute % 3)}
        lines.append({"resourceMetrics": [{"resource": resource(s), "scopeMetrics": [{"metrics": [
            {"name": "container.cpu.utilization", "unit": "1", "gauge": {"dataPoints": [
                {"timeUnixNano": str((AT_S + 60 * minute) * 10**9), "asDouble": value}]}}]}]} for s, value in points.items()]})
    return lines


def logs(minutes):
    lines = []
    for minute in minutes:
        records = [{"timeUnixNano": str((AT_S + 60 * minute + i) * 10**9), "severityNumber": 9,
                    "body": {"stringValue": f"charge {i} accepted"}} for i in range(10)]
        if minute >= 0:
            records += [{"timeUnixNano": str((AT_S + 60 * minute + i) * 10**9), "severityNumber": 17,
                         "body": {"stringValue": f"charge {i} failed: could not get a connection from the pool"}}
                        for i in range(20)]
        lines.append({"resourceLogs": [{"resource": resource("pay"), "scopeLogs": [{"logRecords": records}]}]})
    return lines


def write_lines(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def make_case(folder, minutes=range(-30, 5)):
    folder.mkdir(parents=True)
    write_lines(folder / "traces.otlp.jsonl", traces(minutes))
    write_lines(folder / "metrics.otlp.jsonl", metrics(minutes))
    write_lines(folder / "logs.otlp.jsonl", logs(minutes))
    return folder


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.case = make_case(pathlib.Path(cls.place.name) / "case")

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)

    def environment(self, **extra):
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        return {**kept, "HOME": self.home.name, **extra}

    def run_it(self, *words, stdout=subprocess.PIPE, **extra):
        done = subprocess.run([FAULTLINE, *map(str, words)], stdout=stdout, stderr=subprocess.PIPE, timeout=120,
                              env=self.environment(**extra), cwd=self.home.name)
        return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()

    def triage(self, *more, **extra):
        return self.run_it("triage", "--otlp", self.case, "--at", AT, *more, **extra)

    def validate(self, name, text):
        document = json.loads(text)
        if jsonschema is None:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads((SOURCE / "schemas/json" / name).read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(document)
        return document

    # --- help and usage ---

    def test_help_is_data_and_goes_to_stdout(self):
        for words in (["--help"], ["-h"], ["help"], ["help", "triage"], ["triage", "--help"], ["drill", "-h"]):
            code, out, err = self.run_it(*words)
            self.assertEqual((code, err), (0, ""), words)
            self.assertIn("Usage", out)
        self.assertEqual(self.run_it("help", "show"), self.run_it("show", "--help"))

    def test_version_is_one_line_however_it_is_asked(self):
        code, out, err = self.run_it("--version")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^faultline \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_it("version")[1], out)
        self.assertEqual(self.run_it("triage", "--version")[1], out)

    def test_a_misuse_is_exit_2_with_a_hint_and_nothing_on_stdout(self):
        for words, expected in (
                ([], "no command given"),
                (["triag"], "unknown command 'triag'; did you mean 'triage'?"),
                (["triage", "--sevice", "x"], "unknown option '--sevice'; did you mean '--service'?"),
                (["triage", "--otlp", "x"], "option --at TIME is missing, as in: faultline triage --otlp"),
                (["triage", "--otlp", "x", "--at", "noon"], "option --at: time 'noon' is not RFC 3339"),
                (["triage", "--otlp", "x", "--at", AT, "--window", "0"], "option --window: "),
                (["triage", "--otlp", "x", "--at", AT, "--format", "xml"], "choose one of: text, json"),
                (["show"], "ID is missing"),
                (["incidents", "extra"], "unexpected argument 'extra'"),
                (["help", "nothing"], "unknown command 'nothing'"),
                (["completion", "tcsh"], "choose one of: bash, zsh, fish"),
                (["--sparkle"], "unknown option '--sparkle'")):
            code, out, err = self.run_it(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(expected, err)

    def test_installed_pages_are_what_the_program_says(self):
        build = FAULTLINE.parent
        if not (build / "man").is_dir():
            self.skipTest("not a build tree")
        self.assertEqual((build / "man/faultline-triage.1").read_text(), self.run_it("help", "--man", "triage")[1])
        self.assertEqual((build / "man/faultline.1").read_text(), self.run_it("help", "--man")[1])
        self.assertEqual((build / "completions/_faultline").read_text(), self.run_it("completion", "zsh")[1])

    # --- triage ---

    def test_the_json_answer_keeps_the_contract_and_finds_the_fault(self):
        code, out, err = self.triage("--format", "json")
        self.assertEqual(err, "")
        document = self.validate("triage.schema.json", out)
        self.assertEqual(document["incident"]["at"], AT)
        self.assertEqual(document["hypotheses"][0]["service"], "pay")
        self.assertEqual(code, 0 if document["verdict"] == "cause-found" else 6)

    def test_the_same_input_gives_the_same_bytes(self):
        first, again = self.triage("--format", "json"), self.triage("--format", "json", "--store", "none")
        self.assertEqual(first, again)

    def test_the_text_answer_names_the_incident_and_where_it_is_kept(self):
        _, out, err = self.triage()
        self.assertEqual(err, "")
        document = json.loads(self.triage("--format", "json")[1])
        self.assertIn(document["incident"]["id"], out)
        self.assertIn(f"Stored as {document['incident']['id']} in {self.home.name}/.local/state/faultline/faultline.db", out)
        self.assertNotIn(ESC, out)
        self.assertTrue(out.isascii())

    def test_a_missing_input_is_exit_1_and_nothing_is_stored(self):
        code, out, err = self.run_it("triage", "--otlp", "nowhere", "--at", AT)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("nowhere", err)
        self.assertEqual(json.loads(self.run_it("incidents", "--format", "json")[1])["incidents"], [])

    def test_an_empty_folder_is_an_error_with_a_sentence(self):
        empty = pathlib.Path(self.home.name) / "empty"
        empty.mkdir()
        code, out, err = self.run_it("triage", "--otlp", empty, "--at", AT)
        self.assertEqual((code, out), (1, ""))
        self.assertTrue(err.startswith("faultline: "), err)

    def test_a_damaged_input_is_a_partial_answer_and_says_so(self):
        damaged = make_case(pathlib.Path(self.home.name) / "damaged")
        whole = gzip.compress((damaged / "logs.otlp.jsonl").read_bytes())
        (damaged / "logs.otlp.jsonl").unlink()
        (damaged / "logs.otlp.jsonl.gz").write_bytes(whole[: len(whole) - 30])
        code, out, _ = self.run_it("triage", "--otlp", damaged, "--at", AT, "--format", "json")
        document = self.validate("triage.schema.json", out)
        self.assertEqual(code, 5 if document["verdict"] == "cause-found" else 6)
        self.assertTrue(any("logs.otlp.jsonl.gz" in warning for warning in document["warnings"]), document["warnings"])
        code, out, err = self.run_it("triage", "--otlp", damaged, "--at", AT, "--strict")
        self.assertEqual((code, out), (1, ""))

    def test_nothing_around_the_time_is_no_confident_cause(self):
        quiet = make_case(pathlib.Path(self.home.name) / "quiet", range(-30, 0))
        code, out, _ = self.run_it("triage", "--otlp", quiet, "--at", "2023-01-29T09:29:00Z", "--format", "json")
        document = self.validate("triage.schema.json", out)
        self.assertEqual((code, document["verdict"]), (6, "no-confident-cause"))

    # --- the store ---

    def test_what_was_triaged_is_listed_and_shown_again(self):
        _, answer, _ = self.triage("--format", "json")
        incident = json.loads(answer)["incident"]["id"]
        code, listed, err = self.run_it("incidents", "--format", "json")
        self.assertEqual((code, err), (0, ""))
        rows = self.validate("incidents.schema.json", listed)["incidents"]
        self.assertEqual([row["id"] for row in rows], [incident])
        self.assertIn(incident, self.run_it("incidents")[1])
        self.assertEqual(self.run_it("show", incident[:5], "--format", "json"), (0, answer, ""))
        code, picture, err = self.run_it("show", incident[:5], "--timeline")
        self.assertEqual((code, err), (0, ""))
        picture = self.validate("timeline.schema.json", picture)
        self.assertEqual((picture["incident"], picture["at"]), (incident, AT))
        shown = {lane["query"] for lane in picture["lanes"]}
        cited = [e["query"] for e in json.loads(answer)["hypotheses"][0]["evidence"] if e["modality"] in ("metrics", "logs", "traces")]
        self.assertTrue(shown.intersection(cited), cited)
        page = self.run_it("show", incident)[1]
        self.assertEqual(self.triage()[1].split("\nStored as")[0], page.rstrip("\n") + "\n" if page.endswith("\n\n") else page)

    def test_the_default_store_is_for_this_user_only(self):
        self.triage()
        folder = pathlib.Path(self.home.name) / ".local/state/faultline"
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)

    def test_the_state_folder_of_the_environment_is_used_where_it_is_absolute(self):
        with tempfile.TemporaryDirectory() as state:
            self.triage(XDG_STATE_HOME=state)
            self.assertTrue((pathlib.Path(state) / "faultline/faultline.db").exists())
        self.triage(XDG_STATE_HOME="relative")
        self.assertFalse((pathlib.Path(self.home.name) / "relative").exists())

    def test_a_user_without_a_folder_is_told_what_to_do(self):
        for home, expected in (("", "neither XDG_STATE_HOME nor HOME names a folder; name a store with --store"),
                               ("/dev/null", "cannot make the folder /dev/null/.local: Not a directory"),
                               ("/" + "x" * 5000, "the store's name is longer than 4095 bytes")):
            code, out, err = self.triage(HOME=home)
            self.assertEqual((code, out), (1, ""), home[:20])
            self.assertIn(expected, err)
        self.assertIn(self.triage("--store", "none", HOME="")[0], (0, 6))

    def test_store_none_keeps_nothing(self):
        self.triage("--store", "none")
        self.assertEqual(os.listdir(self.home.name), [])
        code, out, err = self.run_it("incidents")
        self.assertEqual((code, out, err), (0, "", "faultline: nothing is stored yet\n"))
        self.assertEqual(os.listdir(self.home.name), [])

    def test_a_store_that_cannot_be_opened_is_said_before_the_work(self):
        for url, expected in (("mysql://db/x", "unknown store 'mysql'; known: sqlite, postgresql"),
                              ("/dev/null/x.db", "opening store /dev/null/x.db failed")):
            code, out, err = self.triage("--store", url)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(expected, err)
        text = pathlib.Path(self.home.name) / "notes.txt"
        text.write_text("not a store\n" * 100)
        code, out, err = self.triage("--store", text)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("is not a Faultline store", err)
        self.assertEqual(text.read_text(), "not a store\n" * 100)

    def test_reading_does_not_make_a_store(self):
        for words in (["incidents", "--store", "gone.db"], ["show", "1", "--store", "gone.db"]):
            code, out, err = self.run_it(*words)
            self.assertEqual((code, out, err), (1, "", "faultline: no store at gone.db\n"))
        self.assertEqual(os.listdir(self.home.name), [])

    def test_an_id_that_is_not_there_is_exit_1(self):
        self.triage()
        code, out, err = self.run_it("show", "zzzz")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("no incident 'zzzz'", err)

    # --- streams and terminals ---

    def test_a_reader_that_left_is_exit_1_with_a_sentence(self):
        read, write = os.pipe()
        os.close(read)
        code, _, err = self.run_it("help", stdout=write)
        os.close(write)
        self.assertEqual(code, 1)
        self.assertIn("cannot write the answer: Broken pipe", err)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_a_full_disk_is_exit_1_with_a_sentence(self):
        for words in (["help"], ["completion", "bash"], ["incidents", "--format", "json"]):
            with open("/dev/full", "wb") as full:
                code, _, err = self.run_it(*words, stdout=full)
            self.assertEqual(code, 1, words)
            self.assertIn("cannot write the answer: No space left on device", err)

    def test_colours_off_a_terminal_follow_the_environment_and_the_options(self):
        for extra, words, colored in (({}, [], False), ({"FORCE_COLOR": "1"}, [], True), ({"FORCE_COLOR": "0"}, [], False),
                                      ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
                                      ({"NO_COLOR": "1"}, ["--color"], True), ({"FORCE_COLOR": "1"}, ["--no-color"], False)):
            _, out, _ = self.run_it("help", *words, **extra)
            self.assertEqual(ESC in out, colored, (extra, words))

    def on_terminal(self, *words, **extra):
        """Exit code and all that a terminal shows."""
        main, side = pty.openpty()
        process = subprocess.Popen([FAULTLINE, *map(str, words)], stdin=side, stdout=side, stderr=side,
                                   env=self.environment(**extra), cwd=self.home.name)
        os.close(side)
        shown = b""
        while select.select([main], [], [], 60)[0]:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        os.close(main)
        return process.wait(), shown.decode()

    def test_a_terminal_gets_colours_unless_it_is_dumb_or_they_are_unwanted(self):
        for extra, colored in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({}, False),
                               ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
            code, shown = self.on_terminal("help", **extra)
            self.assertEqual(code, 0)
            self.assertEqual(ESC in shown, colored, extra)

    def test_a_terminal_is_filled_and_not_overrun(self):
        _, shown = self.on_terminal("help", "triage", TERM="xterm", NO_COLOR="1", COLUMNS="72")
        widths = [len(line) for line in shown.replace("\r", "").split("\n") if not line.startswith("  faultline")]
        self.assertLessEqual(max(widths), 72)
        self.assertGreater(max(widths), 60)

    # --- drill ---

    def drill_folder(self):
        cases = pathlib.Path(self.home.name) / "cases"
        for name, service, resource_name in (("hit", "pay", "cpu"), ("miss", "nobody", None)):
            folder = make_case(cases / "made" / name)
            truth = {"incident_time": AT, "root_cause": {"service": service, **({"resource": resource_name} if resource_name else {})}}
            (folder / "truth.json").write_text(json.dumps(truth))
        return cases

    def test_a_drill_counts_and_explains_its_misses(self):
        cases = self.drill_folder()
        code, out, err = self.run_it("drill", "--cases", cases, "--format", "json")
        self.assertEqual((code, err), (0, ""))
        document = self.validate("drill.schema.json", out)
        (system,) = document["systems"]
        self.assertEqual((system["system"], system["n"], system["ac"]["1"]), ("cases", 2, 0.5))
        self.assertEqual(system["ais"]["n"], 1)
        missed = {miss["case"]: miss for miss in document["misses"]}["made/miss"]
        self.assertIsNone(missed["service_rank"])
        self.assertEqual(missed["above"][0]["service"], "pay")
        code, out, _ = self.run_it("drill", "--cases", cases, "-v")
        self.assertEqual(code, 0)
        self.assertIn("true: nobody", out)
        self.assertIn("rank of the service: not in the ranking", out)
        self.assertEqual(os.listdir(self.home.name), ["cases"], "a drill is not kept in the store")

    def test_a_drill_below_the_floor_fails(self):
        cases = self.drill_folder()
        code, out, err = self.run_it("drill", "--cases", cases, "--min-ac1", "0.8")
        self.assertEqual(code, 1)
        self.assertIn("AC@1 of cases is 0.500 (n = 2), below 0.800", err)
        self.assertIn("0.500", out)
        self.assertEqual(self.run_it("drill", "--cases", cases, "--min-ac1", "0.5")[0], 0)

    def test_a_drill_uses_nothing_of_the_cause(self):
        cases = self.drill_folder()
        told = json.loads(self.run_it("drill", "--cases", cases, "--format", "json")[1])["misses"]
        truth = cases / "made/miss/truth.json"
        truth.write_text(truth.read_text().replace("nobody", "another"))
        again = json.loads(self.run_it("drill", "--cases", cases, "--format", "json")[1])["misses"]
        self.assertEqual([miss["above"] for miss in told], [miss["above"] for miss in again])

    def test_a_case_that_cannot_be_triaged_is_a_miss_and_a_truth_that_cannot_be_read_is_left_out(self):
        cases = self.drill_folder()
        (cases / "made/hollow").mkdir()
        (cases / "made/hollow/truth.json").write_text(json.dumps({"incident_time": AT, "root_cause": {"service": "pay"}}))
        (cases / "made/broken").mkdir()
        (cases / "made/broken/truth.json").write_text("{")
        code, out, err = self.run_it("drill", "--cases", cases, "--format", "json")
        self.assertEqual(code, 5)
        document = self.validate("drill.schema.json", out)
        self.assertEqual(document["systems"][0]["n"], 3)
        self.assertEqual([case["case"] for case in document["not_counted"]], ["made/broken"])
        self.assertIn("case made/hollow counts as a miss", err)
        self.assertIn("case made/broken is not counted", err)

    def test_a_folder_without_cases_is_exit_1(self):
        code, out, err = self.run_it("drill", "--cases", self.case)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("no folder with a truth.json", err)

    def test_recorded_answers_keep_the_contract(self):
        recorded = next(iter(sorted((SHARED / "cases" / "petshop").glob("*/*/truth.json"))), None)
        if recorded is None:
            self.skipTest("the recordings are not here (FL_SHARED)")
        folder, truth = recorded.parent, json.loads(recorded.read_text())
        baseline = folder.parent / truth["baseline"]
        code, out, err = self.run_it("triage", "--otlp", folder, "--baseline", baseline, "--at", truth["incident_time"],
                                     "--topology", baseline / "service_graph.json", "--service", truth["symptom"]["node"],
                                     "--format", "json")
        self.assertIn(code, (0, 6), err)
        self.assertEqual(json.loads(out)["rejected_records"], 0)
        self.validate("triage.schema.json", out)


class Goldens(unittest.TestCase):
    """The documents that unit tests compare with keep the contract too."""

    def test_golden_documents_keep_the_contract(self):
        if jsonschema is None:
            self.skipTest("python3-jsonschema is not installed")
        goldens = sorted((SOURCE / "tests/golden/report").glob("*.json"))
        self.assertGreaterEqual(len(goldens), 2)
        for golden in goldens:
            document = json.loads(golden.read_text())
            if isinstance(document, list):  # 'signatures list': the library's own form, not an answer's
                continue
            name = document["schema"].removeprefix("faultline.").split("/")[0]
            schema = json.loads((SOURCE / f"schemas/json/{name}.schema.json").read_text())
            jsonschema.Draft202012Validator(schema).validate(document)

    def test_a_member_that_is_not_in_the_contract_is_noticed(self):
        if jsonschema is None:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads((SOURCE / "schemas/json/triage.schema.json").read_text())
        document = json.loads((SOURCE / "tests/golden/report/incident.json").read_text())
        document["hypotheses"][0]["mood"] = "sure"
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(document)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
