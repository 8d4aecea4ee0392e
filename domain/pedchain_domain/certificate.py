# SPDX-License-Identifier: Apache-2.0
"""The public certificates of a district: a day, a month, the rolling year (blueprint 5, C, I, V).

    certificate/1 {schema, district, day, start, end, run, version, amends, held_back, grain,
      boundary, factors, k_exp, rule, sites, scope, soc_bound_wh, unmetered_generation_w, classes,
      coverage, electricity, indicators, emissions, primary_wh_milli, origin_exported_wh, detail,
      sums, plausibility, findings, true_up_wh, root, batches, window: {first, last, days, ...},
      verdict, notes}
    monthly/1     {schema, district, month, first, last, days, run, version, amends, ..., notes}
    rolling/1     the window and verdict of a day's certificate as a document of its own

No household data. A number that may not be printed, or cannot be computed, is null, and `notes`
holds the reason under its path. A later run supersedes visibly: `version` counts, `amends` names
the run it replaces and every number that changed; the ledger's history keeps all versions.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pedchain_domain import figures, plausibility, publication, verdict
from pedchain_domain import window as windows
from pedchain_domain.calendar import Day
from pedchain_domain.documents import RULES, Parameters, parameters
from pedchain_domain.figures import Printer
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
RUNS = ("P", "F", "FINAL")
_WINDOW = "window."
_CLASSES = ("M", "G", "S", "X")
# What differs between versions by itself, or is the window of another run.
_OWN = ("run", "version", "amends", "batches", "window", "notes")


def build(
    district: Document,
    day: Day,
    run: str,
    totals: Document,
    window: Document,
    batches: str,
    former: Document | None = None,
    *,
    held_back: bool = False,
) -> Document:
    """The certificate of a day and run.

    `totals` are the day's, marked by `publication.marked`; `window` is the run's, ending with the
    day; `batches` is the hash of the list of batches the run rests on (C1); `former` is the
    certificate it supersedes; `held_back` says that a correction of too few homes waits (C3).
    """
    setting = parameters(district)
    notes: dict[str, str] = {}
    hidden = {name: Reason(reason) for name, reason in totals.get("hidden", {}).items()}
    one_day = windows.advance(windows.empty(1), totals)
    plausible = plausibility.judge(totals, day, district["grain"], setting)
    document = {
        "schema": "certificate/1",
        "day": day["day"],
        "start": day["start"],
        "end": day["end"],
        **_common(district, run, totals, setting),
        "sites": totals["sites"],
        "soc_bound_wh": totals["battery_wh"],
        "unmetered_generation_w": totals["unmetered_w"],
        "classes": _classes(one_day),
        **figures.shown(one_day, setting, notes, "", hidden),
        "plausibility": plausibility.shown(
            plausible, bool(publication.reason_for("X", hidden)), notes
        ),
        "findings": len(totals["findings"]),
        "true_up_wh": totals.get("true_up", {}),
        "held_back": held_back,
        "root": totals["root"],
        "batches": batches,
        "window": _window(window, setting, notes),
        "verdict": _verdict(window, district, notes),
        "notes": dict(sorted(notes.items())),
    }
    return _amended(document, former)


def monthly(
    district: Document, run: str, month: Document, totals: Document, former: Document | None = None
) -> Document:
    """The certificate of a calendar month and run; `month` is its window, with the corrections
    that waited for its last day (C3)."""
    setting = parameters(district)
    notes: dict[str, str] = {}
    document = {
        "schema": "monthly/1",
        "month": month["last"][:7],
        **_common(district, run, totals, setting),
        "first": month["first"],
        "last": month["last"],
        "days": month["days"],
        "classes": _classes(month),
        **figures.shown(month, setting, notes, "", windows.unprintable(month)),
        "true_up_wh": totals.get("true_up", {}),
        "notes": dict(sorted(notes.items())),
    }
    return _amended(document, former)


def rolling(certificate: Document) -> Document:
    """The rolling window and the verdict of a day's certificate, as a document of its own."""
    names = ("district", "run", "version", "grain", "boundary", "factors", "k_exp", "rule", "scope")
    paths = (_WINDOW, "verdict.")
    return {
        "schema": "rolling/1",
        **{name: certificate[name] for name in names},
        **certificate["window"],
        "verdict": certificate["verdict"],
        "notes": {
            path.removeprefix(_WINDOW): reason
            for path, reason in certificate["notes"].items()
            if path.startswith(paths)
        },
    }


def changed(former: Document, document: Document) -> list[str]:
    """Paths of all that differs between two versions, but the window's of different runs."""
    before, now = dict(_leaves(former)), dict(_leaves(document))
    return sorted(path for path in {**before, **now} if before.get(path) != now.get(path))


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if not path and name in _OWN:
            continue
        if isinstance(inner, dict):
            yield from _leaves(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}", inner


def _amended(document: Document, former: Document | None) -> Document:
    if former is None:
        return {**document, "version": 1, "amends": None}
    amends = {"run": former["run"], "changed": changed(former, document)}
    return {**document, "version": former["version"] + 1, "amends": amends}


def _common(district: Document, run: str, totals: Document, setting: Parameters) -> Document:
    return {
        "district": district["id"],
        "run": run,
        "grain": district["grain"],
        "boundary": district["boundary"],
        "factors": totals["factors"],
        "k_exp": setting.k_exp,
        "rule": RULES[district["rule"]],
        "scope": totals["scope"],
    }


def _classes(window: Document) -> Document:
    return {letter: window["additive"].get(f"class.{letter}", 0) for letter in _CLASSES}


def _window(window: Document, setting: Parameters, notes: dict[str, str]) -> Document:
    return {
        "first": window["first"],
        "last": window["last"],
        "days": window["days"],
        **figures.shown(window, setting, notes, _WINDOW, windows.unprintable(window)),
    }


def _verdict(window: Document, district: Document, notes: dict[str, str]) -> Document:
    """The verdict, the worst case it rests on if that tells of no single home, and before a year
    only the balance to date (V5)."""
    judged = verdict.judge(window, district)
    printer = Printer(window, notes, "verdict.", windows.unprintable(window))
    secret = printer.against("worst_case")
    for name in judged.figures if secret else ():
        printer.known(f"worst_case.{name}", None, secret)
    drawn, given = printer.number("to_date.drawn_wh", "X"), printer.number("to_date.given_wh", "Y")
    balance = None if drawn is None or given is None else given - drawn
    sufficient = judged.verdict in (verdict.POSITIVE, verdict.NOT_POSITIVE)
    return {
        "verdict": judged.verdict,
        "rule": judged.rule,
        "claim": judged.claim,
        "reasons": judged.reasons,
        "worst_case": None if secret else judged.figures,
        "to_date": None if sufficient else {"days": window["days"], "surplus_wh": balance},
    }
