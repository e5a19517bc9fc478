#!/usr/bin/env python3
"""Telemetry out of the servers that keep it: a triage of stand-ins in which an incident is made up, and of the genuine
Prometheus, which scrapes itself and node_exporter, where Debian's packages are there.

usage: test_sources.py FAULTLINE SOURCE_DIR [unittest options]
"""
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

try:
    import jsonschema
except ImportError:  # the package python3-jsonschema
    jsonschema = None

from daemon import Daemon

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
AT = 1795380000


def run(*arguments, timeout=120):
    return subprocess.run([FAULTLINE, *arguments], capture_output=True, text=True, timeout=timeout)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class StandIn:
    """sources_server.py while a test runs."""

    def __init__(self, words=""):
        self.words = words

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, SOURCE / "tests/support/sources_server.py", f"{AT}{self.words}"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def triage(*arguments):
    done = run("triage", "--at", str(AT), "--service", "checkout", "--store", "none", "--format", "json", *arguments)
    return done, json.loads(done.stdout) if done.stdout else None


class PulledTriage(unittest.TestCase):
    def check(self, answer):
        first = answer["hypotheses"][0]
        self.assertEqual((first["service"], first["cause"]), ("payment", "pool"))

    def test_three_sources_together_give_the_cause(self):
        with StandIn() as url:
            done, answer = triage("--prometheus", url, "--loki", url, "--tempo", url)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.check(answer)
            again, _ = triage("--prometheus", url, "--loki", url, "--tempo", url)
            self.assertEqual(done.stdout, again.stdout)
            done, answer = triage("--prometheus", url, "--loki", url, "--jaeger", url)
            self.assertEqual(done.returncode, 0)
            self.check(answer)

    def test_any_one_of_them_is_enough_to_ask(self):
        with StandIn() as url:
            for source in ("--prometheus", "--loki", "--tempo", "--jaeger"):
                done, answer = triage(source, url)
                self.assertIn(done.returncode, (0, 6), done.stderr)
                self.assertEqual(answer.get("warnings", []), [])

    def test_a_source_that_fails_costs_itself(self):
        with StandIn() as good, StandIn(",ill") as ill:
            done, answer = triage("--prometheus", ill, "--tempo", good, "--loki", "http://127.0.0.1:1")
            self.assertEqual(done.returncode, 5)
            self.assertEqual(answer["hypotheses"][0]["service"], "payment")
            self.assertTrue(any("HTTP 503" in w for w in answer["warnings"]), answer["warnings"])
            self.assertTrue(any("127.0.0.1:1/loki" in w for w in answer["warnings"]), answer["warnings"])

    def test_a_program_that_does_not_answer_costs_itself(self):
        with StandIn() as url:
            done, answer = triage("--tempo", url, "--pprof", "payment=http://127.0.0.1:1")
            self.assertEqual(done.returncode, 5)
            self.assertTrue(any("profiles of payment: http://127.0.0.1:1" in w for w in answer["warnings"]))

    def test_what_cannot_be_meant_is_said(self):
        for arguments, said in (
                (["--service", "x"], "option --otlp DIR is missing, or a source such as --prometheus URL"),
                (["--tempo", "http://x"], "option --at TIME is missing"),
                (["--tempo", "http://x", "--at", "-1h", "--token-file", "mimir=/x"], "KIND one of prometheus, loki"),
        ):
            done = run("triage", *arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)
        for url in ("ftp://x/", "file:///etc/passwd", "prom:9090", "http://x/?a=b"):
            done = run("triage", "--prometheus", url, "--at", "-1h", "--store", "none")
            self.assertEqual(done.returncode, 1)
            self.assertIn(url, done.stderr)


def check(*arguments):
    done = run("sources", "check", "--format", "json", *arguments)
    answer = json.loads(done.stdout) if done.stdout else None
    if answer is not None and jsonschema is not None:
        jsonschema.validate(answer, json.loads((SOURCE / "schemas/json/sources.schema.json").read_text()))
    return done, answer and answer["sources"]


class Check(unittest.TestCase):
    def test_each_kind_tells_what_it_is(self):
        with StandIn() as url:
            done, sources = check("--prometheus", url, "--loki", url, "--tempo", url, "--jaeger", url.replace("//", "//eve:secret@"))
            self.assertEqual(done.returncode, 0, done.stderr)
            found = {s["kind"]: s for s in sources}
            self.assertEqual(found["Prometheus"]["version"], "2.42.0")
            self.assertEqual(found["Prometheus"]["series"], 29)
            self.assertEqual(found["Prometheus"]["names"][:2], ["node", "other0"])
            self.assertEqual(found["Loki"]["services"], 4)
            self.assertEqual(found["Tempo"]["names"], ["checkout", "frontend", "payment"])
            self.assertEqual(found["Tempo"]["version"], "2.0.1")
            self.assertEqual(found["Jaeger"]["services"], 3)
            self.assertEqual(found["Jaeger"]["url"], url + "/")
            for source in sources:
                self.assertTrue(source["reachable"], source)
                self.assertGreaterEqual(source["back_seconds"], 7 * 86400)
            # Its time() is that of the incident; Date is our own clock's.
            self.assertAlmostEqual(found["Prometheus"]["clock_offset_seconds"], AT + 0.5 - time.time(), delta=5)
            self.assertLess(abs(found["Loki"]["clock_offset_seconds"]), 2)
            self.assertGreaterEqual(found["Loki"]["clock_error_seconds"], 0.5)

    def test_what_does_not_answer_is_told_from_what_does(self):
        with StandIn(",ill") as url:
            done, sources = check("--prometheus", url, "--loki", url)
            self.assertEqual(done.returncode, 5)
            self.assertEqual([s["reachable"] for s in sources], [False, True])
            self.assertIn("HTTP 503", sources[0]["failure"])
            done, _ = check("--prometheus", url)
            self.assertEqual(done.returncode, 1)
            done = run("sources", "check", "--prometheus", url)
            self.assertIn("reachable   no: http://127.0.0.1:", done.stdout)
        self.assertEqual(run("sources", "check").returncode, 2)

    def test_the_configuration_names_them_as_well(self):
        with StandIn() as url, tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "faultline.yaml"
            path.write_text(f"sources:\n  loki:\n    - url: {url}\n  tempo:\n    - url: {url}\n")
            done, sources = check("--config", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual([s["kind"] for s in sources], ["Loki", "Tempo"])


class Genuine(unittest.TestCase):
    """Prometheus and node_exporter, on ports that are free, with what they need in a folder that is removed."""

    @classmethod
    def setUpClass(cls):
        missing = [p for p in ("prometheus", "prometheus-node-exporter") if shutil.which(p) is None]
        if missing:
            raise unittest.SkipTest(f"skipped: {', '.join(missing)} is not installed")
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name)
        cls.port, node = free_port(), free_port()
        (root / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s}\nscrape_configs:\n"
            f"- {{job_name: shop/prometheus, static_configs: [{{targets: ['127.0.0.1:{cls.port}']}}]}}\n"
            f"- {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{node}']}}]}}\n")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        cls.children = [
            subprocess.Popen(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{node}"], **quiet),
            subprocess.Popen(["prometheus", f"--config.file={root}/prometheus.yml", f"--storage.tsdb.path={root}/data",
                              f"--web.listen-address=127.0.0.1:{cls.port}"], **quiet)]
        cls.url = f"http://127.0.0.1:{cls.port}"
        deadline = time.monotonic() + 60
        while cls.scraped() < 16:
            if time.monotonic() > deadline:
                cls.tearDownClass()
                raise unittest.SkipTest("skipped: Prometheus did not scrape within a minute")
            time.sleep(0.5)

    @classmethod
    def scraped(cls):
        """How often both were scraped, at least."""
        try:
            with urllib.request.urlopen(f"{cls.url}/api/v1/query?query=min(count_over_time(up[1m]))") as answer:
                result = json.load(answer)["data"]["result"]
                return int(result[0]["value"][1]) if result else 0
        except OSError:
            return 0

    @classmethod
    def tearDownClass(cls):
        for child in cls.children:
            child.terminate()
        for child in cls.children:
            child.wait(20)
        cls.folder.cleanup()

    def test_its_own_series_and_those_of_the_host_are_asked_for(self):
        at = int(time.time()) - 6
        done = run("triage", "--prometheus", self.url, "--at", str(at), "--before", "1m", "--window", "1m", "--service",
                   "prometheus", "--store", "none", "--format", "json")
        self.assertIn(done.returncode, (0, 6), done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(answer.get("warnings", []), [])
        self.assertGreater(answer["modalities"]["metrics"]["series"], 300)
        self.assertEqual(done.stderr, "")

    def test_it_is_told_what_it_is(self):
        done, (source,) = check("--prometheus", self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(source["version"], r"^2\.")
        self.assertGreater(source["series"], 300)
        self.assertEqual(source["names"], ["node", "shop/prometheus"])
        self.assertLess(abs(source["clock_offset_seconds"]), 0.5)
        self.assertEqual((source["back_seconds"], source["none_back_seconds"]), (3600, 6 * 3600))

    @staticmethod
    def services_of(daemon):
        """Whose heap profiles are in the archive."""
        return {path.name.split("~")[1] for path in daemon.data.rglob("*~heap.profile")}

    def test_the_daemon_pulls_queries_and_the_profiles_of_a_go_program(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "faultline.yaml"
            path.write_text(f"""
sources:
  prometheus:
    - name: main
      url: {self.url}
      interval: 1s
      queries:
        - {{name: scrapes_up, query: "sum by (job) (up)"}}
        - {{name: scrapes_owned, query: 'label_replace(up, "owner", "jane@example.com", "", "")'}}
  pprof:
    - {{interval: 2s, prometheus: main, jobs: [shop/prometheus], overhead: 1}}
    - interval: 2s
      overhead: 1
      profiles: [heap]
      targets: [{{service: listed, url: "{self.url}/debug/pprof"}}]
      targets_file: targets.yaml
""")
            targets = pathlib.Path(folder) / "targets.yaml"
            entry = f"- {{service: SERVICE, url: '{self.url}/debug/pprof'}}\n"
            targets.write_text(entry.replace("SERVICE", "in-a-file"))
            with Daemon(FAULTLINE, "--config", str(path)) as daemon:
                deadline = time.monotonic() + 60
                pulled = {}
                while pulled.get("faultline_pull_profiles_total", 0) < 6 or pulled["faultline_pull_points_total"] < 4:
                    self.assertLess(time.monotonic(), deadline, f"{pulled}\n{daemon.said}")
                    time.sleep(0.5)
                    pulled = {k: v for k, v in daemon.metrics().items() if k.startswith("faultline_pull")}
                self.assertEqual(pulled["faultline_pull_targets"], 3)
                # An older Go has no profile of leaked goroutines: it was asked for once.
                self.assertLessEqual(pulled['faultline_pull_failures_total{reason="not_served"}'], 1)
                for reason in ("query", "profile", "not_kept"):
                    self.assertEqual(pulled[f'faultline_pull_failures_total{{reason="{reason}"}}'], 0, daemon.said)
                heap = next(p for p in daemon.data.rglob("*heap*") if p.is_file())
                shown = run("profile", "top", str(heap))
                self.assertEqual(shown.returncode, 0, shown.stderr)
                self.assertIn("prometheus", shown.stdout)
                # What is pulled is seen by who looks, in the words that are kept, and goes on for the watch.
                after = json.loads(daemon.ask("GET", "/v1/tail")[2])["next"]
                daemon.wait_for(lambda: "scrapes_owned" in daemon.ask("GET", f"/v1/tail?after={after}")[2].decode())
                followed = daemon.ask("GET", f"/v1/tail?after={after}")[2].decode()
                self.assertIn("scrapes_up", followed)
                self.assertNotIn("jane", followed)
                metrics = daemon.metrics()
                self.assertGreater(metrics['faultline_redacted_total{rule="email"}'], 0)
                self.assertGreater(metrics['faultline_watch_records_total{kind="point"}'], 4)
                self.assertGreater(metrics['faultline_archive_records_total{kind="point"}'], 4)
                # A list that grows is read again.
                targets.write_text(targets.read_text() + entry.replace("SERVICE", "added-later"))
                self.assertTrue(daemon.wait_for(lambda: self.services_of(daemon) >=
                                                {"prometheus", "listed", "in-a-file", "added-later"}), daemon.said)
                # Another configuration counts without a restart.
                path.write_text("sources: {}\n")
                daemon.process.send_signal(signal.SIGHUP)
                while daemon.metrics()["faultline_pull_targets"] > 0:
                    self.assertLess(time.monotonic(), deadline + 30, daemon.said)
                    time.sleep(0.2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=1)
