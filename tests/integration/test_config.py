"""The configuration through the program: exit codes, every mistake at once, the environment, the schema.

usage: test_config.py FAULTLINE SOURCE [unittest options]
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import Daemon

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = yaml = None

PROGRAM, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()


class Config(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text, mode=0o600):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def run_config(self, *words, **variables):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FAULTLINE_")} | variables
        return subprocess.run([PROGRAM, "config", *map(str, words)], capture_output=True, text=True, env=environment, timeout=60)

    def test_a_good_file_is_said_to_be_so(self):
        path = self.write("c.yaml", "limits: {body: 1MiB}\n")
        done = self.run_config("check", path)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f"{path} is well formed\n", ""))

    def test_every_mistake_is_told_with_its_place(self):
        path = self.write("c.yaml", "limits:\n  body: lots\n  memry: 1MiB\nstore: {url: 'postgresql://me:secret@db'}\n")
        done = self.run_config("check", path)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.replace(str(path), "c.yaml"), (
            "faultline: c.yaml:2:3: limits.body: 'lots' is not a size like 64MiB, 2GB or 800000\n"
            "faultline: c.yaml:3:3: limits: there is no setting 'memry'; did you mean 'memory'?\n"
            "faultline: c.yaml:4:9: store.url: a password does not stand in a URL; add ?passfile=FILE, as libpq reads it\n"))
        self.assertNotIn("secret", done.stderr)

    def test_the_environment_wins_over_the_file(self):
        path = self.write("c.yaml", "limits: {body: 1MiB}\n")
        done = self.run_config("show", path, FAULTLINE_LIMITS_BODY="2MiB", FAULTLINE_PORT="tcp://10.1.2.3:80")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^limits\.body: 2MiB +# FAULTLINE_LIMITS_BODY$")
        self.assertEqual(done.stderr, "faultline: notice: FAULTLINE_PORT: no setting has this variable\n")

    def test_a_secret_is_found_among_the_credentials(self):
        credentials = self.write("hook", "s3cret\n").parent
        elsewhere = tempfile.TemporaryDirectory()
        self.addCleanup(elsewhere.cleanup)
        path = pathlib.Path(elsewhere.name) / "c.yaml"
        path.write_text("webhooks: {github: {secret_file: hook}}\n")
        self.assertEqual(self.run_config("check", path).returncode, 1)
        self.assertEqual(self.run_config("check", path, CREDENTIALS_DIRECTORY=str(credentials)).returncode, 0)

    def test_what_is_not_understood_is_a_usage_error(self):
        for words in (["check"], ["show", "a", "b"], ["schema", "a"], ["nothing"]):
            self.assertEqual(self.run_config(*words).returncode, 2, words)
        self.assertEqual(self.run_config("check", "/nowhere/c.yaml").returncode, 1)

    @unittest.skipIf(jsonschema is None, "python3-jsonschema or python3-yaml is not installed")
    def test_the_schema_takes_the_examples_and_refuses_mistakes(self):
        schema = json.loads(self.run_config("schema").stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        self.assertEqual(list(validator.iter_errors(yaml.safe_load((SOURCE / "examples/faultline.yaml").read_text()))), [])
        self.assertEqual(list(validator.iter_errors(yaml.safe_load(self.run_config("example").stdout))), [])
        for bad in ({"limits": {"bodi": 1}}, {"archive": {"durability": "disk"}}, {"sources": {"loki": [{}]}}, {"incidents": {"enabled": "x"}}):
            self.assertNotEqual(list(validator.iter_errors(bad)), [], bad)


def log_request(text):
    return json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                                         "scopeLogs": [{"logRecords": [{"timeUnixNano": str(time.time_ns()), "body": {"stringValue": text},
                                                                        "attributes": [{"key": "db.password", "value": {"stringValue": "hunter2"}}]}]}]}]})


class Redaction(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "c.yaml"
        self.write("customer", "CUST-[0-9]{8}")

    def write(self, name, pattern):
        self.path.write_text(f"redaction:\n  rules:\n    - {{name: {name}, pattern: '{pattern}'}}\n")

    def send(self, daemon, text):
        status, _, body = daemon.ask("POST", "/v1/logs", log_request(text), {"Content-Type": "application/json"})
        self.assertEqual((status, json.loads(body)), (200, {}))

    def kept(self, daemon):
        """Every byte of the log, which is not compressed, and of whatever else lies there."""
        return b"".join(p.read_bytes() for p in sorted(daemon.data.rglob("*")) if p.is_file())

    def test_what_is_stored_holds_no_secret(self):
        with Daemon(PROGRAM, "--config", str(self.path)) as daemon:
            self.send(daemon, "order of CUST-12345678 by jane@example.com, card 4111 1111 1111 1111")
            bytes_kept = self.kept(daemon)
            self.assertIn(b"order of [redacted:customer] by [redacted:email], card [redacted:card]", bytes_kept)
            for secret in (b"12345678", b"jane@", b"4111", b"hunter2"):
                self.assertNotIn(secret, bytes_kept)
            figures = daemon.metrics()
            for rule in ("customer", "email", "card", "key"):
                self.assertEqual(figures[f'faultline_redacted_total{{rule="{rule}"}}'], 1, rule)
            self.assertEqual(figures['faultline_redacted_total{rule="jwt"}'], 0)

    def test_other_rules_hold_after_a_hangup_and_mistakes_change_nothing(self):
        with Daemon(PROGRAM, "--config", str(self.path)) as daemon:
            self.write("order", "ORD-[0-9]{4}")
            daemon.process.send_signal(signal.SIGHUP)
            self.assertTrue(daemon.wait_for(lambda: "reloaded: 1 settings differ" in daemon.said), daemon.said)
            self.write("order", "ORD-(")
            daemon.process.send_signal(signal.SIGHUP)
            self.assertTrue(daemon.wait_for(lambda: "missing closing parenthesis" in daemon.said), daemon.said)
            self.send(daemon, "CUST-12345678 ordered ORD-1234")
            self.assertIn(b"CUST-12345678 ordered [redacted:order]", self.kept(daemon))

    def test_a_rule_that_runs_on_every_text_is_told(self):
        self.write("plate", "[A-Z]{2}[0-9]{4}")
        said = "redaction rule 'plate' needs no text of four bytes or more"
        with Daemon(PROGRAM, "--config", str(self.path)) as daemon:
            self.assertIn(said, daemon.said)
        done = subprocess.run([PROGRAM, "config", "check", self.path], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertIn(said, done.stderr)
        self.path.write_text("redaction: {without: [e-mail]}\n")
        done = subprocess.run([PROGRAM, "config", "check", self.path], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (
            1, f"faultline: {self.path}:1:13: redaction.without: there is no built-in redaction rule 'e-mail'\n"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
