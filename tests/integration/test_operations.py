#!/usr/bin/env python3
"""The page on running a shared store says what is so: its roles suffice and its backup is whole. Run by with_postgres.

usage: test_operations.py FAULTLINE SOURCE [--sizes]
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

INCIDENT = "examples/shop/incidents/pool-exhaustion"


def fail(what):
    sys.exit(f"test_operations: {what}")


def psql(sql, database="postgres"):
    done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database], input=sql, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(f"psql: {done.stderr.strip()} in\n{sql}")
    return done.stdout.strip()


class Program:
    def __init__(self, path, source):
        self.path, self.source = path, source

    def run(self, user, *words, database="postgres", codes=(0,)):
        done = subprocess.run([self.path, *words, "--store", "postgresql://"], cwd=self.source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "PGUSER": user, "PGDATABASE": database, "USER": "ada"})
        if done.returncode not in codes:
            fail(f"{user}: {' '.join(words)}: exit code {done.returncode}, {done.stderr.strip()}")
        return done.stdout if done.returncode == 0 else done.stderr


def sizes():
    """Bytes a row, with the indexes, of a graph as large as a year of a busy team's."""
    psql("""INSERT INTO faultline.node SELECT 'default', 1e12::bigint + i, 'symptom', 'metric|cpu|made-up metric number ' || i, 'cpu: made-up metric number ' || i, i
              FROM generate_series(1, 50000) AS i;
            INSERT INTO faultline.edge SELECT 'default', 2e12::bigint + i, 'explained-by', 1e12::bigint + 1 + i % 50000, 1e12::bigint + 1 + (i * 7) % 50000, NULL, i
              FROM generate_series(1, 100000) AS i;
            INSERT INTO faultline.evidence SELECT 'default', 2e12::bigint + 1 + i % 100000, 'person', 'ada', i, '20261122T235848Z-' || i, 1, i, i, NULL
              FROM generate_series(1, 500000) AS i""")
    for table in ("node", "edge", "evidence"):
        psql(f"VACUUM ANALYZE faultline.{table}")
        print(table, psql(f"SELECT count(*), pg_total_relation_size('faultline.{table}') / count(*) FROM faultline.{table}"))
    print("document", psql("SELECT avg(length(document))::int, avg(pg_column_size(document))::int FROM faultline.incident"))


def main():
    program, source = Program(sys.argv[1], sys.argv[2]), pathlib.Path(sys.argv[2])
    page = (source / "docs/operations.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", page, re.S)
    if len(blocks) != 3:
        fail(f"docs/operations.md has {len(blocks)} blocks of SQL, not roles, grants and retention")
    psql(blocks[0])
    program.run("faultline_owner", "graph", "init")
    psql(blocks[1])
    truth = (source / INCIDENT / "truth.json").read_text()
    at = re.search(r'"incident_time": "([^"]+)"', truth).group(1)
    baseline = f"examples/shop/incidents/{re.search(r'baseline.: .([^,]+).,', truth).group(1)}"
    for _ in range(2):  # the second replaces the document
        program.run("faultline_writer", "triage", "--otlp", INCIDENT, "--baseline", baseline, "--at", at)
    name = psql("SELECT id FROM faultline.incident")
    program.run("faultline_writer", "confirm", name, "--fix", "raise the pool")
    told = program.run("faultline_reader", "graph", "paths", "--incident", name)
    if "raise the pool" not in told:
        fail(f"a reader is not told the fix: {told}")
    program.run("faultline_reader", "similar", name)
    refused = program.run("faultline_reader", "reject", name, "--why", "no", codes=(1,))
    if "permission denied" not in refused:
        fail(f"a reader was not refused: {refused}")
    with tempfile.TemporaryDirectory() as place:
        dump = pathlib.Path(place) / "faultline.sql"
        subprocess.run(["pg_dump", "--schema=faultline", "--no-owner", f"--file={dump}"], check=True)
        psql("CREATE DATABASE restored")
        psql(dump.read_text(), "restored")
    before = program.run("faultline", "graph", "export")
    if program.run("faultline", "graph", "export", database="restored") != before:
        fail("the restored store is another one")
    program.run("faultline", "graph", "check", database="restored")
    psql(blocks[2])
    if psql("SELECT count(*) FROM faultline.incident") != "1":
        fail("retention has deleted what is new")
    psql("UPDATE faultline.incident SET stored_ns = 0")
    psql(blocks[2])
    if psql("SELECT count(*) FROM faultline.incident") != "0":
        fail("retention has kept what is old")
    program.run("faultline_reader", "graph", "check")
    if "--sizes" in sys.argv:
        sizes()
    print("ok: roles, backup, retention")


if __name__ == "__main__":
    main()
