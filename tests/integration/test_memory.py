"""What the program remembers from one incident to the next, through its commands.

usage: test_memory.py FAULTLINE SOURCE [unittest options]
"""
import json
import pathlib
import re
import shutil
import sqlite3
import sys
import tempfile
import unittest

import test_cli

ESC = "\x1b"


class Memory(test_cli.Cli):
    """The incident of test_cli's made-up case."""

    def incident(self):
        return json.loads(self.triage("--format", "json")[1])["incident"]["id"]

    def test_a_confirmation_is_told_to_the_next_incident(self):
        first = self.incident()
        code, out, err = self.run_it("confirm", first, "--fix", "roll back to 1.8.2", "--author", "ada", "--format", "json")
        self.assertEqual((code, err), (0, ""))
        learnt = self.validate("learnt.schema.json", out)
        self.assertEqual((learnt["what"], learnt["author"], learnt["new"]), ("confirmed", "ada", True))
        for moved in learnt["moved"]:
            # The program's own diagnosis is known by then, and gives way to what a person says.
            self.assertAlmostEqual(moved["before"]["mean"], 0.5, delta=0.01)
            self.assertLessEqual(moved["before"]["n"], 1)
            self.assertEqual(moved["after"]["n"], 1)
            self.assertGreaterEqual(moved["after"]["mean"], 0.5)
        code, out, _ = self.run_it("graph", "paths", "--incident", first, "--format", "json")
        paths = self.validate("paths.schema.json", out)
        self.assertEqual(code, 0)
        self.assertEqual(paths["paths"][0]["cause"], learnt["cause"])
        self.assertEqual(paths["paths"][0]["fixes"][0]["fix"], "roll back to 1.8.2")
        self.assertEqual(paths["similar"], [])

    def test_another_incident_of_the_same_kind_is_shown_what_helped(self):
        first = self.incident()
        self.run_it("confirm", first, "--fix", "roll back", "--author", "ada")
        _, out, err = self.run_it("triage", "--otlp", self.case, "--at", "2023-01-29T09:31:00Z")
        self.assertEqual(err, "")
        self.assertIn("Seen before in 1 incident", out)
        self.assertIn("fixed by  roll back", out)
        self.assertIn(f"alike     {first}", out)
        _, out, _ = self.run_it("triage", "--otlp", self.case, "--at", "2023-01-29T09:31:00Z", "--no-memory")
        self.assertNotIn("Seen before", out)

    def test_similar_incidents_are_told_with_why(self):
        first = self.incident()
        self.run_it("confirm", first, "--fix", "roll back", "--author", "ada")
        _, out, _ = self.run_it("triage", "--otlp", self.case, "--at", "2023-01-29T09:31:00Z", "--format", "json")
        second = json.loads(out)["incident"]["id"]
        code, out, err = self.run_it("similar", second, "--format", "json")
        self.assertEqual((code, err), (0, ""))
        found = self.validate("similar.schema.json", out)
        self.assertEqual(found["seen"], 1)
        best = found["similar"][0]
        self.assertEqual((best["incident"], best["fixes"]), (first, ["roll back"]))
        self.assertEqual(len(best["in_common"]), best["shared"])
        self.assertEqual(len(best["only_here"]), best["ours"] - best["shared"])
        self.assertTrue(best["causes"])
        by_symptom = json.loads(self.run_it("similar", "--symptom", found["symptoms"][0], "--format", "json")[1])
        self.assertEqual({s["incident"] for s in by_symptom["similar"]}, {first, second})
        self.assertIn("alike     " + first, self.run_it("similar", second)[1])
        self.assertIn("No other incident", self.run_it("similar", "--symptom", "never seen")[1])
        self.assertTrue(json.loads(self.run_it("similar", second, "--time-limit", "1ns", "--format", "json")[1])["cut"])

    def test_memory_is_evidence_of_its_own_and_can_be_left_out(self):
        again = ("triage", "--otlp", self.case, "--at", "2023-01-29T09:31:00Z", "--format", "json")
        _, never, _ = self.run_it(*again, "--store", "none")
        first = self.incident()
        self.run_it("confirm", first, "--author", "ada")
        _, without, _ = self.run_it(*again, "--no-memory")
        self.assertEqual(without, never)
        _, out, err = self.run_it(*again)
        self.assertEqual(err, "")
        answer = self.validate("triage.schema.json", out)
        hypothesis = answer["hypotheses"][0]
        told = [e for e in hypothesis["evidence"] if e["modality"] == "memory"]
        self.assertEqual([e["query"] for e in told], [f"faultline graph paths --incident {answer['incident']['id']}"])
        self.assertIn("explained 1 of 1 earlier incident", told[0]["text"])
        before = json.loads(never)["hypotheses"][0]
        self.assertAlmostEqual(hypothesis["score"] - told[0]["weight_nats"], before["score"], places=5)
        self.assertGreaterEqual(hypothesis["probability"], before["probability"])
        # The same store, the same question, the same bytes; and what it was told of itself is no prior.
        _, once_more, _ = self.run_it(*again)
        self.assertEqual(once_more, out)
        self.run_it("confirm", answer["incident"]["id"], "--author", "bob")
        self.assertEqual(self.run_it(*again)[1], out)

    def test_an_answer_does_not_confirm_itself(self):
        first = self.incident()
        for minute in range(31, 35):
            self.run_it("triage", "--otlp", self.case, "--at", f"2023-01-29T09:{minute}:00Z")
        _, out, _ = self.run_it("graph", "paths", "--incident", first, "--format", "json")
        for path in json.loads(out)["paths"]:
            self.assertEqual(path["automatic"], path["supporting"])
            self.assertLessEqual(path["confidence"]["mean"], 1.5 / 2)
        _, out, _ = self.run_it("triage", "--otlp", self.case, "--at", "2023-01-29T09:30:30Z", "--format", "json")
        self.assertFalse([e for h in json.loads(out)["hypotheses"] for e in h["evidence"] if e["modality"] == "memory"])

    def test_a_picture_that_cannot_be_kept_costs_the_exit_code_and_not_the_memory(self):
        self.incident()
        (store,) = (pathlib.Path(self.home.name) / ".local/state/faultline").glob("*.db")
        with sqlite3.connect(store) as database:
            database.execute("CREATE TRIGGER refuse BEFORE INSERT ON picture BEGIN SELECT RAISE(ABORT, 'no pictures today'); END")
        database.close()
        _, before, _ = self.run_it("graph", "export")
        code, _, err = self.run_it("triage", "--otlp", self.case, "--at", "2023-01-29T09:31:00Z", "--format", "json")
        self.assertEqual(code, 1)
        self.assertIn("no pictures today", err)
        self.assertEqual(err.count("\n"), 1)
        _, after, _ = self.run_it("graph", "export")
        self.assertNotEqual(before, after)

    def test_one_author_moves_no_edge_past_the_cap(self):
        first = self.incident()
        self.run_it("confirm", first, "--cause", "what it was", "--author", "ada")
        for second in range(25):
            _, out, _ = self.run_it("triage", "--otlp", self.case, "--at", f"2023-01-29T09:30:{second + 10}Z", "--format", "json")
            self.run_it("confirm", json.loads(out)["incident"]["id"], "--cause", "made up", "--author", "eve")
        _, out, _ = self.run_it("graph", "paths", "--incident", first, "--format", "json")
        paths = {path["cause"]: path for path in json.loads(out)["paths"]}
        self.assertEqual((paths["made up"]["supporting"], paths["what it was"]["elsewhere"]), (25, 25))
        self.assertLessEqual(paths["made up"]["confidence"]["mean"], 20.5 / 21)
        # The cap of 20 observations, and not 25: 1.5 of 22 beside 1.5 of 27.
        self.assertGreater(paths["what it was"]["confidence"]["mean"], 1.5 / 23)

    def test_a_drill_teaches_nothing(self):
        self.incident()
        before = self.run_it("graph", "export")[1]
        with tempfile.TemporaryDirectory() as place:
            labelled = shutil.copytree(self.case, pathlib.Path(place) / "one")
            (labelled / "truth.json").write_text(json.dumps(
                {"incident_time": "2023-01-29T09:30:00Z", "root_cause": {"service": "checkout"}}))
            code, out, err = self.run_it("drill", "--cases", place, "--format", "json")
        self.assertEqual((code, json.loads(out)["systems"][0]["n"], err), (0, 1, ""))
        self.assertEqual(self.run_it("graph", "export")[1], before)

    def later(self, name, minutes, shift_minutes=0, make=("traces", "metrics", "logs")):
        """Telemetry of some minutes, told of a later time."""
        folder = pathlib.Path(self.home.name) / name
        folder.mkdir()
        for kind in make:
            text = "".join(json.dumps(line) + "\n" for line in getattr(test_cli, kind)(minutes))
            text = re.sub(r'UnixNano": "(\d+)"', lambda at: f'UnixNano": "{int(at.group(1)) + shift_minutes * 60 * 10**9}"', text)
            (folder / f"{kind}.otlp.jsonl").write_text(text)
        return folder

    def test_a_symptom_that_has_cleared_confirms_the_fix(self):
        first = self.incident()
        later = self.later("healthy", range(-10, -4), 60)
        code, out, err = self.run_it("resolve", first, "--fix", "roll back", "--author", "ada", "--verify", later, "--after",
                                     "2023-01-29T10:20:00Z", "--format", "json")
        self.assertEqual((code, err), (0, ""))
        learnt = self.validate("learnt.schema.json", out)
        self.assertEqual(learnt["verified"]["verdict"], "cleared")
        self.assertEqual((learnt["because"]["source"], learnt["because"]["weight"]), ("fix", 1.0))
        for symptom in learnt["verified"]["symptoms"]:
            self.assertEqual(symptom["state"], "cleared", symptom)
            self.assertLess(abs(symptom["after"] - symptom["before"]), abs(symptom["after"] - symptom["during"]))
        self.assertEqual(learnt["moved"][-1]["kind"], "resolved-by")
        self.assertTrue(all(m["after"]["mean"] > m["before"]["mean"] for m in learnt["moved"]))

    def test_the_incident_and_what_came_after_may_lie_in_one_folder(self):
        first = self.incident()
        later = self.later("healthy", range(-10, -4), 60)
        code, out, _ = self.run_it("resolve", first, "--fix", "roll back", "--verify", later, "--verify", self.case, "--after",
                                   "2023-01-29T10:20:00Z")
        self.assertEqual(code, 0)
        self.assertIn("cleared", out)

    def test_a_symptom_that_is_still_there_speaks_against_the_fix_alone(self):
        first = self.incident()
        later = self.later("bad", range(10, 15))
        words = ("resolve", first, "--fix", "restart", "--author", "ada", "--verify", later, "--after", "2023-01-29T09:40:00Z")
        code, out, err = self.run_it(*words, "--format", "json")
        self.assertEqual((code, err), (7, ""))
        learnt = self.validate("learnt.schema.json", out)
        self.assertEqual(learnt["verified"]["verdict"], "still-there")
        self.assertEqual([m["kind"] for m in learnt["moved"]], ["resolved-by"])
        self.assertLess(learnt["moved"][0]["after"]["mean"], learnt["moved"][0]["before"]["mean"])
        code, out, _ = self.run_it(*words)
        self.assertEqual(code, 7)
        self.assertIn("still-there", out)

    def test_missing_data_is_no_recovery(self):
        first = self.incident()
        before = self.run_it("graph", "export")[1]
        later = self.later("elsewhere", range(-10, -4), 60)
        for after, name in (("2023-01-29T20:00:00Z", "hours later"), ("2023-01-29T12:00:00Z", "when nothing was recorded")):
            code, out, err = self.run_it("resolve", first, "--fix", "hope", "--verify", later, "--after", after, "--format", "json")
            self.assertEqual((code, err), (5, ""), name)
            learnt = self.validate("learnt.schema.json", out)
            self.assertEqual((learnt["verified"]["verdict"], learnt["moved"], learnt["new"]), ("not-seen", [], False))
            self.assertTrue(all(s["after"] is None for s in learnt["verified"]["symptoms"]))
        self.assertEqual(self.run_it("graph", "export")[1], before)

    def test_saying_it_again_moves_nothing(self):
        first = self.incident()
        self.run_it("confirm", first, "--author", "ada")
        code, out, _ = self.run_it("confirm", first, "--author", "ada")
        self.assertEqual(code, 0)
        self.assertIn("this was known before", out)

    def test_a_rejection_speaks_against_and_a_resolution_for(self):
        first = self.incident()
        _, out, _ = self.run_it("reject", first, "--why", "it was fine", "--author", "bob", "--format", "json")
        moved = self.validate("learnt.schema.json", out)["moved"]
        self.assertTrue(all(m["after"]["mean"] <= m["before"]["mean"] for m in moved))
        _, out, _ = self.run_it("resolve", first, "--fix", "restart", "--author", "eve", "--format", "json")
        moved = self.validate("learnt.schema.json", out)["moved"]
        self.assertEqual(moved[-1]["kind"], "resolved-by")
        self.assertTrue(all(m["after"]["mean"] >= m["before"]["mean"] for m in moved))

    def test_hostile_words_are_text_everywhere(self):
        first = self.incident()
        words = "'); DROP TABLE node; -- <script>alert(1)</script> \x1b[31mred\x1b[0m \"quoted\\"
        code, out, err = self.run_it("confirm", first, "--cause", words, "--fix", words, "--note", words)
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn(ESC, out)
        _, out, _ = self.run_it("graph", "paths", "--incident", first)
        self.assertNotIn(ESC, out)
        graph = self.validate("graph.schema.json", self.run_it("graph", "export")[1])
        self.assertIn(words, [node["title"] for node in graph["nodes"]])
        dot = self.run_it("graph", "export", "--format", "dot")[1]
        self.assertNotIn(ESC, dot)
        self.assertIn('\\"quoted\\\\', dot)

    def test_the_export_holds_together(self):
        first = self.incident()
        self.run_it("confirm", first, "--fix", "roll back")
        graph = self.validate("graph.schema.json", self.run_it("graph", "export")[1])
        nodes = {node["id"]: node["kind"] for node in graph["nodes"]}
        edges = {edge["id"] for edge in graph["edges"]}
        self.assertTrue(all(edge["from"] in nodes and edge["to"] in nodes for edge in graph["edges"]))
        self.assertTrue(all(item["edge"] in edges for item in graph["evidence"]))
        stats = self.run_it("graph", "stats")[1]
        self.assertEqual(sum(int(n) for n in re.findall(r"^node .*?(\d+)$", stats, re.M)), len(nodes))

    def test_what_was_not_yet_known_is_not_known_then(self):
        first = self.incident()
        self.run_it("confirm", first, "--fix", "roll back")
        graph = json.loads(self.run_it("graph", "export", "--as-of", "2024-01-01T00:00:00Z")[1])
        self.assertEqual((graph["nodes"], graph["edges"], graph["evidence"]), ([], [], []))

    def test_a_mistake_is_one_sentence(self):
        first = self.incident()
        for words, code, expected in (
                (["confirm", "nothing"], 1, "no incident 'nothing'"),
                (["confirm", first, "--hypothesis", "99"], 1, "hypotheses, and no number 99"),
                (["confirm", first, "--cause", "2"], 1, "'2' is no cause in words; a hypothesis is named as such, by its number"),
                (["confirm", first, "--cause", " "], 1, "a cause in no words"),
                (["confirm", first, "--fix", "x" * 2000], 1, "put the rest into a note"),
                (["reject", first], 2, "option --why TEXT is missing"),
                (["resolve", first], 2, "option --fix TEXT is missing"),
                (["similar"], 1, "similar wants an incident, or --symptom KEY up to 32 times"),
                (["similar", first, "--symptom", "x"], 1, "an incident or symptoms, and not both"),
                (["similar", "nothing"], 1, "no incident 'nothing'"),
                (["resolve", first, "--fix", "x", "--verify", self.case], 2, "--verify PATH and --after TIME belong together"),
                (["resolve", first, "--fix", "x", "--verify", self.case, "--after", "2023-01-29T09:00:00Z"], 1,
                 "--after is not later than the incident"),
                (["resolve", first, "--fix", "x", "--verify", "nowhere", "--after", "2023-01-29T10:00:00Z"], 1, "nowhere"),
                (["graph", "paths"], 1, "graph paths wants --incident ID, --service NAME, or --symptom KEY"),
                (["graph", "walk"], 2, "choose one of: paths, "),
                (["graph", "paths", "--incident", first, "--format", "dot"], 2, "graph paths has no format dot"),
                (["graph", "stats", "--store", "nowhere.db"], 1, "no store at nowhere.db")):
            got, out, err = self.run_it(*words)
            self.assertEqual((got, out), (code, ""), words)
            self.assertIn(expected, err)


# The inherited tests run in test_cli.
for name in [name for name in dir(test_cli.Cli) if name.startswith("test_")]:
    setattr(Memory, name, None)
del test_cli.Cli

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
