"""The lints themselves: what each must find, and what it must let pass."""
import pathlib
import tempfile
import unittest

import check_docs
import check_layers
import check_sql
import check_style


def tree(files):
    """A temporary folder that holds `files`, a dict of path to text."""
    folder = tempfile.TemporaryDirectory()
    for path, text in files.items():
        target = pathlib.Path(folder.name) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


class Sql(unittest.TestCase):
    TABLES = {"node", "edge"}

    def found(self, sql):
        return len(check_sql.check_statement(sql, self.TABLES, "x.c"))

    def test_a_statement_of_one_team_passes(self):
        for sql in ("SELECT id FROM node WHERE team = $1 AND id = $2 ORDER BY id", "INSERT INTO node (team, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    "INSERT INTO node (team, id) SELECT $1, * FROM unnest($2::bigint[])", "SELECT 1 FROM version",
                    "COPY node (team, id) FROM STDIN (FORMAT BINARY)",
                    "SELECT a.id FROM edge a JOIN node n ON n.team = a.team AND n.id = a.to_id WHERE a.team = $1",
                    "SELECT f.* FROM unnest($3) AS q (at), LATERAL (SELECT id FROM node WHERE team = $1 AND id = q.at) AS f",
                    "INSERT INTO node (team, id) VALUES ($1, $2) ON CONFLICT (team, id) DO UPDATE SET id = excluded.id"):
            self.assertEqual(0, self.found(sql.replace("FROM edge a JOIN", "FROM edge JOIN")), sql)

    def test_a_statement_over_all_teams_is_found(self):
        for sql in ("SELECT id FROM node", "SELECT id FROM node WHERE id = $1", "SELECT id FROM node WHERE id = $1 AND team = $2", "DELETE FROM edge WHERE id = 1",
                    "UPDATE node SET id = 1", "COPY node (id, team) FROM STDIN", "COPY edge FROM STDIN", "INSERT INTO node (id, team) VALUES ($1, $2)", "INSERT INTO node (team, id) VALUES ($2, $1)",
                    "INSERT INTO node VALUES ($1, $2)", "INSERT INTO node (team, id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
                    "SELECT 1 FROM edge JOIN node ON node.id = edge.to_id WHERE team = $1",
                    "SELECT f.* FROM unnest($3) AS q (at), LATERAL (SELECT id FROM node) AS f WHERE team = $1"):
            self.assertGreater(self.found(sql), 0, sql)

    def test_a_table_whose_keys_do_not_begin_with_team_is_found(self):
        good = "CREATE TABLE node (\n  team text,\n  id bigint,\n  PRIMARY KEY (team, id)\n);\nCREATE INDEX n ON node (team, id);\n"
        self.assertEqual([], check_sql.check_migration(good, "m"))
        for wrong in (good.replace("KEY (team, id)", "KEY (id, team)"), good.replace("ON node (team", "ON node (id"),
                      good.replace("id bigint", "id bigint UNIQUE"), good.replace("  PRIMARY KEY (team, id)", "  note text"),
                      good.replace("id)\n);", "id),\n  FOREIGN KEY (id) REFERENCES node (id)\n);")):
            self.assertNotEqual([], check_sql.check_migration(wrong, "m"), wrong)

    def test_literals_are_put_together_as_the_preprocessor_does(self):
        text = "#define COLUMNS \"id, \" \"key\"\n#define OF(table) \"SELECT \" COLUMNS \" FROM \" table\nconst char *a = OF(\"node\") \" WHERE x\"; char c = '\"'; f(\"A; B\");\n"
        self.assertEqual(["SELECT id, key FROM node WHERE x", "A", "B"], check_sql.statements_of(text))


class Style(unittest.TestCase):
    def functions(self, text):
        return list(check_style.functions_of(check_style.code_of(text)))

    def problems(self, files):
        with tree(files) as folder:
            return check_style.check(pathlib.Path(folder))[0]

    def test_a_function_is_measured_from_its_head_to_its_brace(self):
        text = "/* about f */\nstatic int f(int a,\n             int b)\n{\n    if (a && b)\n        return 1;\n    return 0;\n}\n"
        self.assertEqual([("f", 2, 7, 3, 2)], self.functions(text))

    def test_words_in_comments_and_strings_are_not_branches(self):
        text = 'int f(void)\n{\n    /* if for while */ puts("a ? b && c");\n    return \'?\';\n}\n'
        self.assertEqual([("f", 1, 5, 1, 0)], self.functions(text))

    def test_a_callback_parameter_counts_once(self):
        text = "void f(int (*visit)(void *payload, int x), void *payload)\n{\n}\n"
        self.assertEqual(2, self.functions(text)[0][4])

    def test_a_table_is_not_a_function(self):
        self.assertEqual([], self.functions("static const int t[] =\n{\n    1,\n};\nstruct s\n{\n    int a;\n};\n"))

    def test_each_rule_is_reported_where_it_breaks(self):
        found = "\n".join(self.problems({
            "base/a.c": "int f(char *a)\n{\n    strcpy(a, a);\n    exit(1);\n    return atoi(a) + (int)(size_t)malloc(1);\n}\n/* TODO */\n",
            "base/x.h": "", "graph/x.h": "", "include/faultline/p.h": "int fl_p(int a);\n",
            "app/cli/m.c": "int m(void)\n{\n    exit(1);\n}\n", "base/mem.c": "void *a(void)\n{\n    return malloc(1);\n}\n",
            "base/wide.c": "int w(int a, int b, int c, int d, int e, int f, int g)\n{\n    return 1;\n}\n",
            "base/long.c": "int l(void)\n{\n" + "    f();\n" * 100 + "}\n" + "\n" * 800}))
        for wanted in ("base/a.c:3: strcpy() is banned", "base/a.c:4: exit outside app/cli/", "base/a.c:5: atoi() is banned",
                       "base/a.c:5: malloc() outside base/mem.c", "base/a.c:7: TODO", "graph/x.h: header name also used by base/x.h",
                       "include/faultline/p.h:1: fl_p has no comment", "base/wide.c:1: w: parameters 7",
                       "base/long.c:1: l: function_lines 103", "base/long.c: 903 lines, limit 800"):
            self.assertIn(wanted, found)
        self.assertNotIn("app/cli/m.c", found)
        self.assertNotIn("base/mem.c:", found)

    def test_members_and_longer_names_are_not_calls(self):
        self.assertEqual([], list(check_style.call_problems("base/a.c", "fl_mem_free(p); s.free(p); s->exit(1); fl_exit(1);")))

    def test_a_comment_above_or_beside_documents_a_declaration(self):
        text = "/* what f does */\nint f(int a);\n\nint g(int a); /* what g does */\nint h(int a,\n      int b);\n\nint i(void);\n"
        self.assertEqual([("f", 2, True), ("g", 4, True), ("h", 5, True), ("i", 8, False)], list(check_style.undocumented_of(text)))


class Layers(unittest.TestCase):
    def problems(self, text, where="correlate"):
        with tree({f"{where}/CMakeLists.txt": text, "base/CMakeLists.txt": "fl_layer(base SOURCES mem.c)",
                   "graph/CMakeLists.txt": "fl_layer(graph SOURCES g.c USES base)"}) as folder:
            return list(check_layers.layer_problems(pathlib.Path(folder)))

    def test_linking_a_lower_layer_is_fine(self):
        self.assertEqual([], self.problems("fl_layer(logs DIR logs SOURCES logs/a.c # USES graph\n USES base PACKAGES YAML)"))

    def test_linking_sideways_an_unknown_layer_or_from_an_unknown_folder_is_not(self):
        self.assertIn("may not use graph", self.problems("fl_layer(logs DIR logs SOURCES a.c USES base graph)")[0])
        self.assertIn("uses nonsense, which is no layer", self.problems("fl_layer(logs DIR logs SOURCES a.c USES nonsense)")[0])
        self.assertIn("has no entry in ALLOWED", self.problems("fl_layer(new DIR new SOURCES a.c)")[0])


class Docs(unittest.TestCase):
    def commands(self, text):
        return [(c.line, c.text, c.exit_code, c.output, c.skip) for c in check_docs.commands_of(text)]

    def test_console_blocks_give_commands_with_their_output(self):
        text = "```console\n$ faultline a \\\n    -b\none\ntwo\n$ faultline c\n```\n"
        self.assertEqual([(2, "faultline a \\\n    -b", 0, ["one", "two"], None), (6, "faultline c", 0, [], None)], self.commands(text))

    def test_sh_blocks_give_each_line_that_is_no_comment(self):
        self.assertEqual([(3, "a", 0, None, None), (4, "b |\n  c", 0, None, None)], self.commands("```sh\n# note\na\nb |\n  c\n```\n"))

    def test_a_marker_states_the_exit_code_or_the_reason_to_skip(self):
        self.assertEqual([(3, "a", 6, None, None)], self.commands("<!-- test: exit 6 -->\n```sh\na\n```\n"))
        self.assertEqual([(3, "a", 0, None, "needs root")], self.commands("<!-- test: skip needs root -->\n```sh\na\n```\n"))

    def test_other_blocks_are_not_commands(self):
        self.assertEqual([], self.commands("```text\nrm\n```\n```c\nint a;\n```\n"))

    def test_dots_stand_for_any_lines_of_output(self):
        self.assertTrue(check_docs.output_matches(["a", "...", "d"], ["a", "b", "c", "d"]))
        self.assertTrue(check_docs.output_matches(["..."], []))
        self.assertFalse(check_docs.output_matches(["a", "...", "d"], ["a", "b", "c"]))
        self.assertFalse(check_docs.output_matches(["a"], ["a", "b"]))

    def test_fresh_output_is_cut_as_the_old_one_was(self):
        self.assertEqual(["A", "...", "D"], check_docs.abridged(["a", "...", "d"], ["A", "B", "C", "D"]))
        self.assertEqual(["A", "B", "..."], check_docs.abridged(["a", "b", "..."], ["A", "B", "C", "D"]))
        self.assertEqual(["A"], check_docs.abridged(["a", "...", "d"], ["A"]))
        self.assertEqual(["A", "B"], check_docs.abridged(["a"], ["A", "B"]))

    def test_man_examples_are_commands(self):
        page = ".SH SYNOPSIS\nfaultline x\n.SH EXAMPLES\n.PP\nWords\n.EX\n$ faultline triage \\-\\-otlp DIR\n.EE\n.SH FILES\n"
        self.assertEqual(["faultline triage --otlp DIR"], [c.text for c in check_docs.man_commands_of(page)])

    def test_dead_links_and_places_left_open_are_found(self):
        with tree({"README.md": "[a](docs/a.md) [b](gone.md) [c](https://example.org) [d](#top)\n<!-- fill: x -->\n", "docs/a.md": ""}) as folder:
            found = check_docs.lint(pathlib.Path(folder))
        self.assertEqual(["README.md:1: link to gone.md, which is not there", "README.md:2: a place still to be filled"],
                         [p for p in found if "gone" in p or "filled" in p])
        self.assertEqual([], [p for p in found if "a.md" in p and "not there" in p])
        self.assertIn("docs/README.md: does not list a.md", found)


if __name__ == "__main__":
    unittest.main()
