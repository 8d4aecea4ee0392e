# SPDX-License-Identifier: Apache-2.0
"""Clocks: a peer refuses proposals 15 minutes off, TLS certificates begin and end by them.

What is possible from outside: a node's /healthz tells its time, which must lie between our question
and its answer; nodes without such an answer are named as not compared.
"""

import datetime
import json
import re
from collections.abc import Mapping

from pedchain_network.limits import CLOCK_FAIL_S, CLOCK_WARN_S
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "clocks"

_FRACTION = re.compile(r"(\.\d{1,6})\d*")


def offset_s(healthz: bytes, asked: float, answered: float) -> float | None:
    """How far a node's clock is at least ahead (negative: behind), in seconds; None if it does not
    tell. `asked` and `answered` are our own times (epoch)."""
    try:
        text = _FRACTION.sub(r"\1", json.loads(healthz)["time"])
        told = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, KeyError, TypeError):
        return None
    return told.timestamp() - min(max(told.timestamp(), asked), answered)


def judge(offsets: Mapping[str, float | None]) -> list[Finding]:
    """No node's clock is far from ours; None: it did not tell."""
    findings = []
    told = {node: offset for node, offset in offsets.items() if offset is not None}
    for node, offset in told.items():
        if abs(offset) >= CLOCK_WARN_S:
            finding = fail if abs(offset) >= CLOCK_FAIL_S else warn
            way = "ahead of" if offset > 0 else "behind"
            text = f"its clock is {abs(offset):.1f} s {way} this host's"
            findings.append(finding(CHECK, node, text, "synchronise both hosts (chrony, ntpd)"))
    silent = sorted(set(offsets) - set(told))
    if silent:
        text = "not compared, they tell no time"
        findings.append(warn(CHECK, ", ".join(silent), text, "see whether they are up"))
    furthest = max(map(abs, told.values()), default=0.0)
    return findings or [ok(CHECK, f"{len(told)} nodes' clocks agree to {furthest:.1f} s")]
