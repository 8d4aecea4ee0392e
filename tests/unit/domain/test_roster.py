# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from pedchain_domain import documents, roster
from pedchain_domain.reasons import DomainError, Reason
from tests.unit.domain import homes

KEY = {"alg": "ES256", "spki": homes.SPKI}


def home() -> dict[str, Any]:
    made = homes.roster_of({"h": "P1"})
    return roster.add(made, homes.device("h.GCP.e", "h.GCP", ("I", "E"), **{"from": 500}))


def refusal(made: dict[str, Any], document: object) -> Reason:
    with pytest.raises(DomainError) as caught:
        roster.add(made, document)
    return caught.value.reason


def test_the_same_document_again_changes_nothing() -> None:
    made = home()
    assert roster.add(made, homes.site("h")) is made
    assert roster.add(made, homes.device("h.GCP.d", "h.GCP", ("I", "E"))) is made


def test_other_content_under_a_known_id_is_refused() -> None:
    assert refusal(home(), homes.site("h", "P2")) == Reason.ALREADY_REGISTERED


@pytest.mark.parametrize(
    "document",
    [
        homes.point("p", "elsewhere", "GCP"),
        {**homes.point("p", "h", "EVSE"), "parent": "nowhere"},
        homes.device("d", "nowhere", ("I",)),
        homes.district(),
    ],
)
def test_a_document_must_belong_to_something_known(document: dict[str, Any]) -> None:
    assert refusal(home(), document) == Reason.MALFORMED_DOCUMENT


def test_adding_leaves_the_former_roster_as_it_was() -> None:
    made = home()
    before = documents.check(made["sites"]["h"])
    roster.add(made, homes.site("i"))
    assert list(made["sites"].values()) == [before]


def test_a_rotation_keeps_the_former_key_for_its_counters() -> None:
    rotation = {"schema": "rotate/1", "device": "h.GCP.d", "key": KEY, "first_counter": 50}
    made = roster.add(home(), rotation)
    about = roster.device(made, "h.GCP.d")
    assert about is not None
    assert about["former"] == [{"key": KEY, "first_counter": 1}]
    assert documents.key_at(about, 49) == homes.SPKI
    assert documents.key_at(about, 0) is None
    assert roster.add(made, rotation) is made
    assert refusal(made, {**rotation, "first_counter": 49}) == Reason.ALREADY_REGISTERED
    assert roster.add(made, homes.device("h.GCP.d", "h.GCP", ("I", "E"))) is made


def test_a_revocation_is_never_moved_later() -> None:
    first = roster.add(home(), {"schema": "revoke/1", "device": "h.GCP.d", "counter": 20})
    later = roster.add(first, {"schema": "revoke/1", "device": "h.GCP.d", "counter": 30})
    assert later["devices"]["h.GCP.d"]["revoked"] == 20


def test_an_exchange_ends_the_old_device_once() -> None:
    exchange = {
        "schema": "exchange/1",
        "point": "h.GCP",
        "old": "h.GCP.d",
        "final": {"I": 9},
        "new": "h.GCP.e",
        "initial": {"I": 0},
        "at": 500,
    }
    made = roster.add(home(), exchange)
    assert made["devices"]["h.GCP.d"]["to"] == 500
    assert roster.add(made, exchange) is made
    assert refusal(made, {**exchange, "at": 600}) == Reason.ALREADY_REGISTERED
    assert refusal(home(), {**exchange, "new": "h.GEN.d"}) == Reason.MALFORMED_DOCUMENT


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "rotate/1", "device": "x", "key": KEY, "first_counter": 1},
        {"schema": "revoke/1", "device": "x", "counter": 1},
    ],
)
def test_changing_an_unknown_device_is_refused(change: dict[str, Any]) -> None:
    assert refusal(home(), change) == Reason.UNKNOWN_DEVICE


def test_sites_spread_over_shards_and_stay_there() -> None:
    places = [roster.shard_of(f"site-{number}", 8) for number in range(400)]
    assert sorted(set(places)) == list(range(8))
    assert max(places.count(shard) for shard in range(8)) < 80
    assert roster.shard_of("site-0", 8) == places[0]
