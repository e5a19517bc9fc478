"""/v1 of a running daemon against its contract: each example of schemas/openapi.yaml, and what callers get wrong.

usage: test_api.py FAULTLINE SOURCE [unittest options]

Whether the contract is OpenAPI 3.1 is asked of openapi-spec-validator (requirements.txt), where it is installed.
"""
import http.client
import importlib.util
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

from contract import Contract
from daemon import Daemon

FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
POOL, CACHE = "20261122T235848Z-cda14108", "20261123T000650Z-d15295b3"


def run(*words):
    return subprocess.run([FAULTLINE, *map(str, words)], capture_output=True, text=True, timeout=120, check=True).stdout


def make_store(path):
    """The two incidents of examples/shop."""
    shop = SOURCE / "examples/shop/incidents"
    for name, at in (("cache-growth", "2026-11-23T00:06:50Z"), ("pool-exhaustion", "2026-11-22T23:58:48Z")):
        run("triage", "--otlp", shop / name, "--baseline", shop / "baseline", "--at", at, "--store", path)


class Api(unittest.TestCase):
    """One daemon for all; what writes has a store of its own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.store = pathlib.Path(cls.folder.name) / "shop.db"
        make_store(cls.store)
        cls.daemon = Daemon(FAULTLINE, "--store", cls.store, data=cls.folder.name)
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        cls.contract = Contract(json.loads(cls.daemon.ask("GET", "/openapi.json")[2]))

    def ask(self, method, path, query=(), **more):
        return self.contract.ask(self.daemon, method, path, query, **more)

    def problem(self, status, sentence, method, path, query=(), **more):
        got, _, problem = self.ask(method, path, query, is_valid=False, **more)
        self.assertEqual((got, problem["detail"]), (status, sentence))

    def test_the_contract_is_the_file_with_the_schemas_inside(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not there")
        text = (SOURCE / "schemas/openapi.yaml").read_text()
        text = re.sub(r'"?json/([\w-]+)\.schema\.json(?:#([^"\s}]*))?"?', r'"#/components/schemas/\1\2"', text)
        wanted = yaml.safe_load(text)
        served = json.loads(json.dumps(self.contract.document))
        names = [s for s in served["components"]["schemas"] if s not in wanted["components"]["schemas"]]
        for name in names:
            schema = json.loads((SOURCE / f"schemas/json/{name}.schema.json").read_text())
            self.assertEqual(served["components"]["schemas"].pop(name)["title"], schema["title"])
        self.assertEqual(served, wanted)

    @unittest.skipUnless(importlib.util.find_spec("openapi_spec_validator"), "openapi-spec-validator is not there")
    def test_the_contract_is_openapi(self):
        from openapi_spec_validator import validate
        validate(self.contract.document)

    def test_every_example_is_answered_as_the_contract_says(self):
        count = 0
        for operation, method, path, query, body in self.contract.examples():
            if method != "GET":
                continue
            status, headers, _ = self.ask(method, path, query, body=body)
            self.assertEqual(status, 200, (operation["operationId"], query))
            if "as_of" not in dict(query) and "graph" not in operation["tags"] and "304" in operation["responses"]:
                again = self.ask(method, path, query, headers={"If-None-Match": headers["ETag"]})
                self.assertEqual((again[0], again[1]["ETag"]), (304, headers["ETag"]))
            count += 1
        tried = {operation for operation, status in self.contract.seen if status == 200}
        gets = {o["operationId"] for m, _, o, _ in self.contract.operations() if m == "GET"} - {"listenToIncidents"}
        self.assertEqual(gets - tried, set())
        self.assertGreater(count, 15)

    def test_what_the_command_prints_is_what_the_api_answers(self):
        self.assertEqual(self.daemon.ask("GET", f"/v1/incidents/{POOL}")[2].decode(),
                         run("show", POOL, "--store", self.store, "--format", "json"))
        rows = self.ask("GET", "/v1/incidents")[2]
        self.assertEqual(rows["incidents"], json.loads(run("incidents", "--store", self.store, "--format", "json"))["incidents"])
        for words, path, query in ((("similar", POOL), f"/v1/incidents/{POOL}/similar", []),
                                   (("graph", "paths", "--incident", POOL), f"/v1/incidents/{POOL}/paths", []),
                                   (("graph", "paths", "--service", "payment"), "/v1/graph/paths", [("service", "payment")])):
            self.assertEqual(self.ask("GET", path, query)[2], json.loads(run(*words, "--store", self.store, "--format", "json")))

    def test_parts_of_an_incident_are_those_of_its_document(self):
        whole = self.ask("GET", f"/v1/incidents/{POOL}")[2]
        self.assertEqual(self.ask("GET", f"/v1/incidents/{POOL}/hypotheses")[2]["hypotheses"], whole["hypotheses"])
        rows = self.ask("GET", f"/v1/incidents/{POOL}/evidence")[2]["evidence"]
        self.assertEqual([(r["hypothesis"], r["service"], r["cause"], r["evidence"]) for r in rows],
                         [(i + 1, h["service"], h["cause"], e) for i, h in enumerate(whole["hypotheses"]) for e in h["evidence"]])
        first = self.ask("GET", f"/v1/incidents/{POOL}/evidence", [("hypothesis", "1")])[2]["evidence"]
        self.assertEqual(first, [r for r in rows if r["hypothesis"] == 1])

    def test_a_beginning_that_is_its_alone_names_an_incident(self):
        self.assertEqual(self.ask("GET", "/v1/incidents/20261122")[2]["incident"]["id"], POOL)

    def test_what_callers_get_wrong_is_said(self):
        path = f"/v1/incidents/{POOL}"
        self.problem(404, f"no incident 'x' in store {self.store}", "GET", "/v1/incidents/x")
        self.problem(404, f"'2026' begins several ids: {POOL}, {CACHE}", "GET", "/v1/incidents/2026")
        self.problem(400, "there is no parameter 'statE' here; known: state service limit cursor ", "GET", "/v1/incidents", [("statE", "open")])
        self.problem(400, "there is no parameter 'a' here; known: none", "GET", path, [("a", "b")])
        self.problem(400, "there is no parameter 'service limit' here; known: state service limit cursor ", "GET", "/v1/incidents",
                     [("service limit", "b")])
        self.problem(400, "limit is a number from 1 to 1000, and not '0'", "GET", "/v1/incidents", [("limit", "0")])
        self.problem(400, "limit is a number from 1 to 1000, and not '-1'", "GET", "/v1/incidents", [("limit", "-1")])
        self.problem(400, "limit is a number from 1 to 1000, and not '18446744073709551617'", "GET", "/v1/incidents",
                     [("limit", "18446744073709551617")])
        self.problem(400, "state is open, closed or merged, and not 'OPEN'", "GET", "/v1/incidents", [("state", "OPEN")])
        for cursor in ("", "1", "1.", ".x", "-1.x", "99999999999999999999.x", "a.x"):
            self.problem(400, "cursor is what the last answer called next", "GET", "/v1/incidents", [("cursor", cursor)])
        self.problem(400, "the parameter service is not UTF-8", "GET", "/v1/incidents", [("service", b"\xff")])
        self.assertEqual(self.daemon.ask("GET", "/v1/incidents/%ff")[0], 400)
        self.problem(404, f"incident {POOL} has 5 hypotheses, and no number 9", "GET", path + "/evidence", [("hypothesis", "9")])
        self.problem(400, "node says which: kind:key, an id, or a beginning of a key", "GET", "/v1/graph/provenance")
        self.problem(400, "rank is true or false, and not 'yes'", "GET", "/v1/graph/neighbours", [("node", "payment"), ("rank", "yes")])
        self.problem(400, "depth is a number from 0 to 16, and not '17'", "GET", "/v1/graph/neighbours", [("node", "payment"), ("depth", "17")])
        self.problem(400, "ask with service, or with symptom once or several times", "GET", "/v1/graph/paths")
        self.problem(400, "as_of: time 'then' is not RFC 3339, -DURATION or an epoch", "GET", "/v1/graph/stats", [("as_of", "then")])
        status, headers, body = self.daemon.ask("POST", path)
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(json.loads(body)["detail"], f"{path} does not take POST")
        self.assertEqual(json.loads(self.daemon.ask("GET", path + "/nothing")[2])["detail"], f"there is nothing at {path}/nothing")

    def test_symptoms_may_be_asked_for_several_times(self):
        around = self.ask("GET", "/v1/graph/neighbours", [("node", f"incident:{POOL}"), ("depth", "1")])[2]
        keys = [("symptom", node["key"]) for node in around["nodes"] if node["kind"] == "symptom"][:2]
        self.assertEqual(len(self.ask("GET", "/v1/graph/paths", keys)[2]["symptoms"]), len(keys))
        self.problem(400, "symptom is a key that is not empty, up to 32 times", "GET", "/v1/graph/paths", [("symptom", "")])

    def test_nodes_are_found_by_a_word(self):
        found = self.ask("GET", "/v1/graph/nodes", [("q", "PAYMENT")])[2]
        self.assertTrue(all("payment" in (n["key"] + str(n["title"])).lower() for n in found["nodes"]))
        self.assertGreater(found["fitting"], 0)
        one = self.ask("GET", "/v1/graph/nodes", [("kind", "incident"), ("limit", "1")])[2]
        self.assertEqual((len(one["nodes"]), one["fitting"], one["cut"]), (1, 2, "rows"))
        self.problem(400, "'thing' is no kind of node; known: service, component, config, symptom, cause, fix, change, plan, incident",
                     "GET", "/v1/graph/nodes", [("kind", "thing")])

    def test_a_reader_has_no_cache_on_the_way(self):
        self.assertEqual(self.daemon.ask("GET", "/v1/incidents")[1]["Cache-Control"], "private, no-cache")


class Grafana(unittest.TestCase):
    """What simpod-json-datasource 0.6 sends (its README has each request), for the dashboard of examples/grafana."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        store = pathlib.Path(cls.folder.name) / "shop.db"
        make_store(store)
        cls.daemon = Daemon(FAULTLINE, "--store", store, data=cls.folder.name)
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        cls.contract = Contract(json.loads(cls.daemon.ask("GET", "/openapi.json")[2]))

    def post(self, path, body, status=200):
        answer = self.contract.ask(self.daemon, "POST", "/grafana/" + path, body=json.dumps(body), is_valid=status < 300)
        self.assertEqual(answer[0], status, answer[2])
        return answer[2]

    def query(self, *targets, begin="2026-11-22T00:00:00.000Z", end="2026-11-24T00:00:00.000Z", **more):
        body = {"panelId": 1, "range": {"from": begin, "to": end, "raw": {"from": "now-6h", "to": "now"}},
                "rangeRaw": {"from": "now-6h", "to": "now"}, "interval": "30s", "intervalMs": 30000, "maxDataPoints": 550,
                "targets": list(targets), "adhocFilters": [], **more}
        return self.post("query", body)

    def rows(self, table):
        return [dict(zip([c["text"] for c in table["columns"]], row)) for row in table["rows"]]

    def test_every_panel_of_the_dashboard_has_an_answer(self):
        board = json.loads((SOURCE / "examples/grafana/faultline-incidents.json").read_text())
        variable = board["templating"]["list"][0]
        values = self.post("variable", {"payload": variable["query"], "range": {"from": "2026-11-22T00:00:00.000Z", "to": "2026-11-24T00:00:00.000Z"}})
        self.assertEqual({v["__value"] for v in values}, {POOL, CACHE})
        for panel in board["panels"]:
            for target in panel["targets"]:
                filled = json.loads(json.dumps(target).replace("$incident", POOL))
                frames = self.query(filled)
                self.assertGreater(len(frames), 0, panel["title"])
                for frame in frames:
                    self.assertGreater(len(frame.get("rows", frame.get("datapoints"))), 0, (panel["title"], frame.get("target")))
        asked = {target["target"] for panel in board["panels"] for target in panel["targets"]} | {board["annotations"]["list"][0]["target"]["target"]}
        self.assertEqual(asked, {target["value"] for target in self.post("metrics", {})})

    def test_a_table_and_annotations_have_the_incidents_of_the_range(self):
        both = self.rows(self.query({"target": "incidents", "refId": "A"})[0])
        self.assertEqual([(r["Incident"], r["Service"], r["Cause"]) for r in both], [(POOL, "payment", "exception"), (CACHE, "orders", "memory-leak")])
        self.assertEqual(both[0]["Time"], 1795391928000)
        one = self.rows(self.query({"target": "annotations", "refId": "Anno"}, begin="2026-11-23T00:00:00.000Z")[0])
        self.assertEqual([(r["id"], r["tags"]) for r in one], [(CACHE, ["faultline", "orders", "memory-leak"])])
        old = self.post("annotations", {"range": {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z"}, "annotation": {"name": "x", "query": "#"}})
        self.assertEqual([(a["text"], a["title"]) for a in old], [(POOL, "payment: exception, 100 %")])
        none = self.query({"target": "incidents"}, begin="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z")
        self.assertEqual(none[0]["rows"], [])
        some = self.query({"target": "incidents"}, adhocFilters=[{"key": "service", "operator": "=", "value": "orders"}])
        self.assertEqual(len(some[0]["rows"]), 1)

    def test_lanes_become_series_of_what_was_measured(self):
        frames = self.query({"target": "timeline", "refId": "A", "payload": {"incident": POOL, "lane": "payment"}})
        picture = self.contract.ask(self.daemon, "GET", f"/v1/incidents/{POOL}/timeline")[2]
        self.assertGreater(len(frames), 1)
        self.assertTrue(all("payment" in frame["target"] for frame in frames))
        self.assertLessEqual(len(frames), min(50, len(picture["lanes"])))

    def test_what_is_asked_wrongly_is_said(self):
        for body, sentence in (({"targets": [{"target": "x"}]}, "there is no target 'x'; known: incidents, hypotheses, timeline, annotations"),
                               ({"targets": [{"target": "timeline"}]}, "the payload of timeline names an incident"),
                               ({"targets": [{"target": "incidents"}], "range": {"from": "then"}}, "time 'then' is not RFC 3339, -DURATION or an epoch"),
                               ({"targets": [{}] * 27}, "more than 26 targets"),
                               ({"adhocFilters": [{"key": "city", "operator": "=", "value": "x"}]}, "filters are of service or state"),
                               ({"adhocFilters": [{"key": "service", "operator": "!=", "value": "x"}]}, "filters compare a key by '='"),
                               ([], "expected an object")):
            self.assertIn(sentence, self.post("query", body, 400)["detail"])
        self.assertEqual(self.post("query", {"targets": [{"target": "timeline", "payload": {"incident": "none"}}]}, 404)["status"], 404)
        self.post("metrics", [], 400)
        self.post("tag-keys", [], 400)
        self.post("tag-values", {"key": 5}, 400)
        self.assertIn("a variable is of incidents or services", self.post("variable", {}, 400)["detail"])
        self.assertEqual(self.query({"refId": "A"}, {"target": ""}), [])


class Writing(unittest.TestCase):
    """What people say; each test has a store and a daemon of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.store = pathlib.Path(self.folder.name) / "shop.db"
        make_store(self.store)
        self.daemon = Daemon(FAULTLINE, "--store", self.store, data=self.folder.name)
        self.addCleanup(self.daemon.__exit__, None, None, None)
        self.contract = Contract(json.loads(self.daemon.ask("GET", "/openapi.json")[2]))

    def say(self, verb, body, status=200, headers=None, is_valid=None):
        answer = self.contract.ask(self.daemon, "POST", f"/v1/incidents/{POOL}/{verb}", body=body if isinstance(body, str) else json.dumps(body),
                                   headers=headers, is_valid=status < 300 if is_valid is None else is_valid)
        self.assertEqual(answer[0], status, answer[2])
        return answer[2] if status < 300 else answer[2]["detail"]

    def test_every_example_is_taken(self):
        for operation, method, path, query, body in self.contract.examples():
            if method == "POST":
                self.assertEqual(self.contract.ask(self.daemon, method, path, query, body=body)[0], 200, operation["operationId"])
        posts = {o["operationId"] for m, _, o, _ in self.contract.operations() if m == "POST"}
        self.assertEqual(posts - {operation for operation, status in self.contract.seen if status == 200}, set())

    def test_a_confirmation_moves_the_confidence_and_a_rejection_moves_it_back(self):
        first = self.say("confirm", {"fix": "raise the pool", "author": "ada"})
        self.assertEqual((first["what"], first["author"], first["new"]), ("confirmed", "ada", True))
        for edge in first["moved"]:
            self.assertGreater(edge["after"]["mean"], edge["before"]["mean"])
        self.assertEqual({edge["kind"] for edge in first["moved"]}, {"explained-by", "resolved-by"})
        again = self.say("confirm", {"fix": "raise the pool", "author": "ada"})
        self.assertFalse(again["new"])
        rejected = self.say("reject", {"why": "the pool was never full", "author": "grace"})
        for edge in rejected["moved"]:
            self.assertLess(edge["after"]["mean"], edge["before"]["mean"])
        paths = self.contract.ask(self.daemon, "GET", f"/v1/incidents/{POOL}/paths")[2]
        self.assertIn("raise the pool", json.dumps(paths))
        shown = run("graph", "paths", "--incident", POOL, "--store", self.store, "--format", "json")
        self.assertEqual(json.loads(shown), paths)

    def test_what_fixed_it_speaks_for_the_cause(self):
        learnt = self.say("resolve", {"fix": "rolled back", "cause": "A pool of 5"})
        self.assertEqual((learnt["what"], learnt["author"], learnt["cause"]), ("resolved", "api", "A pool of 5"))

    def test_nothing_is_learnt_of_an_incident_that_has_changed(self):
        tag = self.daemon.ask("GET", f"/v1/incidents/{POOL}")[1]["ETag"]
        self.assertEqual(self.say("confirm", {}, 412, {"If-Match": '"0123456789abcdef"'}), "the incident has changed: look at it again")
        self.assertEqual(self.say("confirm", {}, 412, {"If-Match": "W/" + tag}), "the incident has changed: look at it again")
        self.assertTrue(self.say("confirm", {}, 200, {"If-Match": f'"other", {tag}'})["new"])

    def test_a_request_under_the_same_key_has_its_effect_once(self):
        path, key = f"/v1/incidents/{POOL}/confirm", {"Idempotency-Key": "k-1"}
        first = self.contract.ask(self.daemon, "POST", path, body='{"author": "ada"}', headers=key)
        second = self.contract.ask(self.daemon, "POST", path, body='{"author": "ada"}', headers=key)
        self.assertEqual(first[2], second[2])
        self.assertTrue(second[2]["new"])
        self.assertEqual((first[1].get("Idempotent-Replayed"), second[1].get("Idempotent-Replayed")), (None, "true"))
        self.assertEqual(self.say("confirm", {"author": "bob"}, 422, key, True), "this Idempotency-Key was another request's")
        self.assertEqual(self.say("reject", {"why": "no", "author": "bob"}, 200, key)["new"], True)
        self.assertEqual(self.say("confirm", {}, 400, {"Idempotency-Key": "a b"}), "Idempotency-Key is 1 to 255 printable characters")
        wrong = {"Idempotency-Key": "k-2"}
        for _ in range(2):
            self.assertEqual(self.say("confirm", {"hypothesis": 99}, 422, wrong, False), f"incident {POOL} has 5 hypotheses, and no number 99")

    def test_a_beginning_of_an_id_is_enough_to_look_and_not_to_write(self):
        for verb, body in (("confirm", {}), ("reject", {"why": "no"}), ("resolve", {"fix": "rolled back"})):
            status, _, problem = self.contract.ask(self.daemon, "POST", f"/v1/incidents/20261122/{verb}", body=json.dumps(body))
            self.assertEqual((status, problem["detail"]), (422, f"what is said of an incident needs its whole id: {POOL}"))

    def test_what_is_only_asked_is_not_kept_under_a_key(self):
        for key in ({}, {"Idempotency-Key": "k-3"}, {"Idempotency-Key": "k-3"}):
            status, headers, _ = self.daemon.ask("POST", "/v1/recommendations", "{", {"Content-Type": "application/json", **key})
            self.assertEqual((status, headers.get("Idempotent-Replayed")), (422, None))

    def test_what_callers_get_wrong_is_said_and_nothing_is_learnt(self):
        def stats():
            return {**self.contract.ask(self.daemon, "GET", "/v1/graph/stats")[2], "as_of": None}

        before = stats()
        for verb, body, status, sentence in (
                ("confirm", "", 400, "at byte 0: expected an object, found the end of the input"),
                ("confirm", "[]", 400, "at byte 0: expected an object"),
                ("confirm", "{} {}", 400, "at byte 3: "),
                ("confirm", '{"hypothesis": 0.5}', 400, "at byte 15: "),
                ("confirm", '{"hypothesis": -1}', 400, "at byte 15: "),
                ("confirm", '{"hypothesis": 0}', 400, "at byte 14: hypotheses are counted from 1"),
                ("confirm", '{"hypothesis": 99}', 422, f"incident {POOL} has 5 hypotheses, and no number 99"),
                ("confirm", '{"cause": "2"}', 422, "'2' is no cause in words; a hypothesis is named as such, by its number"),
                ("confirm", '{"cause": "x", "hypothesis": 1}', 422, "either hypothesis or cause is said, and not both"),
                ("confirm", '{"cause":" "}', 400, "at byte 9: a text that is empty, longer than 1000 bytes, or has a NUL"),
                ("confirm", '{"cause":"a\\u0000b"}', 400, "at byte 9: a text that is empty, longer than 1000 bytes, or has a NUL"),
                ("confirm", json.dumps({"fix": "x" * 1001}, separators=(",", ":")), 400, "at byte 7: a text that is empty, longer than 1000 bytes, or has a NUL"),
                ("confirm", '{"why": "x"}', 400, "at byte 7: there is no member why here"),
                ("confirm", '{"fix": null}', 400, "at byte 8: "),
                ("reject", "{}", 422, "why is missing"),
                ("reject", '{"why": "x", "fix": "y"}', 400, "at byte 19: there is no member fix here"),
                ("resolve", "{}", 422, "fix is missing")):
            self.assertEqual(self.say(verb, body, status, is_valid=False)[:len(sentence)], sentence, body)
        self.assertEqual(self.say("confirm", "{}", 415, {"Content-Type": "text/plain"}), "the body is application/json, and not 'text/plain'")
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "null"}):
            self.assertIn(self.say("confirm", "{}", 403, headers),
                          ("this came from a page of another server", "this came from a page of another machine"))
        own = {"Origin": f"http://127.0.0.1:{self.daemon.port}", "Host": f"127.0.0.1:{self.daemon.port}", "Sec-Fetch-Site": "same-origin"}
        self.assertEqual(stats(), before)
        self.assertTrue(self.say("confirm", "{}", 200, own)["new"])

    def post(self, path, body, status=200, is_valid=None):
        answer = self.contract.ask(self.daemon, "POST", path, body=body if isinstance(body, str) else json.dumps(body),
                                   is_valid=status < 300 if is_valid is None else is_valid)
        self.assertEqual(answer[0], status, answer[2])
        return answer[2] if status < 300 else answer[2]["detail"]

    def test_advice_is_that_of_the_command(self):
        run("graph", "init", "--store", self.store)
        service = {"name": "checkout", "components": [{"name": "go", "version": "1.20"}, {"name": "hikaricp"}, {"name": "redis"}]}
        path = pathlib.Path(self.folder.name) / "service.json"
        path.write_text(json.dumps(service))
        told = self.post("/v1/recommendations", service)
        self.assertGreater(len(told["recommendations"]), 0)
        self.assertEqual(told, json.loads(run("recommend", "--service", path, "--store", self.store, "--format", "json")))
        for body, status, sentence in (("[]", 400, "the request: expected an object"),
                                       ("name: x", 400, "the request: expected an object"),
                                       ("{}", 422, "the request:1:1: "),
                                       ('{"name": "x", "colour": 1}', 422, "the request:1:"),
                                       ('{"name": "x"', 422, "the request:1:")):
            self.assertEqual(self.post("/v1/recommendations", body, status, False)[:len(sentence)], sentence, body)

    def test_a_document_becomes_proposals_that_wait_for_a_person(self):
        text = "# Checkout was slow\n\nThe slow answers were caused by a connection pool of 5 in ledger. It was fixed by raising the pool to 64.\n"
        dry = self.post("/v1/learn", {"name": "PM-12.md", "text": text, "dry_run": True})
        self.assertGreater(len(dry["proposals"]), 0)
        before = run("review", "--list", "--store", self.store, "--format", "json")
        kept = self.post("/v1/learn", {"name": "PM-12.md", "text": text})
        self.assertEqual([p["id"] for p in kept["proposals"]], [p["id"] for p in dry["proposals"]])
        after = run("review", "--list", "--store", self.store, "--format", "json")
        self.assertNotEqual(before, after)
        again = self.post("/v1/learn", {"name": "PM-12.md", "text": text})
        self.assertEqual(run("review", "--list", "--store", self.store, "--format", "json"), after)
        self.assertEqual(len(again["proposals"]), len(kept["proposals"]))
        for body, status, sentence in (("{}", 422, "name is what the document is known by, up to 400 bytes"),
                                       ('{"name":"a"}', 422, "text is missing"),
                                       ('{"name":"a","text":""}', 422, "text is missing"),
                                       ('{"name":"a","text":5}', 400, "at byte 19: expected a string, found a number"),
                                       ('{"name":"a","txt":"x"}', 400, "at byte 18: there is no member txt here"),
                                       ('{"name":"a.json","text":"{\\"x\\":"}', 422, "a.json")):
            self.assertEqual(self.post("/v1/learn", body, status, False)[:len(sentence)], sentence, body)

    def test_a_token_that_may_read_may_not_say_anything(self):
        tokens = self.folder.name + "/tokens"
        reader, admin = (run("token", "--role", role, "--file", tokens).strip() for role in ("read", "admin"))
        with Daemon(FAULTLINE, "--store", self.store, "--tokens", tokens) as daemon:
            def ask(method, path, token, body=None):
                headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
                return self.contract.ask(daemon, method, path, body=body, headers=headers)[0]

            path = f"/v1/incidents/{POOL}"
            self.assertEqual([ask("GET", path, token) for token in (None, "flt_expired", reader, admin)], [401, 401, 200, 200])
            self.assertEqual([ask("POST", path + "/confirm", token, "{}") for token in (None, reader, admin)], [401, 403, 200])
            # A token that is taken back while a page is open: the next question is told so.
            text = pathlib.Path(tokens).read_text().splitlines(keepends=True)
            pathlib.Path(tokens).write_text("".join(text[1:]))
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for(lambda: ask("GET", path, reader) == 401)
            self.assertEqual(ask("GET", path, admin), 200)


class Listener(unittest.TestCase):
    """Who listens to a daemon."""

    def listen(self, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/incidents/events", headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        self.addCleanup(answer.close)
        return answer

    def event(self, answer):
        """The next event: its lines by name."""
        found = {}
        while True:
            line = answer.readline().decode().rstrip("\n")
            if line == "" and found:
                return found
            name, _, value = line.partition(": ")
            if name not in ("", "retry"):
                found[name] = value
            if not answer.fp:
                raise AssertionError("the events ended")


class Events(Listener):
    """Who listens hears of what changes, whoever wrote it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.store = pathlib.Path(self.folder.name) / "shop.db"
        make_store(self.store)
        self.daemon = Daemon(FAULTLINE, "--store", self.store, data=self.folder.name)
        self.addCleanup(self.daemon.__exit__, None, None, None)

    def touch(self, stored_ns):
        """As if somebody had triaged it again."""
        with sqlite3.connect(self.store) as db:
            db.execute("UPDATE incident SET stored_ns = ? WHERE id = ?", (stored_ns, POOL))
        db.close()

    def test_a_change_is_told_within_two_seconds_and_again_to_who_comes_back(self):
        answer = self.listen()
        self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "text/event-stream"))
        self.daemon.wait_for(lambda: self.daemon.metrics()["faultline_api_listeners"] == 1)
        self.assertEqual(answer.readline(), b"retry: 2000\n")
        self.assertEqual(self.event(answer)["event"], "reset")  # the first look: the list is asked for again
        began = time.monotonic()
        now = time.time_ns()
        self.touch(now)
        event = self.event(answer)
        self.assertLess(time.monotonic() - began, 10)  # 2 s on a machine that has nothing else to do
        self.assertEqual((event["event"], event["id"]), ("incident", str(now)))
        data = json.loads(event["data"])
        self.assertEqual((data["id"], data["service"], data["cause"], data["verdict"], data["state"]), (POOL, "payment", "exception", "cause-found", None))
        self.assertGreater(data["probability"], 0.9)
        self.touch(now + 1)
        second = self.event(answer)
        self.assertEqual(second["id"], str(now + 1))
        # Who comes back is told what he missed; who was away for too long is told so.
        self.assertEqual(self.event(self.listen(Last_Event_ID=str(now)))["id"], str(now + 1))
        for other in ("5", "x", ""):
            self.assertEqual(self.event(self.listen(Last_Event_ID=other))["event"], "reset")

    def test_a_store_that_goes_away_and_comes_back_is_told(self):
        answer = self.listen()
        self.assertEqual(answer.readline(), b"retry: 2000\n")
        self.assertEqual(self.event(answer)["event"], "reset")  # the first look: the list is asked for again
        with sqlite3.connect(self.store) as db:
            db.execute("ALTER TABLE incident RENAME TO gone")
        self.assertEqual(self.event(answer), {"event": "store", "data": '{"reachable": false}'})
        self.assertEqual(self.daemon.ask("GET", "/v1/incidents")[0], 503)
        with sqlite3.connect(self.store) as db:
            db.execute("ALTER TABLE gone RENAME TO incident")
        db.close()
        self.assertEqual(self.event(answer), {"event": "store", "data": '{"reachable": true}'})
        self.assertEqual(self.daemon.ask("GET", "/v1/incidents")[0], 200)

    def test_there_is_room_for_so_many_and_an_end_for_all(self):
        answers = [self.listen() for _ in range(64)]
        self.assertEqual({a.status for a in answers}, {200})
        self.assertEqual(self.daemon.ask("GET", "/v1/incidents/events")[0], 503)
        self.assertEqual(self.daemon.ask("GET", "/v1/incidents")[0], 200)
        self.assertEqual(self.daemon.stop(), 0)
        for answer in answers:
            self.assertTrue(answer.read().startswith(b"retry: 2000\n\n"))


@unittest.skipUnless("FL_TEST_STORE" in os.environ, "with_postgres says where a server is")
class Server(Listener):
    """A store on a server: the same examples, and what a stop of it costs."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        make_store(os.environ["FL_TEST_STORE"])
        self.daemon = Daemon(FAULTLINE, "--store", os.environ["FL_TEST_STORE"], data=self.folder.name)
        self.addCleanup(self.daemon.__exit__, None, None, None)
        self.contract = Contract(json.loads(self.daemon.ask("GET", "/openapi.json")[2]))

    def control(self, word):
        owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*owner, os.environ["FL_TEST_PG_CTL"], word], check=True, timeout=120, stdout=subprocess.DEVNULL)

    def list(self):
        return self.contract.ask(self.daemon, "GET", "/v1/incidents")

    def test_the_examples_are_answered_and_a_server_that_goes_away_comes_back(self):
        for operation, method, path, query, body in self.contract.examples():
            self.assertEqual(self.contract.ask(self.daemon, method, path, query, body=body)[0], 200, (operation["operationId"], query))
        pages, cursor = [], []
        while len(pages) < 2:
            page = self.contract.ask(self.daemon, "GET", "/v1/incidents", [("limit", "1"), *cursor])[2]
            pages.append(page["incidents"][0]["id"])
            cursor = [("cursor", page["next"])]
        self.assertEqual((sorted(pages), page["next"]), ([POOL, CACHE], None))
        answer = self.listen()
        self.assertEqual(answer.readline(), b"retry: 2000\n")
        self.assertEqual(self.event(answer)["event"], "reset")  # the first look: the list is asked for again
        self.control("stop")
        try:
            self.assertEqual(self.event(answer), {"event": "store", "data": '{"reachable": false}'})
            for _ in range(20):  # whichever connection is asked
                status, headers, problem = self.list()
                self.assertEqual((status, headers["Retry-After"]), (503, "5"))
            logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "x"}}]}]}]}
            self.assertEqual(self.daemon.ask("POST", "/v1/logs", json.dumps(logs), {"Content-Type": "application/json"})[0], 200)
        finally:
            self.control("start")
        self.daemon.wait_for(lambda: self.list()[0] == 200)
        self.assertEqual(self.event(answer), {"event": "store", "data": '{"reachable": true}'})
        self.assertEqual(self.contract.ask(self.daemon, "GET", f"/v1/incidents/{POOL}")[0], 200)


class Many(unittest.TestCase):
    def test_a_store_that_is_replaced_is_asked_in_place_of_the_old_one(self):
        with tempfile.TemporaryDirectory() as folder:
            store, other = pathlib.Path(folder) / "shop.db", pathlib.Path(folder) / "other.db"
            make_store(store)
            with Daemon(FAULTLINE, "--store", store, data=folder, environment={"FAULTLINE_INCIDENTS_ENABLED": "false"}) as daemon:
                self.assertEqual(daemon.ask("GET", f"/v1/incidents/{POOL}")[0], 200)
                shop = SOURCE / "examples/shop/incidents"
                run("triage", "--otlp", shop / "cache-growth", "--baseline", shop / "baseline", "--at", "2026-11-23T00:06:50Z", "--store", other)
                for path in (store, pathlib.Path(f"{store}-wal"), pathlib.Path(f"{store}-shm")):
                    path.unlink(missing_ok=True)
                other.rename(store)
                self.assertEqual(daemon.ask("GET", f"/v1/incidents/{POOL}")[0], 404)
                self.assertEqual(daemon.ask("GET", f"/v1/incidents/{CACHE}")[0], 200)

    def test_a_hub_of_a_hundred_thousand_edges_is_answered_in_bounds(self):
        with tempfile.TemporaryDirectory() as folder:
            store = pathlib.Path(folder) / "hub.db"
            make_store(store)
            with sqlite3.connect(store) as db:
                team, hub, = db.execute("SELECT team, id FROM node WHERE kind = 'cause' LIMIT 1").fetchone()
                db.execute("INSERT INTO node WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000)"
                           " SELECT ?, n, 'symptom', 'made ' || n, NULL, 1 FROM c", (team,))
                db.execute("INSERT INTO edge SELECT team, id + 1000000, 'explained-by', id, ?, NULL, 1 FROM node WHERE id BETWEEN 1 AND 100000",
                           (hub,))
            db.close()
            with Daemon(FAULTLINE, "--store", store, data=folder) as daemon:
                contract = Contract(json.loads(daemon.ask("GET", "/openapi.json")[2]))
                node = [("node", str(hub % 2**64))]
                for path, query in (("/v1/graph/provenance", node), ("/v1/graph/neighbours", [*node, ("depth", "16"), ("limit", "10000")]),
                                    ("/v1/graph/nodes", [("q", "made")]), (f"/v1/incidents/{POOL}/paths", []), (f"/v1/incidents/{POOL}/similar", [])):
                    began = time.monotonic()
                    status, _, document = contract.ask(daemon, "GET", path, query)
                    self.assertEqual(status, 200)
                    self.assertLess(time.monotonic() - began, 60, path)  # 2 s where the machine has nothing else to do
                    if path == "/v1/graph/neighbours":
                        self.assertIn(document["cut"], ("rows", "time"))

    def test_ten_thousand_incidents_are_read_page_by_page(self):
        with tempfile.TemporaryDirectory() as folder:
            store = pathlib.Path(folder) / "many.db"
            make_store(store)
            with sqlite3.connect(store) as db:
                db.execute("INSERT INTO incident SELECT printf('made-%05d', n), at_ns, 1700000000000000000 + n / 3, verdict,"
                           " CASE WHEN n % 10 = 0 THEN 'ledger' ELSE service END, cause, probability, document FROM incident,"
                           " (WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 9997) SELECT n FROM c)"
                           " WHERE id = ?", (POOL,))
            db.close()
            with Daemon(FAULTLINE, "--store", store, data=folder) as daemon:
                contract = Contract(json.loads(daemon.ask("GET", "/openapi.json")[2]))
                for query, wanted in (([], 10000), ([("service", "ledger")], 1000)):
                    ids, cursor = [], None
                    while cursor is not None or not ids:
                        page = contract.ask(daemon, "GET", "/v1/incidents", [*query, ("limit", "700"), *([("cursor", cursor)] if cursor else [])])[2]
                        ids += [row["id"] for row in page["incidents"]]
                        cursor = page["next"]
                        self.assertLessEqual(len(ids), wanted)
                        if cursor is None:
                            break
                    self.assertEqual((len(ids), len(set(ids))), (wanted, wanted))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
