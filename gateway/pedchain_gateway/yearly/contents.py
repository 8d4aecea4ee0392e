# SPDX-License-Identifier: Apache-2.0
"""The files of a yearly folder, from public documents alone. Pure.

certificate.json, rolling.json, district.json, factors.json   as the ledger holds them
coverage.csv      by month: days, register-intervals by class, coverage
sites.csv         sites, what is known of their heating and vehicles, what is left out and why
samples.csv       what auditors found of days' samples
balance.svg       what was drawn and given by month
sentence.txt      what may be printed, with its scope
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedchain_domain import canonical
from pedchain_gateway.firstday.plots import bars
from pedchain_gateway.yearly.sentence import sentence

Document = dict[str, Any]
_CLASSES = ("M", "G", "S", "X")


@dataclass(frozen=True, slots=True)
class Sources:
    """The newest day's certificate, what it rests on, its window's months in force and samples."""

    certificate: Document
    rolling: Document
    district: Document
    factors: Document
    months: Sequence[Document]
    samples: Sequence[Document] = ()


def files(found: Sources) -> dict[str, bytes]:
    """Every file's bytes by name."""
    told: Mapping[str, Any] = {
        "certificate.json": found.certificate,
        "rolling.json": found.rolling,
        "district.json": found.district,
        "factors.json": found.factors,
    }
    return {
        **{name: canonical.encode(document) for name, document in told.items()},
        "coverage.csv": _table(_coverage(found.months)),
        "sites.csv": _table(_sites(found.certificate, found.rolling)),
        "samples.csv": _table(_samples(found.samples)),
        "balance.svg": bars(_balances(found.months)).encode(),
        "sentence.txt": f"{sentence(found.rolling)}\n".encode(),
    }


def _coverage(months: Sequence[Document]) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = [
        ("month", "run", "days", *_CLASSES, "energy_ppm", "profile_ppm"),
    ]
    for one in months:
        coverage = one["coverage"]
        counts = (one["classes"][letter] for letter in _CLASSES)
        known = (coverage["energy_ppm"], coverage["profile_ppm"])
        rows.append((one["month"], one["run"], one["days"], *counts, *known))
    return rows


def _samples(found: Sequence[Document]) -> list[Sequence[object]]:
    """A row for each day and auditor; no row where nobody drew a sample."""
    fields = ("day", "run", "version", "auditor", "block", "leaves", "verified", "missing",
              "failed", "opening")  # fmt: skip
    return [fields, *([one[name] for name in fields] for one in found)]


def _sites(certificate: Document, rolling: Document) -> list[Sequence[object]]:
    """Sites and scope; each number that is not printed, with its reason, is an exclusion too."""
    return [
        ("what", "value"),
        ("sites", certificate["sites"]),
        *((f"scope.{name}", count) for name, count in sorted(certificate["scope"].items())),
        ("unmetered_generation_w", certificate["unmetered_generation_w"]),
        ("battery_bound_wh", certificate["soc_bound_wh"]),
        ("correction_held_back", certificate["held_back"]),
        *((f"not_printed.{path}", why) for path, why in sorted(rolling["notes"].items())),
    ]


def _balances(months: Sequence[Document]) -> dict[str, dict[str, int]]:
    names = {"drawn": "drawn_wh", "given": "given_wh"}
    return {
        one["month"]: {
            told: one["electricity"][name]
            for told, name in names.items()
            if one["electricity"][name] is not None
        }
        for one in months
    }


def _table(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
