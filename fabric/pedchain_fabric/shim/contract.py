# SPDX-License-Identifier: Apache-2.0
"""Contracts: classes whose decorated methods are the transactions a client can call."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, TypeVar, get_type_hints

from pedchain_fabric.shim.arguments import READERS
from pedchain_fabric.shim.context import Context
from pedchain_fabric.shim.limits import ARGUMENTS, NAME_LENGTH
from pedchain_fabric.shim.reply import Reply

Tag = Literal["submit", "evaluate"]
Result = str | bytes | Reply | None

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R", str, bytes, Reply, None)
Method = Callable[Concatenate[S, Context, P], Awaitable[R]]

_MARK = "_pedchain_transaction"


def submit(method: Method[S, P, R]) -> Method[S, P, R]:
    """Declare a transaction that is meant to be ordered and committed."""
    return _marked(method, "submit")


def evaluate(method: Method[S, P, R]) -> Method[S, P, R]:
    """Declare a query: only its answer counts, and it cannot write."""
    return _marked(method, "evaluate")


def _marked(method: Method[S, P, R], tag: Tag) -> Method[S, P, R]:
    setattr(method, _MARK, tag)
    return method


@dataclass(frozen=True, slots=True)
class Transaction:
    """A declared method: its name for clients, its own name, and the types it declares."""

    name: str
    method: str
    tag: Tag
    parameters: tuple[tuple[str, type], ...]
    returns: type


class Contract:
    """Subclass it, and declare transactions with `@submit` or `@evaluate`:

        class Ledger(Contract):
            name = "ledger"

            @submit
            async def open_account(self, ctx: Context, owner: str, limit: int) -> None: ...

    is called as `OpenAccount`, or `ledger:OpenAccount` where a package has several contracts.
    Parameters are str, int, bool or bytes (the raw argument); a method returns str (sent as
    UTF-8), bytes, None (sent as nothing) or a `Reply`. Raise `Refusal` to refuse; any other
    exception is answered with status 500 and a text that tells nothing. One object serves all
    transactions, concurrently: keep no state in it.
    """

    name: ClassVar[str]
    transactions: ClassVar[dict[str, Transaction]] = {}

    def __init_subclass__(cls) -> None:
        """Read the declarations. Raises `TypeError` for one that cannot be served."""
        super().__init_subclass__()
        if "name" not in cls.__dict__ and not hasattr(cls, "name"):
            cls.name = cls.__name__
        _check_name(cls.name)
        declared = [_transaction(cls, name) for name in _declared(cls)]
        cls.transactions = {transaction.name: transaction for transaction in declared}
        if len(cls.transactions) != len(declared):
            raise TypeError(f"{cls.__name__} declares a transaction name twice")

    async def before(self, ctx: Context) -> None:
        """Called before each transaction of this contract; override to guard them all."""

    def self_test(self) -> str | None:
        """A digest over the answers to edge cases, computed when serving starts; or None.

        `GetMetadata` reports it, so that organisations can see that theirs behave alike.
        """
        return None


def _declared(cls: type) -> list[str]:
    return [name for name, member in inspect.getmembers(cls) if hasattr(member, _MARK)]


def _transaction(cls: type, method_name: str) -> Transaction:
    method = getattr(cls, method_name)
    if not inspect.iscoroutinefunction(method):
        raise TypeError(f"{method.__qualname__} must be declared with async def")
    hints = get_type_hints(method)
    parameters = tuple(
        (parameter.name, _declared_type(method, parameter, hints))
        for parameter in list(inspect.signature(method).parameters.values())[2:]
    )
    if len(parameters) > ARGUMENTS:
        raise TypeError(f"{method.__qualname__} has more than {ARGUMENTS} parameters")
    returns = hints.get("return", type(None))
    if returns not in (str, bytes, Reply, type(None)):
        raise TypeError(f"{method.__qualname__} must return str, bytes, Reply or None")
    name = "".join(word[:1].upper() + word[1:] for word in method_name.split("_"))
    return Transaction(name, method_name, getattr(method, _MARK), parameters, returns)


def _declared_type(
    method: Callable[..., Any], parameter: inspect.Parameter, hints: dict[str, Any]
) -> type:
    kind = hints.get(parameter.name)
    plain = parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    if not plain or parameter.default is not inspect.Parameter.empty:
        raise TypeError(f"{method.__qualname__}: {parameter.name} must be plain, without default")
    if not isinstance(kind, type) or kind not in READERS:
        raise TypeError(f"{method.__qualname__}: {parameter.name} must be str, int, bool or bytes")
    return kind


def _check_name(name: str) -> None:
    if not name or ":" in name or len(name) > NAME_LENGTH or not name.isascii():
        raise TypeError(f"{name!r} cannot name a contract")
