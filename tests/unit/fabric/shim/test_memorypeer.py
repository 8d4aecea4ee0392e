# SPDX-License-Identifier: Apache-2.0
"""The peer in memory: what it checks of a commit, and that its bytes never vary."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pedchain_fabric.shim import Context, Contract, evaluate, submit
from pedchain_fabric.shim.testing import CommitRefused, MemoryPeer, TransactionFailed, creator


class Shelf(Contract):
    name = "shelf"

    @submit
    async def put(self, ctx: Context, key: str) -> None:
        await ctx.stub.put_state(key, b"1")

    @submit
    async def copy(self, ctx: Context, source: str, target: str) -> None:
        value = await ctx.stub.get_state(source)
        await ctx.stub.put_state(target, value or b"none")

    @submit
    async def count_into(self, ctx: Context, target: str) -> None:
        found = await ctx.stub.range("a", "b").all()
        await ctx.stub.put_state(target, str(len(found)).encode())

    @submit
    async def touch_private(self, ctx: Context, collection: str) -> None:
        await ctx.stub.get_private(collection, "k")
        await ctx.stub.put_private(collection, "k", b"v")

    @evaluate
    async def private_hash(self, ctx: Context, collection: str) -> bytes:
        return await ctx.stub.get_private_hash(collection, "k") or b""


@pytest.fixture
def peer() -> MemoryPeer:
    peer = MemoryPeer()
    peer.install("shelf", Shelf(), collections={"open": None, "closed": ("AMSP",)})
    return peer


async def test_a_withheld_transaction_fails_if_what_it_read_has_changed(
    peer: MemoryPeer,
) -> None:
    withheld = await peer.endorse("shelf", "Copy", "x", "y")
    await peer.submit("shelf", "Put", "x")
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        peer.commit(withheld)
    assert peer.state("shelf") == {"x": b"1"}


async def test_a_key_that_came_into_a_range_read_is_a_phantom(peer: MemoryPeer) -> None:
    withheld = await peer.endorse("shelf", "CountInto", "total")
    await peer.submit("shelf", "Put", "a1")
    with pytest.raises(CommitRefused, match="PHANTOM_READ_CONFLICT"):
        peer.commit(withheld)
    await peer.submit("shelf", "CountInto", "total")
    assert peer.state("shelf")["total"] == b"1"


async def test_private_versions_are_checked_too(peer: MemoryPeer) -> None:
    withheld = await peer.endorse("shelf", "TouchPrivate", "open")
    await peer.submit("shelf", "TouchPrivate", "open")
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        peer.commit(withheld)


async def test_blind_writes_in_flight_never_conflict(peer: MemoryPeer) -> None:
    outcomes = await asyncio.gather(*(peer.endorse("shelf", "Put", "k") for _ in range(20)))
    for outcome in outcomes:
        peer.commit(outcome)


async def test_only_members_clients_use_a_collection_where_members_are_named(
    peer: MemoryPeer,
) -> None:
    await peer.submit("shelf", "TouchPrivate", "closed", creator=creator("AMSP"))
    with pytest.raises(TransactionFailed, match="does not have read access permission"):
        await peer.submit("shelf", "TouchPrivate", "closed", creator=creator("BMSP"))
    stranger = await peer.evaluate("shelf", "PrivateHash", "closed", creator=creator("BMSP"))
    assert len(stranger) == 32  # the hash is for everyone


async def test_collections_must_be_defined_but_implicit_ones_exist(peer: MemoryPeer) -> None:
    await peer.submit("shelf", "TouchPrivate", "_implicit_org_AMSP")
    with pytest.raises(TransactionFailed, match="ped/shelf/unknown could not be found"):
        await peer.submit("shelf", "TouchPrivate", "unknown")


async def test_an_unknown_chaincode_is_an_error(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed, match="chaincode nope not found"):
        await peer.submit("nope", "Put", "k")


SCRIPT = """
import asyncio, hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("book", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["book"] = module
spec.loader.exec_module(module)

async def main():
    peer = module.installed()
    digest = hashlib.sha256()
    for call in (["Batch"], ["PutMany", "k", "300"], ["Concurrent", "40"],
                 ["CallOther", "other", "Keep", "k"], ["PutComposite", "t", "a", "b"]):
        await peer.submit("book", *call)
        digest.update(peer.last.results + peer.last.private_results)
    print(digest.hexdigest())

asyncio.run(main())
"""


def test_write_sets_are_equal_bytes_in_every_process() -> None:
    path = str(Path(__file__).parent / "book.py")
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, path],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64
