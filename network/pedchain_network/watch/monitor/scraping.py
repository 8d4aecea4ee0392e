# SPDX-License-Identifier: Apache-2.0
"""Prometheus' configuration: every node's operations interface, and our own measurements."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_INTERVAL = "5s"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a scrape over TLS shows and trusts; files."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Target:
    """Where one node serves its metrics; plain without `credentials`."""

    node: str
    kind: str
    organization: str
    address: str
    credentials: Credentials | None = None


def document(targets: Iterable[Target], exporter: str, rules: str) -> dict[str, object]:
    """The configuration file. `exporter` is where `ped-network monitor --serve` listens."""
    jobs: dict[str, list[Target]] = {}
    for target in targets:
        name = f"{target.kind}s"
        if target.credentials is not None:
            name = f"{name}-{target.organization}"
        jobs.setdefault(name, []).append(target)
    own = Target("", "pedchain", "", exporter)
    return {
        "global": {"scrape_interval": _INTERVAL, "evaluation_interval": _INTERVAL},
        "rule_files": [rules],
        "scrape_configs": [
            *(_job(name, each) for name, each in jobs.items()),
            _job("pedchain", [own]),
        ],
    }


def _job(name: str, targets: list[Target]) -> dict[str, object]:
    job: dict[str, object] = {
        "job_name": name,
        "static_configs": [
            {"targets": [each.address], "labels": _labels(each)} for each in targets
        ],
    }
    credentials = targets[0].credentials
    if credentials is not None:
        job["scheme"] = "https"
        job["tls_config"] = {
            "ca_file": str(credentials.authority),
            "cert_file": str(credentials.certificate),
            "key_file": str(credentials.key),
        }
    return job


def _labels(target: Target) -> dict[str, str]:
    labels = {"kind": target.kind, "node": target.node, "organization": target.organization}
    return {name: value for name, value in labels.items() if value}
