# SPDX-License-Identifier: Apache-2.0
"""Export, erasure, purge and issue as the gateway drives them, on a ledger of plain answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_gateway.ledger.port import Announce, Committed, Outcome, Refused
from pedchain_gateway.subjects import flexsubject, subject
from pedchain_gateway.subjects.subject import Stay, Subjects, intervals_csv

LIVED = (("ann", 1), ("bob", None))
STAY = Stay("DistrictA", "home-1", "2025-12-31", "2026-01-01")


@dataclass
class Answers:
    """A ledger: queries by function, submissions noted with their transient map."""

    queries: dict[str, Any]
    steps: dict[str, list[bytes]] = field(default_factory=dict)
    sent: list[tuple[str, tuple[str, ...], dict[str, Any]]] = field(default_factory=list)

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        assert definition == "metering-DistrictA"
        answer = self.queries[function]
        return canonical.encode(answer(*arguments) if callable(answer) else answer)

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
    ) -> Committed:
        self.sent.append((function, arguments, dict(transient or {})))
        waiting = self.steps.get(function, [])
        step = waiting.pop(0) if waiting else b"done"
        if step not in (b"done", b"more"):
            raise Refused(step.decode())
        return Committed("t", step)

    async def outcome(self, transaction: str) -> Outcome | None:
        raise AssertionError(transaction)

    async def height(self) -> int:
        raise AssertionError


def day(site: str, name: str) -> dict[str, Any]:
    point = {"registers": {"G": [[5, 6], "MG"]}, "root": "00"}
    return {
        "site": site,
        "cell": 3,
        "day": name,
        "periods": [1, 2] if name < "2026" else [2],
        "intervals": {"": {"gen": point}, "F": None},
        "origin": [],
    }


def people(site: str, first: str, last: str) -> dict[str, Any]:
    lived = [{"term": {}, "identity": {"name": name}, "left": left} for name, left in LIVED]
    return {"site": site, "cell": 3, "people": lived}


def records(site: str, period: str, after: str) -> dict[str, Any]:
    first = {"records": [{"transaction": f"t{period}a"}], "bookmark": "x"}
    last = {"records": [{"transaction": f"t{period}b"}, {"transaction": "t"}], "bookmark": ""}
    return last if after else first


def ledger(**steps: list[bytes]) -> Answers:
    queries = {
        "privacy:GetSubjectDay": day,
        "privacy:GetSubjectPeople": people,
        "privacy:ListSubjectRecords": records,
        "flexibility:GetSubjectDay": {"figure": None, "orders": {}},
    }
    return Answers(queries, {name.replace("_", ":"): each for name, each in steps.items()})


async def test_an_export_holds_every_day_and_every_page_of_records() -> None:
    found = await Subjects(ledger(), lambda _: None).export(STAY)
    assert [one["day"] for one in found["days"]] == ["2025-12-31", "2026-01-01"]
    assert [one["transaction"] for one in found["records"]] == [
        "t1a",
        "t1b",
        "t",
        "t2a",
        "t2b",
        "t",
    ]
    assert [one["identity"]["name"] for one in found["people"]] == ["ann", "bob"]
    assert found["not_covered"]
    assert intervals_csv(found).splitlines()[:3] == [
        "day,run,point,role,interval,wh,class",
        "2025-12-31,newest,gen,G,0,5,M",
        "2025-12-31,newest,gen,G,1,6,G",
    ]


async def test_an_erasure_names_its_subject_in_the_transient_map_alone() -> None:
    books, said = ledger(), list[str]()
    assert await Subjects(books, said.append).erase(STAY) == 10
    assert all(arguments == () for _, arguments, _ in books.sent)
    assert all(len(transient["salt"]) == 16 for _, _, transient in books.sent)
    asked = [json.loads(transient["subject"]) for _, _, transient in books.sent]
    kinds = ("batches", "day", "month", "person", "account")
    assert [next(one[kind] for kind in kinds if kind in one) for one in asked] == [
        ["t", "t1a", "t1b", "t2a"],
        ["t2b"],
        "2025-12-31",
        "2026-01-01",
        1,
        "2025-12-31",
        "2026-01-01",
        "2025-12",
        "2026-01",
        1,
    ]
    assert [sorted(one) for one in asked][-1] == ["cell", "first", "last", "person", "site"]
    assert "1 of 2 people who lived here are forgotten" in said
    assert any("is a member still" in line for line in said)
    assert {(one["site"], one["cell"]) for one in asked} == {("home-1", 3)}
    assert any(line.startswith("not reached: backups") for line in said)


async def test_a_purge_goes_on_until_it_is_done() -> None:
    books = ledger(privacy_Purge=[b"more", b"more"])
    assert await subject.purge(books, "DistrictA", "2025-01-01", lambda _: None) == 3 + 2
    kinds = [arguments[0] for function, arguments, _ in books.sent if "flex" in function]
    assert kinds == ["days", "orders"]


async def test_a_district_without_demand_response_has_nothing_of_it() -> None:
    books = ledger(flexibility_Erase=[b"not-begun"], flexibility_Purge=[b"not-begun"] * 2)
    assert await flexsubject.erase(books, "DistrictA", {"site": "s"}, ["2026-01-01"], print) == 0
    assert await flexsubject.purge(books, "DistrictA", "2026-01-01", print) == 0


async def test_days_whose_orders_may_still_be_settled_are_left_and_that_is_said() -> None:
    books, said = ledger(flexibility_Erase=[b"too-early"]), list[str]()
    days = ["2026-01-01", "2026-01-02"]
    about = {"site": "home-1", "cell": 3}
    assert await flexsubject.erase(books, "DistrictA", about, days, said.append) == 2
    assert any("may still be settled" in line for line in said)


async def test_a_purge_that_is_not_due_is_refused() -> None:
    books = ledger(privacy_Purge=[b"too-early"])
    with pytest.raises(Refused, match="too-early"):
        await subject.purge(books, "DistrictA", "2026-01-01", lambda _: None)


async def test_days_are_issued_from_where_it_stopped_until_one_is_not_closed() -> None:
    books = ledger(origin_IssueDay=[b"more", b"done", b"run-missing"])
    books.queries["origin:GetIssuing"] = {"first": "2025-12-30", "last": "2025-12-30"}
    assert await subject.issue(books, "DistrictA", lambda _: None) == ["2025-12-31"]


async def test_the_first_day_issued_is_the_first_certified() -> None:
    books = ledger(origin_IssueDay=[b"done", b"run-missing"])
    books.queries["origin:GetIssuing"] = {}
    books.queries["ListCertificates"] = {"certificates": [{"day": "2025-12-31"}], "bookmark": ""}
    assert await subject.issue(books, "DistrictA", lambda _: None) == ["2025-12-31"]
    books.queries["ListCertificates"] = {"certificates": [], "bookmark": ""}
    assert await subject.issue(books, "DistrictA", lambda _: None) == []
