#!/usr/bin/env python3
"""Check the recorded incidents under examples/shop/incidents: each file decompresses, each line is one OTLP export request
in its JSON form, all times lie in the stated range, the truth is complete and occurs in what was recorded, and
nothing of the machine that recorded them got in.

usage: test_examples.py ROOT
"""
import datetime
import gzip
import json
import pathlib
import re
import subprocess
import sys

MAX_TOTAL_BYTES = 4 << 20
# A batch that arrives first may hold spans that ended up to one export interval before, and have begun before that.
EARLY_NS, LATE_NS = 20 * 10**9, 2 * 10**9
KINDS = {"logs": "resourceLogs", "traces": "resourceSpans", "metrics": "resourceMetrics"}
SERVICES = {"logs": {"storefront", "orders", "payment", "bank"}, "traces": {"storefront", "orders", "payment", "bank"},
            "metrics": {"storefront", "orders", "payment", "bank", "redis", "postgresql"}}

# The members of OTLP's JSON form (opentelemetry-proto 1.x) that a recording may use, and what each holds.
TEXT, BOOL, INT32, INT64, TIME, NUMBER, TRACE_ID, SPAN_ID = "text bool int32 int64 time number traceId spanId".split()
MESSAGES = {
    "resourceLogs": {"resource": "resource", "scopeLogs": ["scopeLogs"], "schemaUrl": TEXT},
    "resourceSpans": {"resource": "resource", "scopeSpans": ["scopeSpans"], "schemaUrl": TEXT},
    "resourceMetrics": {"resource": "resource", "scopeMetrics": ["scopeMetrics"], "schemaUrl": TEXT},
    "resource": {"attributes": ["attribute"]},
    "scope": {"name": TEXT, "version": TEXT, "attributes": ["attribute"]},
    "attribute": {"key": TEXT, "value": "value"},
    "value": {"stringValue": TEXT, "boolValue": BOOL, "intValue": INT64, "doubleValue": NUMBER, "arrayValue": "array"},
    "array": {"values": ["value"]},
    "scopeLogs": {"scope": "scope", "logRecords": ["logRecord"], "schemaUrl": TEXT},
    "logRecord": {"timeUnixNano": TIME, "observedTimeUnixNano": TIME, "severityNumber": INT32, "severityText": TEXT,
                  "body": "value", "attributes": ["attribute"], "flags": INT32, "traceId": TRACE_ID, "spanId": SPAN_ID},
    "scopeSpans": {"scope": "scope", "spans": ["span"], "schemaUrl": TEXT},
    "span": {"traceId": TRACE_ID, "spanId": SPAN_ID, "parentSpanId": SPAN_ID, "flags": INT32, "name": TEXT, "kind": INT32,
             "startTimeUnixNano": TIME, "endTimeUnixNano": TIME, "attributes": ["attribute"], "events": ["event"],
             "status": "status"},
    "event": {"timeUnixNano": TIME, "name": TEXT, "attributes": ["attribute"]},
    "status": {"code": INT32, "message": TEXT},
    "scopeMetrics": {"scope": "scope", "metrics": ["metric"], "schemaUrl": TEXT},
    "metric": {"name": TEXT, "description": TEXT, "unit": TEXT, "gauge": "gauge", "sum": "sum", "histogram": "histogram"},
    "gauge": {"dataPoints": ["point"]},
    "sum": {"dataPoints": ["point"], "aggregationTemporality": INT32, "isMonotonic": BOOL},
    "histogram": {"dataPoints": ["histogramPoint"], "aggregationTemporality": INT32},
    "point": {"attributes": ["attribute"], "startTimeUnixNano": INT64, "timeUnixNano": TIME, "asDouble": NUMBER,
              "asInt": INT64, "exemplars": ["exemplar"]},
    "histogramPoint": {"attributes": ["attribute"], "startTimeUnixNano": INT64, "timeUnixNano": TIME, "count": INT64,
                       "sum": NUMBER, "min": NUMBER, "max": NUMBER, "bucketCounts": [INT64], "explicitBounds": [NUMBER],
                       "exemplars": ["exemplar"]},
    # An exemplar is the last one seen, and may be older than the recording.
    "exemplar": {"timeUnixNano": INT64, "asDouble": NUMBER, "asInt": INT64, "traceId": TRACE_ID, "spanId": SPAN_ID},
}
DECIMAL = re.compile(r"-?\d{1,19}")
HEX = {TRACE_ID: re.compile(r"[0-9a-f]{32}"), SPAN_ID: re.compile(r"[0-9a-f]{16}")}
# Paths of people's homes and work folders, and addresses other than loopback.
LEAK = re.compile(r"/(?:home|root|tmp|work|wt|Users)/[\w.-]*|\b(?!127\.0\.0\.1\b)(?:\d{1,3}\.){3}\d{1,3}\b")
PROFILE = re.compile(r"(heap|goroutine)-(\d{8}T\d{6}Z)\.pb\.gz")
# A mapped file in a profile: the shop's own programs and the system's libraries.
MAPPED = re.compile(r"/(?:var/tmp/shop/bin|usr/lib|lib|lib64)/")


class Problem(Exception):
    pass


def require(holds, sentence):
    if not holds:
        raise Problem(sentence)


def ns_of(text):
    """Nanoseconds since the epoch of an RFC 3339 time in UTC."""
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * 10**9


def check_scalar(kind, value, window, where):
    if kind == TEXT:
        require(isinstance(value, str), f"{where} is not a string")
    elif kind == BOOL:
        require(isinstance(value, bool), f"{where} is not a boolean")
    elif kind == INT32:
        require(isinstance(value, int) and not isinstance(value, bool), f"{where} is not an integer")
    elif kind == NUMBER:
        require(isinstance(value, (int, float)) and not isinstance(value, bool), f"{where} is not a number")
    elif kind in HEX:
        require(isinstance(value, str) and HEX[kind].fullmatch(value), f"{where} is not a {kind} in hex")
    else:
        require(isinstance(value, str) and DECIMAL.fullmatch(value), f"{where} is not a 64-bit integer as a string")
        if kind == TIME:
            require(window[0] <= int(value) <= window[1], f"{where} lies outside of what was recorded")


def check_message(kind, value, window, where):
    """Checks value against MESSAGES without recursion: the nesting is what the input says."""
    waiting = [(kind, value, where)]
    while waiting:
        kind, value, where = waiting.pop()
        if isinstance(kind, list):
            require(isinstance(value, list), f"{where} is not an array")
            waiting += [(kind[0], item, where) for item in value]
        elif kind in MESSAGES:
            require(isinstance(value, dict), f"{where} is not an object")
            for name, member in value.items():
                require(name in MESSAGES[kind], f"{where} has a member {name!r} that OTLP does not know there")
                waiting.append((MESSAGES[kind][name], member, f"{where}.{name}"))
        else:
            check_scalar(kind, value, window, where)


def attributes_of(resource):
    return {a["key"]: a["value"].get("stringValue") for a in resource["attributes"]}


def check_telemetry(folder, kind, window):
    """Checks one file and returns its text."""
    file = folder / f"{kind}.otlp.jsonl.zst"
    text = subprocess.run(["zstd", "-dcq", file], check=True, stdout=subprocess.PIPE).stdout.decode("utf-8")
    require(text.endswith("\n"), f"{file} ends in the middle of a line")
    services = set()
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{folder.name}/{kind}, line {number}"
        request = json.loads(line)
        require(list(request) == [KINDS[kind]], f"{where}: not one export request for {kind}")
        for entry in request[KINDS[kind]]:
            check_message(KINDS[kind], entry, window, where)
            attributes = attributes_of(entry["resource"])
            services.add(attributes["service.name"])
            require(re.fullmatch(r"shop-node-\d", attributes["host.name"]), f"{where}: host name {attributes['host.name']}")
    require(services == SERVICES[kind], f"{file} has services {sorted(services)}")
    leak = LEAK.search(text)
    require(leak is None, leak and f"{file} names {leak.group()}")
    return text


def check_profiles(folder, window):
    """Checks the profiles and returns the bytes of all, decompressed, by service."""
    found = {}
    for home in sorted((folder / "profiles").iterdir()):
        heaps = 0
        found[home.name] = b""
        for file in sorted(home.glob("*.pb.gz")):
            name = PROFILE.fullmatch(file.name)
            require(name, f"{file} has a name of another form")
            at = datetime.datetime.strptime(name.group(2), "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
            require(window[0] <= at.timestamp() * 10**9 <= window[1], f"{file} lies outside of what was recorded")
            heaps += name.group(1) == "heap"
            content = gzip.decompress(file.read_bytes())
            for path in re.findall(rb"/[\w.+-]+(?:/[\w.+-]+)+/[\w.+-]+", content):
                leak = LEAK.search(path.decode())
                require(leak is None or MAPPED.match(path.decode()), leak and f"{file} names {leak.group()}")
            found[home.name] += content
        minutes = (window[1] - window[0]) // (60 * 10**9)
        require(heaps >= minutes, f"{home} has {heaps} heap profiles for {minutes} minutes")
        counters = [json.loads(line) for line in (home / "memstats.jsonl").read_text().splitlines()]
        require(len(counters) == heaps, f"{home} has not one line of counters for each heap profile")
    require(set(found) == {"orders", "payment"}, f"{folder} has profiles of {sorted(found)}")
    return found


def check_truth(folder, truth, text, profiles):
    require(truth["case"] == f"shop/{folder.name}", f"{folder}: the case is named {truth['case']}")
    require((folder.parent / truth["baseline"]).is_dir(), f"{folder}: no baseline {truth['baseline']}")
    at, recorded = ns_of(truth["incident_time"]), truth["recorded"]
    require(ns_of(recorded["from"]) + 120 * 10**9 < at < ns_of(recorded["to"]) - 120 * 10**9,
            f"{folder}: less than two minutes before or after the incident's time")
    cause = truth["root_cause"]
    for member in ("service", "instance", "fault", "cause", "config", "metric"):
        require(isinstance(cause.get(member), str), f"{folder}: root_cause.{member} is missing")
    require("resource" in cause or "code_region" in cause, f"{folder}: the cause has neither resource nor code region")
    for statement in cause.get("code_region", []):
        require(statement in text["logs"], f"{folder}: no log says {statement!r}")
    for word in (cause["metric"], cause["instance"]):
        require(json.dumps(word) in text["metrics"], f"{folder}: no metric of {word}")
    require(cause["functions"], f"{folder}: root_cause.functions is empty")
    for function in cause["functions"]:
        require(function.encode() in profiles[cause["service"]], f"{folder}: no profile names {function}")


def check_recording(folder):
    described = folder / ("recorded.json" if folder.name == "baseline" else "truth.json")
    truth = json.loads(described.read_text())
    window = (ns_of(truth["recorded"]["from"]) - EARLY_NS, ns_of(truth["recorded"]["to"]) + LATE_NS)
    text = {kind: check_telemetry(folder, kind, window) for kind in KINDS}
    profiles = check_profiles(folder, (ns_of(truth["recorded"]["from"]), window[1]))
    if folder.name != "baseline":
        check_truth(folder, truth, text, profiles)
    require((folder / "load" / "summary.jsonl").stat().st_size > 0, f"{folder} has no summary of the load")


def main():
    incidents = pathlib.Path(sys.argv[1]) / "examples/shop/incidents"
    problems = []
    folders = sorted(path for path in incidents.iterdir() if path.is_dir())
    if [path.name for path in folders] != ["baseline", "cache-growth", "pool-exhaustion"]:
        problems.append(f"{incidents} holds {[path.name for path in folders]}")
    for folder in folders:
        try:
            check_recording(folder)
        except (Problem, KeyError, OSError, ValueError, subprocess.CalledProcessError) as problem:
            problems.append(f"{folder.name}: {type(problem).__name__}: {problem}")
    total = sum(path.stat().st_size for path in incidents.rglob("*") if path.is_file())
    if total > MAX_TOTAL_BYTES:
        problems.append(f"the recordings take {total} bytes, the limit is {MAX_TOTAL_BYTES}")
    for problem in problems:
        print(problem)
    print(f"{len(folders)} recordings, {total} bytes, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
