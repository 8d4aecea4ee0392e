# SPDX-License-Identifier: Apache-2.0
"""What the gateway counts, for Prometheus: names say what and in which unit."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_BATCH_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000)
_SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The gateway's own registry: no process-wide state, so tests stay apart."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = Counter(
            "pedgateway_records", "Records answered", ["status", "reason"], registry=self.registry
        )
        self.batches = Counter(
            "pedgateway_batches",
            "Submissions by outcome: valid, again, mismatch, refused, unknown",
            ["outcome"],
            registry=self.registry,
        )
        self.batch_records = Histogram(
            "pedgateway_batch_records", "Records per batch", buckets=_BATCH_SIZES,
            registry=self.registry,
        )  # fmt: skip
        self.submit_seconds = Histogram(
            "pedgateway_submit_seconds", "From batch to verdicts", buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.quarantined = Counter(
            "pedgateway_quarantined_records", "Records no batch can carry", registry=self.registry
        )
        self.inside = Gauge(
            "pedgateway_records_inside", "Records not answered yet", ["district"],
            registry=self.registry,
        )  # fmt: skip
        self.requests = Counter(
            "pedgateway_http_requests", "HTTP answers", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "pedgateway_http_request_seconds", "From request to answer", ["route"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.closings = Counter(
            "pedgateway_closings", "Daily closings", ["district", "result"], registry=self.registry
        )
        self.height = Gauge(
            "pedgateway_ledger_height_blocks", "The peer's chain when last asked",
            registry=self.registry,
        )  # fmt: skip

    def render(self) -> bytes:
        """All values in Prometheus' text format."""
        return generate_latest(self.registry)
