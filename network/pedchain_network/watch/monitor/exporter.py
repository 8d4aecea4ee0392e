# SPDX-License-Identifier: Apache-2.0
"""Measurements that no node makes: when certificates end, how full disks are, which parts run.

Served anew at every scrape, or written once for node_exporter's textfile collector.
"""

from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pedchain_network.runtimes.part import Part
from pedchain_network.watch.doctor.disk import Disk
from pedchain_network.watch.doctor.expiry import Dated
from pedchain_network.watch.exposition import Sample, write

_DESCRIBED = {
    "pedchain_certificate_end_seconds": "When a certificate or revocation list ends (Unix time).",
    "pedchain_disk_used_ratio": "Share of a file system in use, 0 to 1.",
    "pedchain_part_up": "Whether a process or container of the network runs.",
}
NAMES = frozenset(_DESCRIBED)


def text(dated: Iterable[Dated], disks: Iterable[Disk], parts: Sequence[Part]) -> str:
    """The measurements in Prometheus' format."""
    samples = [
        Sample("pedchain_certificate_end_seconds", each.ends.timestamp(), {"place": each.places[0]})
        for each in dated
    ]
    samples += [
        Sample("pedchain_disk_used_ratio", each.used, {"path": each.path}) for each in disks
    ]
    samples += [
        Sample(
            "pedchain_part_up",
            int(each.alive),
            {"part": each.name, "kind": each.kind, "organization": each.organization},
        )
        for each in parts
    ]
    return write(_DESCRIBED, samples)


def server(address: str, measure: Callable[[], str]) -> ThreadingHTTPServer:
    """Serves `measure()` at /metrics of `host:port`, once it is told to. Raises `OSError`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(404)
                return
            body = measure().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
            """Scrapes are no news."""

    host, _, port = address.rpartition(":")
    return ThreadingHTTPServer((host, int(port)), Handler)
