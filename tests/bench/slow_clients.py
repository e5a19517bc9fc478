#!/usr/bin/env python3
"""What others wait for while slow clients hold connections of the daemon.

usage: slow_clients.py FAULTLINE [SLOW [PROBES]]

A quarter each of SLOW connections (1000) says nothing, sends a byte of a head each second, sends a byte of a body each second, and
asks for large answers that it never reads. Meanwhile PROBES requests (2000), half of them on new connections, are timed.
"""
import pathlib
import resource
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from daemon import Daemon  # noqa: E402

HEAD = b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ASK = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


class SlowClients:
    """Connections of 127.0.0.2, so that they are another client than the probes."""

    def __init__(self, port, count):
        self.drips, self.all, self.is_over = [], [], threading.Event()
        for i in range(count):
            one = socket.socket()
            if i % 4 == 3:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.bind(("127.0.0.2", 0))
            one.connect(("127.0.0.1", port))
            self.all.append(one)
            if i % 4 == 1:
                one.sendall(HEAD + b"X-Slow: ")
                self.drips.append(one)
            elif i % 4 == 2:
                one.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
                self.drips.append(one)
            elif i % 4 == 3:
                one.sendall(ASK * 20)
        self.thread = threading.Thread(target=self._drip, daemon=True)
        self.thread.start()

    def _drip(self):
        while not self.is_over.wait(1):
            for one in self.drips:
                try:
                    one.send(b"a")
                except OSError:
                    pass

    def closed(self):
        """How many the daemon has closed: reading them tells, and is the end of not reading."""
        count = 0
        for one in self.all:
            one.setblocking(False)
            try:
                while one.recv(1 << 16):
                    pass
                count += 1
            except BlockingIOError:
                pass
            except OSError:
                count += 1
        return count

    def stop(self):
        self.is_over.set()
        self.thread.join()
        for one in self.all:
            one.close()


def probe(port, count):
    """Seconds that each of `count` requests took, sorted: every other one on a connection of its own."""
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    kept, took = socket.create_connection(("127.0.0.1", port), timeout=60), []
    for i in range(count):
        begin = time.perf_counter()
        one = kept if i % 2 else socket.create_connection(("127.0.0.1", port), timeout=60)
        one.sendall(request)
        answer = b""
        while not answer.endswith(b"ok\n"):
            got = one.recv(4096)
            if not got:
                raise AssertionError("the daemon closed a connection that was in order")
            answer += got
        took.append(time.perf_counter() - begin)
        if one is not kept:
            one.close()
    kept.close()
    return sorted(took)


def raise_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    probes = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    raise_descriptors()
    with Daemon(pathlib.Path(sys.argv[1]).resolve()) as daemon:
        quiet = probe(daemon.port, probes)
        slow = SlowClients(daemon.port, count)
        held = daemon.metrics()["faultline_http_connections"]
        busy = probe(daemon.port, probes)
        resident = daemon.metrics()["process_resident_memory_bytes"]
        for name, took in (("alone", quiet), (f"beside {held:.0f} slow connections", busy)):
            print(f"{name:36} p50 {took[len(took) // 2] * 1e3:6.2f} ms, p99 {took[len(took) * 99 // 100] * 1e3:6.2f} ms, most {took[-1] * 1e3:6.2f} ms")
        print(f"resident {resident / 1e6:.0f} MB")
        slow.stop()


if __name__ == "__main__":
    main()
