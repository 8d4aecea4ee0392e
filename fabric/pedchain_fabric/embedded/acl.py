# SPDX-License-Identifier: Apache-2.0
"""Which policy guards which call, and whether a caller satisfies it.

Source: core/aclmgmt/defaultaclprovider.go, resourceprovider.go, core/policy/policy.go. Calls
about the peer itself are judged by its own MSP, calls about a channel by the channel's policies;
the channel's ACLs may name other policies for the latter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from weakref import WeakKeyDictionary

from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.ledger import Ledger, Verifier
from pedchain_fabric.embedded.ledger.policies import shortfall
from pedchain_fabric.embedded.mspdir import LocalMsp
from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.policytree import NoSuchPolicy

ADMINS = "Admins"
MEMBERS = "Members"
READERS = "/Channel/Application/Readers"
WRITERS = "/Channel/Application/Writers"

LOCAL: Mapping[str, str] = MappingProxyType(
    {
        "_lifecycle/InstallChaincode": ADMINS,
        "_lifecycle/QueryInstalledChaincode": ADMINS,
        "_lifecycle/GetInstalledChaincodePackage": ADMINS,
        "_lifecycle/QueryInstalledChaincodes": ADMINS,
        "_lifecycle/ApproveChaincodeDefinitionForMyOrg": ADMINS,
        "_lifecycle/QueryApprovedChaincodeDefinition": ADMINS,
        "_lifecycle/QueryApprovedChaincodeDefinitions": ADMINS,
        "cscc/JoinChain": ADMINS,
        "cscc/JoinChainBySnapshot": ADMINS,
        "cscc/JoinBySnapshotStatus": ADMINS,
        "cscc/GetChannels": MEMBERS,
    }
)

CHANNEL: Mapping[str, str] = MappingProxyType(
    {
        "_lifecycle/CommitChaincodeDefinition": WRITERS,
        "_lifecycle/QueryChaincodeDefinition": WRITERS,
        "_lifecycle/QueryChaincodeDefinitions": WRITERS,
        "_lifecycle/CheckCommitReadiness": WRITERS,
        "qscc/GetChainInfo": READERS,
        "qscc/GetBlockByNumber": READERS,
        "qscc/GetBlockByHash": READERS,
        "qscc/GetTransactionByID": READERS,
        "qscc/GetBlockByTxID": READERS,
        "cscc/GetConfigBlock": READERS,
        "cscc/GetChannelConfig": READERS,
        "peer/Propose": WRITERS,
        "peer/ChaincodeToChaincode": WRITERS,
        "event/Block": READERS,
        "event/FilteredBlock": READERS,
        "gateway/CommitStatus": READERS,
        "gateway/ChaincodeEvents": READERS,
    }
)


# Whom a policy admits never changes under one configuration, which has a verifier of its own.
_ALLOWED: WeakKeyDictionary[Verifier, set[tuple[str, tuple[Identity, ...]]]] = WeakKeyDictionary()


class AccessDenied(Exception):  # noqa: N818 - it names an answer, not a fault
    """The caller does not satisfy the policy; the text is Fabric's."""


@dataclass(frozen=True, slots=True)
class Acl:
    """Checks calls to one peer."""

    local: LocalMsp

    def check(
        self, resource: str, ledger: Ledger | None, signed: SignedData, channel: str = ""
    ) -> None:
        """Raises AccessDenied.

        `ledger` is that of the channel the call names, None where the peer has not joined it
        (then `channel` is its name) or the call names none.
        """
        if resource in LOCAL:
            self._check_local(LOCAL[resource], signed)
            return
        if ledger is not None and ledger.config.acls.get(resource):
            _check_named(ledger.config.acls[resource], ledger, signed)
            return
        if resource not in CHANNEL:
            raise AccessDenied(f"Unmapped policy for {resource}")
        path = CHANNEL[resource]
        if ledger is None:
            if channel:
                raise AccessDenied(f"Failed to get policy manager for channel [{channel}]")
            raise AccessDenied(
                "Invalid channel ID name during check policy on signed data. "
                "Name must be different from nil."
            )
        reason = refusal(ledger, path, signed)
        if reason:
            raise AccessDenied(
                "Failed evaluating policy on signed data during check policy on channel "
                f"[{ledger.channel_id}] with policy [{path}]: [{reason}]"
            )

    def _check_local(self, policy: str, signed: SignedData) -> None:
        """Source: CheckPolicyNoChannel."""
        try:
            identity = Identity.from_creator(signed.creator)
            self.local.msp.resolve(identity)
        except (IdentityError, WireError) as error:
            raise AccessDenied(
                "Failed deserializing proposal creator during channelless check policy "
                f"with policy [{policy}]: [{error}]"
            ) from error
        if not self.local.msp.satisfies(identity, self._principal(policy)):
            raise AccessDenied(
                "Failed verifying that proposal's creator satisfies local MSP principal during "
                f"channelless check policy with policy [{policy}]: {self._lacks(policy)}"
            )
        try:
            identity.verify(signed.message, signed.signature)
        except (SignatureInvalid, IdentityError) as error:
            raise AccessDenied("The signature is invalid") from error

    def _principal(self, policy: str) -> MSPPrincipal:
        role = MSPRole.ADMIN if policy == ADMINS else MSPRole.MEMBER
        content = MSPRole(msp_identifier=self.local.msp.msp_id, role=role)
        return MSPPrincipal(
            principal_classification=MSPPrincipal.ROLE, principal=content.SerializeToString()
        )

    def _lacks(self, policy: str) -> str:
        msp_id = self.local.msp.msp_id
        if policy == ADMINS:
            return (
                f"[The identity is not an admin under this MSP [{msp_id}]: "
                f"The identity does not contain OU [ADMIN], MSP: [{msp_id}]]"
            )
        return f"[The identity is not valid under this MSP [{msp_id}]]"


def _check_named(path: str, ledger: Ledger, signed: SignedData) -> None:
    """A policy named by the channel's ACLs."""
    if isinstance(ledger.config.policy(path), NoSuchPolicy):
        reason = f"policy {path} not found"
    else:
        reason = refusal(ledger, path, signed)
    if reason:
        raise AccessDenied(
            f"failed evaluating policy on signed data during check policy [{path}]: [{reason}]"
        )


def refusal(ledger: Ledger, path: str, signed: SignedData) -> str:
    """Why the policy is not satisfied, in Fabric's words; empty if it is."""
    identities = tuple(ledger.verifier.signers([signed]))
    known = _ALLOWED.setdefault(ledger.verifier, set())
    if (path, identities) in known:
        return ""
    reason = shortfall(ledger.config, path, identities)
    if not reason:
        if len(known) >= limits.REMEMBERED_VERDICTS:
            known.clear()
        known.add((path, identities))
    return reason
