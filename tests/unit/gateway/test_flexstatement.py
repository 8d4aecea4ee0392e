# SPDX-License-Identifier: Apache-2.0
"""A site's statement as people read and see it."""

import re
from typing import Any

from pedchain_gateway.demandresponse import statement as flexstatement

ORDER: dict[str, Any] = {
    "order": {
        "id": "o-1",
        "direction": "down",
        "start": 1_768_651_200,
        "count": 2,
        "grain": 3_600,
        "rule": "10of10",
    }
}
STATEMENT: dict[str, Any] = {
    "site": "h01",
    "account": "acc-h01",
    "power_w": 375,
    "dispatched": 750,
    "baseline": [607, 605],
    "measured": [250, 240],
    "letters": "MM",
    "shown": {
        "event": 2,
        "baseline": [600, 601, 607, 605, 603],
        "measured": [610, None, 250, 240, 640],
    },
    "days": ["2026-01-16", "2026-01-15"],
    "ratio": 1_001_651,
    "difference": 0,
    "kept": None,
    "sold": 0,
    "flags": [],
    "contributed": 722,
    "money": 161_929,
    "rebound": [37, 1_006_578],
}


def test_a_statement_says_what_was_asked_done_and_paid() -> None:
    told = flexstatement.text(ORDER, STATEMENT)
    assert "less consumption, 2026-01-17T12:00Z to 2026-01-17T14:00Z" in told
    assert "2026-01-17T13:00Z       605       240       230" in told
    assert "Contributed: 722 Wh. Your part: 0.161929, credited to acc-h01." in told
    assert "mean of 2 days: 2026-01-16, 2026-01-15" in told
    assert "times 1.002" in told
    assert "+37 Wh" in told
    assert "In the two hours before: +10 Wh" in told


def test_a_statement_says_why_it_is_as_it_is() -> None:
    changed = {"kept": "load-after-notice", "flags": ["generation-off"], "letters": "XM"}
    told = flexstatement.text(ORDER, STATEMENT | changed)
    assert "Not adjusted to the day: the load rose after the notice." in told
    assert "Note: the generation stood still while neighbours' ran: not paid." in told
    assert "Not measured: 1 intervals" in told
    moved = flexstatement.text(ORDER, STATEMENT | {"difference": -12})
    assert "-12 Wh per interval" in moved


def test_the_plot_has_what_was_measured_and_leaves_gaps() -> None:
    drawn = flexstatement.svg(ORDER, STATEMENT)
    paths = dict(re.findall(r'<path d="([^"]+)"[^>]*><title>(\w+)</title>', drawn))
    named = {name: path for path, name in paths.items()}
    assert set(named) == {"baseline", "measured", "ordered"}
    assert named["measured"].count("M") == 2
    assert named["baseline"].count("H") == 5
    assert named["ordered"].count("H") == 2


def test_a_statement_says_by_which_rule_and_what_the_market_paid_already() -> None:
    own = STATEMENT | {"days": [], "kept": "rule-without-adjustment", "sold": 120}
    declared = {"order": {**ORDER["order"], "rule": "declared"}}
    told = flexstatement.text(declared, own)
    assert "rule declared, the schedule this home declared before the notice" in told
    assert "Sold to others in these hours: 120 Wh" in told
    beside = {"order": {**ORDER["order"], "rule": "mbma"}}
    assert "the hours before and after the event" in flexstatement.text(beside, own)


def test_a_statement_says_what_superseded_it() -> None:
    same = {**STATEMENT, "added": 0}
    assert "Run FINAL changed nothing." in flexstatement.text(
        ORDER, STATEMENT | {"corrected": same}
    )
    more = {**same, "measured": [200, 240], "contributed": 750, "added": 5_000}
    told = flexstatement.text(ORDER, STATEMENT | {"corrected": more})
    assert "Superseded by run FINAL: measured 200, 240 Wh, contributed 750 Wh; 0.005000 is" in told
