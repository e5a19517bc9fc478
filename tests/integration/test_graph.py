"""The graph by hand: what `faultline graph` shows, writes, reads, checks and copies.

usage: test_graph.py FAULTLINE SOURCE [unittest options]

Where python3-networkx is installed, GraphML is read with it; the standard library's XML parser reads it in any case.
"""
import gzip
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import test_cli

try:
    import networkx
except ImportError:  # the package python3-networkx
    networkx = None

FAULTLINE, SOURCE = test_cli.FAULTLINE, test_cli.SOURCE
ESC = "\x1b"
HOSTILE = "'); DROP TABLE node; -- </script> ]]> & \x1b[31m \"q\\u0027\\ $x `y` é \n\r\tend"
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


class Graph(test_cli.Cli):
    """The incident of test_cli's made-up case, confirmed with hostile words."""

    def setUp(self):
        super().setUp()
        self.place_of_test = pathlib.Path(self.home.name)

    def taught(self, words=HOSTILE):
        incident = json.loads(self.triage("--format", "json")[1])["incident"]["id"]
        code, _, err = self.run_it("confirm", incident, "--cause", words, "--fix", words, "--note", words, "--author", words)
        self.assertEqual((code, err), (0, ""))
        return incident

    def good(self, *words):
        code, out, err = self.run_it(*words)
        self.assertEqual((code, err), (0, ""), words)
        return out

    def fed(self, document, *words):
        done = subprocess.run([FAULTLINE, *words], input=document.encode(), capture_output=True, timeout=120,
                              env=self.environment(), cwd=self.home.name)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def exported(self, *words):
        return self.good("graph", "export", *words)

    def write(self, name, document):
        path = self.place_of_test / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    # ---- export ----

    def test_the_export_is_read_back_as_it_was(self):
        self.taught()
        before = self.exported()
        self.validate("graph.schema.json", before)
        path = self.write("graph.json", before)
        other = str(self.place_of_test / "other.db")
        out = self.good("graph", "import", path, "--store", other, "--format", "json")
        read = self.validate("graph-import.schema.json", out)
        self.assertEqual(read["read"], read["added"])
        self.assertEqual(self.exported("--store", other), before)
        again = json.loads(self.good("graph", "import", path, "--store", other, "--format", "json"))
        self.assertEqual((again["read"], again["added"]), (read["read"], {"nodes": 0, "edges": 0, "evidence": 0}))
        self.assertEqual(self.exported("--store", other), before)

    def test_a_compressed_file_and_a_reformatted_one_are_read_alike(self):
        self.taught()
        before = self.exported()
        path = self.place_of_test / "graph.json.gz"
        path.write_bytes(gzip.compress(json.dumps(json.loads(before), ensure_ascii=True, indent=8).encode()))
        other = str(self.place_of_test / "other.db")
        self.good("graph", "import", str(path), "--store", other)
        self.assertEqual(self.exported("--store", other), before)

    def test_standard_input_is_read(self):
        self.taught()
        before = self.exported()
        other = str(self.place_of_test / "other.db")
        code, out, err = self.fed(before, "graph", "import", "-", "--store", other)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("New ", out)
        self.assertEqual(self.exported("--store", other), before)

    def test_graphml_is_xml_whatever_the_texts(self):
        self.taught()
        document = self.exported("--format", "graphml")
        root = xml.etree.ElementTree.fromstring(document)
        keys = {key.get("id") for key in root.iter(GRAPHML + "key")}
        nodes = {node.get("id") for node in root.iter(GRAPHML + "node")}
        edges = list(root.iter(GRAPHML + "edge"))
        self.assertTrue(all(edge.get("source") in nodes and edge.get("target") in nodes for edge in edges))
        self.assertTrue(all(data.get("key") in keys for data in root.iter(GRAPHML + "data")))
        graph = json.loads(self.exported())
        self.assertEqual((len(nodes), len(edges)), (len(graph["nodes"]), len(graph["edges"])))
        titles = {data.text for data in root.iter(GRAPHML + "data") if data.get("key") == "n_title"}
        self.assertIn(HOSTILE.replace("\x1b", "\N{REPLACEMENT CHARACTER}"), titles)

    @unittest.skipIf(networkx is None, "python3-networkx is not installed")
    def test_networkx_reads_graphml(self):
        self.taught()
        read = networkx.read_graphml(self.write("graph.graphml", self.exported("--format", "graphml")))
        graph = json.loads(self.exported())
        self.assertEqual((read.number_of_nodes(), read.number_of_edges()), (len(graph["nodes"]), len(graph["edges"])))
        self.assertTrue(all(0 < data["mean"] < 1 for _, _, data in read.edges(data=True) if "mean" in data))

    def test_cypher_is_statements_whose_strings_hold_every_text(self):
        self.taught()
        document = self.exported("--format", "cypher")
        string = r"'(?:[^'\\]|\\[\\'n]|\\u[0-9A-F]{4})*'"
        value = rf"(?:null|{string}(?: \+ {string})*|datetime\({string}\)|-?[0-9.]+|true|false)"
        label = r"[A-Z][A-Za-z]+"
        setting = rf"(?:[nre]\.[a-z_]+ = {value}|n:{label})"
        statements = [
            rf"CREATE CONSTRAINT \w+ IF NOT EXISTS FOR \([ne]:{label}\) REQUIRE [ne]\.id IS UNIQUE;",
            rf"MERGE \([ne]:{label} {{id: '\d+'}}\) SET {setting}(?:, {setting})*;",
            rf"MATCH \(a:{label} {{id: '\d+'}}\), \(b:{label} {{id: '\d+'}}\) MERGE \(a\)-\[r:[A-Z_]+ {{id: '\d+'}}\]->\(b\)"
            rf" SET {setting}(?:, {setting})*;"]
        lines = document.splitlines()
        for line in lines:
            self.assertTrue(any(re.fullmatch(one, line) for one in statements), line)
        graph = json.loads(self.exported())
        self.assertEqual(len(lines), 2 + len(graph["nodes"]) + len(graph["edges"]) + len(graph["evidence"]))

    def test_no_format_lets_an_escape_sequence_out(self):
        self.taught()
        for form in ("json", "dot", "graphml", "cypher"):
            self.assertNotIn(ESC, self.exported("--format", form))

    def test_stats_count_what_the_export_holds(self):
        self.taught()
        stats = self.validate("graph-stats.schema.json", self.good("graph", "stats", "--format", "json"))
        graph = json.loads(self.exported())
        self.assertEqual(sum(stats["nodes"].values()), len(graph["nodes"]))
        self.assertEqual(sum(stats["edges"].values()), len(graph["edges"]))
        self.assertEqual(sum(both["supporting"] + both["contradicting"] for both in stats["evidence"].values()), len(graph["evidence"]))

    # ---- import ----

    def test_a_wrong_document_is_named_with_its_line_and_adds_nothing(self):
        self.taught("the pool is too small")
        good = self.exported()
        lines = good.splitlines()
        edge = next(i for i, line in enumerate(lines) if '"from"' in line)
        cases = [
            (good[:len(good) // 2], "the document ends"),
            (good.replace("faultline.graph/1", "faultline.graph/2"), ':2: schema is "faultline.graph/2", and this program reads faultline.graph/1 (byte 14)'),
            (good.replace('"kind": "cause"', '"kind": "curse"'), 'there is no kind "curse"'),
            (good.replace("the pool is too small", "the pool is too big", 1), "is not that of this kind and key"),
            (good + "{}", "there is more behind the document"),
            ("[]", "expected '{', found '['"),
            ("", "the document ends where '{' was expected"),
            (json.dumps(json.loads(good), sort_keys=True), "the members are not schema, nodes, edges, evidence, in this order"),
            ("\n".join(lines[:edge] + [lines[edge].replace('"from"', '"from": 7, "was"')] + lines[edge + 1:]), f":{edge + 1}: "),
            (good.replace('"recorded": "2', '"recorded": "x2', 1), '"recorded" is no time'),
            (good.replace('"key": "', '"key": "\\u0000', 1), '"key" holds a NUL'),
            (good.replace('"key": "', '"key": "' + "x" * 2000, 1), "bytes; the graph keeps up to 1024"),
            (good.replace('"key": "', '"key": "' + "x" * 300000, 1), "a row larger than 256 KiB begins here"),
            ('{"schema": "faultline.graph/1", "nodes": ' + "[" * 100000, "the document ends inside of what begins here"),
            ('{"schema": "faultline.graph/1", "nodes": ' + "[" * 1000 + "]" * 1000 + "}", "expected an object, found an array"),
        ]
        other = self.place_of_test / "other.db"
        for document, expected in cases:
            code, out, err = self.run_it("graph", "import", self.write("wrong.json", document), "--store", str(other))
            self.assertEqual((code, out), (1, ""), expected)
            self.assertIn(expected, err)
            self.assertEqual(err.count("\n"), 1, err)
            self.assertFalse(other.exists(), expected)

    def test_a_dry_run_adds_nothing(self):
        self.taught()
        path = self.write("graph.json", self.exported())
        other = self.place_of_test / "other.db"
        self.assertIn("Checked ", self.good("graph", "import", path, "--dry-run", "--store", str(other)))
        self.assertFalse(other.exists())

    # ---- one node and what is around it ----

    def test_a_node_is_shown_by_kind_and_key_by_id_and_by_its_beginning(self):
        self.taught("Pool too small")
        graph = json.loads(self.exported())
        cause = next(node for node in graph["nodes"] if node["kind"] == "cause")
        shown = [self.good("graph", "show", word, "--format", "json") for word in (
            "cause:pool too small", cause["id"], "cause:pool", "cause:Pool t", cause["id"][:12])]
        self.assertEqual(len(set(shown)), 1)
        view = self.validate("graph-node.schema.json", shown[0])
        self.assertEqual(view["node"], cause)
        self.assertLessEqual({"explained-by", "resolved-by"}, {edge["kind"] for edge in view["edges"]})
        self.assertTrue(all(cause["id"] in (edge["from"], edge["to"]) for edge in view["edges"]))
        evidence = [item for edge in view["edges"] for item in edge["evidence"]]
        self.assertTrue(evidence)
        self.assertTrue(all(item["author"] == "Pool too small" and item["source"] == "person" for item in evidence))
        text = self.good("graph", "show", "cause:pool")
        self.assertIn("cause Pool too small", text)
        self.assertIn("-> resolved-by fix Pool too small", text)
        self.assertRegex(text, r"0\.\d\d \(0\.\d\d to 0\.\d\d, n = 1\); 1 for, 0 against")

    def test_a_node_that_is_not_there_is_answered_with_the_nearest(self):
        self.taught("pool too small")
        for word, expected in (("cause:pool too smal1", "no node 'cause:pool too smal1' in the graph; did you mean 'cause:pool too small'?"),
                               ("nothing like it", "no node 'nothing like it' in the graph\n"),
                               ("pool", "'pool' may be one of 2 nodes: "),
                               ("x" * 1000000, "no node 'xxx"),
                               ("", "a node without a name")):
            code, out, err = self.run_it("graph", "show", word[:100000])
            self.assertEqual((code, out), (1, ""), word[:40])
            self.assertIn(expected, err)
            self.assertEqual(err.count("\n"), 1)

    def test_hostile_words_are_shown_without_being_obeyed(self):
        self.taught()
        graph = json.loads(self.exported())
        for node in graph["nodes"]:
            for action in ("show", "neighbours"):
                self.assertNotIn(ESC, self.good("graph", action, node["id"]))
                self.assertNotIn(ESC, self.good("graph", action, node["id"], "--format", "json"))

    def test_neighbours_are_nearest_first_and_bounded(self):
        incident = self.taught("pool too small")
        whole = self.validate("graph-neighbours.schema.json", self.good("graph", "neighbours", "incident:" + incident, "--depth", "3", "--format", "json"))
        graph = json.loads(self.exported())
        self.assertEqual(len(whole["nodes"]), len(graph["nodes"]))
        self.assertEqual({edge["id"] for edge in whole["edges"]}, {edge["id"] for edge in graph["edges"]})
        depths = [node["depth"] for node in whole["nodes"]]
        self.assertEqual((depths, depths[0], whole["cut"]), (sorted(depths), 0, None))
        near = json.loads(self.good("graph", "neighbours", "incident:" + incident, "--depth", "1", "--format", "json"))
        self.assertEqual(len(near["nodes"]), depths.count(0) + depths.count(1))
        self.assertEqual(len(json.loads(self.good("graph", "neighbours", "incident:" + incident, "--depth", "0", "--format", "json"))["nodes"]), 1)
        cut = json.loads(self.good("graph", "neighbours", "incident:" + incident, "--limit", "2", "--format", "json"))
        self.assertEqual((len(cut["nodes"]), cut["cut"]), (2, "rows"))
        ids = {node["id"] for node in cut["nodes"]}
        self.assertTrue(all(edge["from"] in ids and edge["to"] in ids for edge in cut["edges"]))
        self.assertIn("raise --limit", self.good("graph", "neighbours", "incident:" + incident, "--limit", "2"))

    def test_neighbours_by_rank_are_the_same_nodes_in_another_order(self):
        incident = self.taught()
        words = ("graph", "neighbours", "incident:" + incident, "--depth", "3", "--format", "json")
        near, ranked = (self.validate("graph-neighbours.schema.json", self.good(*words, *more)) for more in ((), ("--rank",)))
        for table in ("nodes", "edges"):
            self.assertEqual({row["id"]: row.get("depth") for row in near[table]}, {row["id"]: row.get("depth") for row in ranked[table]})
        ranks = [node["rank"] for node in ranked["nodes"]]
        self.assertEqual((ranked["nodes"][0]["id"], ranks[1:]), (near["nodes"][0]["id"], sorted(ranks[1:], reverse=True)))
        self.assertAlmostEqual(sum(ranks), 1, delta=1e-4)
        self.assertNotIn(ESC, self.good(*words[:-2], "--rank"))

    # ---- paths, and what was known when ----

    def test_paths_are_told_with_what_they_rest_on_however_they_are_asked_for(self):
        incident = self.taught("pool too small")
        service = json.loads(self.good("incidents", "--format", "json"))["incidents"][0]["service"]
        symptoms = [node["key"] for node in json.loads(self.exported())["nodes"] if node["kind"] == "symptom"]
        asked = [["--incident", incident], ["--service", service], [word for key in symptoms for word in ("--symptom", key)]]
        for words in asked:
            paths = self.validate("paths.schema.json", self.good("graph", "paths", *words, "--format", "json"))
            path = next(path for path in paths["paths"] if path["cause"] == "pool too small")
            self.assertEqual({item["author"] for item in path["evidence"]}, {"pool too small"})
            self.assertEqual({item["reference"] for item in path["evidence"]}, {incident})
            self.assertEqual({item["source"] for item in path["evidence"]}, {"person"})
            text = self.good("graph", "paths", *words)
            self.assertRegex(text, r"Evidence\n  pool too small\n    for +person pool too small of " + re.escape(incident))
        self.assertEqual(sorted(paths["symptoms"]), sorted(symptoms))

    def answers(self, text, *words):
        done = subprocess.run([FAULTLINE, "graph", "paths", "-", *words], input=text.encode(), capture_output=True, timeout=120,
                              env=self.environment(), cwd=self.home.name)
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def test_questions_on_standard_input_are_answered_as_those_of_the_command_line(self):
        incident = self.taught()
        service = json.loads(self.good("incidents", "--format", "json"))["incidents"][0]["service"]
        symptoms = [node["key"] for node in json.loads(self.exported())["nodes"] if node["kind"] == "symptom"]
        questions = [{"incident": incident}, {"service": service}, {"symptoms": symptoms}, {"symptoms": symptoms[:1], "most": 1}]
        answers = self.answers("\n \n".join(map(json.dumps, questions)))  # the last line may lack its end
        self.assertEqual(len(answers), len(questions))
        words = [["--incident", incident], ["--service", service], [word for key in symptoms for word in ("--symptom", key)]]
        # What ages counts to the moment of the question: alike to six decimals, as the document has them, but for the last.
        for answer, asked in zip(answers, words):
            direct = json.loads(self.good("graph", "paths", *asked, "--format", "json"))
            self.validate("paths.schema.json", json.dumps(answer))
            for path, other in zip(answer["paths"], direct["paths"], strict=True):
                for key in ("mean", "low", "high", "n"):
                    self.assertAlmostEqual(path["confidence"][key], other["confidence"][key], delta=2e-6)
                self.assertEqual({**path, "confidence": 0, "fixes": 0}, {**other, "confidence": 0, "fixes": 0})
                self.assertEqual([fix["fix"] for fix in path["fixes"]], [fix["fix"] for fix in other["fixes"]])
            self.assertEqual(answer["symptoms"], direct["symptoms"])
        self.assertEqual(len(answers[3]["paths"]), 1)

    def test_a_page_of_causes_and_fixes_is_told_and_how_many_more_are_known(self):
        incident = json.loads(self.triage("--format", "json", "--no-memory")[1])["incident"]["id"]
        for i in range(12):
            for k in range(12 if i == 0 else 1):
                self.good("confirm", incident, "--cause", f"cause {i}", "--fix", f"fix {k}", "--author", f"a{i}-{k}")
        by_number = {}
        for words, causes, fixes in (((), 10, 10), (("--most", "0"), 12, 12), (("--most", "3"), 3, 3), (("--most", "50"), 12, 12)):
            told = self.validate("paths.schema.json", self.good("graph", "paths", "--incident", incident, "--format", "json", *words))
            named = [path["cause"] for path in told["paths"] if path["cause"].startswith("cause")]
            self.assertEqual((len(told["paths"]) >= causes, told["known_causes"] >= 12), (True, True))
            if causes < 12:
                self.assertEqual(len(told["paths"]), causes)
            for path in told["paths"]:
                self.assertEqual(len(path["fixes"]), min(path["known_fixes"], fixes))
                if path["cause"] == "cause 0":
                    self.assertEqual(path["known_fixes"], 12)
            by_number[words] = named
            answer, = self.answers(json.dumps({"incident": incident}) + "\n", *words)
            self.assertEqual([path["cause"] for path in answer["paths"]], [path["cause"] for path in told["paths"]])
            self.assertEqual(answer["known_causes"], told["known_causes"])
        whole = by_number["--most", "0"]
        self.assertEqual(len(whole), 12)
        self.assertEqual(by_number[()], whole[:len(by_number[()])])
        text = self.good("graph", "paths", "--incident", incident)
        self.assertRegex(text, r"\n +[2-9] more causes are known\n")
        self.assertRegex(text, r"\n +2 more fixes are known\n")
        self.assertNotIn("more fixes", self.good("graph", "paths", "--incident", incident, "--most", "0"))

    def test_what_is_learnt_between_two_questions_is_in_the_second_answer(self):
        incident = json.loads(self.triage("--format", "json")[1])["incident"]["id"]
        with subprocess.Popen([FAULTLINE, "graph", "paths", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=self.environment(), cwd=self.home.name) as asked:
            def ask():
                asked.stdin.write(json.dumps({"incident": incident}) + "\n")
                asked.stdin.flush()
                return {path["cause"] for path in json.loads(asked.stdout.readline())["paths"]}
            before = ask()
            self.assertEqual(self.run_it("confirm", incident, "--cause", "pool too small")[0], 0)
            self.assertEqual(ask() - before, {"pool too small"})
            asked.stdin.close()
            self.assertEqual(asked.wait(60), 0)

    def test_a_question_that_cannot_be_answered_is_told_so_and_the_next_one_answered(self):
        incident = self.taught("pool too small")
        wrong = {
            "{": None, "[]": None, "{\"incident\": \"nowhere\"}": "no incident 'nowhere'",
            "{}": "a question has one of symptoms, incident and service",
            json.dumps({"incident": incident, "service": "x"}): "a question has one of symptoms, incident and service",
            "{\"symptom\": [\"a\"]}": "no question has a member symptom", "{\"symptoms\": [\"\"]}": "a text that is empty or has a NUL",
            json.dumps({"symptoms": [str(i) for i in range(33)]}): "more than 32 symptoms",
            "{\"service\": \"\\u0000\"}": "a text that is empty or has a NUL", "x" * (2 << 20): "a question is larger than 1048576 bytes",
        }
        for line, sentence in wrong.items():
            told, good = self.answers(line + "\n" + json.dumps({"incident": incident}) + "\n")
            self.assertEqual(list(told), ["error"], line[:80])
            self.assertIn(sentence or "", told["error"])
            self.assertEqual(good["paths"][0]["cause"], "pool too small")
        for words in (("x",), ("-", "--service", "x"), ("-", "--format", "text")):
            self.assertEqual(self.run_it("graph", "paths", *words)[0], 1)

    def test_a_service_without_incidents_is_answered_with_the_nearest(self):
        self.taught("x")
        service = json.loads(self.good("incidents", "--format", "json"))["incidents"][0]["service"]
        code, out, err = self.run_it("graph", "paths", "--service", service + "x")
        self.assertEqual((code, out), (1, ""))
        self.assertIn(f"no incident of service '{service}x' is stored; did you mean '{service}'?", err)
        code, _, err = self.run_it("graph", "paths", "--service", service, "--symptom", "x")
        self.assertEqual(code, 1)
        self.assertIn("takes one of --incident, --service and --symptom", err)

    def test_what_was_known_then_is_without_what_came_later(self):
        incident = self.taught("pool too small")
        between = "2024-06-01T00:00:00Z"
        now = self.validate("graph-known.schema.json", self.good("graph", "as-of", "now", "--format", "json"))
        self.assertIn("pool too small", {edge["to"]["title"] for edge in now["edges"]})
        lows = [edge["confidence"]["low"] for edge in now["edges"]]
        self.assertEqual(lows, sorted(lows, reverse=True))
        then = self.validate("graph-known.schema.json", self.good("graph", "as-of", between, "--format", "json"))
        self.assertEqual(then["edges"], [])
        self.assertIn("There is no evidence by then", self.good("graph", "as-of", between))
        paths = json.loads(self.good("graph", "as-of", between, "--incident", incident, "--format", "json"))
        self.assertEqual((paths["paths"], paths["seen"]), ([], 0))
        self.assertEqual(paths, json.loads(self.good("graph", "paths", "--as-of", between, "--incident", incident, "--format", "json")))
        code, out, err = self.run_it("graph", "as-of", "noon")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("time 'noon' is not RFC 3339", err)

    def test_what_is_known_ages_to_the_time_that_is_asked_for(self):
        self.taught("pool too small")
        graph = json.loads(self.exported())
        for table in ("nodes", "edges", "evidence"):
            for row in graph[table]:
                row["recorded"] = "2023-02-01T00:00:00Z"
        path, other = self.write("early.json", graph), str(self.place_of_test / "early.db")
        self.good("graph", "import", path, "--store", other)
        means = []
        for time in ("2023-02-02T00:00:00Z", "2023-08-02T00:00:00Z", "2026-01-01T00:00:00Z"):
            known = json.loads(self.good("graph", "as-of", time, "--store", other, "--format", "json"))
            means.append(max(edge["confidence"]["mean"] for edge in known["edges"]))
        self.assertEqual(means, sorted(means, reverse=True))
        self.assertAlmostEqual(means[0], 0.75, delta=0.01)
        self.assertAlmostEqual(means[1], (0.5 + 0.5) / (1 + 0.5), delta=0.01)  # half a year: half of one item

    # ---- check ----

    def store(self):
        return self.place_of_test / ".local/state/faultline/faultline.db"

    def broken(self, *statements):
        """The store of a taught graph after statements that nobody should run."""
        with sqlite3.connect(self.store()) as database:
            for statement in statements:
                database.execute(statement)
        database.close()
        code, out, err = self.run_it("graph", "check", "--format", "json")
        self.assertEqual(err, "")
        found = self.validate("graph-check.schema.json", out)
        self.assertEqual(code, 1 if found["faults"] else 0)
        return {one["kind"]: one for one in found["found"]}

    def test_a_sound_store_is_called_so(self):
        self.taught()
        self.assertIn("Nothing is wrong in ", self.good("graph", "check"))
        self.assertEqual(self.broken(), {})

    def test_each_broken_promise_is_found(self):
        self.taught("pool too small")
        copy = self.store().read_bytes() if not (self.store().parent / "faultline.db-wal").exists() else None
        cases = {
            "wrong-id": ["UPDATE node SET key = key || '!' WHERE kind = 'cause'"],
            "dangling-edge": ["DELETE FROM node WHERE kind = 'fix'"],
            "forbidden-edge": ["UPDATE edge SET kind = 'calls' WHERE kind = 'resolved-by'"],
            "stray-evidence": ["DELETE FROM edge WHERE kind = 'resolved-by'"],
            "unknown-kind": ["UPDATE node SET kind = 'curse' WHERE kind = 'cause'"],
            "text": ["UPDATE node SET title = CAST(x'ff41' AS TEXT) WHERE kind = 'cause'"],
            "circle": ["INSERT INTO edge VALUES ('default', 1, 'introduced', 7, 8, NULL, 1)",
                       "INSERT INTO edge VALUES ('default', 2, 'introduced', 8, 7, NULL, 1)"],
            "future": ["UPDATE node SET recorded_ns = 9000000000000000000 WHERE kind = 'cause'"],
            "beyond-cap": ["INSERT INTO evidence SELECT team, edge_id, source, author, id + n, reference || n, supports, at_ns, recorded_ns, note"
                           " FROM evidence, (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30) SELECT n FROM c)"],
        }
        self.assertIsNotNone(copy, "the last to close a store leaves no log behind")
        for kind, statements in cases.items():
            self.store().write_bytes(copy)
            found = self.broken(*statements)
            self.assertIn(kind, found, found)
            self.assertEqual(found[kind]["note"], kind in ("future", "beyond-cap"))
            if kind in ("dangling-edge", "stray-evidence"):
                self.assertIn("database", found)
            self.assertNotEqual(self.run_it("graph", "check")[1], "")

    def test_a_damaged_file_is_named(self):
        self.taught()
        with open(self.store(), "r+b") as file:
            file.seek(4096 * 3)
            file.write(b"\x00garbage" * 400)
        code, out, err = self.run_it("graph", "check")
        self.assertEqual(code, 1)
        self.assertTrue("database" in out or "damaged" in err, out + err)

    # ---- migrate ----

    def old_store(self, *more):
        """A store of version 1, as the first version of the program made it."""
        path = self.place_of_test / "old.db"
        with sqlite3.connect(path) as database:
            database.executescript(SOURCE.joinpath("schemas/sql/sqlite/001_incidents.sql").read_text())
            for statement in (f"PRAGMA application_id = {0x464C4E31}", "PRAGMA user_version = 1", *more):
                database.execute(statement)
        database.close()
        return path

    def version(self, path):
        with sqlite3.connect(path) as database:
            found = database.execute("PRAGMA user_version").fetchone()[0]
            tables = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        database.close()
        return found, tables

    def test_a_dry_migration_shows_the_sql_and_changes_nothing(self):
        path = self.old_store()
        before = path.read_bytes()
        plan = self.validate("graph-migrate.schema.json", self.good("graph", "migrate", "--dry-run", "--store", str(path), "--format", "json"))
        self.assertEqual((plan["version"], plan["dry_run"]), (1, True))
        self.assertEqual([one["version"] for one in plan["migrations"]], list(range(2, plan["newest"] + 1)))
        for one, file in zip(plan["migrations"], sorted((SOURCE / "schemas/sql/sqlite").glob("*.sql"))[1:]):
            self.assertEqual(one["sql"], file.read_text())
        self.assertIn("CREATE TABLE node (", self.good("graph", "migrate", "--dry-run", "--store", str(path)))
        self.assertEqual(path.read_bytes(), before)
        self.assertIn("-- The store had version 1", self.good("graph", "migrate", "--store", str(path)))
        self.assertEqual(self.version(path)[0], plan["newest"])
        self.assertIn(", the newest.", self.good("graph", "migrate", "--store", str(path)))
        self.assertIn("Nothing is wrong", self.good("graph", "check", "--store", str(path)))

    def test_a_migration_that_fails_leaves_the_store_as_it_was(self):
        path = self.old_store("CREATE TABLE evidence (mine TEXT)")  # in the way of the last table of version 2
        before = self.version(path)
        code, out, err = self.run_it("graph", "migrate", "--store", str(path))
        self.assertEqual((code, out), (1, ""))
        self.assertIn("migrating store", err)
        self.assertEqual(self.version(path), before)

    def test_migrations_before_one_that_fails_stay(self):
        path = self.old_store("CREATE TABLE change (mine TEXT)")  # in the way of version 4
        self.assertEqual(self.run_it("graph", "migrate", "--store", str(path))[:2], (1, ""))
        found, tables = self.version(path)
        self.assertEqual((found, {"node", "edge", "evidence"} <= tables), (3, True))
        with sqlite3.connect(path) as database:
            database.execute("DROP TABLE change")
        database.close()
        self.assertIn("-- The store had version 3", self.good("graph", "migrate", "--store", str(path)))
        self.assertIn("Nothing is wrong", self.good("graph", "check", "--store", str(path)))

    def test_a_newer_store_is_refused_and_left_alone(self):
        path = self.old_store("PRAGMA user_version = 99")
        before = path.read_bytes()
        for words in (["graph", "migrate"], ["graph", "migrate", "--dry-run"], ["graph", "stats"], ["graph", "check"]):
            code, out, err = self.run_it(*words, "--store", str(path))
            self.assertEqual((code, out), (1, ""))
            self.assertIn("has version 99; this program knows up to", err)
        self.assertEqual(path.read_bytes(), before)

    # ---- mistakes ----

    def test_a_mistake_in_the_words_is_one_sentence(self):
        self.taught("x")
        for words, expected in (
                (["graph", "walk"], "choose one of: paths, "),
                (["graph", "import"], "graph import wants FILE|- behind it"),
                (["graph", "show"], "graph show wants NODE behind it"),
                (["graph", "show", "a", "b"], "graph show wants NODE behind it"),
                (["graph", "stats", "more"], "graph stats takes nothing behind it, not 'more'"),
                (["graph", "stats", "--format", "dot"], "graph stats has no format dot: text or json")):
            code, out, err = self.run_it(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(expected, err)


# The inherited tests run in test_cli, whose name is gone below.
for name in [name for name in dir(test_cli.Cli) if name.startswith("test_")]:
    setattr(Graph, name, None)
del test_cli.Cli

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
