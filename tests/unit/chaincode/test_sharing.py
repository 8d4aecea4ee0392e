# SPDX-License-Identifier: Apache-2.0
"""Communities on the ledger: who joined what, how an hour is shared, after the market (S, P)."""

import hashlib
import json
import random
from typing import Any

import pytest

from pedchain_chaincode.settlement import limits
from pedchain_domain import canonical
from pedchain_domain.market.tokenid import to_hex
from pedchain_fabric.shim.testing import CommitRefused
from tests.unit.chaincode.exchange import GATEWAYS, SETTLEMENT, Prosumer
from tests.unit.chaincode.marketplace import NOON, POWER
from tests.unit.chaincode.refusals import refused
from tests.unit.chaincode.settling import ENDS, RICH, Energies, Settling

CALLER = GATEWAYS["DistrictAMSP"]
EXAMPLE: Energies = {"p1": (800, 0), "p2": (200, 0), "a": (0, 300), "b": (0, 301), "c": (0, 600)}
DYNAMIC = {"a": [250, 0, 30_000, 0], "b": [251, 0, 30_120, 0], "c": [499, 0, 59_880, 0]}


def terms(**changes: Any) -> dict[str, Any]:
    whole = {"schema": "community/1", "id": "street", "district": "DistrictA", "shares": {}}
    return {
        **whole,
        "carrier": "electricity",
        "zone": 1,
        "key": "dynamic",
        "price": 120_000,
    } | changes


class Sharing(Settling):
    """The calls of a community."""

    async def found(self, document: dict[str, Any], **options: Any) -> None:
        transient = self.fresh(community=json.dumps(document).encode())
        options.setdefault("creator", CALLER)
        await self.submit("sharing:PutCommunity", transient=transient, **options)

    async def join(self, who: Prosumer, document: dict[str, Any], factor: int = 1_000_000) -> None:
        digest = hashlib.sha256(canonical.encode(document)).hexdigest()
        body = {"community": document["id"], "terms": digest, "factor_ppm": factor}
        await self.spend(who, "sharing", "JoinCommunity", "join-community", **body)

    async def gather(self, names: Any, document: dict[str, Any]) -> None:
        """Found a community of new accounts, and let the hour pass without a market."""
        await self.found(document)
        for at, name in enumerate(names):
            self.people[name] = Prosumer(name, at + 1)
            await self.register(self.people[name], RICH)
            await self.join(self.people[name], document)

    async def void(self) -> None:
        """Let the hour's session lapse, and the hour pass."""
        await self.clock(ENDS)
        await self.submit("market:VoidSession", to_hex(POWER.token))

    async def show(self, energies: Energies, run: str = "F", *, even: bool = True) -> None:
        certified = await self.certify(energies, run, even=even)
        for name in sorted(energies):
            await self.attach(certified.proofs(f"{name}.gcp", NOON))

    async def share(self, community: str = "street") -> dict[str, list[int]]:
        preview = await self.ask("sharing:PreviewHour", community, str(NOON))
        await self.submit("sharing:ShareHour", community, str(NOON))
        found: dict[str, Any] = await self.ask("sharing:GetShared", community, str(NOON))
        assert found["members"] == preview
        members: dict[str, list[int]] = found["members"]
        return members


@pytest.fixture
async def street() -> Sharing:
    found = Sharing()
    await found.prepare()
    return found


async def test_an_hour_is_shared_as_the_rules_example(street: Sharing) -> None:
    await street.gather(EXAMPLE, terms())
    await street.void()
    await street.show(EXAMPLE, even=False)
    found = await street.share()
    assert {name: found[name] for name in "abc"} == DYNAMIC
    assert found["p1"] == [0, 800, 0, 96_000]
    assert found["p2"] == [0, 200, 0, 24_000]
    await refused(street.submit("sharing:ShareHour", "street", str(NOON)), "already-registered")


async def test_static_keys_and_ranks_divide_as_their_terms_say(street: Sharing) -> None:
    static = terms(key="static", shares={"a": 500_000, "b": 300_000, "c": 200_000})
    await street.gather(EXAMPLE, static)
    await street.void()
    await street.show(EXAMPLE, even=False)
    found = await street.share()
    assert [found[name][0] for name in "abc"] == [300, 300, 200]
    assert [found[name][1] for name in ("p1", "p2")] == [640, 160]


async def test_the_market_takes_first_and_no_wh_is_counted_twice(street: Sharing) -> None:
    await street.found(terms())
    await street.placed(("sam", "OFFER", 600, 120), ("bea", "BID", 600, 120))
    for one in street.people.values():
        await street.join(one, terms())
    await street.passed()
    await street.show({"sam": (1_000, 0), "bea": (0, 800)})
    await refused(street.submit("sharing:ShareHour", "street", str(NOON)), "market-open")
    await street.steps("Settle")
    found = await street.share()
    assert found["sam"][:2] == [0, 200]
    assert found["bea"][:2] == [200, 0]


async def test_what_is_not_measured_takes_no_part(street: Sharing) -> None:
    energies: Energies = {"p1": (800, 0), "a": None, "b": (0, 100)}
    await street.gather(energies, terms())
    await street.void()
    await street.show(energies)
    found = await street.share()
    assert {name: row[:2] for name, row in found.items()} == {
        "p1": [0, 100],
        "a": [0, 0],
        "b": [100, 0],
    }


async def test_a_member_joins_the_terms_it_signed_once_per_carrier(street: Sharing) -> None:
    await street.gather(["a"], terms())
    alice = street.people["a"]
    await street.found(terms(id="other"))
    await refused(street.join(alice, terms(id="other")), "already-registered")
    await street.spend(alice, "sharing", "LeaveCommunity", "leave-community", community="street")
    await refused(street.join(alice, terms(price=121_000)), "not-found: terms")
    await refused(street.join(alice, terms(), 0), "bad-quantity")
    await refused(street.join(alice, terms(), 1_000_001), "bad-quantity")
    await refused(street.join(alice, terms(id="nowhere")), "unknown-community")
    await street.found(terms(id="far", zone=3))
    await refused(street.join(alice, terms(id="far", zone=3)), "wrong-zone")
    await street.join(alice, terms(id="other"))


@pytest.mark.parametrize(("joins", "leaves", "shares"), [
    (NOON, None, True), (NOON + 1, None, False), (NOON, NOON + 1, True), (NOON - 1, NOON, False),
])  # fmt: skip
async def test_nobody_joins_or_leaves_an_hour_that_has_begun(
    street: Sharing, joins: int, leaves: int | None, shares: bool
) -> None:
    """What counts is the next full hour by the ledger's clock, not when the hour is shared."""
    await street.gather(["p1", "a"], terms())
    late = street.people["b"] = Prosumer("b", 3)
    await street.register(late, RICH)
    await street.clock(joins)
    await street.join(late, terms())
    if leaves is not None:
        await street.clock(leaves)
        await street.spend(late, "sharing", "LeaveCommunity", "leave-community", community="street")
    await street.void()
    await street.show({"p1": (800, 0), "a": (0, 300), "b": (0, 301)})
    assert ("b" in await street.share()) is shares


async def test_who_changes_its_community_shares_an_hour_once(street: Sharing) -> None:
    await street.gather(EXAMPLE, terms())
    await street.void()
    await street.show(EXAMPLE, even=False)
    await street.share()
    await street.found(terms(id="other"))
    for name in ("p1", "a"):
        one = street.people[name]
        await street.spend(one, "sharing", "LeaveCommunity", "leave-community", community="street")
        await street.join(one, terms(id="other"))
    assert await street.share("other") == {}
    hours = await street.ask("sharing:GetHours", "p1", "electricity", str(NOON))
    assert (hours[0]["position"]["shared_out"], hours[0]["position"]["community"]) == (
        800,
        "street",
    )


async def test_a_gateway_joins_nobody(street: Sharing) -> None:
    await street.gather(["a"], terms())
    await street.found(terms(id="other"))
    mallory = Prosumer("mallory", 9)
    body = {"community": "other", "terms": "00", "factor_ppm": 1}
    forged = mallory.signed("sharing", "join-community", body, counter=3)
    signed = forged.replace(b'"account":"mallory"', b'"account":"a"')
    await refused(
        street.carry(street.people["a"], "sharing:JoinCommunity", signed), "bad-signature"
    )


async def test_terms_are_the_districts_and_never_change(street: Sharing) -> None:
    await street.found(terms())
    await street.found(terms())
    await refused(street.found(terms(price=121_000)), "already-registered")
    await refused(street.found(terms(id="x"), creator=GATEWAYS["DSOMSP"]), "not-permitted")
    await refused(street.found(terms(id="x"), creator=GATEWAYS["DistrictBMSP"]), "not-permitted")
    for wrong in ({"key": "fair"}, {"price": 1}, {"zone": 0}, {"shares": {"a": -1}}, {"more": 1}):
        await refused(street.found(terms(id="x", **wrong)), "malformed-document")
    beyond = terms(id="x", key="static", shares={"a": 600_000, "b": 600_000})
    await refused(street.found(beyond), "shares-exceed")


async def test_an_hour_is_shared_once_it_is_over_and_shown(street: Sharing) -> None:
    await street.gather(["a"], terms())
    share = ("sharing:ShareHour", "street", str(NOON))
    await refused(street.submit(*share), "too-early")
    await street.clock(ENDS)
    await refused(street.submit(*share), "market-open")
    await street.void()
    await refused(street.submit(*share), "not-attached")
    await street.show({"a": (5, 5)})
    held = await street.peer.endorse(SETTLEMENT, *share, transient=street.fresh())
    await street.submit(*share)
    with pytest.raises(CommitRefused):
        street.peer.commit(held)


async def traded_and_shared(street: Sharing) -> dict[str, list[int]]:
    """Sam feeds in 1,000 Wh, Bea draws 800; 600 were traded, what is left is shared."""
    await street.found(terms())
    await street.placed(("sam", "OFFER", 600, 120), ("bea", "BID", 600, 120))
    for one in street.people.values():
        await street.join(one, terms())
    await street.passed()
    await street.settle({"sam": (1_000, 0), "bea": (0, 800)})
    return await street.share()


async def test_run_final_corrects_a_shared_hour_and_what_the_market_took_stays(
    street: Sharing,
) -> None:
    assert await traded_and_shared(street) == {
        "bea": [200, 0, 24_000, 0],
        "sam": [0, 200, 0, 24_000],
    }
    correct = ("sharing:CorrectHour", "street", str(NOON))
    await street.show({"sam": (700, 0), "bea": (0, 900)}, "FINAL")
    held = await street.peer.endorse(SETTLEMENT, *correct, transient=street.fresh())
    await street.submit(*correct)
    with pytest.raises(CommitRefused):
        street.peer.commit(held)
    found = await street.ask("sharing:GetShared", "street", str(NOON))
    assert found["members"]["bea"] == [200, 0, 24_000, 0]
    assert found["corrected"] == {"bea": [100, 0, 12_000, 0], "sam": [0, 100, 0, 12_000]}
    hours = await street.ask("sharing:GetHours", "bea", "electricity", str(NOON))
    assert hours[0]["position"]["shared_in"] == 100
    await refused(street.submit("sharing:CorrectHour", "street", "0"), "not-found")


async def test_of_whom_the_market_took_more_than_run_final_knows_stays_as_shared(
    street: Sharing,
) -> None:
    await traded_and_shared(street)
    await street.show({"sam": (500, 0), "bea": (0, 700)}, "FINAL")
    await street.submit("sharing:CorrectHour", "street", str(NOON))
    found = await street.ask("sharing:GetShared", "street", str(NOON))
    assert found["corrected"] == {"bea": [100, 0, 12_000, 0], "sam": [0, 100, 0, 12_000]}


async def test_who_let_certificates_leave_gives_no_more_than_it_has_given(
    street: Sharing,
) -> None:
    energies: Energies = {"p1": (400, 0), "p2": (400, 0), "a": (0, 600)}
    await street.gather(energies, terms())
    await street.void()
    await refused(street.leave("p1"), "too-early: sharing")
    await street.show(energies)
    assert {name: row[1] for name, row in (await street.share()).items() if row[1]} == {
        "p1": 300,
        "p2": 300,
    }
    assert (await street.leave("p1"))["wh"] == 300
    await street.show({"p1": (900, 0), "p2": (450, 0), "a": (0, 900)}, "FINAL")
    await street.submit("sharing:CorrectHour", "street", str(NOON))
    found = (await street.ask("sharing:GetShared", "street", str(NOON)))["corrected"]
    assert {name: row[:2] for name, row in found.items()} == {
        "a": [750, 0],
        "p1": [0, 300],
        "p2": [0, 450],
    }


async def test_a_certificate_leaves_only_an_hour_that_can_be_given_no_more(
    street: Sharing,
) -> None:
    await street.placed(("sam", "OFFER", 600, 120), ("bea", "BID", 600, 120))
    await refused(street.leave("sam"), "too-early")
    await street.passed()
    await refused(street.leave("sam"), "market-open")
    await street.settle({"sam": (1_000, 0), "bea": (0, 800)})
    assert (await street.leave("sam"))["wh"] == 600
    nobody = ("sharing:GetGiven", "DistrictA", str(NOON), '[["nobody.gcp","E"],["bea.gcp","I"]]')
    assert await street.ask(*nobody) == {"wh": 0, "marks": []}
    await street.clock(ENDS + limits.RETENTION)
    await refused(street.leave("sam"), "too-late")


async def test_what_goes_with_its_origin_is_told_by_register_once_it_is_over(
    street: Sharing,
) -> None:
    """Whichever register an account sells or uses by; others are left out."""

    def asked(way: str, *registers: tuple[str, str]) -> Any:
        listed = json.dumps([list(one) for one in registers])
        return street.ask("sharing:GetFollowing", "DistrictA", way, f"[{NOON}]", listed)

    both = [("sam.gcp", "E"), ("sam.roof", "G"), ("nobody.gcp", "E"), ("bea.gcp", "I")]
    await street.placed(("sam", "OFFER", 600, 120), ("bea", "BID", 600, 120))
    assert await asked("feeds", *both) == {"sam.gcp E": ["market-open"]}
    await street.passed()
    assert await asked("feeds", *both) == {"sam.gcp E": ["market-open"]}
    await street.settle({"sam": (1_000, 0), "bea": (0, 800)})
    assert await asked("feeds", *both) == {"sam.gcp E": [[["market:1", 600, 600]]]}
    assert await asked("draws", *both) == {"bea.gcp I": [[["market:1", 600, 600]]]}
    await refused(asked("sideways", *both), "malformed-document")
    await refused(asked("feeds", *both * 20), "malformed-document")
    await street.clock(ENDS + limits.RETENTION)
    await refused(asked("feeds", *both), "too-late")


async def test_a_shared_hour_is_purged_with_all_it_stands_on_after_its_retention(
    street: Sharing,
) -> None:
    await traded_and_shared(street)
    purge = ("sharing:PurgeHour", "street", str(NOON))
    await refused(street.submit(*purge), "too-early")
    await street.clock(ENDS + limits.RETENTION)
    hours = ("sharing:GetHours", "bea", "electricity", str(NOON))
    assert [row["hour"] for row in await street.ask(*hours)] == [NOON]
    await street.submit(*purge)
    await street.submit("market:PurgeSession", to_hex(POWER.token))
    assert await street.ask(*hours) == []
    for call in (
        ("GetShared", "not-found"),
        ("ShareHour", "too-late"),
        ("CorrectHour", "not-found"),
    ):
        asked = (f"sharing:{call[0]}", "street", str(NOON))
        await refused(street.ask(*asked) if "Get" in call[0] else street.submit(*asked), call[1])
    book = street.peer.private(SETTLEMENT, "book").values()
    assert not any(b'"registers"' in value or b'"shared_in"' in value for value in book)


async def test_a_community_larger_than_a_step_is_refused(
    street: Sharing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 1)
    await street.gather(["a", "b"], terms())
    await street.void()
    await refused(street.submit("sharing:ShareHour", "street", str(NOON)), "too-many: members")


@pytest.mark.parametrize("seed", range(2))
async def test_market_and_sharing_together_count_every_wh_once(seed: int) -> None:
    chance = random.Random(seed)
    street = Sharing()
    await street.prepare()
    await street.found(terms())
    orders = [
        (f"{side[0].lower()}{at}", side, chance.randint(100, 800), chance.randint(90, 200))
        for at in range(3)
        for side in ("OFFER", "BID")
    ]
    await street.placed(*orders)
    for one in street.people.values():
        await street.join(one, terms(), chance.choice([1_000_000, 400_000]))
    await street.passed()
    energies: Energies = {
        name: (chance.randint(0, 900), chance.randint(0, 900)) for name in street.people
    }
    trades = await street.settle(energies)
    found = await street.share()
    for name, wh in energies.items():
        assert wh is not None
        sold = sum(row[3] for row in trades if row[0] == name)
        bought = sum(row[3] for row in trades if row[1] == name)
        assert sold + found[name][1] <= wh[0]
        assert bought + found[name][0] <= wh[1]
    rows = list(found.values())
    assert sum(row[0] for row in rows) == sum(row[1] for row in rows)
    assert sum(row[2] for row in rows) == sum(row[3] for row in rows)
    assert await street.ask("market:GetSessionHistory", to_hex(POWER.token)) == [
        "OPEN",
        "CLOSED",
        "CLEARED",
        "MEASURED",
        "SETTLED",
    ]
