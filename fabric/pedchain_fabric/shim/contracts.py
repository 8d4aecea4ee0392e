# SPDX-License-Identifier: Apache-2.0
"""A package's contracts: finds the method a call names, and calls it."""

from collections.abc import Sequence
from typing import Final

from pedchain_fabric.shim import arguments, metadata
from pedchain_fabric.shim.context import Context
from pedchain_fabric.shim.contract import Contract, Transaction
from pedchain_fabric.shim.errors import Refusal
from pedchain_fabric.shim.reply import Reply
from pedchain_fabric.shim.stub import Stub

_SHOWN: Final = 64  # characters of an unknown name that are shown in the refusal


class Contracts:
    """Contracts by name; the first one answers calls that name none. `msp_id` is their peer's.

    Raises `ValueError` for no contract at all, or two of one name.
    """

    def __init__(
        self, contracts: Sequence[Contract], code: Sequence[str] = (), msp_id: str = ""
    ) -> None:
        if not contracts:
            raise ValueError("a package needs a contract")
        self._default = contracts[0]
        self._by_name = {contract.name: contract for contract in contracts}
        if len(self._by_name) != len(contracts):
            raise ValueError("two contracts of one name")
        self._metadata = metadata.document(contracts, code)
        self._msp_id = msp_id

    async def call(self, stub: Stub) -> Reply:
        """Run the transaction that the arguments name; its answer.

        Raises `Refusal` for a name or arguments that fit no declared transaction, and whatever
        the method raises.
        """
        if not stub.args:
            raise Refusal("unknown-transaction", "no function named")
        function, *args = stub.args
        name, _, transaction_name = _split(function)
        if name == metadata.SYSTEM_CONTRACT and transaction_name == metadata.GET_METADATA:
            return Reply(self._metadata)
        contract, transaction = self._find(name, transaction_name)
        values = arguments.read(transaction.parameters, args)
        if transaction.tag == "evaluate":
            stub.forbid_writes()
        ctx = Context(stub, self._msp_id)
        await contract.before(ctx)
        result = await getattr(contract, transaction.method)(ctx, *values)
        return _reply(transaction, result)

    def _find(self, name: str, transaction_name: str) -> tuple[Contract, Transaction]:
        contract = self._by_name.get(name) if name else self._default
        if contract is None:
            raise Refusal("unknown-contract", _shown(name))
        transaction = contract.transactions.get(transaction_name)
        if transaction is None:
            raise Refusal("unknown-transaction", _shown(transaction_name))
        return contract, transaction


def _split(function: bytes) -> tuple[str, str, str]:
    """Contract name (or empty), colon, transaction name."""
    try:
        text = function.decode()
    except UnicodeDecodeError as error:
        raise Refusal("unknown-transaction", "not UTF-8") from error
    return ("", "", text) if ":" not in text else text.rpartition(":")


def _shown(name: str) -> str:
    """A client's text as it may stand in answers and logs: short, no control characters."""
    short = name[:_SHOWN]
    return short if short.isascii() and short.isprintable() else ascii(short)


def _reply(transaction: Transaction, result: object) -> Reply:
    if isinstance(result, Reply):
        return result
    if result is None:
        return Reply()
    if isinstance(result, str):
        return Reply(result.encode())
    if isinstance(result, bytes):
        return Reply(result)
    raise TypeError(f"{transaction.method} returned {type(result).__name__}")
