#!/usr/bin/env python3
"""OTLP JSON lines to protobuf, written against the field numbers of opentelemetry-proto 1.x by hand,
so that the decoder under test is not its own reference.

usage: otlp_json_to_proto.py INPUT OUTPUT [--single]

INPUT is a file of JSON lines, plain or .zst (then the zstd program reads it). OUTPUT gets each line as one
message behind its length (4 bytes, big-endian), or with --single the only line as a bare message.
"""
import base64
import json
import struct
import subprocess
import sys


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def tagged(field, wire, payload):
    return varint(field << 3 | wire) + payload


def data(field, payload):
    return tagged(field, 2, varint(len(payload)) + payload)


def text(field, value):
    return data(field, value.encode()) if value else b""


def hexid(field, value):
    return data(field, bytes.fromhex(value)) if value else b""


def number(field, value):
    return tagged(field, 0, varint(int(value))) if value and int(value) else b""


def fixed(field, value):
    return tagged(field, 1, struct.pack("<Q", int(value) & (1 << 64) - 1))


def fixed_unless_zero(field, value):
    return fixed(field, value) if value and int(value) else b""


def double(field, value):
    return tagged(field, 1, struct.pack("<d", float(value)))


def optional_double(field, owner, key):
    return double(field, owner[key]) if key in owner else b""


def any_value(v):
    if "stringValue" in v:
        return data(1, v["stringValue"].encode())
    if "boolValue" in v:
        return tagged(2, 0, varint(int(v["boolValue"])))
    if "intValue" in v:
        return tagged(3, 0, varint(int(v["intValue"])))
    if "doubleValue" in v:
        return double(4, v["doubleValue"])
    if "arrayValue" in v:
        return data(5, b"".join(data(1, any_value(e)) for e in v["arrayValue"].get("values", [])))
    if "kvlistValue" in v:
        return data(6, attributes(1, v["kvlistValue"].get("values")))
    if "bytesValue" in v:
        return data(7, base64.b64decode(v["bytesValue"]))
    return b""


def attributes(field, pairs):
    return b"".join(data(field, text(1, p["key"]) + data(2, any_value(p.get("value", {})))) for p in pairs or [])


def span(s):
    out = hexid(1, s.get("traceId")) + hexid(2, s.get("spanId")) + hexid(4, s.get("parentSpanId"))
    out += text(5, s.get("name")) + number(6, s.get("kind"))
    out += fixed(7, s.get("startTimeUnixNano", 0)) + fixed(8, s.get("endTimeUnixNano", 0))
    out += attributes(9, s.get("attributes"))
    for e in s.get("events", []):
        out += data(11, fixed(1, e.get("timeUnixNano", 0)) + text(2, e.get("name")) + attributes(3, e.get("attributes")))
    status = s.get("status")
    return out + (data(15, text(2, status.get("message")) + number(3, status.get("code"))) if status else b"")


def log_record(r):
    out = fixed_unless_zero(1, r.get("timeUnixNano")) + number(2, r.get("severityNumber")) + text(3, r.get("severityText"))
    if "body" in r:
        out += data(5, any_value(r["body"]))
    out += attributes(6, r.get("attributes")) + hexid(9, r.get("traceId")) + hexid(10, r.get("spanId"))
    return out + fixed_unless_zero(11, r.get("observedTimeUnixNano")) + text(12, r.get("eventName"))


def times(p):
    return fixed_unless_zero(2, p.get("startTimeUnixNano")) + fixed_unless_zero(3, p.get("timeUnixNano"))


def number_point(p):
    value = fixed(6, p["asInt"]) if "asInt" in p else optional_double(4, p, "asDouble")
    return times(p) + value + attributes(7, p.get("attributes")) + number(8, p.get("flags"))


def histogram_point(p):
    out = times(p) + fixed(4, p.get("count", 0)) + optional_double(5, p, "sum")
    out += data(6, b"".join(struct.pack("<Q", int(c)) for c in p.get("bucketCounts", [])))
    out += data(7, b"".join(struct.pack("<d", float(b)) for b in p.get("explicitBounds", [])))
    out += attributes(9, p.get("attributes")) + number(10, p.get("flags"))
    return out + optional_double(11, p, "min") + optional_double(12, p, "max")


def buckets(b):
    return tagged(1, 0, zigzag(b.get("offset", 0))) + data(2, b"".join(varint(int(c)) for c in b.get("bucketCounts", [])))


def exp_point(p):
    out = attributes(1, p.get("attributes")) + times(p) + fixed(4, p.get("count", 0)) + optional_double(5, p, "sum")
    out += tagged(6, 0, zigzag(p.get("scale", 0))) + fixed(7, p.get("zeroCount", 0))
    out += data(8, buckets(p.get("positive", {}))) + data(9, buckets(p.get("negative", {}))) + number(10, p.get("flags"))
    return out + optional_double(12, p, "min") + optional_double(13, p, "max")


def summary_point(p):
    out = times(p) + fixed(4, p.get("count", 0)) + optional_double(5, p, "sum")
    for q in p.get("quantileValues", []):
        out += data(6, double(1, q.get("quantile", 0)) + double(2, q.get("value", 0)))
    return out + attributes(7, p.get("attributes")) + number(8, p.get("flags"))


DATA = {
    "gauge": (5, number_point), "sum": (7, number_point), "histogram": (9, histogram_point),
    "exponentialHistogram": (10, exp_point), "summary": (11, summary_point),
}


def metric(m):
    out = text(1, m.get("name")) + text(2, m.get("description")) + text(3, m.get("unit"))
    for member, (field, point) in DATA.items():
        if member in m:
            body = b"".join(data(1, point(p)) for p in m[member].get("dataPoints", []))
            body += number(2, m[member].get("aggregationTemporality")) + number(3, m[member].get("isMonotonic"))
            out += data(field, body)
    return out


SIGNALS = (("resourceSpans", "scopeSpans", "spans", span), ("resourceLogs", "scopeLogs", "logRecords", log_record),
           ("resourceMetrics", "scopeMetrics", "metrics", metric))


def request(line):
    doc = json.loads(line)
    for blocks, scopes, records, encode in SIGNALS:
        if blocks in doc:
            return b"".join(
                data(1, data(1, attributes(1, block.get("resource", {}).get("attributes"))) + b"".join(
                    data(2, b"".join(data(2, encode(r)) for r in scope.get(records, []))) for scope in block.get(scopes, [])))
                for block in doc[blocks])
    raise SystemExit("no OTLP in: " + line[:80])


def main(source, target, single):
    if source.endswith(".zst"):
        raw = subprocess.run(["zstd", "-dcq", source], stdout=subprocess.PIPE, check=True).stdout
    else:
        raw = open(source, "rb").read()
    with open(target, "wb") as out:
        for line in raw.decode().splitlines():
            if line.strip():
                message = request(line)
                out.write(message if single else struct.pack(">I", len(message)) + message)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--single" in sys.argv[3:])
