"""Documents to proposals to reviewed edges, through the program.

usage: test_learn.py FAULTLINE SOURCE [unittest options]
"""
import gzip
import json
import pathlib
import subprocess
import sys
import unittest

import test_cli

FIXTURES = test_cli.SOURCE / "tests" / "fixtures" / "learn"
TICKET = "# Shop down\n\n## Root cause\nThe disk was full because logs were kept for ever.\n\n## Fix\n- Added a disk\n"


class Learn(test_cli.Cli):
    """In a folder of its own, with the default store in it."""

    def file(self, name, content):
        path = pathlib.Path(self.home.name) / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def proposals(self, *args):
        code, out, err = self.run_it("learn", *args, "--format", "json")
        return code, self.validate("proposals.schema.json", out), err

    def waiting(self):
        code, out, err = self.run_it("review", "--list", "--format", "json")
        self.assertEqual((code, err), (0, ""))
        return self.validate("proposals.schema.json", out)["proposals"]

    def test_a_dry_run_keeps_nothing(self):
        code, found, err = self.proposals("--dry-run", self.file("a.md", TICKET))
        self.assertEqual((code, err, found["state"]), (0, "", "dry-run"))
        self.assertEqual(len(found["proposals"]), 3)
        code, _, err = self.run_it("review", "--list")
        self.assertEqual(code, 1)
        self.assertIn("no", err)

    def test_reading_again_adds_nothing(self):
        path = self.file("a.md", TICKET)
        self.assertEqual(self.proposals(path)[1]["new"], 3)
        self.assertEqual(self.proposals(path)[1]["new"], 0)
        self.assertEqual(self.proposals(self.file("a.md.gz", gzip.compress(TICKET.encode())))[1]["new"], 0)
        self.assertEqual(len(self.waiting()), 3)

    def test_an_answer_takes_a_proposal_from_the_list_and_moves_the_edge(self):
        self.proposals(self.file("a.md", TICKET))
        first, second, third = self.waiting()
        code, out, _ = self.run_it("review", "--accept", first["id"], "--author", "ada", "--format", "json")
        moved = self.validate("reviewed.schema.json", out)
        self.assertEqual((code, moved["what"], moved["before"]["n"], moved["after"]["n"]), (0, "accepted", 1, 2))
        self.assertGreater(moved["after"]["mean"], moved["before"]["mean"])
        _, out, _ = self.run_it("review", "--reject", second["id"], "--author", "ada", "--why", "misread", "--format", "json")
        moved = self.validate("reviewed.schema.json", out)
        self.assertLess(moved["after"]["mean"], moved["before"]["mean"])
        _, out, _ = self.run_it("review", "--edit", third["id"], "--to", "A bigger   Disk", "--author", "ada", "--format", "json")
        moved = self.validate("reviewed.schema.json", out)
        self.assertEqual((moved["what"], moved["to"]["key"], moved["after"]["n"]), ("edited", "a bigger disk", 1))
        self.assertEqual(self.waiting(), [])
        code, _, err = self.run_it("review", "--accept", first["id"])
        self.assertEqual((code, err), (1, f"faultline: no proposal {first['id']} waits for a review\n"))

    def test_an_edit_of_the_cause_finds_its_end_of_the_edge(self):
        self.proposals(self.file("a.md", TICKET))
        for proposal in self.waiting():
            _, out, _ = self.run_it("review", "--edit", proposal["id"], "--cause", "no rotation", "--author", "ada", "--format", "json")
            moved = self.validate("reviewed.schema.json", out)
            self.assertEqual([moved[end]["key"] for end in ("from", "to") if moved[end]["kind"] == "cause"], ["no rotation"])

    def test_a_rejected_proposal_stays_away_when_the_text_is_read_again(self):
        path = self.file("a.md", TICKET)
        self.proposals(path)
        self.run_it("review", "--reject", self.waiting()[0]["id"], "--author", "ada")
        self.proposals(path)
        self.assertEqual(len(self.waiting()), 2)

    def test_the_walk_asks_until_it_is_answered(self):
        self.proposals(self.file("a.md", TICKET))
        run = subprocess.run([test_cli.FAULTLINE, "review", "--walk", "--author", "ada"], input="?\na\ns\ne\n\n\nq\n",
                             capture_output=True, text=True, env=self.environment(), check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("a, e, r, s or q", run.stdout)
        self.assertIn("Proposal accepted", run.stdout)
        self.assertIn("the edit changes nothing", run.stdout)
        self.assertEqual(len(self.waiting()), 2)

    def test_one_answer_at_a_time(self):
        self.proposals(self.file("a.md", TICKET))
        code, _, err = self.run_it("review", "--accept", "1", "--reject", "2")
        self.assertEqual(code, 1)
        self.assertIn("one proposal at a time", err)

    def test_standard_input_and_folders_are_read(self):
        run = subprocess.run([test_cli.FAULTLINE, "learn", "-", "--dry-run", "--format", "json"], input=TICKET, capture_output=True,
                             text=True, env=self.environment(), check=False)
        self.assertEqual(len(json.loads(run.stdout)["proposals"]), 3)
        code, found, err = self.proposals("--dry-run", str(FIXTURES))
        self.assertEqual((code, err), (0, ""))
        self.assertGreaterEqual(found["documents"], 20)

    def test_a_file_that_cannot_be_read_costs_itself(self):
        good, bad = self.file("a.md", TICKET), self.file("b.md", b"\xff\xfe")
        code, found, err = self.proposals("--dry-run", good, bad)
        self.assertEqual((code, found["failed"], len(found["proposals"])), (5, 1, 3))
        self.assertIn("b.md is not UTF-8 at byte 0", err)
        self.assertEqual(self.run_it("learn", "--dry-run", bad)[0], 1)

    def test_a_document_of_100_MB_is_refused_in_a_sentence(self):
        path = self.file("big.md", b"x" * (100 << 20))
        code, _, err = self.run_it("learn", "--dry-run", path)
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^faultline: .*big.md is larger than 67108864 bytes\n$")

    def test_markup_in_a_text_is_shown_and_never_obeyed(self):
        text = "# Shop down\n## Root cause\nThe \x1b[31mdisk'); DROP TABLE node; -- <script>alert(1)</script> was full\n"
        self.proposals(self.file("a.md", text))
        _, out, _ = self.run_it("review", "--list")
        self.assertNotIn("\x1b", out)
        self.assertEqual(len(self.waiting()), 1)

    def test_precision_and_recall_hold(self):
        report = test_cli.SOURCE / "scripts" / "learn-report"
        run = subprocess.run([report, "--faultline", test_cli.FAULTLINE, "--least", "0.9", "0.7"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


# The inherited tests run in test_cli.
for name in [name for name in dir(test_cli.Cli) if name.startswith("test_")]:
    setattr(Learn, name, None)
del test_cli.Cli

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
