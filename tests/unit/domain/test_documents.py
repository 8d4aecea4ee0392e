# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from pedchain_domain import documents
from pedchain_domain.reasons import DomainError, Reason
from tests.unit.domain import homes

CALENDAR: dict[str, Any] = {"schema": "calendar/1", "id": "c1", "rows": homes.days(3)}
KEY = {"alg": "ES256", "spki": homes.SPKI}
EXCHANGE: dict[str, Any] = {
    "schema": "exchange/1",
    "point": "p",
    "old": "a",
    "final": {"I": 7},
    "new": "b",
    "initial": {"I": 0},
    "at": 100,
}
GOOD = [
    homes.site("s"),
    homes.site("s", "P5", unmetered_generation_w=800, to=None, battery_wh=5_000),
    homes.point("p", "s", "GCP"),
    homes.device("d", "p", ("I", "E"), authority="meter", to=homes.START),
    homes.district(900, window_days=30),
    homes.factors([1, None, 3]),
    CALENDAR,
    EXCHANGE,
    {
        "schema": "rotate/1",
        "device": "d",
        "key": {"alg": "ES256", "spki": homes.SPKI},
        "first_counter": 9,
    },
    {"schema": "revoke/1", "device": "d", "counter": 9},
    {"schema": "suspend/1", "device": "d", "from": 9},
    {"schema": "resume/1", "device": "d", "at": 9},
    {
        "schema": "membership/1",
        "district": "A",
        "key": {"alg": "ES256", "spki": homes.SPKI},
        "identity": "0f" * 32,
        "from": 9,
        "signature": "00",
    },
    {"schema": "identity/1", "salt": "0f" * 16, "name": "Ann Example"},
    {
        "schema": "occupancy/1",
        "district": "A",
        "member": "m",
        "site": "s",
        "from": 9,
        "to": None,
        "signature": "00",
    },
    {"schema": "vacate/1", "member": "m", "site": "s", "from": 9, "to": 10},
    {"schema": "leave/1", "member": "m", "to": 10},
    {
        "schema": "participation/1",
        "site": "s",
        "district": "A",
        "ppm": 1_000_000,
        "from": 9,
        "to": None,
    },
    {"schema": "possession/1", "claim": "0f" * 16, "key": KEY, "signature": "00"},
    {
        "schema": "claim/1",
        "id": "0f" * 16,
        "device": {"schema": "device/1"},
        "code": "0f" * 32,
        "through": 1,
    },
]
PARTICIPATION = GOOD[-3]


@pytest.mark.parametrize("document", GOOD, ids=lambda document: document["schema"])
def test_a_whole_document_is_accepted(document: dict[str, Any]) -> None:
    assert documents.check(document) is document


@pytest.mark.parametrize("document", GOOD, ids=lambda document: document["schema"])
def test_a_field_nobody_reads_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as caught:
        documents.check({**document, "parametres": 1})
    assert caught.value.reason == Reason.MALFORMED_DOCUMENT


@pytest.mark.parametrize("document", GOOD, ids=lambda document: document["schema"])
def test_a_missing_field_is_refused(document: dict[str, Any]) -> None:
    optional = {"authority", "to", "battery_wh"}
    for name in document:
        if name in optional:
            continue
        with pytest.raises(DomainError):
            documents.check({key: value for key, value in document.items() if key != name})


WRONG: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (homes.site("s"), {"plan": "P7"}),
    (homes.site("s"), {"plan": "P5"}),
    (homes.site("s"), {"connection_w": 0}),
    (homes.site("s"), {"connection_w": True}),
    (homes.site("s"), {"heating": "gas"}),
    (homes.site("s"), {"id": "a b"}),
    (homes.site("s"), {"from": -1}),
    (homes.point("p", "s", "GCP"), {"kind": "FUEL"}),
    (homes.point("p", "s", "GCP"), {"parent": 1}),
    (homes.device("d", "p", "I"), {"key": {"alg": "ES256", "spki": "00"}}),
    (homes.device("d", "p", "I"), {"key": {"alg": "ES256K", "spki": homes.SPKI}}),
    (homes.device("d", "p", "I"), {"key": {"alg": "ES256", "spki": 7}}),
    (homes.device("d", "p", "I"), {"key": {"alg": "ES256"}}),
    (homes.device("d", "p", "I"), {"registers": {}}),
    (homes.device("d", "p", "I"), {"registers": {"a": {"role": "Z"}}}),
    (homes.device("d", "p", "I"), {"registers": {"a": {"role": "I"}, "b": {"role": "I"}}}),
    (homes.device("d", "p", "I"), {"registers": {"a": {"role": "I", "den": 0}}}),
    (homes.device("d", "p", "I"), {"registers": {"a": "I"}}),
    (homes.device("d", "p", "I"), {"authority": "king"}),
    (homes.district(), {"grain": 1800}),
    (homes.district(), {"rule": "R4"}),
    (homes.district(), {"shards": 0}),
    (homes.district(), {"shards": 65}),
    (homes.district(), {"calendar": []}),
    (homes.district(), {"boundary": {"id": "b"}}),
    (homes.district(), {"parameters": {"coverage": 1}}),
    (homes.district(), {"parameters": {"k_exp": "1"}}),
    (homes.factors(), {"intensity": {"hour": {"start": 1, "values": []}}}),
    (homes.factors(), {"intensity": {"hour": {"start": 0}}}),
    (homes.factors(), {"intensity": {"decade": {}}}),
    (homes.factors(), {"intensity": 7}),
    (homes.factors(), {"primary": {"electricity": {"grid": [1, 2, 3]}}}),
    (homes.factors(), {"reference": {"km_ug_per_m": "7"}}),
    (CALENDAR, {"rows": []}),
    (CALENDAR, {"rows": [7]}),
    (CALENDAR, {"rows": [homes.days(3)[0], homes.days(3)[2]]}),
    (CALENDAR, {"rows": [{**homes.days(1)[0], "type": "feast"}]}),
    (CALENDAR, {"rows": [{**homes.days(1)[0], "end": homes.START + 7}]}),
    (CALENDAR, {"rows": [{**homes.days(1)[0], "day": "2026-02-30"}]}),
    (homes.site("s"), {"heat_network": "a b"}),
    (homes.device("d", "p", "I"), {"registers": {"a b": {"role": "I"}}}),
    (homes.device("d", "p", "I"), {"registers": {"x" * 33: {"role": "I"}}}),
    (homes.device("d", "p", "I"), {"registers": {"1.8.0": {"role": "I", "registration": "x"}}}),
    (homes.district(), {"from": "2026-02-30"}),
    (homes.district(), {"from": 7}),
    (PARTICIPATION, {"ppm": 1_000_001}),
    (PARTICIPATION, {"to": 9}),
    (EXCHANGE, {"final": {}}),
    (EXCHANGE, {"final": {"I": -1}}),
]


@pytest.mark.parametrize(("document", "change"), WRONG)
def test_a_wrong_field_is_refused(document: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as caught:
        documents.check({**document, **change})
    assert caught.value.reason in (
        Reason.MALFORMED_DOCUMENT,
        Reason.MALFORMED_KEY,
        Reason.MALFORMED_TIME,
    )


@pytest.mark.parametrize("document", [None, 7, [], {}, {"schema": "x/1"}, {"schema": ["site/1"]}])
def test_what_is_no_document(document: object) -> None:
    with pytest.raises(DomainError):
        documents.check(document)


def test_parameters_are_the_defaults_of_section_x_with_overrides() -> None:
    setting = documents.parameters(homes.district(window_days=30))
    assert setting.window_days == 30
    assert (setting.coverage_window_ppm, setting.coverage_month_ppm) == (980_000, 900_000)
    assert (setting.profile_coverage_ppm, setting.group_sites, setting.k_exp) == (950_000, 15, 1)


@pytest.mark.parametrize(("alg", "allowed"), [("ES256K", True), ("ES256", False), ("none", False)])
def test_a_meters_key_may_be_on_secp256k1_if_it_is_registered_so(alg: str, allowed: bool) -> None:
    """OCMF 1.4.1 allows it; the algorithm is the registered key's, and of one curve."""
    spki = (
        "3056301006072a8648ce3d020106052b8104000a03420004611335d2c0c96f54d28f7b504fed58d0f3cf7981"
        "d4f3e59e38ed5eb887393fb41a7371ffd96494c4db477f63628dfc2daf1d347dea80a160c483e7d9952ebf78"
    )
    document = {**homes.device("d", "p", ("I",)), "key": {"alg": alg, "spki": spki}}
    if allowed:
        assert documents.check(document) == document
    else:
        with pytest.raises(DomainError):
            documents.check(document)
