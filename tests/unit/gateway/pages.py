# SPDX-License-Identifier: Apache-2.0
"""A gateway over the main job's ledger of real Fabric, as its pages ask it."""

import base64
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from pedchain_domain import canonical
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Carrier
from pedchain_gateway.explorer.blocks import describe
from pedchain_gateway.ledger.port import Refused
from pedchain_gateway.page import asked
from tests.unit.gateway.test_flexstatement import STATEMENT

GOLDEN = Path(__file__).parents[2] / "golden" / "main-job" / "blocks"
DAY, HOUR = "2026-11-20", 1_795_132_800
ORDER = {
    "order": {
        "id": "o1", "direction": "down", "power_w": 4_000, "start": HOUR, "count": 2,
        "grain": 3_600, "issuer": "dso", "provider": "aggregator", "districts": ["DistrictA"],
        "price": 300_000, "penalty": 100_000, "rule": "F10",
    },
    "state": "ISSUED",
    "result": None,
}  # fmt: skip
MEASURED = {
    **ORDER,
    "order": {**ORDER["order"], "id": "o2", "direction": "down", "rule": "10of10"},
    "state": "SETTLED",
    "result": {"pools": {"DistrictA": "portfolio"}},
}
SHARED = [
    {"hour": HOUR, "fed_in": 1_200, "drawn": None, "position": None},
    {
        "hour": HOUR + 3_600, "fed_in": 2_000, "drawn": 300, "shared": [100, 900, 12_000, 108_000],
        "position": {"sold": 500, "bought": 200, "shared_out": 900, "shared_in": 100},
        "corrected": None,
    },
    {
        "hour": HOUR + 7_200, "fed_in": 2_000, "drawn": 0, "shared": [0, 900, 0, 108_000],
        "position": {"sold": 0, "bought": 0, "shared_out": 800, "shared_in": 0},
        "corrected": [0, 800, 0, 96_000],
    },
]  # fmt: skip


def session(hour: int, *, published: bool) -> dict[str, Any]:
    """A cleared session; what few accounts would be known by is not published."""
    curves = {"ask": [[100_000, 4_000], [150_000, 2_000]], "bid": [[200_000, 5_000]]}
    return {
        "schema": "session/1",
        "id": session_id(Carrier.ELECTRICITY, 1, hour),
        "carrier": "electricity",
        "zone": 1,
        "hour": hour,
        "state": "CLEARED",
        "pricing": "uniform",
        "price": 150_000 if published else None,
        "volume": 5_000 if published else None,
        "curves": curves if published else None,
    }


def fill(ledger: Any) -> None:
    """Let a ledger in memory answer what pages ask."""
    ledger.blocks = [path.read_bytes() for path in sorted(GOLDEN.iterdir())]
    found: dict[str, list[dict[str, Any]]] = {"metering-DistrictA": []}
    for raw in ledger.blocks:
        for one in describe(raw)["transactions"]:
            if one["id"]:
                ledger.block_by_transaction[one["id"]] = raw
            for write in one.get("writes", ()):
                if write["key"][0] == "certificate" and write["namespace"] in found:
                    about = {"transaction": one["id"], "certificate": write["value"]}
                    found[write["namespace"]].append(about)
    held = found["metering-DistrictA"]
    page = {"certificates": [each["certificate"] for each in held], "bookmark": ""}
    today = asked.today()
    for days in (*range(1, asked.DAYS + 1),):
        for last in (today, today.fromisoformat("2026-11-22")):
            first = (last - timedelta(days=days)).isoformat()
            ledger.answers["ListCertificates", first, ""] = canonical.encode(page)
    for each in held:
        day = each["certificate"]["day"]
        ledger.answers["GetCertificateHistory", day] = canonical.encode([each])
    ledger.answers["GetCertificateHistory", "1999-01-01"] = canonical.encode([])
    for at in range(24):
        hour = HOUR + at * 3_600
        name = session_id(Carrier.ELECTRICITY, 1, hour)
        answer = canonical.encode(session(hour, published=at == 12))
        ledger.answers["market:GetSession", name] = answer if at > 9 else Refused("not-found")
    ledger.answers["flexibility:ListOrdersIssued", ""] = canonical.encode({"o1": "ISSUED"})
    ledger.answers["flexibility:GetOrder", "o1"] = canonical.encode(ORDER)
    account = {"locked": 0, "counter": 3}
    ledger.answers["tokens:GetAccount", "acc-1"] = canonical.encode(account)
    ledger.answers["market:ListOrders", "acc-1", ""] = canonical.encode({})
    asked_at = ("sharing:GetHours", "acc-1", "electricity", str(HOUR))
    ledger.answers[asked_at] = canonical.encode(SHARED)
    ledger.answers["flexibility:GetOrder", "o2"] = canonical.encode(MEASURED)
    asked_of = ("flexibility:GetStatement", "o2", "h01", "portfolio")
    ledger.answers[asked_of] = canonical.encode(STATEMENT)


def spaced(text: str) -> str:
    """A page's text as it is read: each run of blanks one."""
    return " ".join(text.split())


def unused(seed: str) -> str:
    """A token that is none."""
    return base64.urlsafe_b64encode(f"{seed}{time.time()}".encode()).decode()
