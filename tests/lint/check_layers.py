#!/usr/bin/env python3
"""Fail when an include points up or sideways, when a layer links what it may not, or a private header leaks.

usage: check_layers.py ROOT
"""
import pathlib
import re
import sys

# folder -> folders it may include. The only place the architecture is written as data.
LOWEST = {"include", "base", "base/contract"}
CORRELATE = {"correlate/callgraph", "correlate/facts", "correlate/gc", "correlate/heap", "correlate/suspects", "correlate/oql", "correlate/leak", "correlate/sched", "correlate/logs", "correlate/traces", "correlate/rank",
             "correlate/watch"}
GRAPH = {"graph", "graph/exchange", "graph/learn", "graph/library", "graph/model", "graph/recall", "graph/recommend", "graph/store"}
INGEST = {
    "ingest/alerts",
    "ingest/archive",
    "ingest/block",
    "ingest/documents",
    "ingest/changes",
    "ingest/events",
    "ingest/fetch",
    "ingest/gclog",
    "ingest/goroutine",
    "ingest/gostats",
    "ingest/histo",
    "ingest/hprof",
    "ingest/gotrace",
    "ingest/hserr",
    "ingest/intake",
    "ingest/jaeger",
    "ingest/jfr",
    "ingest/loki",
    "ingest/mapping",
    "ingest/naming",
    "ingest/otlp",
    "ingest/pprof",
    "ingest/profile",
    "ingest/prometheus",
    "ingest/pull",
    "ingest/pyroscope",
    "ingest/redact",
    "ingest/signatures",
    "ingest/sources",
    "ingest/srcmap",
    "ingest/symbol",
    "ingest/timeline",
    "ingest/zipkin",
}
SERVE = {
    "app/serve/api",
    "app/serve/grpc",
    "app/serve/http",
    "app/serve/incidents",
    "app/serve/kafka",
    "app/serve/receive",
}
ALL = LOWEST | CORRELATE | GRAPH | INGEST | {"base/disk"}
ALLOWED = {
    "include": set(),
    "base": {"include"},
    "base/contract": {"include", "base"},
    "base/disk": {"include", "base"},
    "ingest/alerts": LOWEST | {"ingest/intake"},
    "ingest/archive": LOWEST | {"base/disk", "ingest/block"},
    "ingest/block": LOWEST | {"base/disk"},
    "ingest/documents": LOWEST,
    "ingest/changes": LOWEST | {"ingest/intake"},
    "ingest/events": LOWEST,
    "ingest/fetch": LOWEST,
    "ingest/gclog": LOWEST,
    "ingest/goroutine": LOWEST | {"ingest/profile"},
    "ingest/gostats": LOWEST,
    "ingest/histo": LOWEST,
    "ingest/hprof": LOWEST,
    "ingest/gotrace": LOWEST,
    "ingest/hserr": LOWEST,
    "ingest/intake": LOWEST,
    "ingest/jaeger": LOWEST | {"ingest/intake"},
    "ingest/jfr": LOWEST | {"ingest/profile"},
    "ingest/loki": LOWEST | {"ingest/intake"},
    "ingest/mapping": LOWEST,
    "ingest/naming": LOWEST | {"ingest/profile", "ingest/srcmap", "ingest/symbol"},
    "ingest/otlp": LOWEST,
    "ingest/profile": LOWEST,
    "ingest/prometheus": LOWEST | {"ingest/intake"},
    "ingest/pull": LOWEST | {"ingest/fetch"},
    "ingest/pyroscope": LOWEST | {"ingest/intake"},
    "ingest/pprof": LOWEST | {"ingest/goroutine", "ingest/profile"},
    "ingest/sources": LOWEST | {"ingest/fetch", "ingest/intake", "ingest/jaeger", "ingest/loki", "ingest/otlp",
                                "ingest/prometheus", "ingest/pull"},
    "ingest/srcmap": LOWEST,
    "ingest/symbol": LOWEST,
    "ingest/timeline": LOWEST,
    "ingest/zipkin": LOWEST | {"ingest/intake"},
    "ingest/redact": LOWEST,
    "ingest/signatures": LOWEST,
    "correlate/stat": LOWEST,
    "correlate/callgraph": LOWEST,
    "correlate/facts": LOWEST,
    "correlate/heap": LOWEST,
    "correlate/oql": LOWEST | {"correlate/heap"},
    "correlate/suspects": LOWEST | {"correlate/heap"},
    "correlate/gc": LOWEST | {"correlate/facts", "correlate/leak"},
    "correlate/leak": LOWEST | {"correlate/stat"},
    "correlate/logs": LOWEST,
    "correlate/sched": LOWEST | {"correlate/facts"},
    "correlate/traces": LOWEST | {"correlate/stat"},
    "correlate/rank": LOWEST | {"correlate/stat"},
    "correlate/watch": LOWEST | {"correlate/stat"},
    "graph/learn": LOWEST | {"correlate/logs", "graph/model", "graph/recall", "graph/store"},
    "graph/model": LOWEST,
    "graph/store": LOWEST | {"graph/model"},
    "graph/exchange": LOWEST | {"graph/model", "graph/recall", "graph/store"},
    "graph/recall": LOWEST | {"graph/model", "graph/store"},
    "graph/library": LOWEST | {"graph/model", "graph/store", "graph/recall"},
    "graph/recommend": LOWEST | {"graph/model", "graph/store", "graph/recall", "graph/library"},
    "graph": LOWEST | GRAPH,
    "app/mcp": LOWEST,
    "app/heap": LOWEST | {"app/profile", "correlate/heap", "correlate/oql", "correlate/suspects"},
    "app/profile": LOWEST | {"correlate/callgraph"},
    "app/report": LOWEST | GRAPH,
    "app/trace": LOWEST | {"app/report", "correlate/sched"},
    "app/config": LOWEST,
    "app/jfr": LOWEST | {"ingest/jfr", "ingest/profile", "app/report"},
    "app/pipeline": ALL | {"correlate/stat"},
    "app/serve/api": LOWEST | GRAPH | {"ingest/documents", "app/remember", "app/report", "app/serve/http"},
    "app/serve/grpc": LOWEST | {"app/serve/http"},
    "app/serve/kafka": LOWEST | {"app/serve/http"},
    "app/serve/http": LOWEST,
    "app/serve/incidents": ALL | {"app/pipeline", "app/remember", "app/report", "app/serve/http"},
    "app/remember": LOWEST | GRAPH | {"app/pipeline"},
    "app/web": LOWEST | GRAPH | {"app/report", "app/serve/http"},
    "app/serve/receive": LOWEST | INGEST | {"base/disk", "app/serve/http"},
    "app/serve": ALL | {"app/config", "app/pipeline", "app/report", "app/web"} | SERVE,
    "app/cli": ALL | {"app/config", "app/heap", "app/jfr", "app/mcp", "app/report", "app/pipeline", "app/profile", "app/remember", "app/serve", "app/trace", "app/web"} | SERVE,
    "examples": {"include"},
    "tests": ALL | {"correlate/stat", "app/config", "app/heap", "app/jfr", "app/report", "app/pipeline", "app/profile", "app/cli",
                    "app/mcp",
                    "app/remember", "app/serve", "app/trace", "app/web",
                    "tests"} | SERVE,
}
LAYER = re.compile(r"\bfl_layer\(\s*(\w+)([^)]*)\)", re.S)
KEYWORDS = ("DIR", "SOURCES", "USES", "PACKAGES")


def folder_of(path):
    return next((f for f in sorted(ALLOWED, key=len, reverse=True) if path.as_posix().startswith(f + "/")), None)


def layers_of(root):
    """name -> (folder, names it USES, where), out of the fl_layer() calls."""
    layers = {}
    for path in sorted(root.rglob("CMakeLists.txt")):
        where = path.relative_to(root)
        if "build" in where.parts:
            continue
        text = re.sub(r"#[^\n]*", "", path.read_text())
        for name, arguments in LAYER.findall(text):
            words, keyword = {k: [] for k in KEYWORDS}, None
            for word in arguments.split():
                keyword, is_value = (word, False) if word in KEYWORDS else (keyword, True)
                if is_value and keyword:
                    words[keyword].append(word)
            folder = where.parent / (words["DIR"] or ["."])[0]
            layers[name] = (folder.as_posix(), words["USES"], where)
    return layers


def layer_problems(root):
    layers = layers_of(root)
    for name, (folder, uses, where) in layers.items():
        if folder not in ALLOWED:
            yield f"{where}: layer {name}: folder {folder} has no entry in ALLOWED"
            continue
        for used in uses:
            theirs = layers[used][0] if used in layers else None
            if theirs is None:
                yield f"{where}: layer {name} uses {used}, which is no layer"
            elif theirs not in ALLOWED[folder]:
                yield f"{where}: layer {name} ({folder}) may not use {used} ({theirs})"


def main(root):
    sources = [p.relative_to(root) for p in root.rglob("*.[ch]") if "build" not in p.relative_to(root).parts]
    headers, problems = {}, list(layer_problems(root))
    problems += [f"ALLOWED names {folder}, which is not there" for folder in ALLOWED if not (root / folder).is_dir()]
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
