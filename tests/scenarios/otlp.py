"""Telemetry as OTLP JSON lines: one export request for each batch of a resource, gzip without a time stamp."""
import collections
import gzip
import json

BATCH = 200
OK, ERROR = 1, 2
SERVER, CLIENT = 2, 3
INFO, FAULT = 9, 17
KINDS = {"logs": ("resourceLogs", "scopeLogs", "logRecords"), "traces": ("resourceSpans", "scopeSpans", "spans"),
         "metrics": ("resourceMetrics", "scopeMetrics", "metrics")}


def attributes(pairs):
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs if value is not None]


def event(name, time_ns, pairs):
    return {"name": name, "timeUnixNano": str(time_ns), "attributes": attributes(pairs)}


class Recording:
    """Records by modality and resource, in the order in which they were added."""

    def __init__(self):
        self.records = {kind: collections.defaultdict(list) for kind in KINDS}

    def span(self, resource, trace, span, parent, name, kind, begin_ns, end_ns, is_error=False, events=()):
        record = {"traceId": trace, "spanId": span, "name": name, "kind": kind, "startTimeUnixNano": str(begin_ns),
                  "endTimeUnixNano": str(end_ns)}
        if parent is not None:
            record["parentSpanId"] = parent
        if is_error:
            record["status"] = {"code": ERROR}
        if events:
            record["events"] = list(events)
        self.records["traces"][resource].append(record)

    def line(self, resource, trace, span, time_ns, severity, body):
        record = {"timeUnixNano": str(time_ns), "severityNumber": severity, "body": {"stringValue": body}}
        if trace is not None:
            record |= {"traceId": trace, "spanId": span}
        self.records["logs"][resource].append(record)

    def gauge(self, resource, name, unit, points):
        data = [{"timeUnixNano": str(time_ns), "asDouble": round(value, 6)} for time_ns, value in points]
        self.records["metrics"][resource].append({"name": name, "unit": unit, "gauge": {"dataPoints": data}})

    def lines_of(self, kind):
        top, scope, leaf = KINDS[kind]
        for resource, records in sorted(self.records[kind].items(), key=lambda item: [value or "" for _, value in item[0]]):
            for i in range(0, len(records), BATCH):
                yield {top: [{"resource": {"attributes": attributes(resource)},
                              scope: [{"scope": {}, leaf: records[i:i + BATCH]}]}]}

    def write(self, folder):
        """A modality without a record has no file."""
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in self.lines_of(kind))
            if text:
                packed = gzip.compress(text.encode(), compresslevel=1, mtime=0)
                (folder / f"{kind}.otlp.jsonl.gz").write_bytes(packed)
