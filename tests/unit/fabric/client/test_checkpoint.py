# SPDX-License-Identifier: Apache-2.0
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.client import ChaincodeEvent, FileCheckpointer, MemoryCheckpointer
from pedchain_fabric.errors import WireError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.json"


def place(checkpoint):
    return checkpoint.block_number, checkpoint.transaction_id


@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.complete("client-memory-checkpointer", "client-checkpoint-calls")
def test_what_is_noted_is_where_to_go_on(kind, path):
    checkpoint = MemoryCheckpointer() if kind == "memory" else FileCheckpointer(path)
    assert place(checkpoint) == (0, "")
    checkpoint.checkpoint_transaction(4, "t")
    assert place(checkpoint) == (4, "t")
    checkpoint.checkpoint_event(ChaincodeEvent(5, "u", "cc", "e", b""))
    assert place(checkpoint) == (5, "u")
    checkpoint.checkpoint_block(5)
    assert place(checkpoint) == (6, "")


@pytest.mark.complete("client-file-checkpointer")
def test_a_file_is_there_again_after_a_restart(path):
    FileCheckpointer(path).checkpoint_transaction(4, "t")
    assert place(FileCheckpointer(path)) == (4, "t")
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", (0, "")),
        ('{"blockNumber":7,"transactionId":"t"}', (7, "t")),  # Go and Java
        ('{"blockNumber":"7","transactionId":"t"}', (7, "t")),  # Node
        ('{"blockNumber":"18446744073709551615"}', (2**64 - 1, "")),
        ('{"blockNumber":7,"transactionId":null}', (7, "")),
        ("{}", (0, "")),
    ],
)
@pytest.mark.complete("client-file-checkpointer")
def test_files_of_other_clients_are_read(path, content, expected):
    path.write_text(content)
    assert place(FileCheckpointer(path)) == expected


@pytest.mark.parametrize(
    "content",
    [
        "garbage",
        "[]",
        '{"blockNumber":-1}',
        '{"blockNumber":1.5}',
        '{"blockNumber":true}',
        '{"blockNumber":"x"}',
        '{"blockNumber":"²"}',
        '{"blockNumber":18446744073709551616}',
        '{"transactionId":7}',
        '{"transactionId":"' + "x" * 5000 + '"}',
        "[" * 2000,
    ],
)
def test_garbage_is_not_taken_for_the_beginning(path, content):
    path.write_text(content)
    with pytest.raises(WireError):
        FileCheckpointer(path)


@pytest.mark.complete("client-file-checkpointer")
def test_the_file_has_the_go_clients_form(path):
    FileCheckpointer(path).checkpoint_block(2)
    assert json.loads(path.read_text()) == {"blockNumber": 3, "transactionId": ""}


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_note_that_fails_leaves_the_old_one_and_no_litter(path, monkeypatch, broken):
    checkpoint = FileCheckpointer(path)
    checkpoint.checkpoint_block(1)

    def fail(*_):
        raise OSError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fail)
        with pytest.raises(OSError, match="disk"):
            checkpoint.checkpoint_block(2)
    assert place(checkpoint) == (2, "") == place(FileCheckpointer(path))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.complete("client-file-sync")
def test_the_new_content_is_on_the_disk_before_it_gets_the_name(path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, name=name, real=real: (order.append(name), real(*args))[1]
        )
    FileCheckpointer(path).checkpoint_block(1)
    assert order == ["fsync", "replace", "fsync"]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "c"
    path.write_bytes(data)
    try:
        assert FileCheckpointer(path).block_number >= 0
    except WireError:
        assert data
