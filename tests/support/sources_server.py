#!/usr/bin/env python3
"""Prometheus, Loki, Tempo and Jaeger in one, for the tests of ingest/sources: they answer in the shapes of the
recorded replies, about an incident that is made up.

usage: sources_server.py AT_SECONDS[,WORD...]     prints its port, serves until its standard input ends

frontend calls checkout calls payment, ten times a minute; from AT on payment's calls fail after two seconds and its
pool of connections is exhausted. Words make the servers worse:
  older     Tempo knows no TraceQL          ill       Prometheus answers 503 to each question
  tight     Prometheus takes no query of more than one metric
  slow      profiles take a fifth of a second
Profiles (heap, allocs, goroutine) are served as of a Go program, which Prometheus scrapes.
  /hits     is what was asked, one path a line
"""
import base64
import collections
import gzip
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

WORDS = sys.argv[1].split(",")
AT = int(WORDS[0])
SCRAPE = 15
HITS = []
SERVICES = ["frontend", "checkout", "payment"]


def is_bad(t):
    return t >= AT


def trace_id(t):
    return f"{0xfa017 * 2**64 + t * 2654435761 % 2**64:032x}"


def b64(digits):
    return base64.b64encode(bytes.fromhex(digits)).decode()


def spans_of(t):
    """(service, span id, parent, kind, name, start ns, end ns, failed) of the trace that begins at t."""
    slow = 2_000_000_000 if is_bad(t) else 20_000_000 + t % 7 * 1_000_000
    begin = t * 10**9
    ids = [f"{t * 8 + i:016x}" for i in range(5)]
    return [
        ("frontend", ids[0], "", "SERVER", "GET /cart", begin, begin + slow + 40_000_000, is_bad(t)),
        ("frontend", ids[1], ids[0], "CLIENT", "Checkout", begin + 5_000_000, begin + slow + 35_000_000, is_bad(t)),
        ("checkout", ids[2], ids[1], "SERVER", "Checkout", begin + 6_000_000, begin + slow + 34_000_000, is_bad(t)),
        ("checkout", ids[3], ids[2], "CLIENT", "Pay", begin + 9_000_000, begin + slow + 30_000_000, is_bad(t)),
        ("payment", ids[4], ids[3], "SERVER", "Pay", begin + 10_000_000, begin + slow + 29_000_000, is_bad(t)),
    ]


def starts(lo, hi):
    return range(lo + -lo % 6, hi, 6)


def tempo_trace(t):
    batches = []
    for service in SERVICES:
        spans = [{"traceId": b64(trace_id(t)), "spanId": b64(i), **({"parentSpanId": b64(p)} if p else {}), "name": name,
                  "kind": "SPAN_KIND_" + kind, "startTimeUnixNano": str(a), "endTimeUnixNano": str(z),
                  "status": {"code": "STATUS_CODE_ERROR"} if failed else {}}
                 for s, i, p, kind, name, a, z, failed in spans_of(t) if s == service]
        batches.append({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                        "scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]})
    return {"batches": batches}


def jaeger_trace(t):
    processes = {f"p{i}": {"serviceName": s, "tags": []} for i, s in enumerate(SERVICES, 1)}
    spans = []
    for s, i, p, kind, name, a, z, failed in spans_of(t):
        tags = [{"key": "span.kind", "type": "string", "value": kind.lower()}]
        tags += [{"key": "error", "type": "bool", "value": True}] if failed else []
        refs = [{"refType": "CHILD_OF", "traceID": trace_id(t), "spanID": p}] if p else []
        spans.append({"traceID": trace_id(t), "spanID": i, "operationName": name, "references": refs,
                      "startTime": a // 1000, "duration": (z - a) // 1000, "tags": tags, "logs": [],
                      "processID": f"p{SERVICES.index(s) + 1}"})
    return {"traceID": trace_id(t), "spans": spans, "processes": processes}


def lines_of(app, lo_ns, hi_ns):
    """[ns, line], ten a minute and one more where it hurts; two share a moment, as senders of milliseconds do."""
    out = []
    for t in starts(lo_ns // 10**9 - 6, hi_ns // 10**9 + 6):
        ns = t * 10**9
        out += [[ns, f"order {t % 1000} placed"], [ns, f"cache hit for user {t % 777}"]]
        if is_bad(t) and app == "payment":
            out.append([ns + 10**6, "ERROR timeout after 2000ms while waiting for a connection"])
    return [[str(ns), line] for ns, line in out if lo_ns <= ns < hi_ns]


def series():
    """(labels, value at a time)"""
    out = []
    for s in SERVICES:
        out.append(({"__name__": "http_requests_total", "job": "shop/" + s, "instance": s + ":80"}, lambda t: t * 2.0))
        out.append(({"__name__": "process_resident_memory_bytes", "job": "shop/" + s, "instance": s + ":80"},
                    lambda t: 1e8 + t % 60))
    out.append(({"__name__": "db_pool_pending", "service": "payment", "pod": "payment-7d-abc"},
                lambda t: 40.0 + t % 5 if is_bad(t) else float(t % 2)))
    out.append(({"__name__": "kube_pod_restarts", "pod": "payment-7d-abc"}, lambda t: 0.0))
    for i in range(20):
        out.append(({"__name__": "unrelated_total", "job": f"other{i}"}, lambda t: float(t)))
    out.append(({"__name__": "node_cpu_seconds_total", "instance": "node1:9100", "job": "node"}, lambda t: t * 0.3))
    return out


def matches(selector, labels):
    for name, op, value in re.findall(r'(\w+)(=~|=)"((?:[^"\\]|\\.)*)"', selector):
        value = re.sub(r"\\(.)", r"\1", value)
        have = labels.get(name, "")
        if (re.fullmatch(value, have) is None) if op == "=~" else have != value:
            return False
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, body, code=200):
        body = gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode(), 1)
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def prometheus(self, path, ask):
        if "ill" in WORDS:
            return self.answer(b"gone for lunch", 503)
        if path == "/metadata":
            return self.data({"http_requests_total": [{"type": "counter", "help": "", "unit": ""}]})
        if path == "/label/__name__/values":
            return self.data(sorted({labels["__name__"] for labels, _ in series()}))
        if path == "/status/buildinfo":
            return self.data({"version": "2.42.0", "goVersion": "go1.19"})
        if path == "/status/tsdb":
            return self.data({"headStats": {"numSeries": len(series()), "minTime": (AT - 7200) * 1000}})
        if path == "/series":
            return self.data([labels for labels, _ in series() if any(matches(m, labels) for m in ask["match[]"])])
        if path == "/targets":
            host = f"127.0.0.1:{server.server_address[1]}"
            return self.data({"activeTargets": [
                {"labels": {"job": job, "instance": "one"}, "scrapeUrl": f"http://{host}/metrics", "health": health}
                for job, health in (("shop/payment", "up"), ("shop/cart", "down"), ("node", "up"))]})
        if path == "/label/job/values":
            return self.data(sorted({labels["job"] for labels, _ in series() if "job" in labels}))
        query = ask["query"][0]
        if query.startswith("count("):
            return self.data({"resultType": "vector", "result": [{"metric": {}, "value": [1, "2"]}]})
        if query == "time()":
            return self.data({"resultType": "scalar", "result": [AT + 0.5, str(AT + 0.5)]})
        selector, seconds = re.fullmatch(r"(\{.*\})\[(\d+)s\]", query).groups()
        if "tight" in WORDS and "|" in re.search(r'__name__=~"([^"]*)"', selector)[1]:
            return self.answer({"status": "error", "errorType": "execution", "error": "too many samples"}, 422)
        hi = float(ask["time"][0])
        lo = hi - int(seconds)
        times = range(int(lo) + -int(lo) % SCRAPE, int(hi) + 1, SCRAPE)
        result = [{"metric": labels, "values": [[t, repr(value(t))] for t in times]}
                  for labels, value in series() if matches(selector, labels)]
        return self.data({"resultType": "matrix", "result": result})

    def data(self, data):
        self.answer({"status": "success", "data": data})

    def loki(self, path, ask):
        if path == "/labels":
            return self.data(["app", "env", "level"])
        if path == "/label/app/values":
            return self.data(SERVICES + ["other"])
        if path == "/status/buildinfo":
            return self.answer({"version": "2.8.0"})
        lo, hi, limit = (int(ask[k][0]) for k in ("start", "end", "limit"))
        apps = [s for s in SERVICES if matches(ask["query"][0], {"app": s})]
        rows = sorted((int(ns), app, line) for app in apps for ns, line in lines_of(app, lo, hi))[:limit]
        streams = collections.defaultdict(list)
        for ns, app, line in rows:
            streams[app].append([str(ns), line])
        return self.data({"resultType": "streams", "stats": {}, "result": [
            {"stream": {"app": app, "env": "prod"}, "values": values} for app, values in sorted(streams.items())]})

    def tempo_search(self, ask):
        if "older" in WORDS and "q" in ask:
            return self.answer(b"unknown parameter", 400)
        wants_errors = "error" in (ask.get("q") or ask.get("tags") or [""])[0]
        lo, hi, limit = (int(ask[k][0]) for k in ("start", "end", "limit"))
        found = [t for t in starts(lo, hi) if is_bad(t) or not wants_errors][-limit:]
        return self.answer({"traces": [{"traceID": trace_id(t).lstrip("0"), "rootServiceName": "frontend",
                                        "startTimeUnixNano": str(t * 10**9), "durationMs": 60} for t in found],
                            "metrics": {"inspectedTraces": len(found)}})

    def jaeger(self, ask):
        lo, hi, limit = int(ask["start"][0]) // 10**6, int(ask["end"][0]) // 10**6, int(ask["limit"][0])
        found = [t for t in starts(lo, hi) if is_bad(t) or "tags" not in ask][-limit:]
        return self.answer({"data": [jaeger_trace(t) for t in found], "total": 0, "limit": 0, "offset": 0, "errors": None})

    def do_GET(self):
        path, _, query = self.path.partition("?")
        ask = urllib.parse.parse_qs(query)
        if path == "/hits":
            return self.answer("\n".join(HITS).encode())
        HITS.append(urllib.parse.unquote(self.path))
        if path.startswith("/api/v1/"):
            return self.prometheus(path[7:], ask)
        if path in ("/debug/pprof/heap", "/debug/pprof/allocs", "/debug/pprof/goroutine"):
            time.sleep(0.2 if "slow" in WORDS else 0)
            return self.answer(b"profile " + path.encode())
        if path.startswith("/loki/api/v1/"):
            return self.loki(path[12:], ask)
        if path == "/api/search":
            return self.tempo_search(ask)
        if path == "/api/status/buildinfo":
            return self.answer({"version": "2.0.1"})
        if path == "/api/search/tag/service.name/values":
            return self.answer({"tagValues": sorted(SERVICES)})
        if path == "/api/services":
            return self.answer({"data": SERVICES, "total": 3, "limit": 0, "offset": 0, "errors": None})
        if path == "/api/traces" and "service" in ask:
            return self.jaeger(ask)
        known = {trace_id(t): t for t in starts(AT - 10800, AT + 3600)}
        if path.startswith("/api/traces/") and path[12:] in known:
            return self.answer(tempo_trace(known[path[12:]]))
        return self.answer(b"404 page not found", 404)

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
