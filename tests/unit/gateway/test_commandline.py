# SPDX-License-Identifier: Apache-2.0
"""What commands read from files, and how they leave: 2 for a wrong call, 1 for what was refused."""

from pathlib import Path

import pytest

from pedchain_domain.reasons import DomainError
from pedchain_gateway import limits
from pedchain_gateway.cli import app
from pedchain_gateway.commands.commandline import perform, read_document, write_text
from pedchain_gateway.ledger.port import Refused

BAD = {
    "no JSON": b"not json",
    "a list": b"[]",
    "a fraction": b'{"import":0.5}',
    "a key twice": b'{"import":1,"import":2}',
    "bytes that are no text": b"\xff\xfe",
    "too large": b'{"a":"' + b"x" * limits.DOCUMENT_FILE_BYTES_MAX + b'"}',
}


@pytest.mark.parametrize("held", BAD.values(), ids=BAD)
def test_a_file_without_a_document_ends_the_command_as_a_wrong_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], held: bytes
) -> None:
    file = tmp_path / "tariff.json"
    file.write_bytes(held)
    with pytest.raises(SystemExit) as left:
        read_document(file)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ped-gateway: {file}: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("statement", "acc-1", "--month", "2026-03", "--tariff", "{file}", "--out", "{folder}"),
        ("bank-file", "--month", "2026-03", "--payees", "{file}", "--out", "{folder}/bank.csv"),
        ("market", "balance", "--account", "acc-1", "--key", "{file}"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_missing_file_is_named_before_any_ledger_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    file = tmp_path / "missing"
    words = [word.format(file=file, folder=tmp_path) for word in command]
    with pytest.raises(SystemExit) as left:
        app([*words, "--profile", str(tmp_path / "no-profile.json")], exit_on_error=True)
    assert left.value.code == 2
    assert capsys.readouterr().err == f"ped-gateway: {file}: No such file or directory\n"


@pytest.mark.parametrize(
    "error",
    [Refused("not-found", "no such account"), DomainError("bad-month"), OSError("disk full")],
    ids=lambda error: type(error).__name__,
)
def test_what_is_refused_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    async def work() -> None:
        raise error

    assert perform(work()) == 1
    assert capsys.readouterr().err == f"ped-gateway: {error}\n"


def test_what_is_written_keeps_its_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "deep/er/bank.csv"
    write_text(file, "a\r\nb\n")
    assert file.read_bytes() == b"a\r\nb\n"
