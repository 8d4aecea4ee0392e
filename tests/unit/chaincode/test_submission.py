# SPDX-License-Identifier: Apache-2.0
"""SubmitReadings: what it answers per record, what it keeps, what it reads and shows."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_chaincode import limits
from pedchain_chaincode.metering import submission
from pedchain_chaincode.metering.batchdoc import KEPT, SENT, BatchDocument, root
from pedchain_chaincode.metering.submission import Outcome
from pedchain_domain import batch, der
from pedchain_domain.reasons import Reason, reason_of
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import DAY, METERING, OPERATOR, START, Home, Ledger, Meter, salt

VALUES = [(START, "I", 1_000), (START, "E", 0)]


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    return ledger


@pytest.fixture
async def home(ledger: Ledger) -> Home:
    home = Home("home-1")
    await ledger.register(home)
    return home


async def answered(ledger: Ledger, *records: bytes) -> list[str]:
    return [str(reason_of(status)) for status in await ledger.file(*records)]


def kept(ledger: Ledger) -> list[bytes]:
    """Every record that stands in the collection."""
    private = ledger.peer.private(METERING, "readings")
    batches = [v for k, v in private.items() if k.startswith("\x00batch")]
    return [record for value in batches for record in BatchDocument.decode(value).records()]


async def test_a_signed_record_is_recorded_as_it_was_received(ledger: Ledger, home: Home) -> None:
    record = home.grid.record(VALUES)
    assert await answered(ledger, record) == ["recorded"]
    assert kept(ledger) == [record]


@pytest.mark.fault(1)
async def test_the_same_record_twice_in_a_batch_is_kept_once(ledger: Ledger, home: Home) -> None:
    record = home.grid.record(VALUES)
    assert await answered(ledger, record, record) == ["recorded", "duplicate"]
    assert kept(ledger) == [record]


@pytest.mark.fault(2)
async def test_another_payload_under_a_counter_is_kept_as_evidence(
    ledger: Ledger, home: Home
) -> None:
    first = home.grid.record(VALUES, 7)
    second = home.grid.record([(START, "I", 2_000)], 7)
    assert await answered(ledger, first, second) == ["recorded", "conflict"]
    assert kept(ledger) == [first, second]


@pytest.mark.fault(4)
async def test_a_flipped_bit_anywhere_in_the_payload_is_refused(ledger: Ledger, home: Home) -> None:
    record = home.grid.record(VALUES)
    end = record.rindex(b"|")
    flipped = [record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :] for at in range(5, end)]
    told = [
        t
        for n in range(0, len(flipped), 300)
        for t in await answered(ledger, *flipped[n : n + 300])
    ]
    assert "recorded" not in told
    assert "bad-signature" in told
    assert kept(ledger) == []
    assert not any(k.startswith("\x00batch") for k in ledger.peer.state(METERING))


@pytest.mark.fault(5)
async def test_a_malleated_signature_is_a_replay(ledger: Ledger, home: Home) -> None:
    record = home.grid.record(VALUES)
    payload, section = record.rsplit(b"|", 1)
    signature = bytes.fromhex(json.loads(section)["SD"])
    r, s = der.signature_values(signature)
    twin = encode_der(r, der.ORDER - s).hex()
    malleated = payload + b"|" + json.dumps({"SD": twin}).encode()
    assert await answered(ledger, record, malleated) == ["recorded", "duplicate"]
    assert await answered(ledger, malleated) == ["recorded"]  # another batch: the fold will see
    await ledger.fold(await ledger.seal())
    found = await ledger.ask("GetRecord", home.grid.name, "1")
    assert [verdict["status"] for verdict in found["verdicts"]] == ["recorded"]


def encode_der(r: int, s: int) -> bytes:
    body = b"".join(
        b"\x02" + bytes([len(digits)]) + digits
        for digits in (value.to_bytes(value.bit_length() // 8 + 1, "big") for value in (r, s))
    )
    return b"\x30" + bytes([len(body)]) + body


@pytest.mark.fault(6)
@pytest.mark.parametrize("domain", [{"network": "other"}, {"channel": "other"}])
async def test_a_record_for_another_ledger_is_refused(
    ledger: Ledger, home: Home, domain: dict[str, str]
) -> None:
    assert await answered(ledger, home.grid.record(VALUES, 1, **domain)) == ["wrong-domain"]
    assert kept(ledger) == []


@pytest.mark.fault(7)
async def test_the_key_of_one_meter_does_not_sign_for_another(ledger: Ledger, home: Home) -> None:
    impostor = Meter(home.roof.name, home.roof.point, ("G",))
    impostor.key = home.grid.key
    assert await answered(ledger, impostor.record([(START, "G", 1)])) == ["bad-signature"]


async def test_an_unregistered_device_is_unknown(ledger: Ledger) -> None:
    stranger = Meter("stranger", "nowhere", ("I",))
    odd = Meter("a b\x00c", "nowhere", ("I",))
    records = [stranger.record([(START, "I", 1)]), odd.record([(START, "I", 1)])]
    assert await answered(ledger, *records) == ["unknown-device", "unknown-device"]


@pytest.mark.fault(8)
async def test_time_ahead_is_refused_and_an_unsynchronised_clock_is_not_certified(
    ledger: Ledger, home: Home
) -> None:
    now = ledger.peer.now
    late = home.grid.record([(now + 3_600, "I", 1_000)])
    old = home.grid.record([(now - 40 * DAY, "I", 1_000)])
    unsynchronised = home.grid.record(VALUES, None, state="U")
    assert await answered(ledger, late, old, unsynchronised) == [
        "in-the-future",
        "recorded",
        "recorded-not-certifiable",
    ]


@pytest.mark.fault(10)
async def test_energy_above_the_capacity_is_refused(ledger: Ledger, home: Home) -> None:
    hour = START + 3_600
    steep = home.grid.record([(START, "I", 0), (hour, "I", 20_402)])
    just = home.grid.record([(START, "I", 0), (hour, "I", 20_401)])
    assert await answered(ledger, steep, just) == ["spike", "recorded"]


@pytest.mark.fault(10)
@pytest.mark.parametrize(
    ("register", "reason"),
    [
        ("-5", "recorded-not-certifiable"),
        ("9007199254740993000", "recorded-not-certifiable"),
        ("1e3", "recorded-not-certifiable"),
        ("NaN", "recorded-not-certifiable"),
        ("-0", "recorded-not-certifiable"),
        ("", "malformed-record"),
        ("9" * 41, "malformed-record"),
    ],
)
async def test_a_register_that_is_no_plain_decimal_is_never_certified(
    ledger: Ledger, home: Home, register: str, reason: str
) -> None:
    from pedchain_domain import ocmf
    from tests.unit.chaincode.district import OBIS, signed

    payload = ocmf.build(
        device=home.grid.name,
        counter=1,
        readings=[(START, OBIS["I"], register, "Wh")],
        network="pedchain",
        channel="ped",
    )
    assert await answered(ledger, signed(payload, home.grid.key)) == [reason]


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    "received",
    [
        b"",
        b"OCMF",
        b"OCMF|{}|{}",
        b'OCMF|{"PG":"F1","PG":"F2"}|{"SD":"00"}',
        b"OCMF|" + b"[" * 10_000 + b"|{}",
        b'OCMF|{"PG":"F1"}|{"SD":"\xff"}',
        b"OCMF|" + b" " * 70_000 + b"|{}",
    ],
)
async def test_malformed_records_are_refused_each_by_itself(
    ledger: Ledger, home: Home, received: bytes
) -> None:
    good = home.grid.record(VALUES)
    reasons = await answered(ledger, received, good)
    assert reasons[1] == "recorded"
    assert reasons[0] in ("malformed-record", "malformed-signature", "record-too-large")
    assert kept(ledger) == [good]


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    ("transient", "reason"),
    [
        ({}, "salt-missing"),
        ({"salt": b"short", "records": b"x"}, "salt-missing"),
        ({"salt": salt(1)}, "malformed-batch"),
        ({"salt": salt(1), "records": b"\x00\x00"}, "malformed-batch"),
        ({"salt": salt(1), "records": batch.encode([b"x"])[:-1]}, "malformed-batch"),
        ({"salt": salt(1), "records": batch.encode([b"x"]) + b"x"}, "malformed-batch"),
        ({"salt": salt(1), "records": b"\xff" * 8 + b"x"}, "too-large"),
    ],
)
async def test_a_malformed_batch_is_refused_as_a_whole(
    ledger: Ledger, transient: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(TransactionFailed, match=reason):
        await ledger.submit("SubmitReadings", "1", transient=transient)


@pytest.mark.fault(11)
@pytest.mark.parametrize("records", [[b"x"] * (limits.BATCH_RECORDS + 1), [b"x" * 60_000] * 13])
async def test_a_batch_beyond_what_a_call_may_cost_is_refused(
    ledger: Ledger, records: list[bytes]
) -> None:
    with pytest.raises(TransactionFailed, match="too-large"):
        await ledger.file(*records)


async def test_a_batch_of_many_devices_tells_their_cells(
    ledger: Ledger, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DEVICES_UNTOLD", 1)
    records = [home.grid.record(VALUES), home.roof.record([(START, "G", 0)])]
    with pytest.raises(TransactionFailed, match="too-large: cells"):
        await ledger.file(*records)
    told = {**ledger.transient(records), "cells": b"0"}
    assert await ledger.submit("SubmitReadings", "1", transient=told) == bytes(2)


async def test_a_counter_before_the_first_is_refused(ledger: Ledger, home: Home) -> None:
    assert await answered(ledger, home.grid.record(VALUES, 0)) == ["counter-before-first"]


async def test_only_the_open_period_takes_batches(ledger: Ledger, home: Home) -> None:
    await ledger.seal()
    for period, reason in (("1", "period-sealed"), ("3", "period-not-open")):
        transient = ledger.transient([home.grid.record(VALUES)])
        with pytest.raises(TransactionFailed, match=reason):
            await ledger.submit("SubmitReadings", period, transient=transient)


async def test_a_batch_in_flight_fails_when_its_period_is_sealed(
    ledger: Ledger, home: Home
) -> None:
    transient = ledger.transient([home.grid.record(VALUES)])
    held = await ledger.peer.endorse(
        METERING, "SubmitReadings", "1", transient=transient, creator=OPERATOR
    )
    await ledger.seal()
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        ledger.peer.commit(held)
    assert kept(ledger) == []


async def test_batches_in_flight_never_conflict_with_each_other(ledger: Ledger, home: Home) -> None:
    held = []
    for _ in range(5):
        transient = ledger.transient([home.grid.record(VALUES)])
        held.append(await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=transient))
    for outcome in held:
        ledger.peer.commit(outcome)
    assert len(kept(ledger)) == 5


async def test_a_batch_reads_the_fence_and_its_devices_only(ledger: Ledger, home: Home) -> None:
    transient = ledger.transient([home.grid.record(VALUES)])
    outcome = await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=transient)
    (namespace,) = outcome.namespaces
    reads = sorted(read.key.strip("\x00").split("\x00")[0] for read in namespace.reads)
    assert reads == ["device", "fence", "naming"]
    assert not namespace.range_queries


async def test_the_marker_is_the_salted_root_of_what_was_kept(ledger: Ledger, home: Home) -> None:
    record = home.grid.record(VALUES)
    bad = home.grid.record(VALUES, None, channel="other")
    await ledger.file(record, bad)
    state = ledger.peer.state(METERING)
    (marker,) = [json.loads(v) for k, v in state.items() if k.startswith("\x00batch")]
    assert marker == {"records": 1, "root": root(salt(1), [record]).hex()}
    assert root(salt(2), [record]) != root(salt(1), [record])


async def test_what_was_sent_is_kept_as_sent_unless_something_was_refused(
    ledger: Ledger, home: Home
) -> None:
    good, bad = home.grid.record(VALUES), home.grid.record(VALUES, None, channel="other")
    for records, form in (([good], SENT), ([good, bad], KEPT)):
        transient = ledger.transient(records)
        outcome = await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=transient)
        (value,) = outcome.private_writes("readings").values()
        document = BatchDocument.decode(value)
        assert document.form == form
        assert document.records() == [good]
        assert value[:16] == transient["salt"]
        if form == SENT:
            assert document.body == transient["records"]


@pytest.mark.fault(21)
async def test_nothing_public_names_a_device_or_a_value(ledger: Ledger, home: Home) -> None:
    """The canary: device, counter and register of a record appear nowhere outside the collection,
    save the device's registered name in the read set."""
    record = home.grid.record([(START, "I", 987_654_321)], 424_242)
    transient = ledger.transient([record])
    outcome = await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=transient)
    assert outcome.event is None
    assert outcome.payload == bytes([0])
    for canary in (b"987654321", b"424242", record[5:40], salt(ledger.batches)):
        assert canary not in outcome.results
    written = repr(outcome.writes).encode()
    for canary in (b"987654321", b"424242", b"home-1", record[:40]):
        assert canary not in written
    private = [key.encode() for key in outcome.private_writes("readings")]
    names = [outcome.transaction_id.encode()]
    assert [key.strip(b"\x00").split(b"\x00")[1:] for key in private] == [names]


def outcome(device: str, counter: int, digest: str) -> Outcome:
    return Outcome(Reason.RECORDED, [device, counter, digest, "", 0, []])


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.sampled_from("xyz"))))
def test_every_payload_of_a_batch_is_kept_once(triples: list[tuple[str, int, str]]) -> None:
    settled = submission.settle([outcome(*triple) for triple in triples])
    rows: list[Any] = [tuple(o.row[:3]) for o in settled if o.row is not None]
    assert rows == list(dict.fromkeys(triples))
    firsts = {row[:2] for row, o in zip(rows, settled, strict=False) if o.reason == "recorded"}
    assert firsts <= {triple[:2] for triple in triples}


def test_a_record_salt_is_128_bits_and_differs_by_position() -> None:
    from pedchain_chaincode.metering.batchdoc import record_salt

    salts = {record_salt(hashlib.sha256(b"s").digest()[:16], n) for n in range(9)}
    assert len(salts) == 9
    assert {len(s) for s in salts} == {16}


async def test_a_batch_that_tells_cells_reads_rosters_and_is_judged_alike(
    ledger: Ledger, home: Home
) -> None:
    """Whose device does not stand there is looked up by itself: what is told is no claim."""
    other = Home("home-2")
    await ledger.register(other)
    revoked = {"schema": "revoke/1", "device": other.roof.name, "counter": 1}
    await ledger.submit("RevokeKey", json.dumps(revoked))
    records = [home.grid.record(VALUES), other.roof.record([(START, "G", 5)]), b"x"]
    records.append(Meter("stranger", "p", ("I",)).record([(START, "I", 1)]))
    answers = []
    for cells in (b"", b"0", b"7", b"0,7"):
        transient = {**ledger.transient(records), "cells": cells}
        answer = await ledger.submit("SubmitReadings", "1", transient=transient, creator=OPERATOR)
        answers.append([str(reason_of(status)) for status in answer])
    assert answers == [["recorded", "revoked-key", "malformed-record", "unknown-device"]] * 4
    assert await ledger.ask("GetCells", json.dumps([home.grid.name, "stranger"])) == [0, None]


async def test_a_roster_repeats_what_the_devices_entries_say(ledger: Ledger, home: Home) -> None:
    """So that a batch is judged by either to the same, whatever befell its devices."""
    grid, roof = home.grid, home.roof
    suspend = {"schema": "suspend/1", "device": grid.name, "from": START + DAY}
    await ledger.submit("SuspendDevice", json.dumps(suspend))
    revoke = {"schema": "revoke/1", "device": roof.name, "counter": 9, "compromised_since": START}
    await ledger.submit("RevokeKey", json.dumps(revoke))
    state = ledger.peer.state(METERING)
    roster = json.loads(next(v for k, v in state.items() if k.startswith("\x00roster")))
    for meter in (grid, roof):
        held = [v for k, v in state.items() if k.startswith("\x00device") and meter.name in k]
        assert json.loads(held[0])["document"] == roster["devices"][meter.name]


@pytest.mark.parametrize("cells", [b",", b"1,0", b"0,0", b"-1", b"x", b"\xff", b"01"])
async def test_cells_are_ascending_numbers_or_the_batch_is_malformed(
    ledger: Ledger, home: Home, cells: bytes
) -> None:
    transient = {**ledger.transient([home.grid.record(VALUES)]), "cells": cells}
    with pytest.raises(TransactionFailed, match="malformed-batch"):
        await ledger.submit("SubmitReadings", "1", transient=transient, creator=OPERATOR)
