# SPDX-License-Identifier: Apache-2.0
"""Bad input at the district's own contracts, on every runtime (fault matrix 1 to 11, 22).

One network and one day: each home is another case, so that what becomes of it shows in its own
intervals. What a status says of one record is asserted where it is given, what folds and closes
make of it at the end.
"""

import json
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from pedchain_chaincode import limits
from pedchain_domain import batch, canonical, der, ocmf
from pedchain_domain.reasons import Reason, reason_of
from pedchain_gateway.ledger.fabric import open_ledger
from pedchain_gateway.ledger.port import Refused
from tests.scenarios.certified import DAYS, FIRST, Certified
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.unit.chaincode.district import DAY, OBIS, START, Home, Meter, signed
from tests.unit.chaincode.people import identity, membership

pytestmark = pytest.mark.timeout(400)  # what a module stands on counts to its first test
HOUR = 3_600
OPENING = START + FIRST * DAY
HOMES = {
    name: Home(name, "P0")
    for name in ("twice", "two", "gap", "flip", "twin", "far", "thief", "late", "roll", "reset",
                 "wild", "broken")
}  # fmt: skip


def grid(name: str) -> Meter:
    return HOMES[name].grid


def at(hour: int, wh: int) -> list[tuple[int, str, int]]:
    return [(OPENING + hour * HOUR, "I", wh)]


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    with make_network(request.param, tmp_path_factory.mktemp("badinput")) as made:
        made.run("up")
        yield made


class Rolling(Meter):
    """A meter whose register begins anew at 10^9 Wh."""

    def document(self, **changes: Any) -> dict[str, Any]:
        return super().document(
            **{**changes, "registers": {OBIS["I"]: {"role": "I", "modulus_wh": 10**9}}}
        )


HOMES["roll"].grid = Rolling("roll.grid", "roll.gcp", ("I",))


class Open(Certified):
    """The district with its meters registered and nothing filed."""

    async def file(self, *records: bytes) -> list[Reason]:
        """SubmitReadings; what is said of each record."""
        period = (await self.ask("GetFence"))["period"]
        sent, salt = batch.encode(list(records)), secrets.token_bytes(16)
        answer = await self.submit("SubmitReadings", str(period), records=sent, salt=salt)
        return [reason_of(status) for status in answer]

    async def folded(self) -> None:
        period = (await self.ask("GetFence"))["period"]
        await self.submit("SealPeriod", str(period))
        await self.until_done("FoldShard", str(period), "0")

    async def intervals(self, name: str) -> tuple[list[int], str]:
        """Import of a home's day and its classes."""
        found = await self.ask("privacy:GetSubjectDay", name, DAYS[0])
        values, classes = found["intervals"][""][grid(name).point]["registers"]["I"]
        return values, classes


@pytest.fixture(scope="module")
async def books(consortium: Network) -> AsyncIterator[Open]:
    async with (
        await open_ledger(consortium.profile("DSO"), "gateway") as dso,
        await open_ledger(consortium.profile("DistrictA"), "gateway") as operator,
    ):
        made = Open(consortium, dso, operator, list(HOMES.values()))
        await made.open()
        yield made


@pytest.fixture(scope="module")
async def filed(books: Open) -> dict[str, list[Reason]]:
    """What is said of every case's records, filed in two periods; then the day is closed."""
    said = {name: await books.file(*records) for name, records in first().items()}
    await books.folded()
    await books.until_done("CloseDay", DAYS[0], "P")
    said |= {f"{name} later": await books.file(*records) for name, records in second().items()}
    await books.folded()
    await books.until_done("CloseDay", DAYS[0], "F")
    return said


def steady(name: str, hours: Sequence[int]) -> list[bytes]:
    """300 Wh an hour, read at these hours."""
    return [grid(name).record(at(hour, 300 * hour), hour + 1) for hour in hours]


def first() -> dict[str, list[bytes]]:
    twice, twin = grid("twice").record(at(0, 5), 1), grid("twin").record(at(0, 5), 1)
    rolling = [
        grid("roll").record(at(h, (999_999_000 + 300 * h) % 10**9), h + 1) for h in range(25)
    ]
    falling = [grid("reset").record(at(h, 300 * h if h < 12 else 300 * (h - 12)), h + 1)
               for h in range(25)]  # fmt: skip
    late = grid("late")
    return {
        "twice": [twice, twice],
        "two": [grid("two").record(at(0, 5), 1)],
        "gap": steady("gap", [hour for hour in range(25) if hour not in (7, 8, 13)]),
        "flip": list(flipped(grid("flip").record(at(0, 5), 1))),
        "twin": [twin, malleated(twin)],
        "far": [
            grid("far").record(at(0, 5), 1, network="elsewhere"),
            grid("far").record(at(0, 5), 1, channel="elsewhere"),
        ],
        "thief": [
            signed(grid("thief").payload(at(0, 5), 1), grid("two").key),
            signed(grid("two").payload(at(0, 5), 9), grid("thief").key),
        ],
        "late": [
            late.record([(4_000_000_000, "I", 5)], 1),
            late.record(at(0, 5), 2, state="U"),
            late.record(at(1, 5), 3),
        ],
        "roll": rolling,
        "reset": falling,
        "wild": [
            grid("wild").record([*at(0, 0), *at(1, 10**6)], 1),
            *(wild(text, number) for number, text in enumerate(WILD, 2)),
        ],
        "broken": list(BROKEN),
    }


def second() -> dict[str, list[bytes]]:
    return {
        "twice": [grid("twice").record(at(0, 5), 1)],
        "two": [grid("two").record(at(0, 6), 1)],
        "gap": steady("gap", (13, 8, 7)),
    }


def flipped(record: bytes) -> Iterator[bytes]:
    """The record with one bit changed, in every third byte of its payload."""
    begin, end = record.index(b"{"), record.rindex(b"|")
    for at_byte in range(begin, end, 3):
        changed = bytearray(record)
        changed[at_byte] ^= 1
        yield bytes(changed)


def malleated(record: bytes) -> bytes:
    """The record with the twin (r, n - s) of its signature."""
    head, payload, section = record.split(b"|")
    fields = json.loads(section)
    r, s = der.signature_values(bytes.fromhex(fields["SD"]))
    fields["SD"] = sequence(r, der.ORDER - s).hex()
    return b"|".join([head, payload, json.dumps(fields).encode()])


def sequence(*numbers: int) -> bytes:
    """A DER sequence of two integers."""
    parts = b""
    for number in numbers:
        digits = number.to_bytes(33, "big").lstrip(b"\x00")
        digits = b"\x00" + digits if digits[0] & 0x80 else digits
        parts += bytes([2, len(digits)]) + digits
    return bytes([0x30, len(parts)]) + parts


WILD = ("-5", "1e3", "NaN", "-0", "9007199254740993", "0x10", "1,5", "")


def wild(text: str, counter: int) -> bytes:
    """A record whose register is no plain number of Wh."""
    readings = [(OPENING, OBIS["I"], text, "Wh")]
    payload = ocmf.build(
        device=grid("wild").name,
        counter=counter,
        readings=readings,
        network="pedchain",
        channel="ped",
    )
    return signed(payload, grid("wild").key)


def broken(payload: bytes) -> bytes:
    return signed(payload, grid("broken").key)


RD = b'"RD":[{"TM":"2025-03-07T00:00:00,000+0000 S","RV":"5","RI":"1-0:1.8.0*255","RU":"Wh"}]'
BROKEN = (
    broken(b'{"PG":"F1","PG":"F2","MS":"broken.grid",' + RD + b"}"),
    broken(b"[" * 10_000 + b"]" * 10_000),
    broken(b'{"PG":"F1","MS":"broken.grid\xff",' + RD + b"}"),
    broken('{"PG":"F1","MS":"broken.gri\u0064\u0301",'.encode() + RD + b"}"),
    broken('{"PG":"F1","MS":"broken.grid\u00a0",'.encode() + RD + b"}"),
    broken(b'{"PG":"F1","MS":"broken.grid"}'),
    b"OCMF|{}",
    b"",
    b"\x00" * 1_000,
)


@pytest.mark.fault(1)
async def test_what_comes_again_counts_once(books: Open, filed: dict[str, list[Reason]]) -> None:
    assert filed["twice"] == [Reason.RECORDED, Reason.DUPLICATE]
    found = await books.ask("GetRecord", grid("twice").name, "1")
    assert [one["status"] for one in found["verdicts"]] == ["recorded"]


@pytest.mark.fault(2)
async def test_two_payloads_under_one_counter_are_both_kept_as_evidence(
    books: Open, filed: dict[str, list[Reason]]
) -> None:
    assert filed["two"] == [Reason.RECORDED]
    found = await books.ask("GetRecord", grid("two").name, "1")
    assert [one["status"] for one in found["verdicts"]] == ["conflict", "recorded"]
    assert len({one["payload"] for one in found["verdicts"]}) == 2


@pytest.mark.fault(3)
async def test_a_gap_filled_late_and_out_of_order_is_as_if_it_had_never_been(
    books: Open, filed: dict[str, list[Reason]]
) -> None:
    assert set(filed["gap"]) == set(filed["gap later"]) == {Reason.RECORDED}
    assert await books.intervals("gap") == ([300] * 24, "M" * 24)


@pytest.mark.fault(4)
def test_no_flipped_bit_is_stored(filed: dict[str, list[Reason]]) -> None:
    assert len(filed["flip"]) > 60
    kept = (Reason.RECORDED, Reason.NOT_CERTIFIABLE, Reason.CONFLICT, Reason.DUPLICATE)
    assert not any(reason in kept for reason in filed["flip"])


@pytest.mark.fault(5)
def test_the_twin_of_a_signature_is_a_replay(filed: dict[str, list[Reason]]) -> None:
    assert filed["twin"] == [Reason.RECORDED, Reason.DUPLICATE]


@pytest.mark.fault(6)
def test_a_record_for_another_ledger_is_refused(filed: dict[str, list[Reason]]) -> None:
    assert filed["far"] == [Reason.WRONG_DOMAIN] * 2


@pytest.mark.fault(7)
def test_no_meters_key_signs_for_another(filed: dict[str, list[Reason]]) -> None:
    assert filed["thief"] == [Reason.BAD_SIGNATURE] * 2


@pytest.mark.fault(8)
def test_time_ahead_is_refused_unsynchronised_kept_and_late_filed(
    filed: dict[str, list[Reason]],
) -> None:
    """The third is of a day 600 days back."""
    assert filed["late"] == [Reason.IN_THE_FUTURE, Reason.NOT_CERTIFIABLE, Reason.RECORDED]


@pytest.mark.fault(9)
async def test_a_register_that_falls_is_right_by_its_modulus_or_missing(
    books: Open, filed: dict[str, list[Reason]]
) -> None:
    assert set(filed["roll"]) == set(filed["reset"]) == {Reason.RECORDED}
    assert await books.intervals("roll") == ([300] * 24, "M" * 24)
    values, classes = await books.intervals("reset")
    assert classes == "M" * 11 + "X" + "M" * 12
    assert values == [300] * 11 + [0] + [300] * 12


@pytest.mark.fault(10)
async def test_what_cannot_have_flowed_and_what_is_no_number_certify_nothing(
    books: Open, filed: dict[str, list[Reason]]
) -> None:
    assert filed["wild"][0] == Reason.SPIKE
    said = dict(zip(WILD, filed["wild"][1:], strict=True))
    assert set(said.values()) <= {Reason.NOT_CERTIFIABLE, Reason.MALFORMED_RECORD}
    assert (await books.intervals("wild"))[1] == "X" * 24


@pytest.mark.fault(11)
async def test_what_is_no_record_is_refused_each_by_itself(
    books: Open, filed: dict[str, list[Reason]]
) -> None:
    allowed = {Reason.MALFORMED_RECORD, Reason.RECORD_TOO_LARGE, Reason.UNKNOWN_DEVICE,
               Reason.MALFORMED_SIGNATURE}  # fmt: skip
    assert len(filed["broken"]) == len(BROKEN)
    assert set(filed["broken"]) <= allowed
    with pytest.raises(Refused, match="too-large"):
        await books.file(*[b"x"] * (limits.BATCH_RECORDS + 1))


@pytest.mark.fault(22)
async def test_an_identity_without_a_salt_is_refused(books: Open) -> None:
    who = {name: value for name, value in identity("ann").items() if name != "salt"}
    sent = {"membership": canonical.encode(membership("ann")), "identity": canonical.encode(who)}
    with pytest.raises(Refused, match="malformed-document"):
        await books.submit("membership:Enrol", salt=secrets.token_bytes(16), **sent)
