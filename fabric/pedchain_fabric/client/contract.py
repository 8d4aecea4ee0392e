# SPDX-License-Identifier: Apache-2.0
"""A chaincode's contract: calling its functions."""

import time
from collections.abc import Callable, Collection, Mapping

from pedchain_fabric.client.commit import Commit
from pedchain_fabric.client.proposal import Proposal
from pedchain_fabric.client.session import Session
from pedchain_fabric.errors import CommitError
from pedchain_fabric.wire.proposal import build_proposal


class Contract:
    """One contract of a chaincode on a channel.

    Named, its functions are called `name:function`; else the chaincode's default contract.
    Arguments are bytes, or text sent as UTF-8. `transient` data reaches the endorsers only,
    never the ledger. `endorsing_organizations` (MSP ids) replaces the plan Fabric makes from
    the policies; with transient data only organisations trusted with it may be named, because
    Fabric then no longer looks who may see the data.
    """

    def __init__(
        self, session: Session, channel: str, chaincode: str, name: str | None = None
    ) -> None:
        self._session = session
        self._channel = channel
        self.chaincode = chaincode
        self.name = name

    async def evaluate(
        self,
        function: str,
        *args: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Collection[str] | None = None,
        deadline: float | None = None,
    ) -> bytes:
        """The function's answer, from one peer; nothing is written. Raises `GatewayError`.

        `deadline` in seconds instead of the gateway's; `math.inf` for none.
        """
        proposal = self.new_proposal(
            function,
            *args,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
        )
        return await proposal.evaluate(deadline=deadline)

    async def submit(
        self,
        function: str,
        *args: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Collection[str] | None = None,
        deadline: float | None = None,
    ) -> bytes:
        """Call the function and wait until what it writes is committed; its answer.

        Raises `EndorseError` (nothing happened), `SubmitError` or `CommitStatusError` (outcome
        unknown: `network.commit(error.transaction_id)` asks), `CommitError` (invalid, nothing
        was written). `deadline` in seconds is for all steps together, instead of the gateway's
        for each; `math.inf` for none.
        """
        left = _countdown(deadline)
        result, commit = await self.submit_async(
            function,
            *args,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
            deadline=left(),
        )
        status = await commit.status(deadline=left())
        if not status.successful:
            raise CommitError(status.transaction_id, status.code)
        return result

    async def submit_async(
        self,
        function: str,
        *args: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Collection[str] | None = None,
        deadline: float | None = None,
    ) -> tuple[bytes, Commit]:
        """The same, without waiting: the answer, and what tells whether it was committed."""
        left = _countdown(deadline)
        proposal = self.new_proposal(
            function,
            *args,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
        )
        transaction = await proposal.endorse(deadline=left())
        return transaction.result, await transaction.submit(deadline=left())

    def new_proposal(
        self,
        function: str,
        *args: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Collection[str] | None = None,
    ) -> Proposal:
        """The call as a proposal, to be taken through its steps one by one.

        Raises `ValueError` for transient data to organisations not trusted with it.
        """
        organizations = tuple(endorsing_organizations or ())
        if transient:
            self._check_trusted(organizations)
        qualified = f"{self.name}:{function}" if self.name else function
        built = build_proposal(
            self._session.creator,
            self._channel,
            self.chaincode,
            [each.encode() if isinstance(each, str) else each for each in (qualified, *args)],
            transient=transient or {},
        )
        return Proposal(self._session, built.proposal_bytes, endorsing_organizations=organizations)

    def _check_trusted(self, organizations: tuple[str, ...]) -> None:
        untrusted = sorted(set(organizations) - self._session.trusted_organizations)
        if untrusted:
            raise ValueError(f"transient data to organisations not trusted with it: {untrusted}")


def _countdown(deadline: float | None) -> Callable[[], float | None]:
    """How much of it is left, asked before each step; None if each has the gateway's own."""
    end = None if deadline is None else time.monotonic() + deadline
    return lambda: None if end is None else max(0.0, end - time.monotonic())
