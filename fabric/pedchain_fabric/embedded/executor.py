# SPDX-License-Identifier: Apache-2.0
"""Executes a call on one peer: which chaincode, whether it may run, and its answer.

Source: core/chaincode/chaincode_support.go, lifecycle/endorsement_info.go, handler.go
(HandleInvokeChaincode).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fabric_protos.peer.chaincode_pb2 import ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.embedded import system
from pedchain_fabric.embedded.acl import AccessDenied, Acl
from pedchain_fabric.embedded.approvals import Approvals
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context, Transaction
from pedchain_fabric.embedded.chaincode.runtime import (
    ChaincodeRuntime,
    Outcome,
    RuntimeSettings,
    Target,
    result,
)
from pedchain_fabric.embedded.joined import Joined
from pedchain_fabric.embedded.ledger import Simulator
from pedchain_fabric.embedded.ledger.lifecycle import NAMESPACE, sequence
from pedchain_fabric.embedded.store import PackageStore
from pedchain_fabric.embedded.system import SystemCall, SystemChaincode
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.messages import parse

_INITIALIZED = "\x00\U0010ffffinitialized"
"""In a chaincode's namespace: the version that was initialised."""


@dataclass(frozen=True, slots=True)
class EndorsementInfo:
    """What a peer must know to run a chaincode. `package_id` names the code."""

    version: str
    package_id: str
    init_required: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of the peer execution needs."""

    acl: Acl
    joined: Joined
    approvals: Mapping[str, Approvals]
    msp_id: str


class Executor:
    """Runs system chaincodes in place and others through their streams."""

    def __init__(
        self,
        surroundings: Surroundings,
        packages: PackageStore,
        settings: RuntimeSettings,
    ) -> None:
        self._around = surroundings
        self._user_runs = settings.user_runs_chaincode
        self.system: dict[str, SystemChaincode] = {}
        self.runtime = ChaincodeRuntime(packages, settings, self._invoke)

    async def run(self, transaction: Transaction, name: str, call: ChaincodeInput) -> Outcome:
        """Executes a proposal's call. Raises ChaincodeFailed."""
        try:
            message = await self._execute(transaction, name, call)
        except ChaincodeFailed as error:
            raise ChaincodeFailed(
                f"failed to execute transaction {transaction.id}: {error}"
            ) from error
        return result(transaction.id, name, message)

    async def _execute(
        self, transaction: Transaction, name: str, call: ChaincodeInput
    ) -> ChaincodeMessage:
        if name in self.system:
            response = await self.system[name].invoke(SystemCall(transaction, tuple(call.args)))
            return ChaincodeMessage(
                type=ChaincodeMessage.COMPLETED,
                payload=response.SerializeToString(),
                txid=transaction.id,
                channel_id=transaction.channel_id,
            )
        try:
            target = self._target(transaction, name, call)
        except ChaincodeFailed as error:
            raise ChaincodeFailed(f"invalid invocation: {error}") from error
        return await self.runtime.execute(transaction, target, call)

    def _target(self, transaction: Transaction, name: str, call: ChaincodeInput) -> Target:
        """What to call, and whether as Init. Source: CheckInvocation."""
        try:
            info = self.endorsement_info(transaction, name)
        except ChaincodeFailed as error:
            raise ChaincodeFailed(
                f"[channel {transaction.channel_id}] failed to get chaincode container info for "
                f"{name}: {error}"
            ) from error
        simulator = transaction.simulator
        if not info.init_required or simulator is None:
            if call.is_init:
                raise ChaincodeFailed(
                    f"chaincode '{name}' does not require initialization but called as init"
                )
            return Target(name, info.package_id)
        return _initialized(simulator, name, info, call)

    def endorsement_info(self, transaction: Transaction, name: str) -> EndorsementInfo:
        """Whether and how this peer may run the chaincode. Raises ChaincodeFailed.

        Reads the definition's sequence through the simulator, so that an upgrade invalidates
        what was endorsed before it.
        """
        if name in system.NAMES:
            return EndorsementInfo(system.VERSION, f"{name}.{system.VERSION}")
        simulator, channel = transaction.simulator, transaction.channel
        if simulator is None or channel is None:
            raise ChaincodeFailed(
                f"could not get channel config for channel '{transaction.channel_id}'"
            )
        current = sequence(lambda key: simulator.get_state(NAMESPACE, key), name)
        if current == 0:
            simulator.get_state("lscc", name)
            raise ChaincodeFailed(f"chaincode {name} not found")
        return self._local(channel.name, name, current)

    def _local(self, channel: str, name: str, current: int) -> EndorsementInfo:
        local = self._around.approvals[channel].get(name)
        if local is None or local.definition.sequence != current:
            known = 0 if local is None else local.definition.sequence
            raise ChaincodeFailed(
                f"chaincode cache at sequence {known} but current sequence is {current}, "
                f"chaincode definition for '{name}' changed during invoke"
            )
        definition = local.definition
        if not local.approved:
            raise ChaincodeFailed(
                f"chaincode definition for '{name}' at sequence {current} on channel "
                f"'{channel}' has not yet been approved by this org"
            )
        package_id = local.package_id
        if package_id is None:
            if not self._user_runs:
                raise ChaincodeFailed(
                    f"chaincode definition for '{name}' exists, but chaincode is not installed"
                )
            package_id = f"{name}:{definition.version}"
        return EndorsementInfo(definition.version, package_id, definition.init_required)

    async def _invoke(self, context: Context, payload: bytes) -> bytes:
        """Chaincode calls chaincode; on another channel that is a query only."""
        spec = parse(ChaincodeSpec, payload)
        named, _, channel_id = spec.chaincode_id.name.partition("/")
        name = named.partition(":")[0]
        caller = context.transaction
        channel_id = channel_id or caller.channel_id
        self._check_call(caller, name, channel_id)
        if channel_id == caller.channel_id:
            return await self._nested(caller, name, spec.input)
        channel = self._around.joined.get(channel_id)
        if channel is None:
            raise ChaincodeFailed(f"failed to find ledger for channel: {channel_id}")
        with channel.ledger.simulator(caller.id, self._around.msp_id) as simulator:
            elsewhere = replace(caller, channel=channel, simulator=simulator)
            return await self._nested(elsewhere, name, spec.input)

    def _check_call(self, caller: Transaction, name: str, channel_id: str) -> None:
        if name in system.NAMES:
            return
        channel = self._around.joined.get(channel_id)
        ledger = None if channel is None else channel.ledger
        proposal = caller.proposal
        signed = SignedData(proposal.creator, proposal.proposal_bytes, proposal.signature)
        try:
            self._around.acl.check("peer/ChaincodeToChaincode", ledger, signed, channel_id)
        except AccessDenied as denied:
            raise ChaincodeFailed(str(denied)) from denied

    async def _nested(self, transaction: Transaction, name: str, call: ChaincodeInput) -> bytes:
        try:
            message = await self._execute(transaction, name, call)
        except ChaincodeFailed as error:
            raise ChaincodeFailed(f"execute failed: {error}") from error
        return message.SerializeToString()


def _initialized(
    simulator: Simulator, name: str, info: EndorsementInfo, call: ChaincodeInput
) -> Target:
    """Init exactly once for each version."""
    done = simulator.get_state(name, _INITIALIZED) == info.version.encode()
    if not call.is_init:
        if not done:
            raise ChaincodeFailed(
                f"chaincode '{name}' has not been initialized for this version, must call as "
                "init first"
            )
        return Target(name, info.package_id)
    if done:
        raise ChaincodeFailed(f"chaincode '{name}' is already initialized but called as init")
    simulator.put_state(name, _INITIALIZED, info.version.encode())
    return Target(name, info.package_id, is_init=True)
