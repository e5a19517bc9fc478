"""The counting of leak-report, on recordings and answers that are made up."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import recordings  # noqa: E402
import score  # noqa: E402


def recording(accepted=("leak",), functions=(), folder="."):
    return recordings.Recording("1.26", "made", pathlib.Path(folder), frozenset(accepted), tuple(functions))


def answer(verdict="leak", confidence=0.9, function="main.(*store).put", holder=""):
    return recordings.Answer(verdict, "map-only-grows", confidence, function, holder)


class Scores(unittest.TestCase):
    def test_a_part_of_the_name_is_enough(self):
        self.assertTrue(score.named(recording(functions=["other", "store"]), answer()))
        self.assertFalse(score.named(recording(functions=["other"]), answer()))

    def test_a_holder_is_no_function_and_is_counted_apart(self):
        found, said = recording(functions=["owner"]), answer(holder="main.owner")
        self.assertFalse(score.named(found, said))
        self.assertTrue(score.held(found, said))

    def test_without_functions_there_is_nothing_to_name(self):
        self.assertIsNone(score.named(recording(), answer()))

    def test_too_little_data_is_not_wrong_and_not_right(self):
        said = answer("not-enough-data")
        self.assertFalse(score.wrong(recording(), said))
        self.assertFalse(score.accepted(recording(), said))

    def test_no_answer_at_all_is_wrong_but_not_sure(self):
        self.assertTrue(score.wrong(recording(), recordings.FAILED))
        self.assertFalse(score.wrong_and_sure(recording(), recordings.FAILED))

    def test_sure_begins_above_the_limit(self):
        self.assertFalse(score.wrong_and_sure(recording(["no-leak"]), answer(confidence=0.8)))
        self.assertTrue(score.wrong_and_sure(recording(["no-leak"]), answer(confidence=0.81)))

    def test_what_may_be_called_a_leak_is_not_healthy(self):
        self.assertTrue(recording(["no-leak", "churn"]).healthy)
        self.assertFalse(recording(["no-leak", "latency", "leak"]).healthy)
        self.assertFalse(recording(["churn"]).healthy)


    def test_a_kind_is_right_general_or_another(self):
        def judged(kinds, said):
            found = recordings.Recording("1.26", "made", pathlib.Path("."), frozenset(["leak"]), (), tuple(kinds))
            return score.kind(found, recordings.Answer("leak", said, 0.9, "f", ""))
        self.assertEqual(judged(["nan-keys"], "nan-keys"), "right")
        self.assertEqual(judged(["nan-keys"], "objects-kept"), "general")
        self.assertEqual(judged(["nan-keys"], "expiry-misses-entries"), "other")
        self.assertIsNone(judged([], "nan-keys"))


class Cuts(unittest.TestCase):
    def test_windows_are_neighbours_and_long_enough(self):
        self.assertEqual(score.windows([0, 1, 2, 5, 6], 4), [[0, 1, 2, 5], [0, 1, 2, 5, 6], [1, 2, 5, 6]])

    def test_a_third_is_every_third_or_the_first_third(self):
        numbers = list(range(10))
        self.assertEqual(score.thinned(numbers, 3), [0, 3, 6, 9])
        self.assertEqual(score.prefix(numbers, 3), [0, 1, 2])
        self.assertEqual(score.prefix(numbers[:3], 3), [0, 1])


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        root = pathlib.Path(self.folder.name) / "1.26/made"
        root.mkdir(parents=True)
        for name in ("heap-00.pb.gz", "heap-00.debug1.txt.zst", "heap-01.pb.gz", "goroutine-01.pb.gz", "memstats.jsonl", "index.json"):
            (root / name).touch()
        (root / "truth.json").write_text(json.dumps({"accepted": ["leak"], "functions": ["put"]}))

    def found(self):
        return recordings.find(self.folder.name)[0]

    def test_labels_are_not_handed_in(self):
        names = [p.name for p in self.found().files()]
        self.assertEqual(names, ["goroutine-01.pb.gz", "heap-00.debug1.txt.zst", "heap-00.pb.gz", "heap-01.pb.gz", "memstats.jsonl"])

    def test_a_cut_has_its_snapshots_and_the_rest_unless_bare(self):
        self.assertEqual([p.name for p in self.found().of_snapshots({1})], ["goroutine-01.pb.gz", "heap-01.pb.gz", "memstats.jsonl"])
        self.assertEqual([p.name for p in self.found().of_snapshots({1}, bare=True)], ["goroutine-01.pb.gz", "heap-01.pb.gz"])
        self.assertEqual(self.found().numbers(), [0, 1])


class Asking(unittest.TestCase):
    def program(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "program"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
        return recordings.Program(path)

    def test_the_first_finding_is_the_answer_whatever_the_exit_code(self):
        report = {"verdict": "leak", "kind": "k", "confidence": 0.5,
                  "findings": [{"function": "f", "holder": None, "file": "a.go", "line": 3,
                                "growth_bytes_per_hour": {"value": 2, "low": 1, "high": 3}}, {"function": "g"}]}
        said = self.program(f"cat <<'END'\n{json.dumps(report)}\nEND\nexit 1\n").ask([])
        self.assertEqual(said, recordings.Answer("leak", "k", 0.5, "f", "", "a.go:3", (1, 2, 3)))

    def test_what_is_no_report_is_a_failure_that_is_shown(self):
        program = self.program("echo no such command >&2; exit 64\n")
        self.assertEqual(program.ask([]), recordings.FAILED)
        self.assertEqual(program.failures, ["no such command"])


if __name__ == "__main__":
    unittest.main()
