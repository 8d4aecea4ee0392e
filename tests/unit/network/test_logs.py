# SPDX-License-Identifier: Apache-2.0
"""Goal: one story from many logs. Method: lines as nodes of each runtime write them."""

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pedchain_network.runtimes import logfile
from pedchain_network.watch import logs

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Part:
    """A part that has written these lines."""

    name: str
    lines: tuple[str, ...] = ()
    listens: Mapping[str, str] = field(default_factory=dict)
    kind: str = "peer"
    organization: str = "DSO"
    alive: bool = True
    memory_bytes: int | None = None

    def log_tail(self) -> str:
        return ""

    def read_log(self, lines: int | None, *, follow: bool) -> Iterator[str]:
        yield from self.lines if lines is None else self.lines[-lines:] if lines else ()


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22T12:00:00.500Z WARN gossip text",
        "\x1b[31m2026-11-22T13:00:00.500+01:00 ERRO\x1b[0m [comm] text",
        "2026-11-22T12:00:00.500000000Z the engine's time, then the line",
    ],
)
def test_times_are_read_as_nodes_write_them(line: str) -> None:
    [found] = logs.stamped("peer0", [line])
    assert found.time == datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)
    assert "\x1b" not in found.text


def test_a_time_without_a_zone_is_this_hosts() -> None:
    [found] = logs.stamped("orderer0", ["2026-11-22 12:00:00.500 UTC 0001 ERRO [core] text"])
    assert found.time == datetime(2026, 11, 22, 12, 0, 0, 500_000).astimezone(UTC)


def test_the_time_an_engine_puts_before_a_line_is_not_shown() -> None:
    line = "2026-11-22T12:00:00.500000000Z 2026-11-22 12:00:00.499 UTC 0001 text"
    assert next(logs.stamped("p", [line])).text == "2026-11-22 12:00:00.499 UTC 0001 text"


def test_a_line_without_a_time_stays_with_the_one_before() -> None:
    found = list(logs.stamped("p", ["2026-11-22T12:00:00Z failed", "  at the second line"]))
    assert found[1].time == found[0].time


def test_lines_of_all_parts_come_in_the_order_of_their_times() -> None:
    first = Part("a", ("2026-11-22T12:00:01Z one", "  more of one", "2026-11-22T12:00:03Z three"))
    second = Part("b", ("2026-11-22T12:00:02Z two",))
    told = list(logs.formatted(logs.last([first, second], None), 2))
    assert told == [
        "a  | 2026-11-22T12:00:01Z one",
        "a  |   more of one",
        "b  | 2026-11-22T12:00:02Z two",
        "a  | 2026-11-22T12:00:03Z three",
    ]


def test_only_the_last_lines_of_all_together() -> None:
    parts = [Part("a", ("2026-11-22T12:00:01Z x",)), Part("b", ("2026-11-22T12:00:02Z y",))]
    assert [line.part for line in logs.last(parts, 1)] == ["b"]
    assert logs.last(parts, 0) == []


def test_nothing_from_before_since() -> None:
    part = Part("a", ("2026-11-22T11:00:00Z old", "2026-11-22T12:30:00Z new"))
    assert [line.text[-3:] for line in logs.last([part], None, NOON)] == ["new"]


@pytest.mark.parametrize(
    ("text", "hours"), [("90m", 1.5), ("2h", 2), ("1d", 24), ("2026-11-22 11:00", 1)]
)
def test_since_is_a_span_or_a_time(text: str, hours: float) -> None:
    assert (NOON - logs.since(text, NOON)).total_seconds() == hours * 3600


def test_since_is_nothing_else() -> None:
    with pytest.raises(logs.NoTimeError, match="'yesterday' is no time"):
        logs.since("yesterday", NOON)


def test_a_part_is_chosen_by_its_name_or_by_a_node_in_it() -> None:
    both = Part("embedded", listens={"peer0.dso.ped": "", "orderer0.dso.ped": ""})
    other = Part("chaincode")
    assert logs.chosen([both, other], []) == [both, other]
    assert logs.chosen([both, other], ["peer0.dso.ped"]) == [both]
    assert logs.chosen([both, other], ["chaincode"]) == [other]


def test_a_name_that_nobody_has_is_told_with_those_there_are() -> None:
    with pytest.raises(logs.NoSuchPartError, match="known: a, b"):
        logs.chosen([Part("a"), Part("b")], ["c"])


def test_a_part_without_a_log_is_silent(tmp_path: Path) -> None:
    class Silent(Part):
        def read_log(self, lines: int | None, *, follow: bool) -> Iterator[str]:
            return logfile.read(tmp_path / "none.log", lines, follow=follow)

    assert logs.last([Silent("a"), Part("b", ("2026-11-22T12:00:00Z x",))], 5)[0].part == "b"


@pytest.mark.parametrize("length", [1, 40, 70_000])
def test_the_last_lines_of_a_file_are_found_however_long(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.log"
    lines = [f"{number}{'x' * length}" for number in range(5)]
    path.write_text("\n".join(lines) + "\n")
    assert logfile.tail(path, 2) == lines[-2:]
    assert logfile.tail(path, 9) == lines
    assert logfile.tail(path, None) == lines
    assert logfile.tail(path, 0) == []


def test_what_is_written_later_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("old\n")
    reader = logfile.read(path, 1, follow=True)
    assert next(reader) == "old"
    with path.open("a") as file:
        file.write("new\nhalf")
        file.flush()
        assert next(reader) == "new"
        file.write(" whole\n")
    assert next(reader) == "half whole"


def test_a_file_that_is_begun_anew_is_followed_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("a long old line\n")
    reader = logfile.read(path, 1, follow=True)
    assert next(reader) == "a long old line"
    path.write_text("anew\n")
    assert next(reader) == "anew"


def test_several_parts_are_followed_at_once() -> None:
    ready = threading.Barrier(2, timeout=10)

    class Writing(Part):
        def read_log(self, lines: int | None, *, follow: bool) -> Iterator[str]:
            ready.wait()
            yield "said"

    told = itertools.islice(logs.follow([Writing("a"), Writing("b")]), 2)
    assert {line.part for line in told} == {"a", "b"}


def test_the_last_words_of_a_panic_are_its_cause_not_its_calls() -> None:
    calls = [f"goroutine {number}" for number in range(40)]
    log = ["started", "panic: write: no space left on device", *calls]
    assert logfile.last_words(log, 3) == ["panic: write: no space left on device", *calls[:2]]
    assert logfile.last_words(["one", "two", "three"], 2) == ["two", "three"]


def test_lines_for_machines_are_documents() -> None:
    lines = logs.stamped("peer0", ["first", "2026-11-22T12:00:00.500Z second"])
    assert [json.loads(each) for each in logs.documents(lines)] == [
        {"time": None, "part": "peer0", "text": "first"},
        {
            "time": "2026-11-22T12:00:00.500000+00:00",
            "part": "peer0",
            "text": "2026-11-22T12:00:00.500Z second",
        },
    ]
