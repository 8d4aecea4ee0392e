# SPDX-License-Identifier: Apache-2.0
"""Goal: each lifecycle call asks the right node the right thing. Method: recorded answers."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from fabric_protos.peer.lifecycle import lifecycle_pb2
from google.protobuf.message import Message

from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.admin.package import service_package
from pedchain_fabric.client import Gateway
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.messages import serialize

PACKAGE = service_package("metering")
DEFINITION = Definition("metering", "1", 1, "AND('DSOMSP.peer', 'AMSP.peer')")
Installed = lifecycle_pb2.QueryInstalledChaincodesResult
Approved = lifecycle_pb2.QueryApprovedChaincodeDefinitionsResult


@dataclass
class Identity:
    msp_id: str


@dataclass
class Peer:
    """An endorser that answers by function name and keeps (function, channel, argument)."""

    identity: Identity
    answers: dict[str, Message] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def query(self, chaincode: str, function: str, *args: bytes, channel: str = "") -> bytes:
        assert chaincode == "_lifecycle"
        self.asked.append((function, channel, args[0]))
        return serialize(self.answers[function])


@dataclass
class Node:
    """A gateway, its network and its contract in one; keeps what is submitted."""

    submitted: list[tuple[str, bytes, Any]] = field(default_factory=list)

    def network(self, channel: str) -> "Node":
        assert channel == "ped"
        return self

    def contract(self, chaincode: str) -> "Node":
        assert chaincode == "_lifecycle"
        return self

    async def submit(
        self, function: str, argument: bytes, endorsing_organizations: Any = None
    ) -> bytes:
        self.submitted.append((function, argument, endorsing_organizations))
        return b""


def organization(
    msp_id: str, *, approved: bool = True, installed: bool = True
) -> tuple[Lifecycle, Peer, Node]:
    peer, node = Peer(Identity(msp_id)), Node()
    packages = [Installed.InstalledChaincode(package_id=PACKAGE.id)] if installed else []
    local = lifecycle_pb2.ChaincodeSource.Local(package_id=PACKAGE.id)
    approval = Approved.ApprovedChaincodeDefinition(
        name="metering",
        sequence=1,
        source=lifecycle_pb2.ChaincodeSource(local_package=local),
    )
    peer.answers = {
        "QueryInstalledChaincodes": Installed(installed_chaincodes=packages),
        "InstallChaincode": lifecycle_pb2.InstallChaincodeResult(package_id=PACKAGE.id),
        "CheckCommitReadiness": lifecycle_pb2.CheckCommitReadinessResult(
            approvals={msp_id: approved}
        ),
        "QueryApprovedChaincodeDefinitions": Approved(
            approved_chaincode_definitions=[approval] if approved else []
        ),
        "QueryChaincodeDefinitions": lifecycle_pb2.QueryChaincodeDefinitionsResult(
            chaincode_definitions=[
                lifecycle_pb2.QueryChaincodeDefinitionsResult.ChaincodeDefinition(
                    name="registry", sequence=4
                )
            ]
        ),
    }
    return Lifecycle(cast(Endorser, peer), cast(Gateway, node), "ped"), peer, node


async def test_a_package_is_installed_once() -> None:
    lifecycle, peer, _ = organization("DSOMSP")
    assert await lifecycle.install(PACKAGE) == PACKAGE.id
    assert [function for function, _, _ in peer.asked] == ["QueryInstalledChaincodes"]


async def test_a_new_package_goes_to_the_peer_itself() -> None:
    lifecycle, peer, _ = organization("DSOMSP", installed=False)
    assert await lifecycle.install(PACKAGE) == PACKAGE.id
    function, channel, argument = peer.asked[-1]
    assert (function, channel) == ("InstallChaincode", "")
    sent = lifecycle_pb2.InstallChaincodeArgs.FromString(argument)
    assert sent.chaincode_install_package == PACKAGE.content


async def test_an_approval_is_endorsed_by_ones_own_organisation_alone() -> None:
    lifecycle, _, node = organization("AMSP")
    await lifecycle.approve(DEFINITION, PACKAGE.id)
    ((function, argument, endorsers),) = node.submitted
    assert (function, endorsers) == ("ApproveChaincodeDefinitionForMyOrg", ["AMSP"])
    assert argument == serialize(DEFINITION.approval(PACKAGE.id))


async def test_committed_sequences_are_told_by_name() -> None:
    lifecycle, peer, _ = organization("DSOMSP")
    assert await lifecycle.committed() == {"registry": 4}
    assert peer.asked[-1][1] == "ped"


async def test_a_commit_goes_out_when_all_are_ready() -> None:
    dso, _, node = organization("DSOMSP")
    other, _, _ = organization("AMSP")
    await dso.commit(DEFINITION, [dso, other])
    assert node.submitted == [("CommitChaincodeDefinition", serialize(DEFINITION.to_proto()), None)]


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ({"approved": False}, "AMSP has not approved"),
        ({"installed": False}, "AMSP has not installed"),
    ],
)
async def test_a_commit_is_refused_until_everybody_named_is_ready(
    standing: dict[str, bool], words: str
) -> None:
    dso, _, node = organization("DSOMSP")
    other, _, _ = organization("AMSP", **standing)
    with pytest.raises(AdminError, match=words):
        await dso.commit(DEFINITION, [dso, other])
    assert node.submitted == []


async def test_an_organisation_that_was_not_asked_is_not_ready() -> None:
    dso, _, node = organization("DSOMSP")
    with pytest.raises(AdminError, match="AMSP has not said"):
        await dso.commit(DEFINITION, [dso])
    assert node.submitted == []
