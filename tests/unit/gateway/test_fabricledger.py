# SPDX-License-Identifier: Apache-2.0
"""Fabric's errors become ours by type: what happened, not how it was worded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction

from pedchain_fabric.client import Status
from pedchain_fabric.errors import (
    CommitStatusError,
    EndorseError,
    EndorsementMismatch,
    ErrorDetail,
    GatewayError,
    SubmitError,
    WireError,
)
from pedchain_fabric.wire.identity import Identity
from pedchain_gateway.ledger.fabric import FabricLedger
from pedchain_gateway.ledger.port import (
    CONTRACT_FAULT,
    Committed,
    Invalid,
    LedgerError,
    Mismatch,
    Refused,
    Unavailable,
    Unknown,
)


@dataclass
class Steps:
    """One transaction through the client's steps, each of which may fail."""

    endorse_error: Exception | None = None
    submit_error: Exception | None = None
    status_error: Exception | None = None
    code: str = "VALID"
    said: list[str] = field(default_factory=list)
    transaction_id: str = "t" * 64
    result: bytes = b"\x00"
    identity: Identity = field(default_factory=lambda: Identity("DSOMSP", b""))

    def network(self, _: str) -> "Steps":
        return self

    def contract(self, name: str) -> "Steps":
        self.said.append(name)
        return self

    def new_proposal(
        self, function: str, *arguments: str, transient: Mapping[str, bytes] | None, **options: Any
    ) -> "Steps":
        self.said.append(function)
        self.options = options
        return self

    async def evaluate(self, function: str, *arguments: str) -> bytes:
        self.said.append(function)
        if self.endorse_error:
            raise self.endorse_error
        return self.result

    async def endorse(self) -> "Steps":
        self.said.append("endorse")
        if self.endorse_error:
            raise self.endorse_error
        return self

    async def submit(self) -> "Steps":
        self.said.append("submit")
        if self.submit_error:
            raise self.submit_error
        return self

    async def status(self) -> Status:
        if self.status_error:
            raise self.status_error
        return Status(self.transaction_id, self.code, 7)

    async def close(self) -> None:
        self.said.append("close")


def ledger(**steps: Any) -> tuple[FabricLedger, Steps]:
    made = Steps(**steps)
    return FabricLedger(made, "ped"), made  # type: ignore[arg-type] # the steps it takes


def refused(kind: type[GatewayError], text: str, *by: str) -> GatewayError:
    said = tuple(ErrorDetail("peer0:7051", name, text) for name in by or ("DSOMSP",))
    return kind("ABORTED", "failed to endorse", said)


async def test_the_id_is_announced_between_endorsing_and_sending() -> None:
    fabric, steps = ledger()
    committed = await fabric.submit("metering-D", "SubmitReadings", "1", announce=steps.said.append)
    assert committed == Committed("t" * 64, b"\x00")
    assert steps.said == ["metering-D", "SubmitReadings", "endorse", "t" * 64, "submit"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("chaincode response 400, period-sealed", "period-sealed"),
        ("chaincode response 400, not-permitted: put_factors", "not-permitted"),
        ("chaincode response 500, period-sealed", CONTRACT_FAULT),
        ("chaincode response 400, Something Else", CONTRACT_FAULT),
        ("chaincode response 500, ", CONTRACT_FAULT),
    ],
)
async def test_a_contracts_refusal_is_its_reason(text: str, reason: str) -> None:
    fabric, _ = ledger(endorse_error=refused(EndorseError, text))
    with pytest.raises(Refused) as caught:
        await fabric.submit("metering-D", "SubmitReadings")
    assert caught.value.reason == reason
    fabric, _ = ledger(endorse_error=refused(GatewayError, text))
    with pytest.raises(Refused) as caught:
        await fabric.evaluate("metering-D", "GetFence")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("by", "elsewhere"),
    [(["DSOMSP"], False), (["AMSP"], True), (["AMSP", "BMSP"], True), (["DSOMSP", "AMSP"], False)],
)
async def test_a_refusal_by_others_alone_is_told_apart(by: list[str], elsewhere: bool) -> None:
    """Our peer had computed a result: one of the others has not seen what ours has."""
    text = "chaincode response 400, not-attached"
    fabric, _ = ledger(endorse_error=refused(EndorseError, text, *by))
    with pytest.raises(Refused, match="not-attached") as caught:
        await fabric.submit("settlement", "market:Settle")
    assert caught.value.elsewhere is elsewhere


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ({"endorse_error": EndorsementMismatch("ABORTED", "differ")}, Mismatch),
        ({"endorse_error": EndorseError("UNAVAILABLE", "no peers")}, Unavailable),
        ({"endorse_error": EndorseError("FAILED_PRECONDITION", "no plan")}, Unavailable),
        ({"endorse_error": WireError("another transaction")}, Unavailable),
        ({"submit_error": SubmitError("UNAVAILABLE", "no orderers")}, Unknown),
        ({"status_error": CommitStatusError("DEADLINE_EXCEEDED", "late")}, Unknown),
        ({"code": "MVCC_READ_CONFLICT"}, Invalid),
    ],
)
async def test_every_step_fails_as_its_own_type(
    steps: dict[str, Any], error: type[LedgerError]
) -> None:
    fabric, _ = ledger(**steps)
    with pytest.raises(error) as caught:
        await fabric.submit("metering-D", "SubmitReadings")
    assert type(caught.value) is error
    if isinstance(caught.value, Unknown | Invalid):
        assert caught.value.transaction == "t" * 64


@pytest.mark.parametrize(
    "text",
    [
        "make sure the chaincode metering-D has been successfully defined on channel ped and try "
        "again: chaincode cache at sequence 2 but current sequence is 1, chaincode definition for "
        "'metering-D' changed during invoke",
        "error in simulation: failed to execute transaction t: could not launch chaincode m:1: "
        "chaincode registration failed",
    ],
)
async def test_a_peer_between_two_definitions_is_no_fault_of_the_contract(text: str) -> None:
    """A fault of the contract would be blamed on the batch, and its records set aside."""
    fabric, _ = ledger(endorse_error=refused(EndorseError, f"chaincode response 500, {text}"))
    with pytest.raises(Unavailable):
        await fabric.submit("metering-D", "SubmitReadings")


async def test_a_transaction_nobody_has_seen_is_none() -> None:
    text = "chaincode response 500, Failed to get ..., error no such transaction ID [t] in index"
    fabric, steps = ledger(endorse_error=refused(GatewayError, text))
    assert await fabric.outcome("t") is None
    assert steps.said == ["qscc", "GetTransactionByID"]


async def test_a_peer_that_does_not_answer_leaves_the_outcome_open() -> None:
    fabric, _ = ledger(endorse_error=GatewayError("UNAVAILABLE", "gone"))
    with pytest.raises(Unavailable):
        await fabric.outcome("t")
    with pytest.raises(Unavailable):
        await fabric.height()


@pytest.mark.parametrize(
    "answer", [b"\xff", ProcessedTransaction(validationCode=0).SerializeToString()]
)
async def test_an_answer_that_cannot_be_read_leaves_the_outcome_open(answer: bytes) -> None:
    fabric, _ = ledger(result=answer)
    with pytest.raises(Unavailable):
        await fabric.outcome("t")


async def test_the_height_is_the_peers() -> None:
    fabric, steps = ledger(result=BlockchainInfo(height=12).SerializeToString())
    async with fabric:
        assert await fabric.height() == 12
    assert steps.said == ["qscc", "GetChainInfo", "close"]
