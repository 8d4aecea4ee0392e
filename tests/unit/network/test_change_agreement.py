# SPDX-License-Identifier: Apache-2.0
"""Who has not signed is named; what changes is told with the policies before and after."""

from pedchain_fabric.admin import configupdate
from pedchain_fabric.admin.edit import organizations
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_network.channel import agreement, edits, view
from pedchain_network.topology.model import Governance
from tests.unit.fabric.admin import channels
from tests.unit.fabric.admin.channels import ADMINS, LIFECYCLE, NEW, config, current, keys


def addition() -> configupdate.SignedUpdate:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    return configupdate.prepare(current(), wanted)


def test_two_signatures_are_not_enough_and_the_missing_are_named() -> None:
    two = agreement.signed(addition(), [keys("DistrictA").admin, keys("DistrictB").admin])
    (said,) = agreement.missing(current(), two)
    assert said.startswith("/Channel/Application/Admins asks AND('DSOMSP.admin', ")
    assert said.endswith("not signed by AggregatorMSP, DSOMSP")


def test_the_dso_and_a_majority_are_enough() -> None:
    names = ("DSO", "DistrictA", "DistrictB")
    assert agreement.missing(current(), agreement.signed(addition(), _admins(names))) == ()


def test_an_organisations_own_entry_is_its_own_administrators() -> None:
    wanted = organizations.set_anchor_peers(config(), "DistrictB", [("127.0.0.1", 7999)])
    update = configupdate.prepare(current(), wanted)
    signed = agreement.signed(update, _admins(("DSO", "DistrictA", "Aggregator")))
    (said,) = agreement.missing(current(), signed)
    assert said.endswith("not signed by DistrictBMSP")


def test_governance_is_told_before_and_after_even_unchanged() -> None:
    rules = Governance(
        admins="AND('DSOMSP.admin', 'DistrictAMSP.admin')",
        lifecycle=LIFECYCLE,
    )
    update = configupdate.prepare(current(), edits.govern(config(), rules))
    *changes, admins, lifecycle = agreement.lines(current(), update)
    assert admins == f"admins: {ADMINS} -> {rules.admins}"
    assert lifecycle == f"lifecycle: {LIFECYCLE}, unchanged"
    assert all("[needs /Channel" in line for line in changes)


def test_the_channel_is_shown_as_its_members_agreed_on_it() -> None:
    seen = view.of(current())
    assert (seen.channel, seen.sequence, seen.consensus) == ("ped", 0, "smartbft")
    assert seen.policies == {"admins": ADMINS, "lifecycle": LIFECYCLE}
    assert [each.name for each in seen.organizations] == sorted(channels.NAMES)
    assert seen.batch["interval_ms"] == 10
    assert "4 orderers: 3 must agree, 1 may fail" in "\n".join(seen.lines())


def test_a_member_with_peers_only_is_shown_so() -> None:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    result = view.of(type(current()).from_config("ped", wanted))
    assert f"  {NEW} ({NEW}MSP): peers only; anchor peers 127.0.0.1:7051" in result.lines()


def _admins(names: tuple[str, ...]) -> list[SigningIdentity]:
    return [keys(name).admin for name in names]
