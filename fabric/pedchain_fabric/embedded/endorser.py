# SPDX-License-Identifier: Apache-2.0
"""Endorser.ProcessProposal: checks a proposal, simulates it, signs the result.

Source: core/endorser/endorser.go, msgvalidation.go, core/handlers/auth/filter.
"""

import datetime
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import (
    ChaincodeInterest,
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)

from pedchain_fabric.embedded import limits, system
from pedchain_fabric.embedded.acl import AccessDenied, Acl
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Transaction
from pedchain_fabric.embedded.chaincode.runtime import Outcome
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.executor import Executor
from pedchain_fabric.embedded.expiry import expires_at
from pedchain_fabric.embedded.joined import Joined
from pedchain_fabric.embedded.ledger import SimulationResults
from pedchain_fabric.embedded.mspdir import LocalMsp
from pedchain_fabric.embedded.privatedata import distribute
from pedchain_fabric.errors import FabricError, IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.proposal import (
    ProposalParts,
    parse_signed_proposal,
    proposal_hash,
    timestamp_ns,
)

_log = logging.getLogger("endorser")

_ERROR_THRESHOLD = 400
_ERROR = 500

# parse_signed_proposal takes apart and validates in one; Fabric marks the second kind.
_VALIDATION = (
    "invalid header type", "epoch is", "nonce is", "creator is", "incorrectly computed txid",
    "empty signature bytes",
)  # fmt: skip


class ProposalRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The proposal is not even simulated: a gRPC error, not a response.

    `answered` tells whether Fabric's endorser would hand a caller in the same process a
    response too, which decides what its gateway makes of it.
    """

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message)
        self.answered = answered


@dataclass(frozen=True, slots=True)
class EndorserParts:
    """The parts of the peer an endorser works with."""

    local: LocalMsp
    acl: Acl
    joined: Joined
    executor: Executor


@dataclass(frozen=True, slots=True)
class _Simulated:
    """What simulation came to; no results for calls without a simulator."""

    outcome: Outcome
    version: str
    results: SimulationResults | None
    interest: ChaincodeInterest | None


class Endorser:
    """One peer's endorser. `clock` gives the time in seconds since 1970."""

    def __init__(self, parts: EndorserParts, clock: Callable[[], float] = time.time) -> None:
        self._parts = parts
        self._clock = clock
        self.counts: dict[str, int] = {"received": 0, "successful": 0, "failed": 0}

    async def process(self, signed: SignedProposal) -> ProposalResponse:
        """The response, endorsed or not. Raises ProposalRefused."""
        self.counts["received"] += 1
        try:
            proposal = self._parse(signed)
            channel = self._channel(proposal)
            if proposal.channel_id and channel is None:
                return _failed(f"channel '{proposal.channel_id}' not found")
            self._check(proposal, channel)
        except ProposalRefused:
            self.counts["failed"] += 1
            raise
        try:
            response = await self._simulate(proposal, signed, channel)
        except (ChaincodeFailed, FabricError) as error:
            self.counts["failed"] += 1
            _log.warning("Failed to invoke chaincode %s: %s", proposal.chaincode_name, error)
            return _failed(str(error))
        self.counts["successful"] += 1
        return response

    def _parse(self, signed: SignedProposal) -> ProposalParts:
        self._filter(signed)
        try:
            return parse_signed_proposal(signed)
        except WireError as error:
            prefix = "error validating proposal: " if str(error).startswith(_VALIDATION) else ""
            raise ProposalRefused(f"{prefix}{error}", answered=True) from error

    def _filter(self, signed: SignedProposal) -> None:
        """What is checked before the endorser sees it. Source: filter/expiration.go."""
        try:
            header = parse(Header, parse(Proposal, signed.proposal_bytes).header)
            creator = parse(SignatureHeader, header.signature_header).creator
            timestamp = parse(ChannelHeader, header.channel_header).timestamp
        except WireError as error:
            raise ProposalRefused(f"failed parsing proposal: {error}", answered=False) from error
        if expires_at(creator) < self._clock():
            raise ProposalRefused("proposal client identity expired", answered=False)
        self._check_time(timestamp_ns(timestamp) / 1e9)

    def _check_time(self, claimed: float) -> None:
        """The time window, +-15 minutes. Source: filter/timewindow.go."""
        now = self._clock()
        if abs(now - claimed) > limits.PROPOSAL_TIME_WINDOW_S:
            raise ProposalRefused(
                f"request unauthorized due to incorrect timestamp {_rfc3339(claimed)}, peer time "
                f"{_rfc3339(now)}, peer.authentication.timewindow 15m0s",
                answered=False,
            )

    def _channel(self, proposal: ProposalParts) -> Channel | None:
        return self._parts.joined.get(proposal.channel_id) if proposal.channel_id else None

    def _check(self, proposal: ProposalParts, channel: Channel | None) -> None:
        """Who asks, whether they asked before, and whether they may."""
        claim = SignedData(proposal.creator, proposal.proposal_bytes, proposal.signature)
        reason = self._identity_problem(claim, channel)
        if reason:
            raise ProposalRefused(
                f"error validating proposal: access denied: {reason}", answered=True
            )
        if channel is None:
            return
        if channel.ledger.has_transaction(proposal.transaction_id):
            raise ProposalRefused(
                f"duplicate transaction found [{proposal.transaction_id}]. "
                f"Creator [{proposal.creator.hex()}]",
                answered=True,
            )
        if proposal.chaincode_name in system.NAMES:
            return  # system chaincodes check their callers themselves
        try:
            self._parts.acl.check("peer/Propose", channel.ledger, claim)
        except AccessDenied as denied:
            raise ProposalRefused(str(denied), answered=True) from denied

    def _identity_problem(self, claim: SignedData, channel: Channel | None) -> str:
        if channel is not None:
            try:
                channel.ledger.verifier.verify(*claim)
            except (IdentityError, SignatureInvalid, WireError):
                pass  # whose fault it is decides the text
            else:
                return ""
        name = "" if channel is None else channel.name
        try:
            identity = Identity.from_creator(claim.creator)
            msp = self._parts.local.msp if channel is None else channel.config.msps[identity.msp_id]
            msp.resolve(identity)
        except (IdentityError, WireError):
            return f"channel [{name}] creator org unknown, creator is malformed"
        try:
            msp.validate(identity).verify(claim.message, claim.signature)
        except (IdentityError, SignatureInvalid, WireError):
            return f"channel [{name}] creator org [{identity.msp_id}]"
        return ""

    async def _simulate(
        self, proposal: ProposalParts, signed: SignedProposal, channel: Channel | None
    ) -> ProposalResponse:
        name = proposal.chaincode_name
        if channel is None or name in ("qscc", "cscc"):
            transaction = Transaction(proposal.transaction_id, channel, None, proposal, signed)
            simulated = await self._run(transaction)
        else:
            msp_id = self._parts.local.identity.msp_id
            with channel.ledger.simulator(proposal.transaction_id, msp_id) as simulator:
                transaction = Transaction(
                    proposal.transaction_id, channel, simulator, proposal, signed
                )
                simulated = await self._run(transaction)
        return self._respond(transaction, simulated)

    async def _run(self, transaction: Transaction) -> _Simulated:
        proposal, executor = transaction.proposal, self._parts.executor
        try:
            info = executor.endorsement_info(transaction, proposal.chaincode_name)
        except ChaincodeFailed as error:
            raise ChaincodeFailed(
                f"make sure the chaincode {proposal.chaincode_name} has been successfully defined "
                f"on channel {proposal.channel_id} and try again: {error}"
            ) from error
        call = ChaincodeInput(args=proposal.args, is_init=proposal.is_init)
        try:
            outcome = await executor.run(transaction, proposal.chaincode_name, call)
            results = self._results(transaction, outcome)
            interest = None if results is None else results.interest(system.NAMES)
        except (ChaincodeFailed, FabricError) as error:
            raise ChaincodeFailed(f"error in simulation: {error}") from error
        return _Simulated(outcome, info.version, results, interest)

    def _results(self, transaction: Transaction, outcome: Outcome) -> SimulationResults | None:
        simulator, channel = transaction.simulator, transaction.channel
        if simulator is None or channel is None:
            return None
        results = simulator.finish()
        if results.private is not None and outcome.response.status < _ERROR_THRESHOLD:
            distribute(channel, transaction.id, results.private, self._parts.local.identity.msp_id)
        return results

    def _respond(self, transaction: Transaction, simulated: _Simulated) -> ProposalResponse:
        response = simulated.outcome.response
        if transaction.channel is None:
            return ProposalResponse(response=response)
        if _ERROR_THRESHOLD <= response.status < _ERROR:
            return ProposalResponse(response=response)
        payload = _payload(transaction.proposal, simulated, response)
        answer = ProposalResponse(response=response, payload=payload)
        if simulated.interest is not None:
            answer.interest.CopyFrom(simulated.interest)
        if response.status < _ERROR_THRESHOLD:
            identity = self._parts.local.identity
            answer.version = 1
            answer.endorsement.CopyFrom(
                Endorsement(
                    endorser=identity.creator, signature=identity.sign(payload + identity.creator)
                )
            )
        return answer


def _payload(proposal: ProposalParts, simulated: _Simulated, response: Response) -> bytes:
    event = simulated.outcome.event if response.status < _ERROR_THRESHOLD else None
    action = ChaincodeAction(
        results=b"" if simulated.results is None else simulated.results.public,
        events=b"" if event is None else serialize(event),
        response=response,
        chaincode_id=ChaincodeID(name=proposal.chaincode_name, version=simulated.version),
    )
    return serialize(
        ProposalResponsePayload(
            proposal_hash=proposal_hash(proposal.header_bytes, proposal.payload_bytes),
            extension=serialize(action),
        )
    )


def _failed(message: str) -> ProposalResponse:
    return ProposalResponse(response=Response(status=_ERROR, message=message))


def _rfc3339(seconds: float) -> str:
    try:
        moment = datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{int(seconds)}"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
