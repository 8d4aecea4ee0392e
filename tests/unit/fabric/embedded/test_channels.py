# SPDX-License-Identifier: Apache-2.0
"""A channel that cannot be begun is refused in words, and nothing of it stays."""

import sqlite3
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.admin.channel import Channel
from pedchain_fabric.admin.genesis import genesis_block
from pedchain_fabric.embedded import channels
from pedchain_fabric.embedded.channels import ProcessChannels
from pedchain_fabric.embedded.joined import JoinRefused
from pedchain_fabric.embedded.ledger import Ledger, LedgerError
from pedchain_fabric.embedded.store import Store


@pytest.fixture
def genesis() -> Block:
    return genesis_block(
        Channel("ped", (), (), "OR('A.admin')", "OR('A.peer')"), nonce=bytes(24), timestamp_s=1
    )


@pytest.mark.parametrize(
    "failure",
    [
        LedgerError("ledger.db is no ledger database: database or disk is full"),
        sqlite3.OperationalError("database or disk is full"),
        OSError(28, "No space left on device"),
    ],
    ids=["ledger", "database", "system"],
)
def test_a_disk_that_takes_no_ledger_is_named_and_the_channel_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, genesis: Block, failure: Exception
) -> None:
    def refuse(_: Path | None) -> Ledger:
        raise failure

    monkeypatch.setattr(channels.Ledger, "open", refuse)
    process = ProcessChannels(Store(tmp_path), lambda _: None)
    with pytest.raises(JoinRefused, match=r"disk is full|No space left"):
        process.open(genesis)
    assert process.by_name == {}
