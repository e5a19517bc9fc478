"""What the program remembers from one incident to the next, through its commands.

usage: test_memory.py FAULTLINE SOURCE [unittest options]
"""
import json
import re
import sys
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
                (["confirm", first, "--cause", " "], 1, "a cause in no words"),
                (["confirm", first, "--fix", "x" * 2000], 1, "put the rest into a note"),
                (["reject", first], 2, "option --why TEXT is missing"),
                (["resolve", first], 2, "option --fix TEXT is missing"),
                (["graph", "paths"], 1, "graph paths wants --incident ID, or --symptom KEY"),
                (["graph", "walk"], 2, "choose one of: paths, export, "),
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
