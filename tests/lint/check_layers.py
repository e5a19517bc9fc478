#!/usr/bin/env python3
"""Fail when an include points up or sideways, when a private header leaks, or when a size budget breaks."""
import pathlib
import re
import sys

# folder -> folders it may include. The only place the architecture is written as data.
LOWEST = {"include", "base", "base/contract"}
CORRELATE = {"correlate/detect", "correlate/logs", "correlate/traces", "correlate/rank"}
ALL = LOWEST | CORRELATE | {"ingest/otlp", "ingest/timeline", "graph", "graph/store"}
ALLOWED = {
    "include": set(),
    "base": {"include"},
    "base/contract": {"include", "base"},
    "ingest/otlp": LOWEST,
    "ingest/timeline": LOWEST,
    "correlate/stat": LOWEST,
    "correlate/detect": LOWEST | {"correlate/stat"},
    "correlate/logs": LOWEST,
    "correlate/traces": LOWEST | {"correlate/stat"},
    "correlate/rank": LOWEST | {"correlate/stat"},
    "graph/store": LOWEST,
    "graph": LOWEST | {"graph/store"},
    "app/report": LOWEST,
    "app/pipeline": ALL,
    "app/cli": ALL | {"app/report", "app/pipeline"},
    "examples": {"include"},
    "tests": ALL | {"correlate/stat", "app/report", "app/pipeline", "app/cli", "tests"},
}
MAX_FILE_LINES = 800


def folder_of(path):
    return next((f for f in sorted(ALLOWED, key=len, reverse=True) if path.as_posix().startswith(f + "/")), None)


def main(root):
    sources = [p.relative_to(root) for p in root.rglob("*.[ch]") if "build" not in p.parts]
    headers, problems = {}, []
    for path in sources:
        if path.suffix == ".h":
            if path.name in headers and folder_of(path) != "tests":
                problems.append(f"{path}: header name also used by {headers[path.name]}")
            headers[path.name] = path
    for path in sources:
        mine, text = folder_of(path), (root / path).read_text()
        if mine is None:
            problems.append(f"{path}: folder has no entry in ALLOWED")
            continue
        if text.count("\n") > MAX_FILE_LINES:
            problems.append(f"{path}: {text.count(chr(10))} lines, limit {MAX_FILE_LINES}")
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M):
            target = headers.get(pathlib.PurePath(name).name)
            if target is None:
                continue
            theirs = folder_of(target)
            if ".." in name:
                problems.append(f"{path}: relative include {name}")
            if theirs != mine and theirs not in ALLOWED[mine]:
                problems.append(f"{path}: {mine} may not include {theirs} ({name})")
            if target.stem.endswith("_priv") and theirs not in (mine, None) and mine != "tests":
                problems.append(f"{path}: private header {name} used outside {theirs}")
    print("\n".join(problems) or f"{len(sources)} files, no layering problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
