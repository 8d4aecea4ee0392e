# SPDX-License-Identifier: Apache-2.0
"""Master data against a registry: what is new, what would change, what cannot."""

from pathlib import Path
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_gateway.firstday.master import MasterError, participations
from pedchain_gateway.ledger.port import Committed, Refused
from pedchain_gateway.registering import bulk

SITE = {"schema": "site/1", "id": "s1", "plan": "P0", "connection_w": 6_000, "from": 0}
POINT = {"schema": "point/1", "id": "p1", "site": "s1", "kind": "GCP", "parent": None, "p_max_w": 9}
DEVICE = {"schema": "device/1", "id": "p1@dso", "point": "p1", "from": 0, "key": {"spki": "00"}}
SHARE = {"schema": "participation/1", "site": "s1", "district": "D", "ppm": 5, "from": 0}


class Registry:
    """A ledger that holds documents under pseudonyms, and notes what it is sent."""

    def __init__(self, *held: dict[str, Any]) -> None:
        self.held = {one["id"]: one for one in held}
        self.shares: list[dict[str, Any]] = []
        self.sent: list[tuple[str, Any]] = []

    async def evaluate(self, _: str, function: str, name: str) -> bytes:
        if function == "membership:GetParticipations":
            return canonical.encode(self.shares)
        if function == "membership:GetMemberOfKey" and name == "known":
            return b'{"member":"m"}'
        if name not in self.held:
            raise Refused("not-found")
        stands = {**self.held[name], "id": f"p.{name}"}
        return canonical.encode({"document": stands, "shard": 0})

    async def submit(self, _: str, function: str, *__: str, **more: Any) -> Committed:
        transient = more["transient"]
        self.sent.append((function, canonical.decode(transient.get("documents", b"null"))))
        return Committed("t", b"")


async def compared(ledger: Registry, *documents: dict[str, Any]) -> bulk.Changes:
    return await bulk.compare(ledger, "D", documents)  # type: ignore[arg-type] # queries only


async def brought(ledger: Registry, changes: bulk.Changes, since: str | None) -> None:
    await bulk.bring(ledger, "D", changes, since, print)  # type: ignore[arg-type] # as above


async def test_what_would_change_is_told_by_field() -> None:
    found = await compared(
        Registry(SITE, POINT, DEVICE),
        {**SITE, "connection_w": 9_000, "heating": "metered"},
        POINT,
        {**POINT, "id": "p2"},
        {**DEVICE, "key": {"spki": "11"}},
    )
    assert list(found.text()) == [
        "new point p2",
        "changed site s1: connection_w 6000 -> 9000, heating None -> metered",
        "cannot be changed device p1@dso: key {'spki': '00'} -> {'spki': '11'}",
        "1 new, 1 changed, 1 that cannot be changed, 1 as they are",
    ]


async def test_what_is_new_is_registered_and_what_differs_revised() -> None:
    ledger = Registry(SITE)
    changed = {**SITE, "connection_w": 7}
    await brought(ledger, await compared(ledger, changed, POINT), "2026-03-01")
    revision = {"schema": "revision/1", "document": changed, "since": "2026-03-01"}
    assert ledger.sent == [("Register", [POINT]), ("Revise", [revision])]


@pytest.mark.parametrize(
    ("document", "since"),
    [({**SITE, "connection_w": 7}, None), ({**SITE, "from": 5}, "2026-03-01")],
)
async def test_a_change_without_a_day_or_of_what_stays_is_refused_whole(
    document: dict[str, Any], since: str | None
) -> None:
    ledger = Registry(SITE)
    with pytest.raises(Refused, match="already-registered"):
        await brought(ledger, await compared(ledger, document, POINT), since)
    assert ledger.sent == []


async def test_shares_that_stand_are_left_alone() -> None:
    ledger = Registry(SITE)
    ledger.shares = [{**SHARE, "to": None, "site": "p.s1"}]
    given = [{**SHARE, "to": None}, {**SHARE, "to": 9}]
    found = await bulk.missing_shares(ledger, "D", given)  # type: ignore[arg-type] # as above
    assert found == [{**SHARE, "to": 9}]


async def test_members_that_are_there_are_not_admitted_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = [{"membership": {"key": {"spki": name}}} for name in ("known", "fresh")]
    await bulk.enrol_all(Registry(), "D", people, print, dry=True)  # type: ignore[arg-type] # as above
    assert capsys.readouterr().out == "D 1 new, 1 members already\n"


def test_participations_come_from_a_table(tmp_path: Path) -> None:
    assert participations(tmp_path) == []
    file = tmp_path / "participations.csv"
    file.write_text("site,district,ppm,from,to\ns1,D,250000,2026-01-01,2026-02-01\n")
    (found,) = participations(tmp_path)
    assert (found["ppm"], found["to"] - found["from"]) == (250_000, 31 * 86_400)
    for row in ("s1,D,half,2026-01-01,", "s1,D,5,soon,", "s1,D,2000000,2026-01-01,"):
        file.write_text(f"site,district,ppm,from,to\n{row}\n")
        with pytest.raises(MasterError, match="line 2"):
            participations(tmp_path)
