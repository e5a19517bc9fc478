"""Postmortems by the built program: drafts of recorded incidents keep the contract, hold no fact that is not in the incident, its picture or the
graph, and what people make of them is learnt.

usage: test_postmortem.py FAULTLINE SOURCE
"""
import datetime
import html
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
CASES = SOURCE / "examples/shop/incidents"
AT = "2026-11-22T23:58:48Z"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def texts_of(value):
    """Every text and number of a document, as words."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, str):
        yield value
    elif value is not None and not isinstance(value, bool):
        yield repr(value)


class Postmortem(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.store = str(pathlib.Path(cls.home.name) / "store.db")
        alert = [{"labels": {"alertname": "SlowCheckout", "severity": "critical", "service": "storefront"}, "annotations": {"summary": "checkout is slow"},
                  "startsAt": "2026-11-22T23:59:40Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "00000000000000aa"}]
        events = pathlib.Path(cls.home.name) / "alerts.json"
        events.write_text(json.dumps(alert))
        answer = cls.run_it("triage", "--otlp", str(CASES / "pool-exhaustion"), "--baseline", str(CASES / "baseline"), "--at", AT, "--events", str(events),
                            "--format", "json")
        cls.document = json.loads(answer[1])
        cls.id = cls.document["incident"]["id"]
        cls.picture = json.loads(cls.run_it("show", cls.id, "--timeline")[1])
        cls.draft = cls.run_it("postmortem", cls.id)[1]

    @classmethod
    def tearDownClass(cls):
        cls.home.cleanup()

    @classmethod
    def run_it(cls, *words):
        env = dict(os.environ, HOME=cls.home.name, XDG_STATE_HOME=cls.home.name, USER="tester", LC_ALL="C.UTF-8")
        done = subprocess.run([str(FAULTLINE), *words, "--store", cls.store], capture_output=True, text=True, env=env, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def good(self, *words):
        code, out, err = self.run_it(*words)
        self.assertEqual((code, err), (0, ""), words)
        return out

    def edited(self, *pairs):
        text = self.draft
        for old, new in pairs:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        path = pathlib.Path(self.home.name) / "edited.md"
        path.write_text(text)
        return str(path)

    # --- every fact is one of the incident ---

    def known_words(self):
        paths = json.loads(self.good("graph", "paths", "--incident", self.id, "--format", "json"))
        similar = json.loads(self.good("similar", self.id, "--format", "json"))
        drawn = {name: self.picture[name] for name in ("at", "window", "baseline", "onset", "events")}  # what is made of the lanes is made here again
        return [*texts_of(self.document), *texts_of(drawn), *texts_of(paths), *texts_of(similar)]

    def known_numbers(self, words):
        """Numbers in the documents' texts, and those that the draft says it makes of the picture, made here again."""
        known = {number.rstrip(",") for word in words for number in NUMBER.findall(word)}
        values = []
        made = json.loads(self.good("postmortem", self.id, "--format", "json"))
        lanes = {(lane["service"], lane["name"]): lane for lane in self.picture["lanes"] if lane["entry"]}
        begin = seconds(self.picture["from"])
        for impact in made["impact"]:
            first, last = (int((seconds(impact[key]) - begin) / self.picture["step_s"]) for key in ("from", "to"))
            requests, errors, p99 = (lanes[impact["service"], name] for name in ("requests", "errors", "p99"))
            failed = sum(value - errors["usual"] for value in errors["values"][first:last] if value is not None)
            asked = sum(value for value in requests["values"][first:last] if value is not None)
            slowest = max(value for value in p99["values"][first:last] if value is not None)
            self.assertEqual((impact["requests"], impact["failed"]), (round(asked), round(failed)))
            self.assertAlmostEqual(impact["slowest_ms"], slowest)
            self.assertAlmostEqual(impact["share"], round(failed) / round(asked), 6)
            values += [asked, failed, 100 * failed / asked, slowest / 1e3, p99["usual"]]
        values += [100 * hypothesis["probability"] for hypothesis in self.document["hypotheses"]]
        times = [*made["response"].values(), *(impact[key] for impact in made["impact"] for key in ("from", "to"))]
        moments = [seconds(value) for value in times if isinstance(value, str)]
        spans = [int(abs(a - b)) for a in moments for b in moments]
        known |= {form % value for value in values for form in ("%.0f", "%.3g")}
        return known, {part for span in spans for part in (span // 3600, span % 3600 // 60, span % 60, span)}

    def facts_of(self, draft):
        """What a draft says, without its marks, queries and the sentences of the template."""
        rows = [row for row in draft.splitlines() if re.search(r"`auto:[A-Z][\d.]+`$", row)]
        self.assertGreater(len(rows), 20)
        for row in rows:
            row = re.sub(r" `auto:[A-Z][\d.]+`$", "", row)
            row = re.sub(r" \((`+) ?.*? ?\1\)$", "", row)
            row = re.sub(r"hypothesis \d+|\(evidence for F\d+\)|One in a hundred|with 90 %", "", row)
            yield re.sub(r"\\([\\`*_\[\]<>&|~#$^=!])", r"\1", html.unescape(row))

    def test_no_time_and_no_number_is_made_up(self):
        words = self.known_words()
        known, spans = self.known_numbers(words)
        begin, step, steps = seconds(self.picture["from"]), self.picture["step_s"], self.picture["steps"]
        moments = {int(seconds(time)) for word in words for time in TIME.findall(word)}
        moments |= {int(begin + i * step) for i in range(steps + 1)}
        checked = 0
        for fact in self.facts_of(self.draft):
            for time in TIME.findall(fact):
                self.assertIn(int(seconds(time)), moments, fact)
                checked += 1
            spoken = re.sub(r"(?<![\w.])(\d+[hms])+(?=[: ])", "", re.sub(r"\d\d:\d\d:\d\d", "", TIME.sub("", fact)))
            for number in NUMBER.findall(re.sub(r">99 %|<1 %", "", spoken)):
                self.assertIn(number.rstrip(","), known, fact)
                checked += 1
            for number, unit in re.findall(r"(?<![\w.])(\d+)(h|m|s)(?=[\dh: ])", fact):
                self.assertIn(int(number), spans, fact)
                checked += 1
        self.assertGreater(checked, 60)

    def test_no_name_is_made_up(self):
        names = {service for lane in self.picture["lanes"] for service in [lane["service"]]}
        names |= {hypothesis["service"] for hypothesis in self.document["hypotheses"]} | {out["service"] for out in self.document["ruled_out"]}
        made = json.loads(self.good("postmortem", self.id, "--format", "json"))
        sources = {text for text in texts_of(self.document)} | {text for text in texts_of(self.picture)}
        for name, rows in made["sections"].items():
            for row in rows:
                self.assertTrue(row["service"] is None or row["service"] in names, row)
                known = row["source"] is None or row["source"] in sources or row["source"].startswith("faultline ")
                self.assertTrue(known, row)
                if name in ("factors", "timeline"):
                    said = re.sub(r"^(\w+): | \(evidence for F\d+\)$|^(Alert fired|Change|Over|Profiles): ", "", row["text"])
                    ours = row["source"] is None or row["lead"] is not None and row["lead"] not in ("For", "Against")
                    self.assertTrue(ours or any(said in text for text in sources), row)

    def test_it_names_nobody(self):
        for word in ("human error", "root cause", "tester", "fault of", "blame", "should have"):
            self.assertNotIn(word, self.draft.lower())

    # --- formats ---

    def test_json_keeps_the_contract(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads((SOURCE / "schemas/json/postmortem.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        made = json.loads(self.good("postmortem", self.id, "--format", "json"))
        jsonschema.Draft202012Validator(schema).validate(made)
        self.assertEqual(made["response"]["detected"], "2026-11-22T23:59:40Z")

    def test_html_is_one_file_without_scripts_and_nothing_is_fetched(self):
        page = self.good("postmortem", self.id, "--format", "html")
        root = ElementTree.fromstring(page.replace("<!DOCTYPE html>", ""))
        tags = [element.tag.split("}")[-1] for element in root.iter()]
        self.assertFalse({"script", "link", "img", "iframe", "object", "image", "use"} & set(tags))
        self.assertGreater(tags.count("svg"), 10)
        for element in root.iter():
            self.assertFalse([name for name in element.attrib if name.startswith("on") or name.split("}")[-1] in ("href", "src", "style")])
        ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertIn("prefers-color-scheme: dark", page)
        self.assertIn("@media print", page)
        self.assertLess(len(page), 1_000_000)

    def test_the_same_incident_gives_the_same_draft(self):
        self.assertEqual(self.good("postmortem", self.id[:12]), self.draft)

    def test_a_template_of_ones_own(self):
        path = pathlib.Path(self.home.name) / "own.md"
        path.write_text("# {{title}}\n{{impact}}")
        self.assertRegex(self.good("postmortem", self.id, "--template", str(path)), r"^# exception in payment\n- storefront: for .*`auto:I1`\n$")
        path.write_text("{{nobody}}")
        code, out, err = self.run_it("postmortem", self.id, "--template", str(path))
        self.assertEqual((code, out), (1, ""))
        self.assertIn("line 1: there is no field 'nobody'; there are summary, impact,", err)

    def test_mistakes_are_said(self):
        for words, code, sentence in ((["nothing-like-it"], 1, "no incident 'nothing-like-it'"), ([], 2, "INCIDENT is missing"),
                                      (["--publish", "/nonexistent"], 1, "/nonexistent"), ([self.id, "--template", "/nonexistent"], 1, "/nonexistent")):
            found, out, err = self.run_it("postmortem", *words)
            self.assertEqual((found, out), (code, ""), words)
            self.assertIn(sentence, err)

    # --- what people make of it ---

    def test_what_people_corrected_is_learnt(self):
        path = self.edited(("- [ ] **exception in payment**", "- [x] **exception in payment**"), ("- What fixed it:", "- What fixed it: raise the pool"),
                           ("- [ ] **unknown cause in payment**", "- [ ] ~~**unknown cause in payment**"))
        dry = self.good("postmortem", "--publish", path, "--dry-run")
        self.assertIn("Would be confirmed: ", dry)
        self.assertIn("fixed by: raise the pool", dry)
        self.assertIn("Would be rejected: ", dry)
        self.assertNotIn("raise the pool", self.good("graph", "export"))
        told = self.good("postmortem", "--publish", path)
        self.assertIn("raise the pool", told)
        self.assertIn("raise the pool", self.good("graph", "export"))
        code, out, err = self.run_it("postmortem", "2020", "--publish", path)
        self.assertEqual((code, out), (1, ""))
        self.assertIn(f"the draft is of incident {self.id}, and not of 2020", err)

    def test_a_draft_as_it_was_teaches_nothing(self):
        self.assertIn("Nothing is learnt", self.good("postmortem", "--publish", self.edited()))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
