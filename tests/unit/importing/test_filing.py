# SPDX-License-Identifier: Apache-2.0
"""From the store to the ledger: records, statuses, and what a run that ended early leaves."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import batch, canonical, ocmf
from pedchain_domain.reasons import Reason, status_of
from pedchain_gateway.importing import importer
from pedchain_gateway.importing.sending import Sent
from pedchain_gateway.importing.telling import Signer
from pedchain_gateway.ledger.port import (
    VALID,
    Announce,
    Committed,
    Mismatch,
    Outcome,
    Refused,
    Unavailable,
    Unknown,
)
from tests.unit.importing.operator_files import DRAWN, Desk, rows

KEY = ec.generate_private_key(ec.SECP256R1())
SIGNER = Signer(KEY, "test", "ped")


@dataclass
class District:
    """A ledger that files what it is given; `faults` befall the next submissions."""

    devices: set[str] = field(default_factory=set)
    period: int = 1
    faults: list[Exception] = field(default_factory=list)
    filed: list[ocmf.Record] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    spikes: set[str] = field(default_factory=set)
    folded: list[str] = field(default_factory=list)
    seals: bool = True

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        if function == "GetFence":
            return canonical.encode({"period": self.period, "shards": 1})
        if function == "GetDevice" and arguments[0] in self.devices:
            return canonical.encode({"document": {"registers": {DRAWN: {"role": "I"}}}})
        raise Refused("not-found")

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
    ) -> Committed:
        if function == "SealPeriod" and not self.seals:
            raise Unavailable("x")
        if function != "SubmitReadings":
            self.folded.append(function)
            self.period += function == "SealPeriod"
            return Committed("tx", b"done")
        assert transient is not None
        assert announce is not None
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Mismatch | Refused):
            raise fault
        received = batch.decode(transient["records"])
        transaction = hashlib.sha256(received[0]).hexdigest()
        announce(transaction)
        parsed = [ocmf.parse(one) for one in received]
        result = bytes(
            status_of(Reason.SPIKE if one.device in self.spikes else Reason.RECORDED)
            for one in parsed
        )
        if not isinstance(fault, Unavailable):
            self.filed += [one for one in parsed if one.device not in self.spikes]
            self.outcomes[transaction] = Outcome(transaction, VALID, result)
        if fault:
            raise Unknown(transaction)
        return Committed(transaction, result)

    async def outcome(self, transaction: str) -> Outcome | None:
        return self.outcomes.get(transaction)

    async def height(self) -> int:
        return 1


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def days(count: int, point: str = "A") -> str:
    return rows(
        [
            f"{point};Prelievo;{day:02d}.03.2026 {hour:02d}:{minute:02d};0,1;R"
            for day in range(1, count + 1)
            for hour in range(24)
            for minute in (0, 15, 30, 45)
        ]
    )


async def file(desk: Desk, ledger: District) -> tuple[dict[str, list[str]], Sent]:
    return await importer.file(ledger, "D", desk.store, SIGNER, lambda _: None)


async def test_a_record_per_point_and_day_signed_for_the_dso(desk: Desk) -> None:
    ledger = District({"A@dso"})
    desk.take(days(2))
    lacking, sent = await file(desk, ledger)
    assert (lacking, sent) == ({}, Sent(3, 193, 0))  # two local days lie in three of UTC
    for number, record in enumerate(ledger.filed, start=1):
        ocmf.verify(record, KEY.public_key())
        assert (record.device, record.counter, record.domain) == ("A@dso", number, ("test", "ped"))
        assert {one.status for one in record.readings} == {"G"}


async def test_substitutes_travel_apart_and_as_such(desk: Desk) -> None:
    ledger = District({"A@dso"})
    desk.take(rows(["A;Prelievo;01.03.2026 12:00;0,1;R", "A;Prelievo;01.03.2026 12:15;0,2;S"]))
    await file(desk, ledger)
    assert [{one.status for one in record.readings} for record in ledger.filed] == [{"G"}, {"S"}]


async def test_a_period_is_sealed_before_a_folds_step_is_too_large(desk: Desk) -> None:
    ledger = District({"A@dso"})
    desk.take(days(9))
    await file(desk, ledger)
    assert ledger.folded.count("SealPeriod") == 2


async def test_a_second_run_sends_nothing(desk: Desk) -> None:
    ledger = District({"A@dso"})
    desk.take(days(2))
    await file(desk, ledger)
    assert (await file(desk, ledger))[1] == Sent()


async def test_points_the_ledger_lacks_wait_and_are_told(desk: Desk) -> None:
    ledger = District({"A@dso"})
    desk.take(days(1, "A"), "a.csv")
    desk.take(days(1, "B"), "b.csv")
    lacking, _ = await file(desk, ledger)
    assert lacking == {"B": [DRAWN]}
    assert {record.device for record in ledger.filed} == {"A@dso"}
    ledger.devices.add("B@dso")
    assert (await file(desk, ledger))[0] == {}
    assert {record.device for record in ledger.filed} == {"A@dso", "B@dso"}


@pytest.mark.parametrize("committed", [True, False])
async def test_a_batch_not_heard_of_is_asked_for_and_never_doubled(
    desk: Desk, *, committed: bool
) -> None:
    ledger = District({"A@dso"})
    ledger.faults = [Unknown("x") if committed else Unavailable("x")]
    desk.take(days(2))
    with pytest.raises(Unavailable, match="not known yet"):
        await file(desk, ledger)
    await file(desk, ledger)
    assert [record.counter for record in ledger.filed] == [1, 2, 3]
    assert "SealPeriod" in ledger.folded


async def test_what_was_left_over_is_folded_though_no_day_is_new(desk: Desk) -> None:
    ledger = District({"A@dso"}, faults=[Unknown("x")])
    desk.take(rows(["A;Prelievo;30.03.2026 01:00;0,5;R"]))
    with pytest.raises(Unavailable, match="not known yet"):
        await file(desk, ledger)
    assert ledger.folded == []
    await file(desk, ledger)
    assert "SealPeriod" in ledger.folded


async def test_what_was_recorded_before_a_run_ended_is_folded_by_the_next_once(desk: Desk) -> None:
    ledger = District({"A@dso"}, seals=False)
    desk.take(rows(["A;Prelievo;30.03.2026 01:00;0,5;R"]))
    with pytest.raises(Unavailable):
        await file(desk, ledger)
    assert ledger.filed
    ledger.seals = True
    for _ in range(2):
        assert (await file(desk, ledger))[1] == Sent()
    assert ledger.folded.count("SealPeriod") == 1


async def test_what_endorsers_differ_on_for_a_moment_goes_again(desk: Desk) -> None:
    ledger = District({"A@dso"}, faults=[Mismatch("lags"), Refused("period-sealed")])
    desk.take(days(1))
    await file(desk, ledger)
    assert len(ledger.filed) == 2


async def test_what_the_ledger_refuses_is_told_and_tried_by_the_next_run(desk: Desk) -> None:
    ledger = District({"A@dso"}, spikes={"A@dso"})
    desk.take(rows(["A;Prelievo;01.03.2026 12:00;0,1;R"]))
    assert (await file(desk, ledger))[1] == Sent(0, 0, 1)
    assert desk.store.rejected() == [("A", 20_513, "spike")]
    ledger.spikes.clear()
    assert (await file(desk, ledger))[1] == Sent(1, 2, 0)
    assert desk.store.rejected() == []


async def test_a_charging_session_is_one_transaction(tmp_path: Path) -> None:
    mapping = """
kind = "register"
obis = "1-0:1.8.0*255"
[columns]
point = "p"
value = "v"
event = "e"
"""
    desk = Desk(tmp_path, mapping)
    lines = ["p,time,v,e", "C,2026-03-01T10:07:00Z,5,B", "C,2026-03-01T10:15:00Z,6,C",
             "C,2026-03-01T10:20:00Z,7,E", "C,2026-03-01T11:00:00Z,7,B"]  # fmt: skip
    desk.take("\n".join(lines))
    assert [one.reason for one in desk.rejected] == ["session-not-ended"]
    ledger = District({"C@dso"})
    await file(desk, ledger)
    (record,) = ledger.filed
    assert (record.context, [one.reason for one in record.readings]) == ("T", ["B", "C", "E"])


def test_a_dry_run_keeps_nothing(desk: Desk) -> None:
    (desk.folder / "one.csv").write_text(days(1))
    said: list[str] = []
    files = [desk.folder / "one.csv"]
    summary = importer.collect(desk.store, files, desk.style, said.append, None, keep=False)
    assert summary.files[0].taken == 96
    assert list(desk.told()) == []
    again = importer.collect(desk.store, files, desk.style, said.append, None)
    assert again.files[0].taken == 96


def test_every_rejected_row_is_in_the_report_and_a_broken_file_is_named(desk: Desk) -> None:
    (desk.folder / "one.csv").write_text(rows(["A;Prelievo;x;0,1;R"]))
    (desk.folder / "two.csv").write_text('Punto;"')
    files = [desk.folder / "one.csv", desk.folder / "two.csv", desk.folder / "three.csv"]
    report = desk.folder / "rejected.csv"
    summary = importer.collect(desk.store, files, desk.style, lambda _: None, report)
    assert [name for name, _ in summary.broken] == ["two.csv", "three.csv"]
    assert report.read_text().splitlines() == [
        "file,line,reason,row",
        'one.csv,2,no-time,"A;Prelievo;x;0,1;R"',
    ]
    assert not summary.whole
