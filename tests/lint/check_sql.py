#!/usr/bin/env python3
"""Fail when a statement or a table would not keep to what a database that is divided by team answers from one part.

usage: check_sql.py ROOT

Citus divides tables by a distribution column, here `team`. It wants that column in every primary key, unique constraint and
foreign key, joins only what is divided alike, and sends a statement to one node when the column is compared with a constant. So:
  migrations   every key, unique constraint, foreign key (both sides) and index of a PostgreSQL table begins with team
  statements   every INSERT gives team first; every other use of such a table says `team = $1`, first in its WHERE;
               every ON CONFLICT that names columns begins with team
The statements are the string literals of the PostgreSQL store after the C preprocessor has put them together.
"""
import pathlib
import re
import subprocess
import sys

SOURCES = ("graph/store/graph_sql.h", "graph/store/postgres_graph.c", "graph/store/postgres_live.c", "graph/store/store_postgres.c")
MIGRATIONS = "schemas/sql/postgresql"
LITERAL = re.compile(r"""'(?:\\.|[^'\\])'|"((?:\\.|[^"\\])*)\"""")
FIRST = "team"


def statements_of(text):
    """Every run of string literals in C source without its includes, macros expanded, as one text; divided at semicolons."""
    source = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#include"))
    done = subprocess.run(["cc", "-E", "-P", "-x", "c", "-"], input=source, stdout=subprocess.PIPE, text=True, check=True)
    runs, end = [], None
    for found in LITERAL.finditer(done.stdout):
        if found.group(1) is None:  # a character
            continue
        between = done.stdout[end:found.start()] if end is not None else "x"
        if between.strip() == "":
            runs[-1] += found.group(1)
        else:
            runs.append(found.group(1))
        end = found.end()
    return [re.sub(r"\s+", " ", part).strip() for run in runs for part in run.split(";") if part.strip()]


def without_comments(sql):
    return re.sub(r"--[^\n]*", "", sql)


def tables_of(sql):
    """{table: body between its parentheses}."""
    return {m.group(1): m.group(2) for m in re.finditer(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*?)\n\);", without_comments(sql), re.S)}


def first_column(columns):
    return columns.split(",")[0].strip()


def check_migration(sql, where):
    problems = []
    for table, body in tables_of(sql).items():
        if not re.search(r"\bPRIMARY KEY \(", body):
            problems.append(f"{where}: {table} has no primary key of columns")
        for what, columns in re.findall(r"\b(PRIMARY KEY|UNIQUE|FOREIGN KEY) \(([^)]*)\)", body):
            if first_column(columns) != FIRST:
                problems.append(f"{where}: {table}: {what} ({columns}) does not begin with {FIRST}")
        for column in re.findall(r"^\s*(\w+)[^,\n]*\b(?:PRIMARY KEY|UNIQUE)\b(?! \()", body, re.M):
            problems.append(f"{where}: {table}: {column} alone is a key")
        for other, columns in re.findall(r"REFERENCES (\w+) ?(\([^)]*\))?", body):
            if first_column(columns.strip("()")) != FIRST:
                problems.append(f"{where}: {table}: the reference to {other} {columns} does not begin with {FIRST}")
    for name, columns in re.findall(r"CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?(\w+) ON \w+ ?\(([^)]*)", without_comments(sql)):
        if first_column(columns) != FIRST:
            problems.append(f"{where}: index {name} ({columns}) does not begin with {FIRST}")
    return problems


def scope_from(sql, at):
    """From there to the end of the parenthesis that it stands in."""
    depth = 0
    for i in range(at, len(sql)):
        depth += (sql[i] == "(") - (sql[i] == ")")
        if depth < 0:
            return sql[at:i]
    return sql[at:]


def check_statement(sql, tables, where):
    problems = []
    names = "|".join(sorted(tables))
    shown = f"{where}: {sql[:90]}"
    for found in re.finditer(rf"\bINSERT INTO (?:faultline\.)?({names})\b ?\(([^)]*)\) (VALUES \(|SELECT )([^ ,)]*)", sql):
        if first_column(found.group(2)) != FIRST or found.group(4) != "$1":
            problems.append(f"{shown}: the first value is not that of {FIRST}, $1")
    for found in re.finditer(rf"\bINSERT INTO (?:faultline\.)?({names})\b(?! ?\()", sql):
        problems.append(f"{shown}: columns are not named")
    for found in re.finditer(rf"\bCOPY (?:faultline\.)?({names})\b ?(\([^)]*\))?", sql):
        if first_column((found.group(2) or "").strip("()")) != FIRST:
            problems.append(f"{shown}: the columns that are copied do not begin with {FIRST}")
    for columns in re.findall(r"ON CONFLICT \(([^)]*)\)", sql):
        if first_column(columns) != FIRST:
            problems.append(f"{shown}: ON CONFLICT ({columns}) does not begin with {FIRST}")
    for found in re.finditer(rf"(?<!INSERT INTO )(?:\bFROM|\bJOIN|\bUPDATE|,) (?:faultline\.)?({names})\b(?! ?\()", sql):
        if not re.search(rf"\bWHERE (?:\w+\.)?{FIRST} = \$1\b", scope_from(sql, found.end())):
            problems.append(f"{shown}: {found.group(1)} is read without WHERE {FIRST} = $1")
    for found in re.finditer(rf"\bJOIN (?:faultline\.)?({names})\b(.*?)(?= JOIN | WHERE |$)", sql):
        if not re.search(rf"\b{FIRST} = ", found.group(2)):
            problems.append(f"{shown}: {found.group(1)} is joined without {FIRST}")
    return problems


def check(root):
    migrations = sorted((root / MIGRATIONS).glob("*.sql"))
    texts = [path.read_text() for path in migrations]
    tables = {table for text in texts for table in tables_of(text)}
    problems = [p for path, text in zip(migrations, texts) for p in check_migration(text, path.relative_to(root))]
    header = (root / SOURCES[0]).read_text()
    seen = 0
    for name in SOURCES:
        text = (root / name).read_text()
        for sql in statements_of(text if name == SOURCES[0] else header + "\n" + text):
            seen += any(re.search(rf"\b{table}\b", sql) for table in tables) and bool(re.match(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b", sql))
            problems += check_statement(sql, tables, name)
    if not tables or seen < len(tables):
        problems.append(f"only {seen} statements on {len(tables)} tables were found: the check has lost sight of them")
    return sorted(set(problems)), seen, len(tables)


def main():
    problems, seen, tables = check(pathlib.Path(sys.argv[1]))
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(1)
    print(f"{seen} statements on {tables} tables, each of one team")


if __name__ == "__main__":
    main()
