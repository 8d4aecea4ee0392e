# SPDX-License-Identifier: Apache-2.0
"""From a day's sums to what a run prints: totals, window, month, certificates (rules C1 to C3).

Pure, and the same for whoever issues and whoever checks. Each run has a window and a month of its
own. A later run that changes fewer sites than may be told apart keeps the numbers in print; its
difference waits in the month's correction and enters with the month's last day (C3).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pedchain_domain import balance, certificate, publication
from pedchain_domain import window as windows
from pedchain_domain.calendar import Day, shifted
from pedchain_domain.documents import parameters
from pedchain_domain.readings import derive_salt

Document = dict[str, Any]
MONTH_DAYS = 31


class Rests(NamedTuple):
    """What a run's day rests on: who, by which tables, when, which batches."""

    district: Document
    factors: Document
    day: Day
    run: str
    batches: str


class Before(NamedTuple):
    """What was there: the run's window, month and correction (None: none yet), what the run before
    kept of the day, what the day that leaves the window entered with, and the certificates of the
    day and of the month now in force. `exported` is what of the day's certificates of origin left
    the district so far, Wh by account (rules P2): run FINAL says it, run F comes before they
    are issued."""

    window: Document | None
    month: Document | None
    correction: Document | None
    former: Document | None
    outgoing: Document | None
    certificate: Document | None
    monthly: Document | None
    exported: Mapping[str, int] = MappingProxyType({})


class Issued(NamedTuple):
    """What a run leaves: kept {salt, totals, entered, printed, roots}, the run's window, month and
    correction, the day's certificate, and on a month's last day the month's."""

    kept: Document
    window: Document
    month: Document
    correction: Document | None
    certificate: Document
    monthly: Document | None


def month_ends(day: str) -> bool:
    """Whether a day is its month's last."""
    return shifted(day, 1)[:7] != day[:7]


def issue(rests: Rests, total: Document, changed: int, before: Before) -> Issued:
    """Issue a complete day. `total` is the total/1 of all shards, `changed` the number of sites
    that differ from what is in print."""
    setting = parameters(rests.district)
    window = before.window or windows.empty(setting.window_days)
    computed = balance.day_totals(
        total, rests.day, rests.district, rests.factors, windows.mean(window)
    )
    printed, correction = rests.run, before.correction
    held = before.former is not None and publication.held(changed, setting)
    former = None if before.former is None else before.former["totals"]
    if held and before.former is not None:
        correction = publication.true_up(correction, before.former["totals"], computed)
        computed, printed = before.former["totals"], before.former["printed"]
    exported = before.exported if rests.run == "FINAL" else None
    computed = publication.with_exported(computed, exported)
    totals = publication.marked(computed, setting, window["open"], former)
    entered = _trued_up(totals, correction)
    window = windows.advance(window, entered, before.outgoing)
    month = windows.advance(_month(before.month, rests.day["day"]), entered)
    month = {**month, "salt": derive_salt("month", [month["salt"]])}
    shown = {**totals, "true_up": entered.get("true_up", {})}
    day = certificate.build(
        rests.district,
        rests.day,
        rests.run,
        shown,
        window,
        rests.batches,
        before.certificate,
        held_back=held,
    )
    monthly = None
    if month_ends(rests.day["day"]):
        monthly = certificate.monthly(rests.district, rests.run, month, shown, before.monthly)
    kept = {
        "salt": derive_salt("kept", [totals["salt"]]),
        "totals": totals,
        "entered": entered,
        "printed": printed,
        "roots": before.former["roots"] if held and before.former else total["roots"],
    }
    return Issued(kept, window, month, correction, day, monthly)


def _trued_up(totals: Document, correction: Document | None) -> Document:
    """The totals as they enter the window: the month's last day with what was held back in it."""
    due = month_ends(totals["day"]) and correction is not None
    if not due or correction is None or correction["month"] != totals["day"][:7]:
        return totals
    return publication.with_true_up(totals, correction)


def _month(month: Document | None, day: str) -> Document:
    """The month's window so far; a new one when another month begins."""
    if month is None or month["last"][:7] != day[:7]:
        return windows.empty(MONTH_DAYS)
    return month
