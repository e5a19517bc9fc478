"""schemas/openapi.yaml as a test sees it: every exchange with a daemon is held against the document that the daemon serves."""
import json
import re
import urllib.parse

import jsonschema

PREFIX = "#/components/"


class Contract:
    """`document` is /openapi.json. `seen` holds the operations and statuses that were tried: (operationId, status)."""

    def __init__(self, document):
        self.document, self.seen = document, set()

    def resolve(self, item):
        while "$ref" in item:
            assert item["$ref"].startswith(PREFIX), item
            at = self.document
            for word in item["$ref"][2:].split("/"):
                at = at[word]
            item = at
        return item

    def check(self, value, schema, what):
        whole = {"components": self.document["components"], "allOf": [schema]}
        problems = sorted(jsonschema.Draft202012Validator(whole).iter_errors(value), key=str)
        assert not problems, f"{what}: {problems[0].message} at {list(problems[0].absolute_path)}"

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in ("get", "post", "put", "delete"):
                if method in item:
                    shared = item.get("parameters", [])
                    yield method.upper(), path, item[method], [self.resolve(p) for p in shared + item[method].get("parameters", [])]

    def operation(self, method, path):
        for known, pattern, operation, parameters in self.operations():
            if known == method and re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern)), path):
                return operation, parameters
        raise AssertionError(f"{method} {path} is not in the contract")

    def check_request(self, operation, parameters, query, body):
        known = {p["name"]: p for p in parameters if p["in"] == "query"}
        for name, value in query:
            assert name in known, f"{operation['operationId']} has no parameter {name}"
            schema = known[name]["schema"]
            value = [value] if schema.get("type") == "array" else value
            kinds = {"integer": int, "boolean": lambda text: {"true": True, "false": False}[text]}
            self.check(kinds.get(schema.get("type"), lambda same: same)(value), schema, name)
        for name, parameter in known.items():
            assert not parameter.get("required") or name in dict(query), f"{name} is missing"
        if body is not None:
            content = self.resolve(operation["requestBody"])["content"]["application/json"]
            self.check(json.loads(body), content["schema"], f"the request of {operation['operationId']}")

    def check_answer(self, operation, answer):
        status, headers, body = answer
        what = f"{operation['operationId']} {status}"
        described = self.resolve(operation["responses"].get(str(status)) or operation["responses"]["default"])
        self.seen.add((operation["operationId"], status))
        if str(status) not in operation["responses"]:
            assert status >= 400, f"{what} is not in the contract: {body[:200]}"
        for name, header in described.get("headers", {}).items():
            if name in headers or self.resolve(header).get("required"):
                self.check(headers.get(name), self.resolve(header)["schema"], f"{what} {name}")
        if "content" not in described:
            assert body == b"", what
            return None
        kind = headers["Content-Type"]
        assert kind in described["content"], f"{what}: {kind}"
        if not kind.split(";")[0].endswith("json"):
            return body
        document = json.loads(body)
        self.check(document, described["content"][kind]["schema"], what)
        return document

    def ask(self, daemon, method, path, query=(), body=None, headers=None, is_valid=True):
        """(status, headers, document). `is_valid` False: the request is wrong on purpose, and must be refused."""
        operation, parameters = self.operation(method, path)
        if is_valid:
            self.check_request(operation, parameters, list(query), body)
        sent = dict(headers or {})
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        target = urllib.parse.quote(path) + ("?" + urllib.parse.urlencode(list(query)) if query else "")
        answer = daemon.ask(method, target, body, sent)
        assert is_valid or answer[0] >= 400, f"{method} {target} was taken: {answer[0]}"
        return answer[0], answer[1], self.check_answer(operation, answer)

    def examples(self):
        """Each operation with the examples of its required parameters, then with each of the others."""
        for method, pattern, operation, parameters in self.operations():
            if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
                continue  # it has no end
            path, required, others = pattern, [], []
            for p in parameters:
                if p["in"] == "path":
                    path = path.replace("{%s}" % p["name"], p["example"])
                elif p["in"] == "query" and "example" in p:
                    value = p["example"]
                    pair = (p["name"], str(value).lower() if isinstance(value, bool) else str(value))
                    (required if p.get("required") else others).append(pair)
            content = self.resolve(operation.get("requestBody", {})).get("content", {}).get("application/json", {})
            bodies = [e["value"] for e in content.get("examples", {}).values()]
            bodies = bodies or self.resolve(content.get("schema", {})).get("examples") or [None]
            for body in bodies:
                text = None if body is None else json.dumps(body)
                if "x-needs-one-of" not in operation:
                    yield operation, method, path, required, text
                for other in others:
                    if other[0] in operation.get("x-needs-one-of", [other[0]]):
                        yield operation, method, path, [*required, other], text
