# SPDX-License-Identifier: Apache-2.0
"""Onboarding by claim code: used once, in time, by who holds both code and key (fault 14)."""

import json
from typing import Any

import pytest

from pedchain_chaincode import limits
from pedchain_domain.reasons import Reason, reason_of
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import METERING, OPERATOR, OTHER, START, Home, Ledger, Meter
from tests.unit.chaincode.people import CLAIM, CODE, claim, key_of, possession, transient

NEW = "home-1.new"
pytestmark = pytest.mark.fault(14)


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    documents = json.dumps(Home("home-1", "P0").documents()).encode()
    await ledger.submit("Register", "", transient=transient(documents=documents))
    await offer(ledger)
    return ledger


async def offer(ledger: Ledger, **changes: Any) -> None:
    sent = transient(document=claim(NEW, "home-1.gcp", **changes))
    await ledger.submit("membership:OfferClaim", transient=sent)


async def present(ledger: Ledger, code: str = CODE, **changes: Any) -> bytes:
    answer = changes.pop("possession", possession(key_of("meter")))
    sent = transient(code=code.encode(), possession=answer)
    return await ledger.submit(
        "membership:PresentClaim", changes.pop("claim", CLAIM), transient=sent, **changes
    )


async def settle(ledger: Ledger, **options: Any) -> bytes:
    return await ledger.submit("membership:SettleClaim", CLAIM, transient=transient(), **options)


async def state(ledger: Ledger) -> tuple[str, int]:
    found = await ledger.ask("membership:GetClaim", CLAIM)
    return found["state"], found["tries"]


async def refused(reason: str, act: Any) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await act
    assert caught.value.message == reason


async def test_a_claimed_device_is_registered_with_the_key_it_made(ledger: Ledger) -> None:
    await present(ledger, creator=OPERATOR)
    await settle(ledger, creator=OPERATOR)
    assert await state(ledger) == ("used", 1)
    meter = Meter(NEW, "", ("I", "E"))
    meter.key = key_of("meter")
    answers = await ledger.file(meter.record([(START, "I", 1_000)]))
    assert [reason_of(answer) for answer in answers] == [Reason.RECORDED]


async def test_a_used_code_is_used_up(ledger: Ledger) -> None:
    await present(ledger)
    await settle(ledger)
    thief = possession(key_of("thief"))
    await refused("claim-refused", present(ledger, possession=thief))
    await refused("claim-refused", settle(ledger))
    keys = (await ledger.ask("GetDevice", NEW))["keys"]
    assert len(keys) == 1


async def test_an_expired_code_is_refused_by_the_period_that_is_open(ledger: Ledger) -> None:
    await present(ledger)
    for _ in range(2):
        await ledger.seal()
    await refused("claim-refused", settle(ledger))
    await refused("claim-refused", present(ledger))


async def test_a_code_that_was_lost_is_taken_back(ledger: Ledger) -> None:
    await ledger.submit("membership:WithdrawClaim", CLAIM)
    await ledger.submit("membership:WithdrawClaim", CLAIM)
    await refused("claim-refused", present(ledger))
    assert await state(ledger) == ("withdrawn", 0)


async def test_every_refusal_and_every_answer_is_the_same(ledger: Ledger) -> None:
    """Neither says whether the claim, the code or the key was wrong."""
    assert await present(ledger, "WRONG") == b""
    assert await settle(ledger) == b""
    assert await present(ledger) == b""
    assert await settle(ledger) == b""
    await refused("claim-refused", present(ledger, claim="f" * 32))
    await refused("claim-refused", present(ledger, code=""))
    await refused("claim-refused", present(ledger, code="é"))
    await refused("claim-refused", present(ledger, code="x" * (limits.CODE_BYTES + 1)))
    await refused("claim-refused", present(ledger, possession=b"{}"))
    await refused("claim-refused", present(ledger, possession=b"[" * 5_000))


async def test_presenting_compares_nothing(ledger: Ledger) -> None:
    """Who only looks at endorsements learns nothing: right and wrong codes write the same keys."""
    written = []
    for code in (CODE, "WRONG"):
        sent = transient(code=code.encode(), possession=possession(key_of("meter")))
        outcome = await ledger.peer.endorse(
            METERING, "membership:PresentClaim", CLAIM, transient=sent
        )
        written.append(
            [write.key for namespace in outcome.namespaces for write in namespace.writes]
        )
    assert written[0] == written[1]


async def test_wrong_codes_are_counted_and_end_the_claim(ledger: Ledger) -> None:
    for _ in range(limits.CLAIM_TRIES):
        await present(ledger, "WRONG")
        await settle(ledger)
    assert await state(ledger) == ("exhausted", limits.CLAIM_TRIES)
    await refused("claim-refused", present(ledger))


async def test_tries_that_are_never_settled_count_too(ledger: Ledger) -> None:
    for _ in range(limits.CLAIM_TRIES):
        await present(ledger, "WRONG")
    await refused("claim-refused", present(ledger))
    assert await state(ledger) == ("open", limits.CLAIM_TRIES)
    await settle(ledger)
    assert await state(ledger) == ("exhausted", limits.CLAIM_TRIES)


async def test_of_two_tries_in_flight_one_counts(ledger: Ledger) -> None:
    sent = transient(code=b"WRONG", possession=possession(key_of("meter")))
    call = (METERING, "membership:PresentClaim", CLAIM)
    held = [await ledger.peer.endorse(*call, transient=sent) for _ in range(2)]
    ledger.peer.commit(held[0])
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        ledger.peer.commit(held[1])


async def test_a_settlement_withheld_past_the_period_fails(ledger: Ledger) -> None:
    await present(ledger)
    call = (METERING, "membership:SettleClaim", CLAIM)
    held = await ledger.peer.endorse(*call, transient=transient())
    await ledger.seal()
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        ledger.peer.commit(held)


@pytest.mark.parametrize(
    "answer",
    [
        possession(key_of("meter"), channel="other"),
        possession(key_of("meter"), claim_id="f" * 32),
        {**possession(key_of("meter")), "signature": possession(key_of("x"))["signature"]},
    ],
)
async def test_the_key_must_be_in_hand(ledger: Ledger, answer: dict[str, Any]) -> None:
    await present(ledger, possession=answer)
    await settle(ledger)
    assert await state(ledger) == ("open", 1)


async def test_the_code_stands_nowhere(ledger: Ledger) -> None:
    await present(ledger)
    places = (ledger.peer.state(METERING), ledger.peer.private(METERING, "readings"))
    assert not any(CODE.encode() in value for place in places for value in place.values())
    public = b"".join(places[0].values()).decode()
    assert claim(NEW, "home-1.gcp")["code"] not in public
    assert NEW not in public


async def test_an_offer_is_for_a_new_device_at_a_known_point_in_time_to_come(
    ledger: Ledger,
) -> None:
    sent = claim(NEW, "home-1.gcp", id="a" * 32)
    for change, reason in (
        ({"id": CLAIM}, "already-registered"),
        ({"device": {**sent["device"], "id": "home-1.grid"}}, "already-registered"),
        ({"device": {**sent["device"], "point": "nowhere"}}, "unknown-point"),
        ({"device": {**sent["device"], "from": None}}, "malformed-document"),
        ({"device": {"schema": "site/1"}}, "malformed-document"),
        ({"through": 0}, "malformed-document"),
    ):
        document = transient(document={**sent, **change})
        with pytest.raises(TransactionFailed, match=reason):
            await ledger.submit("membership:OfferClaim", transient=document)
    await ledger.seal()
    await ledger.seal()
    with pytest.raises(TransactionFailed, match="malformed-document"):
        await ledger.submit("membership:OfferClaim", transient=transient(document=sent))


async def test_only_the_district_presents(ledger: Ledger) -> None:
    with pytest.raises(TransactionFailed, match="not-permitted"):
        await present(ledger, creator=OTHER)
