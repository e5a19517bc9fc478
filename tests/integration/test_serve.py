"""The daemon as a process: how it starts, answers about itself, and ends.

usage: test_serve.py FAULTLINE [unittest options]
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from daemon import Daemon, make_certificates

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import slow_clients  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent.parent / "schemas/json"
FAULTLINE = pathlib.Path(sys.argv[1]).resolve()


LOGS = json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                                     "scopeLogs": [{"logRecords": [{"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "hello"}}]}]}]})


def run(*words, **environment):
    return subprocess.run([str(FAULTLINE), *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


class Serve(unittest.TestCase):
    def test_a_second_signal_kills_no_orderly_stop(self):
        with Daemon(FAULTLINE) as daemon:
            for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
                daemon.process.send_signal(number)
            self.assertEqual(daemon.process.wait(60), 0)

    def test_signals_up_to_its_last_moment_kill_no_orderly_stop(self):
        with Daemon(FAULTLINE) as daemon:
            while daemon.process.poll() is None:
                daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.process.returncode, 0)

    def test_it_is_healthy_and_ready_and_ends_when_told(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Daemon(FAULTLINE) as daemon:
                self.assertEqual(daemon.ask("GET", "/healthz")[0], 200)
                status, headers, body = daemon.ask("GET", "/readyz")
                self.assertEqual((status, body), (200, b"ready\n"))
                self.assertEqual(daemon.stop(number), 0, daemon.said)
                self.assertTrue(daemon.said.endswith("faultline: stopped\n"), daemon.said)

    def test_a_hangup_does_not_end_it(self):
        with Daemon(FAULTLINE) as daemon:
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            self.assertEqual(daemon.ask("GET", "/readyz")[0], 200)

    def test_its_figures_are_as_prometheus_wants_them(self):
        with Daemon(FAULTLINE) as daemon:
            daemon.ask("GET", "/nothing")
            status, headers, body = daemon.ask("GET", "/metrics")
            self.assertEqual(status, 200)
            self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            figures = daemon.metrics()
            self.assertEqual(figures['faultline_http_refused_total{reason="route"}'], 1)
            self.assertGreater(figures["process_resident_memory_bytes"], 1e6)
            if not shutil.which("promtool"):
                self.skipTest("promtool is not there: the format was not checked by it")
            checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=60)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_its_state_is_a_document(self):
        with Daemon(FAULTLINE, listen=("127.0.0.1:0", "127.0.0.1:0")) as daemon:
            document = daemon.status()
            self.assertEqual(document["schema"], "faultline.status/1")
            self.assertEqual(document["state"], "ready")
            self.assertEqual([one["port"] for one in document["listeners"]], daemon.ports)

    def test_its_documents_are_as_their_schemas_say(self):
        if jsonschema is None:
            self.skipTest("python3-jsonschema is not there")
        schema = lambda name: json.loads((SCHEMAS / f"{name}.schema.json").read_text())
        with Daemon(FAULTLINE, "--listen-grpc", "127.0.0.1:0") as daemon:
            daemon.ask("GET", "/v1/tail")
            daemon.ask("POST", "/v1/logs", LOGS, {"Content-Type": "application/json"})
            jsonschema.validate(daemon.status(), schema("status"))
            tail = json.loads(daemon.ask("GET", "/v1/tail?after=0")[2])
            jsonschema.validate(tail, schema("tail"))
            self.assertEqual(len(tail["records"]), 1)

    def test_what_was_accepted_is_there_after_a_kill(self):
        with tempfile.TemporaryDirectory() as folder:
            with Daemon(FAULTLINE, data=folder) as daemon:
                status, headers, body = daemon.ask("POST", "/v1/logs", LOGS, {"Content-Type": "application/json"})
                self.assertEqual((status, json.loads(body)), (200, {}))
                self.assertEqual(daemon.status()["archive"]["records"]["log"], 1)
                self.assertEqual(daemon.metrics()['faultline_receive_records_total{protocol="otlp_logs",kind="log"}'], 1)
                daemon.kill()
            with Daemon(FAULTLINE, data=folder) as daemon:
                self.assertIn("1 requests of the last run are in the log and not yet in a block", daemon.said)
                self.assertEqual(daemon.stop(), 0)
            with Daemon(FAULTLINE, data=folder) as daemon:
                self.assertNotIn("are in the log", daemon.said)
                self.assertEqual(daemon.status()["archive"]["block_records"], 1)

    def test_a_hangup_reads_the_configuration_again(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "faultline.yaml"
            path.write_text("limits:\n  connections: 100\n")
            with Daemon(FAULTLINE, "--config", str(path)) as daemon:
                path.write_text("limits:\n  connections: 200\narchive:\n  retention_time: 1d\n")
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for(lambda: "reloaded" in daemon.said)
                self.assertIn("faultline: limits.connections counts from the next start\n"
                              "faultline: archive.retention_time counts from the next start\nfaultline: reloaded: 2 settings differ\n", daemon.said)
                path.write_text("limits:\n  conections: 200\n")
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for(lambda: "not taken over" in daemon.said)
                self.assertIn("did you mean", daemon.said)
                self.assertEqual(daemon.ask("GET", "/readyz")[0], 200)

    def test_a_folder_has_one_daemon(self):
        with Daemon(FAULTLINE) as daemon:
            second = run("serve", "--listen", "127.0.0.1:0", "--data", str(daemon.data))
            self.assertEqual(second.returncode, 1)
            self.assertIn("is in use by another process", second.stderr)

    def test_an_address_that_is_taken_is_said(self):
        with Daemon(FAULTLINE) as daemon, tempfile.TemporaryDirectory() as folder:
            address = f"127.0.0.1:{daemon.port}"
            second = run("serve", "--listen", address, "--data", folder + "/a")
            self.assertEqual(second.returncode, 1)
            self.assertIn(f"cannot listen on {address}: Address already in use", second.stderr)

    def test_other_machines_are_not_served_unasked(self):
        with tempfile.TemporaryDirectory() as folder:
            refused = run("serve", "--listen", "0.0.0.0:0", "--data", folder + "/a")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("0.0.0.0 is beyond loopback, where anybody could send and ask", refused.stderr)
        with Daemon(FAULTLINE, "--allow-unauthenticated", listen=("0.0.0.0:0",)) as daemon:
            self.assertEqual(daemon.ask("GET", "/healthz")[0], 200)

    def test_tokens_are_asked_for_and_read_again_and_never_said(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/tokens"
            sender = run("token", "--role", "ingest", "--file", path, "--name", "a sender").stdout.strip()
            self.assertEqual(pathlib.Path(path).stat().st_mode & 0o777, 0o600)
            self.assertNotIn(sender, pathlib.Path(path).read_text())
            with Daemon(FAULTLINE, "--tokens", path, listen=("0.0.0.0:0",)) as daemon:
                self.assertIn("can be read on the way, tokens too: there is no TLS", daemon.said)
                self.assertNotIn("there are no tokens", daemon.said)
                send = lambda token: daemon.ask("POST", "/v1/logs", LOGS, {"Content-Type": "application/json", "Authorization": "Bearer " + token})[0]
                self.assertEqual((send(sender), send("flt_wrong")), (200, 401))
                self.assertEqual(daemon.ask("GET", "/v1/status", headers={"Authorization": "Bearer " + sender})[0], 403)
                self.assertEqual(daemon.ask("GET", "/healthz")[0], 200)
                other = run("token", "--role", "read", "--file", path).stdout.strip()
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for(lambda: "reloaded" in daemon.said)
                self.assertEqual(daemon.ask("GET", "/v1/status", headers={"Authorization": "Bearer " + other})[0], 200)
                pathlib.Path(path).write_text("nonsense " + other)
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for(lambda: "not taken over" in daemon.said)
                self.assertEqual(send(sender), 200)
                daemon.stop()
                for token in (sender, other, "flt_wrong"):
                    self.assertNotIn(token, daemon.said)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not there: no certificates to try TLS with")
    def test_clients_show_certificates_where_they_are_asked_for(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            make = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)
            for who in ("server", "authority", "stranger"):
                make("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", who + ".key",
                     "-out", who + ".pem", "-days", "2", "-subj", "/CN=" + who)
            make("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "client.key", "-out", "client.csr",
                 "-subj", "/CN=client")
            make("x509", "-req", "-in", "client.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-out", "client.pem",
                 "-days", "2")
            (folder / "faultline.yaml").write_text("listen:\n  tls: {cert_file: server.pem, key_file: server.key, client_ca_file: authority.pem}\n")

            def ask(port, who):
                context = ssl.create_default_context(cafile=folder / "server.pem")
                context.check_hostname = False
                if who:
                    context.load_cert_chain(folder / f"{who}.pem", folder / f"{who}.key")
                connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
                connection.request("GET", "/v1/status")
                answer = connection.getresponse()
                said = answer.status, answer.read()
                connection.close()
                return said

            with Daemon(FAULTLINE, "--config", str(folder / "faultline.yaml"), listen=("0.0.0.0:0",)) as daemon:
                self.assertEqual(ask(daemon.port, "client")[0], 200)
                for who in (None, "stranger"):
                    status, body = ask(daemon.port, who)
                    self.assertEqual(status, 403)
                    self.assertIn(b"a client certificate of an authority that is trusted here is needed", body)
                with self.assertRaises((OSError, http.client.HTTPException)):
                    daemon.ask("GET", "/healthz")
            (folder / "server.key").write_text("nothing")
            refused = run("serve", "--config", str(folder / "faultline.yaml"), "--listen", "127.0.0.1:0", "--data", name + "/a")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("and its key cannot be used", refused.stderr)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not there: no certificates to try TLS with")
    def test_a_renewed_certificate_counts_for_new_connections(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            make_certificates(folder)
            before, tls = (folder / "server.pem").read_text(), ssl.create_default_context(cafile=folder / "server.pem")
            (folder / "faultline.yaml").write_text("listen: {tls: {cert_file: server.pem, key_file: server.key}}\n")

            def shown(port, protocol):
                anybody = ssl.create_default_context()
                anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
                anybody.set_alpn_protocols([protocol])
                with socket.create_connection(("127.0.0.1", port), 30) as plain, anybody.wrap_socket(plain) as secure:
                    return ssl.DER_cert_to_PEM_cert(secure.getpeercert(True))

            def told(daemon, word):
                daemon.process.send_signal(signal.SIGHUP)
                self.assertTrue(daemon.wait_for(lambda: word in daemon.said), daemon.said)

            with Daemon(FAULTLINE, "--config", str(folder / "faultline.yaml"), "--listen-grpc", "127.0.0.1:0", tls=tls) as daemon:
                self.assertRegex(daemon.said, r"TLS: \S+server\.pem is shown, good until \d{4}-")
                held = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=30, context=tls)
                held.request("GET", "/healthz")
                self.assertEqual(held.getresponse().read(), b"ok\n")
                make_certificates(folder)
                after = (folder / "server.pem").read_text()
                self.assertNotEqual(before, after)
                told(daemon, "is shown from now on, good until")
                for port, protocol in ((daemon.port, "http/1.1"), (daemon.grpc_ports[0], "h2")):
                    self.assertEqual(shown(port, protocol), after)
                held.request("GET", "/healthz")  # goes on with the one of its beginning
                self.assertEqual(held.getresponse().status, 200)
                held.close()
                (folder / "server.key").write_text("nothing")
                told(daemon, "server.pem and its key cannot be used")
                self.assertIn("the configuration is not taken over", daemon.said)
                for port, protocol in ((daemon.port, "http/1.1"), (daemon.grpc_ports[0], "h2")):
                    self.assertEqual(shown(port, protocol), after)
                with self.assertRaises(ssl.SSLError):  # gRPC is HTTP/2
                    shown(daemon.grpc_ports[0], "http/1.1")
                self.assertEqual(daemon.stop(), 0)

    def test_status_and_tail_show_what_comes_in(self):
        with Daemon(FAULTLINE) as daemon:
            url = f"http://127.0.0.1:{daemon.port}"
            self.assertIn("nothing yet", run("status", "--url", url).stdout)
            counts = [daemon.metrics()["faultline_http_requests_total"]]

            def is_followed():
                """Each look is a request too; one more is the follower's."""
                counts.append(daemon.metrics()["faultline_http_requests_total"])
                return counts[-1] - counts[0] >= len(counts)

            followed = subprocess.Popen([str(FAULTLINE), "tail", "--url", url, "--count", "1", "--for", "30s"], stdout=subprocess.PIPE, text=True)
            self.assertTrue(daemon.wait_for(is_followed))
            self.assertEqual(daemon.ask("POST", "/v1/logs", LOGS, {"Content-Type": "application/json"})[0], 200)
            said, _ = followed.communicate(timeout=60)
            self.assertRegex(said, r"^\S+Z +log +shop +hello\n$")
            self.assertEqual(followed.returncode, 0)
            shown = run("status", "--url", url)
            self.assertEqual(shown.returncode, 0)
            self.assertRegex(shown.stdout, r"otlp_logs +1 +1 +0")
            document = json.loads(run("status", "--url", url, "--format", "json").stdout)
            self.assertEqual(document["receive"][0]["records"], 1)
            summary = run("tail", "--url", url, "--summary", "--count", "1", "--format", "json")
            self.assertEqual(json.loads(summary.stdout)["records"], 0)
            self.assertEqual(daemon.ask("GET", "/v1/tail?after=x")[0], 400)
            daemon.stop()
            gone = run("status", "--url", url)
            self.assertEqual(gone.returncode, 1)
            self.assertIn("Failed to connect", gone.stderr)

    def test_slow_clients_hold_up_nobody_and_are_closed(self):
        slow_clients.raise_descriptors()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "faultline.yaml"
            path.write_text("limits:\n  header_timeout: 3s\n  body_timeout: 3s\n  idle_timeout: 3s\n")
            with Daemon(FAULTLINE, "--config", str(path)) as daemon:
                slow = slow_clients.SlowClients(daemon.port, 1000)
                try:
                    took = slow_clients.probe(daemon.port, 400)
                    # Figures are measured by slow_clients.py itself: here other tests run beside.
                    self.assertLess(took[len(took) * 99 // 100], 1)
                    self.assertGreaterEqual(daemon.metrics()["faultline_http_connections_total"], 1000)
                    self.assertTrue(daemon.wait_for(lambda: daemon.metrics()["faultline_http_connections_overdue_total"] >= 1000, 60))
                    self.assertTrue(daemon.wait_for(lambda: daemon.metrics()["faultline_http_connections"] < 10))
                    self.assertTrue(daemon.wait_for(lambda: slow.closed() == 1000))
                    self.assertEqual(daemon.metrics()["faultline_http_memory_bytes"], 0)
                finally:
                    slow.stop()

    def test_the_service_manager_hears_of_it(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(folder + "/notify")
            manager.settimeout(30)
            with Daemon(FAULTLINE, environment={"NOTIFY_SOCKET": folder + "/notify"}) as daemon:
                self.assertEqual(manager.recv(100), b"READY=1")
                daemon.stop()
                heard = [manager.recv(100)]
                while heard[-1] == b"WATCHDOG=1":
                    heard.append(manager.recv(100))
                self.assertEqual(heard[-1], b"STOPPING=1")

    def test_many_who_ask_at_once_are_all_answered(self):
        with Daemon(FAULTLINE) as daemon:
            wrong = []

            def ask():
                for _ in range(25):
                    if daemon.ask("GET", "/healthz")[0] != 200:
                        wrong.append(1)
            threads = [threading.Thread(target=ask) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(wrong, [])
            self.assertEqual(daemon.status()["http"]["requests"], 401)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
