"""The curated library and the advice for a new service, through the program.

usage: test_recommend.py FAULTLINE SOURCE [unittest options]
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import test_cli

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = yaml = None

SEED = """\
name: checkout
kind: http-service
components:
  - {name: Spring Boot, version: 2.7.18}
  - {name: 'io.lettuce:lettuce-core', version: 6.2.5}
config:
  redis.timeout: 2000ms
"""
HOSTILE = json.dumps({
    "name": "x\"} or vector(1) {{ .Labels }} <script>alert(1)</script> \x1b[31m \u202e\n# h",
    "components": [{"name": "spring-boot", "version": "2.7.18"}, {"name": "lettuce", "version": "6.2.5"}],
    "config": {"redis.timeout": "2s", "a\"b": "'); DROP TABLE node; --"},
})


class Recommend(test_cli.Cli):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def service(self, text):
        path = self.folder / "service.yaml"
        path.write_text(text)
        return str(path)

    def advice(self, text, *more):
        code, out, err = self.run_it("recommend", "--service", self.service(text), *more)
        self.assertEqual((code, err), (0, ""))
        return out

    def init(self):
        self.assertEqual(self.run_it("graph", "init")[0], 0)

    def test_the_library_is_loaded_once(self):
        code, out, _ = self.run_it("graph", "init", "--dry-run", "--format", "json")
        dry = self.validate("library-loaded.schema.json", out)
        self.assertEqual(code, 0)
        self.assertTrue(dry["dry_run"])
        self.assertEqual(self.run_it("graph", "stats")[0], 1)  # there is no store yet
        first = self.validate("library-loaded.schema.json", self.run_it("graph", "init", "--format", "json")[1])
        self.assertEqual(first["added"], dry["added"])
        again = self.validate("library-loaded.schema.json", self.run_it("graph", "init", "--format", "json")[1])
        self.assertEqual(again["added"], {"nodes": 0, "edges": 0, "evidence": 0})
        graph = self.validate("graph.schema.json", self.run_it("graph", "export", "--format", "json")[1])
        self.assertEqual({item["source"] for item in graph["evidence"]}, {"library"})
        self.assertEqual(len(graph["edges"]), first["holds"]["edges"])

    def test_without_a_store_it_is_said_how_to_make_one(self):
        code, _, err = self.run_it("recommend", "--service", self.service("name: x"))
        self.assertEqual(code, 1)
        self.assertIn("graph init", err)

    def test_the_example_of_a_starved_pool_comes_out(self):
        self.init()
        answer = self.validate("recommendation.schema.json", self.advice(SEED, "--format", "json"))
        paths = [path for item in answer["recommendations"] for path in item["paths"]]
        self.assertIn("redis-wait-starves-pool", {path["cause"] for path in paths})
        path = next(p for p in paths if p["cause"] == "redis-wait-starves-pool")
        found = {gate["name"]: gate["found"] for gate in path["requires"]}
        self.assertEqual(found, {"spring-boot": "2.7.18", "lettuce": "6.2.5", "redis.timeout": "2000ms"})
        self.assertEqual(self.advice(SEED), self.advice(SEED))
        other = self.validate("recommendation.schema.json",
                              self.advice(SEED.replace("2000ms", "200ms"), "--format", "json"))
        self.assertNotIn("redis-wait-starves-pool",
                         {p["cause"] for item in other["recommendations"] for p in item["paths"]})

    def test_a_path_that_a_document_tells_comes_out(self):
        told = self.folder / "told.txt"
        told.write_text("Spring Boot 2.7.18 + Lettuce 6.2.5 \u2192 redis.timeout=2000ms \u2192 connection pool starvation\n")
        self.assertEqual(self.run_it("learn", told)[0], 0)
        answer = self.validate("recommendation.schema.json", self.advice(SEED, "--format", "json"))
        self.assertEqual([risk["title"] for risk in answer["risks"]], ["connection pool starvation"])
        self.assertEqual({gate["name"]: gate["found"] for gate in answer["risks"][0]["requires"]},
                         {"spring-boot": "2.7.18", "lettuce": "6.2.5", "redis.timeout": "2000ms"})
        self.assertIn("connection pool starvation", self.advice(SEED))
        other = self.advice(SEED.replace("6.2.5", "6.3.0"), "--format", "json")
        self.assertEqual(json.loads(other)["risks"], [])

    def test_a_leak_in_profiles_leads_to_what_is_publicly_known(self):
        self.init()
        incidents = test_cli.SOURCE / "examples/shop/incidents"
        case = incidents / "cache-growth"
        truth = json.loads((case / "truth.json").read_text())
        code, out, err = self.run_it("triage", "--otlp", case, "--baseline", incidents / truth["baseline"], "--at",
                                     truth["incident_time"], "--pprof", case / "profiles", "--format", "json")
        self.assertEqual((code, err), (0, ""))
        answer = self.validate("triage.schema.json", out)
        kinds = {e["finding"] for h in answer["hypotheses"] for e in h["evidence"] if "finding" in e}
        self.assertEqual(kinds, {"built-keys-kept"})
        _, out, _ = self.run_it("graph", "paths", "--incident", answer["incident"]["id"], "--format", "json")
        self.assertIn("A text that is built for each request stays, mostly as a key",
                      [path["cause"] for path in json.loads(out)["paths"]])
        _, out, _ = self.run_it("graph", "paths", "--symptom", "leak/map-only-grows", "--format", "json")
        self.assertGreater(len(json.loads(out)["paths"]), 1)

    def test_nothing_to_say_is_an_answer(self):
        self.init()
        answer = self.validate("recommendation.schema.json", self.advice("name: x", "--format", "json"))
        self.assertEqual(answer["recommendations"], [])
        self.assertIn("No recommendation", self.advice("name: x"))

    def test_a_mistake_in_the_file_is_named_with_its_place(self):
        for text, where in (("name: x\nversion: 1\n", ":2:1: a service has no key 'version'"),
                            ('{"name": "x", "config": []}', ":1:25: config is a mapping"),
                            ("name: [", ":2:1: ")):
            code, out, err = self.run_it("recommend", "--service", self.service(text))
            self.assertEqual((code, out), (1, ""))
            self.assertIn(where, err)

    def test_hostile_text_stays_text(self):
        self.init()
        for form in ("text", "markdown", "prometheus-rules", "rego"):
            out = self.advice(HOSTILE, "--format", form)
            self.assertNotIn("\x1b", out)
            self.assertNotIn("\u202e", out)
            self.assertNotIn("\n# h", out)
            if form == "markdown":
                self.assertNotRegex(out, r"(?<!\\)<script")
        answer = self.validate("recommendation.schema.json", self.advice(HOSTILE, "--format", "json"))
        self.assertEqual(answer["service"], json.loads(HOSTILE)["name"])

    def test_the_rules_are_a_rule_file(self):
        self.init()
        promtool = shutil.which("promtool")
        for text in (SEED, HOSTILE, "name: x"):
            out = self.advice(text, "--format", "prometheus-rules")
            if yaml is not None:
                groups = yaml.safe_load(out)["groups"]
                self.assertEqual(len(groups), 0 if text == "name: x" else 1)
                for group in groups:
                    for rule in group["rules"]:
                        self.assertLessEqual({"alert", "expr", "for", "labels", "annotations"}, set(rule))
            if promtool is not None:
                rules = self.folder / "rules.yaml"
                rules.write_text(out)
                done = subprocess.run([promtool, "check", "rules", str(rules)], capture_output=True, text=True,
                                      timeout=60, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipIf(shutil.which("promtool") is None, "skipped: no promtool (Debian: prometheus)")
    def test_every_alert_of_the_library_is_valid(self):
        rules = []
        for path in sorted((test_cli.SOURCE / "schemas/library").glob("*.yaml")):
            for item in yaml.safe_load(path.read_text()).get("items", []):
                for fix in item["fixes"]:
                    words = fix["do"].split(" ", 3)
                    if words[0] == "alert":
                        expression, lasting = words[3].rsplit(" for ", 1)
                        rules.append({"alert": words[1], "expr": expression, "for": lasting})
        self.assertGreater(len(rules), 0)
        self.assertEqual(len(rules), len({rule["alert"] for rule in rules}))
        file = self.folder / "all.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
        done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_policy_has_balanced_rules(self):
        """No parser of Rego is in Debian: what a policy of this form must look like."""
        self.init()
        for text in (SEED, HOSTILE):
            out = self.advice(text, "--format", "rego")
            lines = out.splitlines()
            self.assertIn("package faultline.baseline", lines)
            self.assertIn("import rego.v1", lines)
            depth = 0
            for line in lines:
                if line.startswith("#"):
                    continue
                outside, rest = "", line
                while '"' in rest:
                    before, rest = rest.split('"', 1)
                    text_of, used = json.decoder.scanstring(rest, 0)
                    self.assertIsInstance(text_of, str)
                    outside, rest = outside + before, rest[used:]
                depth += (outside + rest).count("{") - (outside + rest).count("}")
                self.assertIn(depth, (0, 1), line)
            self.assertEqual(depth, 0)
            self.assertIn("deny contains message if {", lines)

    @unittest.skipIf(jsonschema is None, "skipped: no python3-jsonschema or python3-yaml")
    def test_the_library_is_of_its_schema_and_names_the_public_incidents(self):
        schema = json.loads((test_cli.SOURCE / "schemas/json/library.schema.json").read_text())
        for path in sorted((test_cli.SOURCE / "schemas/library").glob("*.yaml")):
            jsonschema.validate(yaml.safe_load(path.read_text()), schema)
        jsonschema.validate(yaml.safe_load(SEED), json.loads(
            (test_cli.SOURCE / "schemas/json/service.schema.json").read_text()))


# The inherited tests run in test_cli.
for name in [name for name in dir(test_cli.Cli) if name.startswith("test_")]:
    setattr(Recommend, name, None)
del test_cli.Cli

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
