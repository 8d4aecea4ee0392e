# SPDX-License-Identifier: Apache-2.0
"""What is exported can be imported again; tables for others' programs."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import canonical, ocmf
from pedchain_gateway.exporting import ledger as exports
from pedchain_gateway.exporting import operators, tables
from pedchain_gateway.importing import importer
from pedchain_gateway.importing.mapping import load
from pedchain_gateway.importing.store import Store
from tests.unit.importing.operator_files import DRAWN, Desk, rows

KEY = ec.generate_private_key(ec.SECP256R1())


def all_values(store: Store) -> list[operators.Row]:
    kinds: tuple[operators.Kind, ...] = ("interval", "register")
    return sorted(row for kind in kinds for row in operators.rows(store, kind))


@pytest.mark.parametrize("form", ["csv", "xlsx", "espi", "cim"])
def test_values_come_back_from_every_format_as_they_went(
    tmp_path: Path, form: operators.Format
) -> None:
    desk = Desk(tmp_path)
    lines = [f"A;Prelievo;30.03.2026 0{hour}:00;0,{hour}25;R" for hour in range(9) if hour != 4]
    lines += ["A;Immissione;30.03.2026 01:00;0,5;S", "B;Prelievo;29.03.2026 12:15;1.234,5;R"]
    assert desk.take(rows(lines)).rejected == 0
    written = operators.write(desk.store, tmp_path / "out", form)
    again = Store(None)
    for path in written:
        style = load(path.with_suffix(".toml"))
        summary = importer.collect(again, [path], style, lambda _: None, None)
        assert summary.whole
    assert all_values(again) == all_values(desk.store)
    assert len(all_values(again)) == 10


@pytest.mark.parametrize("form", ["csv", "xlsx", "espi"])
def test_registers_come_back_as_well(tmp_path: Path, form: operators.Format) -> None:
    desk = Desk(tmp_path)
    desk.style = desk.style.model_copy(update={"kind": "register"})
    desk.take(
        rows(["A;Prelievo;30.03.2026 00:00;17.000,5;R", "A;Prelievo;31.03.2026 00:07;17.002;S"])
    )
    (path,) = operators.write(desk.store, tmp_path / "out", form)
    again = Store(None)
    importer.collect(again, [path], load(path.with_suffix(".toml")), lambda _: None, None)
    assert all_values(again) == all_values(desk.store)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_charging_sessions_come_back_with_their_events(
    tmp_path: Path, form: operators.Format
) -> None:
    store = Store(None)
    session = [[1_774_800_000 + 60 * at, DRAWN, 1_000_000 * at, "Wh"] for at in range(3)]
    assert store.session("C1", session)
    (path,) = operators.write(store, tmp_path / "out", form)
    again = Store(None)
    summary = importer.collect(again, [path], load(path.with_suffix(".toml")), lambda _: None, None)
    assert summary.whole
    assert list(again.sessions()) == [("C1", session)]
    with pytest.raises(operators.NotExpressibleError, match="sessions"):
        operators.write(store, tmp_path / "out", "cim")


def test_a_format_that_cannot_say_it_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(rows(["A;Prelievo;30.03.2026 00:00;0,0001;R"]))
    with pytest.raises(operators.NotExpressibleError, match="whole Wh"):
        operators.write(desk.store, tmp_path / "out", "espi")
    desk.style = desk.style.model_copy(update={"kind": "register"})
    desk.take(rows(["B;Prelievo;30.03.2026 00:00;1,5;R"]), "two.csv")
    with pytest.raises(operators.NotExpressibleError, match="not registers"):
        operators.write(desk.store, tmp_path / "out", "cim")


async def test_tables_have_paths_for_columns_and_no_formulas(tmp_path: Path) -> None:
    async def found() -> AsyncIterator[tables.Document]:
        yield {"a": {"b": None, "c": "=1+1"}, "d": [1]}
        yield {"a": {"b": -2, "c": "x"}, "d": []}

    assert await tables.write(found(), tmp_path / "t.csv", "csv") == 2
    assert (tmp_path / "t.csv").read_text() == "a.b,a.c,d\n,'=1+1,[1]\n-2,x,[]\n"
    await tables.write(found(), tmp_path / "t.ndjson", "ndjson")
    assert (tmp_path / "t.ndjson").read_text().splitlines()[
        1
    ] == '{"a": {"b": -2, "c": "x"}, "d": []}'


class Answers:
    """A ledger that answers from a table."""

    def __init__(self, found: Mapping[tuple[str, ...], Any]) -> None:
        self.found = found

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        return canonical.encode(self.found[function, *arguments])


def signed(device: str, counter: int, at: int, wh: int, status: str = "G") -> dict[str, Any]:
    payload = ocmf.build(
        device=device, counter=counter, readings=[(at, DRAWN, str(wh), "Wh")], network="n",
        channel="c", status=status,
    )  # fmt: skip
    record = ocmf.sign(payload, KEY)
    return {"transaction": "t", "counter": counter, "record": record.hex()}


async def test_the_dsos_day_is_held_against_the_agents() -> None:
    """One above 1 % and 100 Wh is a finding, as on the ledger."""
    start, end = 86_400, 172_800
    records = [
        signed("m", 1, start, 1_000), signed("m", 2, end, 21_000),
        signed("p@dso", 1, start, 0), signed("p@dso", 2, end, 20_900),
        signed("p@dso", 3, end, 20_100, "S"),
    ]  # fmt: skip
    ledger = Answers(
        {
            ("GetDistrict", "D"): {"calendar": ["c"]},
            ("GetCalendar", "c"): {"rows": [{"day": "1970-01-02", "start": start, "end": end}]},
            ("privacy:GetSubjectDay", "s", "1970-01-02"): {"periods": [4]},
            ("privacy:ListSubjectRecords", "s", "4", ""): {"records": records, "bookmark": ""},
            ("GetDevice", "m"): {"document": {"point": "p"}},
            ("GetDevice", "p@dso"): {"document": {"point": "p", "authority": "dso"}},
        }
    )
    span = exports.Span("D", "1970-01-02", "1970-01-02")
    found = [one async for one in exports.differences(ledger, span, ["s"])]  # type: ignore[arg-type] # of a ledger only queries
    assert found == [
        {
            "site": "s", "day": "1970-01-02", "point": "p", "register": DRAWN, "dso_wh": 20_100,
            "source": "agent", "source_wh": 20_000, "difference_wh": -100, "finding": False,
        }
    ]  # fmt: skip
    readings = [one async for one in exports.readings(ledger, span, ["s"])]  # type: ignore[arg-type] # as above
    assert [(one["device"], one["value"], one["status"]) for one in readings][-1] == (
        "p@dso", "20100", "S",
    )  # fmt: skip
