# SPDX-License-Identifier: Apache-2.0
"""Goal: each check of doctor finds its fault and says what to do. Method: pure facts."""

from collections.abc import Iterable

import pytest

from pedchain_network.watch.doctor import (
    clocks,
    code,
    disk,
    ledgers,
    listening,
    ordering,
    packages,
)
from pedchain_network.watch.doctor.disk import Disk
from pedchain_network.watch.doctor.finding import Finding, Report, Severity, fail, ok, warn
from pedchain_network.watch.doctor.ledgers import Tip
from pedchain_network.watch.doctor.listening import Owned
from pedchain_network.watch.doctor.packages import Agreed
from pedchain_network.watch.leadership import Leadership
from pedchain_network.watch.vitals import Vitals


def severities(findings: Iterable[Finding]) -> list[str]:
    found = list(findings)
    for each in found:
        assert each.severity is Severity.OK or each.remedy, f"{each} has no remedy"
    return [each.severity.value for each in found]


# --- the report ---


def test_a_report_is_healthy_only_if_all_is_ok() -> None:
    assert Report.of([ok("a", "fine")]).healthy
    assert not Report.of([ok("a", "fine"), warn("b", "", "w", "r")]).healthy
    assert not Report.of([fail("b", "", "w", "r")]).healthy


def test_a_report_says_what_how_to_mend_and_how_much() -> None:
    report = Report.of([ok("a", "fine"), fail("disk", "/data", "full", "free it")])
    assert report.lines() == [
        "  ok    a     fine",
        "  fail  disk  /data: full",
        "              fix: free it",
        "2 checks: 1 fail",
    ]


# --- disk ---


@pytest.mark.parametrize(("used", "expected"), [(0.79, "ok"), (0.8, "warn"), (0.9, "fail")])
def test_disks_warn_at_80_and_fail_at_90_percent(used: float, expected: str) -> None:
    assert severities(disk.judge([Disk("/data", used, 10**9)])) == [expected]


# --- clocks ---


@pytest.mark.parametrize(
    ("offset", "expected"), [(0.5, "ok"), (-2.0, "warn"), (59.0, "warn"), (60.0, "fail")]
)
def test_clocks_warn_at_2_and_fail_at_60_seconds(offset: float, expected: str) -> None:
    assert severities(clocks.judge({"peer0": offset, "peer1": 0.0})) == [expected]


def test_a_node_that_tells_no_time_is_named() -> None:
    [found] = clocks.judge({"peer0": 0.0, "peer1": None})
    assert (found.severity, found.subject) == (Severity.WARN, "peer1")


@pytest.mark.parametrize(
    "time", ["2026-11-22T01:49:33.500800618Z", "2026-11-22T01:49:33.500800+00:00"]
)
@pytest.mark.parametrize(
    ("asked", "answered", "offset"), [(33.0, 34.0, 0.0), (30.0, 33.0, 0.5), (34.0, 34.5, -0.5)]
)
def test_a_clock_is_off_by_what_no_delay_explains(
    time: str, asked: float, answered: float, offset: float
) -> None:
    body = f'{{"status":"OK","time":"{time}"}}'.encode()
    minute = 1_795_312_140
    assert clocks.offset_s(body, minute + asked, minute + answered) == pytest.approx(
        offset, abs=1e-2
    )


@pytest.mark.parametrize("body", [b"", b"[]", b'{"time": 3}', b'{"time": "noon"}'])
def test_what_tells_no_time_is_no_clock(body: bytes) -> None:
    assert clocks.offset_s(body, 0, 0) is None


# --- listeners ---


@pytest.mark.parametrize(
    ("ip", "allowed", "expected"),
    [
        ("127.0.0.1", (), "ok"),
        ("::1", (), "ok"),
        ("0.0.0.0", (), "fail"),
        ("10.0.0.5", (), "fail"),
        ("10.0.0.5", ("10.0.0.5",), "ok"),
        ("10.0.0.6", ("10.0.0.5",), "fail"),
        ("::", ("0.0.0.0",), "ok"),
    ],
)
def test_nothing_listens_where_the_topology_does_not_say(
    ip: str, allowed: tuple[str, ...], expected: str
) -> None:
    assert severities(listening.judge([Owned("peer0", ip, 7051)], allowed)) == [expected]


# --- ordering ---


def led(**changes: object) -> Leadership:
    values: dict[str, object] = {"leader": "o1", "view": 0, "size": 4, "live": 4, "quorum": 3}
    return Leadership(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "ok"),
        ({"live": 3}, "warn"),
        ({"live": 2}, "fail"),
        ({"leader": ""}, "fail"),
    ],
)
def test_a_quorum_lives_and_somebody_leads(changes: dict[str, object], expected: str) -> None:
    assert severities(ordering.judge(led(**changes))) == [expected]


def test_a_rising_view_is_told() -> None:
    before, after = {"o1": Vitals(view=1), "o2": None}, {"o1": Vitals(view=1), "o2": Vitals(view=2)}
    [found] = ordering.judge_calm(before, after, "view")
    assert "view rose from 1 to 2" in found.what
    assert ordering.judge_calm(before, before, "view") == []


def test_orderers_that_may_not_lead_are_told() -> None:
    told = {"o1": Vitals(view=1, blacklisted=1)}
    assert severities(ordering.judge_calm(told, told, "view")) == ["warn"]


# --- ledgers ---


def test_a_node_more_than_5_blocks_behind_is_named() -> None:
    assert severities(ledgers.judge_heights({"a": 10, "b": 5})) == ["ok"]
    assert severities(ledgers.judge_heights({})) == ["fail"]
    [found] = ledgers.judge_heights({"a": 11, "b": 5, "c": 11})
    assert (found.subject, found.severity) == ("b", Severity.WARN)


@pytest.mark.parametrize(
    ("odd", "word"), [(Tip(9, b"h", b"other"), "commit hash"), (Tip(9, b"x", b"c"), "block hash")]
)
def test_the_peer_with_another_hash_is_named(odd: Tip, word: str) -> None:
    usual = Tip(9, b"h", b"c")
    [found] = ledgers.judge_tips({"a": usual, "b": odd, "c": usual})
    assert (found.subject, found.severity) == ("b", Severity.FAIL)
    assert f"another {word} at block 9" in found.what


def test_equal_hashes_are_well_and_one_peer_proves_nothing() -> None:
    tip = Tip(9, b"h", b"c")
    assert severities(ledgers.judge_tips({"a": tip, "b": tip})) == ["ok"]
    assert severities(ledgers.judge_tips({"a": tip})) == ["warn"]


# --- packages and approvals ---


def test_a_peer_without_a_package_is_named() -> None:
    installed = {"a": {"registry:1", "metering:2"}, "b": {"registry:1", "metering:3"}}
    [found] = packages.judge_installed(installed, ["registry:1", "metering:2"])
    assert (found.subject, found.severity) == ("b", Severity.FAIL)
    assert "metering" in found.what
    assert severities(packages.judge_installed(installed, ["registry:1"])) == ["ok"]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (Agreed("n", 1, 1, {"A", "B"}, {"A"}), "ok"),
        (Agreed("n", 1, 1, {"A"}, {"A", "B"}), "fail"),
        (Agreed("n", 0, 1, (), ()), "fail"),
        (Agreed("n", 2, 1, {"A"}, {"A"}), "warn"),
    ],
)
def test_definitions_are_committed_and_approved_by_whom_they_name(
    definition: Agreed, expected: str
) -> None:
    assert severities(packages.judge_agreed([definition])) == [expected]


# --- code ---

ENVIRONMENT = {
    "code": "c0de",
    "self_test": '{"notes": "ab"}',
    "python": "3.12.1",
    "cryptography": "45.0",
    "openssl": "OpenSSL 3.5",
}


@pytest.mark.parametrize(
    ("field", "expected"),
    [("code", "fail"), ("self_test", "fail"), ("python", "warn"), ("openssl", "warn")],
)
def test_the_organisation_with_another_build_is_named(field: str, expected: str) -> None:
    told = dict.fromkeys(("a", "b", "c"), ENVIRONMENT) | {"b": {**ENVIRONMENT, field: "other"}}
    [found] = code.judge({"registry": told})
    assert (found.subject, found.severity.value) == ("b", expected)
    assert "other" in found.what


def test_equal_builds_are_well_and_no_answer_is_told() -> None:
    assert severities(code.judge({"registry": {"a": ENVIRONMENT, "b": ENVIRONMENT}})) == ["ok"]
    assert severities(code.judge({"registry": {"a": ENVIRONMENT, "b": None}})) == ["warn"]


def test_the_environment_is_read_from_the_metadata() -> None:
    text = (
        b'{"environment": {"code": "c0de", "self_test": {"notes": "ab"}, "python": "3.12.1",'
        b' "cryptography": "45.0", "openssl": "OpenSSL 3.5"}}'
    )
    assert code.environment(text) == ENVIRONMENT
    assert code.environment(b"{}") is None
    assert code.environment(b"no json") is None
