# SPDX-License-Identifier: Apache-2.0
"""Small districts for the tests of this folder: documents, registers and the way to a close."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedchain_domain import balance, columns, dayclose, fold, instants, points, publication, roster
from pedchain_domain.calendar import Day
from pedchain_domain.documents import parameters
from pedchain_domain.fold import Document

SPKI = (
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004a2c53580d26835738b70b952d99d324b3414d9c0"
    "d93a6ce484fc809c18716809447a3cff93f051507b3b486accb513356ab68e8ae201ee320f7f7df4a1633b3c"
)
START = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400
OBIS = {"I": "1-0:1.8.0*255", "E": "1-0:2.8.0*255", "G": "1-0:2.8.0*255", "Ch": "1-0:1.8.0*255"}
OBIS |= {"D": "1-0:2.8.0*255", "in": "1-0:1.8.0*255", "out": "1-0:2.8.0*255", "Q": "6-0:1.0.0"}
OBIS |= {"V": "7-0:3.0.0", "m": "1-0:99.0.0"}
OPEN = {"group_sites": 1, "group_share_percent": 100}
STEADY = {"I": [100] * 24, "E": [0] * 24, "G": [50] * 24}
KINDS = {"I": "GCP", "E": "GCP", "G": "GEN", "Ch": "STO", "D": "STO", "in": "HYB", "out": "HYB"}


def days(count: int, start: int = START) -> list[Day]:
    """Plain UTC days from 2026-01-01 on."""
    return [
        {
            "day": instants.format_day((start + at * DAY) // DAY),
            "start": start + at * DAY,
            "end": start + (at + 1) * DAY,
            "type": "working",
        }
        for at in range(count)
    ]


def site(name: str, plan: str = "P1", **fields: Any) -> Document:
    return {
        "schema": "site/1",
        "id": name,
        "plan": plan,
        "connection_w": 10_000,
        "feeder": "f1",
        "substation": "s1",
        "zone": "z1",
        "heating": "none",
        "vehicles": "none",
        "from": 0,
        **fields,
    }


def point(name: str, of: str, kind: str, **fields: Any) -> Document:
    return {
        "schema": "point/1",
        "id": name,
        "site": of,
        "kind": kind,
        "parent": None,
        "p_max_w": 10_000,
        **fields,
    }


def device(name: str, at: str, roles: Iterable[str], **fields: Any) -> Document:
    return {
        "schema": "device/1",
        "id": name,
        "point": at,
        "key": {"alg": "ES256", "spki": SPKI},
        "registers": {OBIS[role]: {"role": role} for role in roles},
        "from": 0,
        "to": None,
        "first_counter": 1,
        **fields,
    }


def district(grain: int = 3600, rule: str = "R1", **overrides: int) -> Document:
    return {
        "schema": "district/1",
        "id": "A",
        "boundary": {"id": "b1", "kind": "geographic"},
        "zone": "z1",
        "grain": grain,
        "calendar": ["c1"],
        "factors": "v1",
        "dso": "DSOMSP",
        "operator": "DistrictAMSP",
        "rule": rule,
        "shards": 1,
        "parameters": overrides,
    }


def factors(hours: Sequence[int | None] = (), start: int = START, year: int = 300_000) -> Document:
    return {
        "schema": "factors/1",
        "version": "v1",
        "source": "made for the tests",
        "intensity": {"hour": {"start": start, "values": list(hours)}, "year": {"2026": year}},
        "primary": {
            "electricity": {
                "grid": [500, 2000, 420],
                "insitu": [1000, 0, 0],
                "export_a": [1000, 0, 0],
                "export_b": [500, 2000, 420],
            }
        },
        "reference": {},
    }


def roster_of(plans: Mapping[str, str], **fields: Any) -> Document:
    """One device per point and point per kind that the plan needs: device `<site>.<kind>.d`."""
    roles = {
        "P0": ("I",),
        "P1": ("I", "E", "G"),
        "P2": ("I", "E"),
        "P3": ("I", "E", "G", "Ch", "D"),
        "P4": ("I", "E", "in", "out"),
        "P5": ("I", "E"),
        "P6": ("I", "E"),
    }
    made = roster.empty(0)
    for name, plan in plans.items():
        made = roster.add(made, site(name, plan, **fields))
        kinds: dict[str, list[str]] = {}
        for role in roles[plan]:
            kinds.setdefault(KINDS[role], []).append(role)
        for kind, held in kinds.items():
            made = roster.add(made, point(f"{name}.{kind}", name, kind))
            made = roster.add(made, device(f"{name}.{kind}.d", f"{name}.{kind}", held))
    return made


def row(
    name: str,
    counter: int,
    values: Iterable[tuple[int, str, int]],
    *,
    status: int = 0,
    tag: str = "",
) -> list[Any]:
    """A row as SubmitReadings keeps it; `tag` makes another payload under the same counter."""
    digest = f"{name}/{counter}/{tag}".encode().hex().ljust(64, "0")[:64]
    return [name, counter, digest, digest[:32], status, columns.of(values)]


def rows(registers: Mapping[str, Mapping[int, Mapping[str, int]]]) -> list[list[Any]]:
    """{device: {instant: {role: register}}} as one record per instant, counters from 1."""
    return [
        row(name, counter, [(at, role, wh) for role, wh in found.items()])
        for name, instants_of in registers.items()
        for counter, (at, found) in enumerate(sorted(instants_of.items()), 1)
    ]


def ramp(energies: Sequence[int], start: int, grain: int, first: int = 1_000) -> dict[int, int]:
    """Registers at boundaries from interval energies."""
    found = {start: first}
    for at, energy in enumerate(energies):
        found[start + (at + 1) * grain] = found[start + at * grain] + energy
    return found


def registers_of(
    energies: Mapping[str, Mapping[str, Sequence[int]]], grain: int = 3600, start: int = START
) -> dict[str, dict[int, dict[str, int]]]:
    """{site: {role: Wh per interval}} as registers of the devices of `roster_of`."""
    found: dict[str, dict[int, dict[str, int]]] = {}
    for name, roles in energies.items():
        for role, values in roles.items():
            held = found.setdefault(f"{name}.{KINDS[role]}.d", {})
            for at, wh in ramp(values, start, grain).items():
                held.setdefault(at, {})[role] = wh
    return found


def one_home(
    energies: Mapping[str, Sequence[int]], drop: Sequence[int] = (), **fields: Any
) -> tuple[Document, fold.Folded]:
    """The roster of home `h` and its folded records, its grid meter's at hours `drop` lost."""
    made = roster_of({"h": "P1"}, **fields)
    found = registers_of({"h": energies})
    for at in drop:
        del found["h.GCP.d"][START + at * 3600]
    return made, fold.fold(rows(found), fold.empty_head(0), days(2), period=1, shard=0, grain=3600)


def close_days(
    made: Document,
    filed: Sequence[list[Any]],
    about: Document,
    table: Document,
    calendar_rows: Sequence[Day],
) -> list[tuple[Document, Document]]:
    """(partial, marked totals) of each day, as the contract goes about it."""
    grain = about["grain"]
    folded = fold.fold(filed, fold.empty_head(0), calendar_rows, period=1, shard=0, grain=grain)
    history: list[Document] = []
    results = []
    for at, day in enumerate(calendar_rows):
        document = folded.folds.get(day["day"])
        names = [one["day"] for one in calendar_rows]
        before = [folded.edges[name] for name in reversed(names[:at]) if name in folded.edges]
        after = [folded.edges[name] for name in names[at + 1 :] if name in folded.edges]
        lacks = points.needs(day, document, made, grain)
        closed = dayclose.close_shard(
            day,
            document,
            made,
            about,
            table,
            before=before if lacks.before else (),
            after=after if lacks.after else (),
            history=history,
        )
        history.insert(0, closed.draws)
        totals = balance.day_totals(dayclose.add(None, closed.partial), day, about, table)
        results.append((closed.partial, publication.marked(totals, parameters(about))))
    return results
