#!/usr/bin/env python3
"""How long `faultline mcp` takes to answer an assistant, over standard input and output, from a store with one incident.

usage: mcp.py FAULTLINE SOURCE [CALLS]
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time


def main():
    faultline, source, calls = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), int(sys.argv[3]) if len(sys.argv) > 3 else 500
    shop = source / "examples" / "shop" / "incidents"
    with tempfile.TemporaryDirectory(prefix="faultline-mcp-") as name:
        store = f"{name}/s.db"
        subprocess.run([faultline, "graph", "init", "--store", store], check=True, capture_output=True)
        subprocess.run([faultline, "triage", "--otlp", shop / "pool-exhaustion", "--baseline", shop / "baseline", "--at", "2026-11-22T23:58:48Z",
                        "--store", store], check=True, capture_output=True)
        server = subprocess.Popen([faultline, "mcp", "--store", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for tool, arguments in (("incidents", {}), ("incident", {"incident": "2026"}), ("similar", {"incident": "2026"}),
                                ("graph_paths", {"incident": "2026"}), ("recommend", {"service": (source / "examples" / "checkout.yaml").read_text()})):
            took, longest = [], 0
            for i in range(calls):
                begun = time.perf_counter()
                server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}) + "\n")
                server.stdin.flush()
                answer = server.stdout.readline()
                took.append((time.perf_counter() - begun) * 1000)
                result = json.loads(answer)["result"]
                assert not result["isError"], answer
                longest = max(longest, len(result["content"][0]["text"]))
            took.sort()
            print(f"{tool:12} p50 {took[len(took) // 2]:7.2f} ms, p99 {took[len(took) * 99 // 100]:7.2f} ms, answer of {longest} letters")
        server.stdin.close()
        server.wait(10)


main()
