# SPDX-License-Identifier: Apache-2.0
"""How contracts are declared, found and given their arguments."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit
from pedchain_fabric.shim.arguments import read
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.testing import MemoryPeer, TransactionFailed, creator


class First(Contract):
    name = "first"

    async def before(self, ctx: Context) -> None:
        if ctx.client.msp_id == "BannedMSP":
            raise Refusal("banned")

    @submit
    async def echo_all(self, ctx: Context, text: str, number: int, flag: bool, raw: bytes) -> str:
        return f"{text}|{number}|{flag}|{raw.hex()}"

    @evaluate
    async def who(self, ctx: Context) -> str:
        return "first"

    async def not_a_transaction(self, ctx: Context) -> str:
        return "hidden"


class Second(First):
    name = "second"

    @evaluate
    async def who(self, ctx: Context) -> str:
        return "second"

    def self_test(self) -> str | None:
        return "abcd"


@pytest.fixture
def peer() -> MemoryPeer:
    peer = MemoryPeer()
    peer.install("cc", First(), Second())
    return peer


@pytest.mark.complete("shim-GetFunctionAndParameters", "shim-Chaincode-Invoke", "shim-Success")
async def test_a_method_is_called_by_its_name_in_capitals(peer: MemoryPeer) -> None:
    answer = await peer.submit("cc", "EchoAll", "é", "-12", "true", b"\xff")
    assert answer.decode() == "é|-12|True|ff"


@pytest.mark.complete("shim-GetFunctionAndParameters")
async def test_the_first_contract_is_the_default_and_others_are_named(peer: MemoryPeer) -> None:
    names = ("Who", "first:Who", "second:Who")
    assert [await peer.evaluate("cc", name) for name in names] == [b"first", b"first", b"second"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("NotATransaction", "unknown-transaction: NotATransaction"),
        ("who", "unknown-transaction: who"),
        ("__init__", "unknown-transaction: __init__"),
        ("third:Who", "unknown-contract: third"),
        ("a:b:Who", "unknown-contract: a:b"),
        ("", "unknown-transaction"),
        ("x" * 1000, "unknown-transaction: " + "x" * 64),
        ("a\nb", "unknown-transaction: 'a\\nb'"),
        ("é:Who", "unknown-contract: '\\xe9'"),
    ],
)
async def test_only_declared_transactions_can_be_called(
    peer: MemoryPeer, function: str, message: str
) -> None:
    with pytest.raises(TransactionFailed) as failed:
        await peer.evaluate("cc", function)
    assert (failed.value.status, failed.value.message) == (400, message)


async def test_before_guards_every_transaction(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed, match="banned"):
        await peer.evaluate("cc", "second:Who", creator=creator("BannedMSP"))


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["t", "1", "true"],
        ["t", "1", "true", "r", "extra"],
        ["t", "01", "true", "r"],
        ["t", "+1", "true", "r"],
        ["t", "-0", "true", "r"],
        ["t", " 1", "true", "r"],
        ["t", "1_0", "true", "r"],
        ["t", "１", "true", "r"],
        ["t", "1.0", "true", "r"],
        ["t", "", "true", "r"],
        ["t", "9" * 79, "true", "r"],
        ["t", "1", "True", "r"],
        ["t", "1", "1", "r"],
    ],
)
@pytest.mark.complete("shim-GetStringArgs")
async def test_arguments_of_wrong_count_or_type_are_refused(
    peer: MemoryPeer, args: list[str]
) -> None:
    with pytest.raises(TransactionFailed, match="bad-arguments") as failed:
        await peer.submit("cc", "EchoAll", *args)
    assert failed.value.status == 400


async def test_text_that_is_not_utf8_is_refused_without_being_shown(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed) as failed:
        await peer.submit("cc", "EchoAll", b"\xff", "1", "true", b"")
    assert failed.value.message == "bad-arguments: text is not of type str"


@given(st.integers(min_value=1 - 10**78, max_value=10**78 - 1))
def test_integers_survive(number: int) -> None:
    assert read([("n", int)], [str(number).encode()]) == [number]


@given(st.binary(max_size=20))
def test_an_integer_has_one_spelling(data: bytes) -> None:
    try:
        [number] = read([("n", int)], [data])
    except Refusal:
        return
    assert str(number).encode() == data


def _declare(**methods: Any) -> type[Contract]:
    return type("Broken", (Contract,), methods)


def test_declarations_that_cannot_be_served_are_refused_when_the_class_is_made() -> None:
    @submit
    async def default(self: Any, ctx: Context, a: str = "") -> None: ...

    @submit
    async def untyped(self: Any, ctx: Context, a) -> None: ...  # type: ignore[no-untyped-def]  # the point

    @submit
    async def several(self: Any, ctx: Context, *a: str) -> None: ...

    @submit
    async def keyword(self: Any, ctx: Context, *, a: str) -> None: ...

    @submit
    async def floating(self: Any, ctx: Context, a: float) -> None: ...

    @submit  # type: ignore[type-var]  # the point
    async def returns_number(self: Any, ctx: Context) -> int:
        return 1

    @submit  # type: ignore[arg-type]  # the point
    def synchronous(self: Any, ctx: Context) -> None: ...

    for method in (
        default, untyped, several, keyword, floating, returns_number, synchronous
    ):  # fmt: skip
        with pytest.raises(TypeError):
            _declare(method=method)


def test_two_methods_of_one_transaction_name_are_refused() -> None:
    @submit
    async def method(self: Any, ctx: Context) -> None: ...

    with pytest.raises(TypeError, match="twice"):
        _declare(put_it=method, PutIt=method)


@pytest.mark.parametrize("name", ["", "a:b", "é", "x" * 129])
def test_a_contracts_name_must_be_usable_in_a_call(name: str) -> None:
    with pytest.raises(TypeError):
        _declare(name=name)


def test_a_package_needs_contracts_of_different_names() -> None:
    with pytest.raises(ValueError, match="needs a contract"):
        Contracts([])
    with pytest.raises(ValueError, match="two contracts"):
        Contracts([First(), First()])


async def test_metadata_describes_contracts_and_the_code_that_runs(peer: MemoryPeer) -> None:
    document = json.loads(await peer.evaluate("cc", "org.hyperledger.fabric:GetMetadata"))
    assert set(document["contracts"]) == {"first", "second"}
    echo, who = document["contracts"]["first"]["transactions"]
    assert echo["name"] == "EchoAll"
    assert [parameter["schema"]["type"] for parameter in echo["parameters"]] == [
        "string",
        "integer",
        "boolean",
        "string",
    ]
    assert who["tag"] == ["evaluate", "EVALUATE"]
    environment = document["environment"]
    assert environment["self_test"] == {"first": None, "second": "abcd"}
    assert len(environment["code"]) == 64
    assert {"python", "cryptography", "openssl"} <= set(environment)


async def test_in_threads_keeps_order_and_raises_the_first_failure(peer: MemoryPeer) -> None:
    class Worker(Contract):
        name = "worker"

        @evaluate
        async def squares(self, ctx: Context, count: int) -> str:
            return json.dumps(await ctx.in_threads(lambda n: n * n, range(count)))

        @evaluate
        async def fail(self, ctx: Context) -> None:
            def check(number: int) -> int:
                if number in (3, 90):
                    raise Refusal(f"item-{number}")
                return number

            await ctx.in_threads(check, range(100))

    peer.install("worker", Worker())
    for count in (0, 1, 7):
        answer = await peer.evaluate("worker", "Squares", str(count))
        assert json.loads(answer) == [number**2 for number in range(count)]
    with pytest.raises(TransactionFailed, match="item-3"):
        await peer.evaluate("worker", "Fail")


async def test_in_slices_keeps_order_and_lets_small_calls_go_first(peer: MemoryPeer) -> None:
    """Long lists take turns; what fits into a slice waits for none of them."""
    seen: list[int] = []

    class Slicer(Contract):
        name = "slicer"

        @evaluate
        async def squares(self, ctx: Context, count: int) -> str:
            done = await ctx.in_slices(lambda some: [n * n for n in some], range(count))
            seen.append(count)
            return json.dumps(done)

    peer.install("slicer", Slicer())
    counts = (1_000, 999, 5)
    calls = [peer.evaluate("slicer", "Squares", str(count)) for count in counts]
    for count, answer in zip(counts, await asyncio.gather(*calls), strict=True):
        assert json.loads(answer) == [number**2 for number in range(count)]
    assert seen == [5, 1_000, 999]
