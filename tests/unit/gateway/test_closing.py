# SPDX-License-Identifier: Apache-2.0
"""Closing: in order, what is due, safe to repeat and to race."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.certifying.closing import Closer, ClosingError, keep_closing
from pedchain_gateway.certifying.days import Day, Due, due, rows
from pedchain_gateway.ledger.port import Announce, Committed, Invalid, Mismatch, Refused, Unknown

DAY_S = 86_400
DAYS = [Day(n * DAY_S, (n + 1) * DAY_S, f"2026-03-{n + 1:02}") for n in range(31)]


def calendar(days: list[Day]) -> dict[str, object]:
    return {"rows": [{"day": one.day, "start": one.start, "end": one.end} for one in days]}


@dataclass
class Metering:
    """The contract's rules of closing, over a ledger that may get in the way."""

    period: int = 1
    shards: int = 2
    steps: int = 2
    folded: dict[int, int] = field(default_factory=dict)
    progress: dict[tuple[str, ...], int] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        match function:
            case "GetDistrict":
                return canonical.encode({"calendar": ["c"]})
            case "GetCalendar":
                return canonical.encode(calendar(DAYS))
            case "GetFence":
                return canonical.encode({"period": self.period, "shards": self.shards})
            case _:
                days = sorted(day for day in self.certificates if day >= arguments[0])
                page = [{"day": day, "run": self.certificates[day]} for day in days]
                return canonical.encode({"certificates": page, "bookmark": ""})

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
    ) -> Committed:
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble.pop(0)
        self.calls.append((function, *arguments))
        return Committed("tx", getattr(self, function)(*arguments))

    def SealPeriod(self, period: str) -> bytes:  # noqa: N802 - the transaction's name
        if int(period) == self.period:
            self.period += 1
        return b""

    def FoldShard(self, period: str, shard: str) -> bytes:  # noqa: N802 - the transaction's name
        through = self.folded.get(int(shard), 0)
        if int(period) <= through:
            return b"done"
        if int(period) != through + 1:
            raise Refused("previous-period-open")
        if self._step("fold", period, shard):
            self.folded[int(shard)] = int(period)
            return b"done"
        return b"more"

    def CloseDay(self, day: str, run: str) -> bytes:  # noqa: N802 - the transaction's name
        if min(self.folded.values(), default=0) < self.period - 1:
            raise Refused("not-folded")
        former = {"P": None, "F": "P", "FINAL": "F"}[run]
        held = self.certificates.get(day)
        if held == run:
            return b"done"
        if held != former:
            raise Refused("run-missing")
        if self._step("close", day, run):
            self.certificates[day] = run
            return b"done"
        return b"more"

    def _step(self, *key: str) -> bool:
        self.progress[key] = self.progress.get(key, 0) + 1
        return self.progress[key] >= self.steps

    async def outcome(self, transaction: str) -> None:
        raise AssertionError("not asked")

    async def height(self) -> int:
        raise AssertionError("not asked")


def closer(ledger: Metering, now: float) -> Closer:
    async def no_pause(_: float) -> None:
        await asyncio.sleep(0)

    return Closer(ledger, "DistrictA", "metering-DistrictA", pause=no_pause, clock=lambda: now)


async def test_a_day_is_sealed_folded_and_closed_when_it_has_ended() -> None:
    ledger = Metering()
    assert await closer(ledger, DAY_S - 1).close() == []
    assert ledger.calls == []
    assert await closer(ledger, DAY_S).close() == [Due("2026-03-01", "P")]
    assert ledger.calls == [
        ("SealPeriod", "1"),
        ("FoldShard", "1", "0"),
        ("FoldShard", "1", "0"),
        ("FoldShard", "1", "1"),
        ("FoldShard", "1", "1"),
        ("CloseDay", "2026-03-01", "P"),
        ("CloseDay", "2026-03-01", "P"),
    ]


async def test_a_gentle_closing_rests_after_each_step_and_no_longer_than_it_may() -> None:
    rests: list[float] = []

    async def pause(seconds: float) -> None:
        rests.append(seconds)

    gentle = replace(closer(ledger := Metering(), DAY_S), pause=pause, rest=1e9)
    await gentle.close()
    assert ledger.certificates == {"2026-03-01": "P"}
    assert rests == [limits.CLOSING_REST_S_MAX] * 6  # two shards, one day: two steps each


async def test_what_is_closed_is_left_alone() -> None:
    ledger = Metering()
    await closer(ledger, DAY_S).close()
    ledger.calls.clear()
    assert await closer(ledger, DAY_S).close() == []
    assert ledger.calls == []


async def test_days_left_behind_are_closed_in_order() -> None:
    ledger = Metering()
    await closer(ledger, DAY_S).close()
    closed = await closer(ledger, 4 * DAY_S).close()
    assert closed == [Due(f"2026-03-0{n}", "P") for n in (2, 3, 4)]


async def test_the_first_closing_begins_where_it_is_told_and_ends_there_too() -> None:
    ledger = Metering()
    one = closer(ledger, 20 * DAY_S)
    closed = await one.close(first="2026-03-03", through="2026-03-05", run="P")
    assert [due_.day for due_ in closed] == ["2026-03-03", "2026-03-04", "2026-03-05"]


async def test_a_day_becomes_f_on_the_tenth_day_after_it() -> None:
    ledger = Metering()
    await closer(ledger, DAY_S).close()
    closed = await closer(ledger, 10 * DAY_S).close()
    assert closed[-1] == Due("2026-03-01", "F")
    assert ledger.certificates["2026-03-01"] == "F"
    assert set(ledger.certificates.values()) == {"F", "P"}


async def test_periods_left_unfolded_by_a_crash_are_folded_first() -> None:
    ledger = Metering(period=4)
    await closer(ledger, DAY_S).close()
    assert ledger.folded == {0: 4, 1: 4}


async def test_somebody_faster_is_no_failure() -> None:
    ledger = Metering()
    ledger.trouble = [
        Invalid("tx", "MVCC_READ_CONFLICT"),
        Mismatch("lag"),
        Unknown("tx"),
        Invalid("tx", "PHANTOM_READ_CONFLICT"),
    ]
    assert await closer(ledger, DAY_S).close() == [Due("2026-03-01", "P")]


@pytest.mark.parametrize(
    "code", ["ENDORSEMENT_POLICY_FAILURE", "CHAINCODE_VERSION_CONFLICT", "EXPIRED_CHAINCODE"]
)
async def test_a_definition_upgraded_meanwhile_is_no_failure(code: str) -> None:
    ledger = Metering(trouble=[Invalid("tx", code)])
    assert await closer(ledger, DAY_S).close() == [Due("2026-03-01", "P")]


async def test_a_refusal_ends_with_its_reason() -> None:
    ledger = Metering(trouble=[Refused("not-permitted")])
    with pytest.raises(ClosingError, match="DistrictA: not-permitted"):
        await closer(ledger, DAY_S).close()
    ledger = Metering(trouble=[Invalid("tx", "BAD_RWSET")])
    with pytest.raises(ClosingError, match="BAD_RWSET"):
        await closer(ledger, DAY_S).close()


async def test_contention_without_end_is_told() -> None:
    ledger = Metering(trouble=[Mismatch("lag")] * 100)
    with pytest.raises(ClosingError, match="no way through"):
        await closer(ledger, DAY_S).close()


async def test_several_gateways_closing_at_once_make_one_certificate_a_day() -> None:
    ledger = Metering(steps=3)
    await asyncio.gather(*(closer(ledger, 5 * DAY_S).close(first="2026-03-01") for _ in range(4)))
    assert ledger.certificates == {f"2026-03-0{n}": "P" for n in range(1, 6)}
    assert ledger.period == 2
    assert ledger.folded == {0: 1, 1: 1}


async def test_the_background_goes_on_after_a_failure() -> None:
    ledger = Metering(trouble=[Refused("not-permitted")])
    heard: list[tuple[bool, int]] = []
    enough = asyncio.Event()

    def note(_: Closer, error: ClosingError | None, closed: int) -> None:
        heard.append((error is None, closed))
        if len(heard) == 3:
            enough.set()

    task = asyncio.create_task(keep_closing([closer(ledger, DAY_S)], 0, note))
    await enough.wait()
    task.cancel()
    await asyncio.wait([task])
    assert heard == [(False, 0), (True, 1), (True, 0)]


def test_calendars_are_joined_in_order_of_time() -> None:
    assert rows([calendar(DAYS[10:20]), calendar(DAYS[:12])]) == DAYS[:20]


def test_days_without_any_certificate_begin_with_the_last_that_ended() -> None:
    assert due(DAYS, {}, now=5 * DAY_S) == [Due("2026-03-05", "P")]
