# SPDX-License-Identifier: Apache-2.0
"""The audit log over several files: the chain goes on, whatever ends the process in between."""

import errno
import json
from pathlib import Path
from typing import NoReturn

import pytest

from pedchain_gateway import limits
from pedchain_gateway.commands.people import audit_log
from pedchain_gateway.people import auditlog
from pedchain_gateway.people.auditlog import AuditLog, put_aside


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AUDIT_FILE_BYTES_MAX", 1_000)


def written(path: Path, count: int) -> AuditLog:
    log = AuditLog(path)
    for number in range(count):
        log.note(who="ann", about={"number": str(number)})
    log.close()
    return log


def checked(
    capsys: pytest.CaptureFixture[str], path: Path, after: int = 0, newest: str = ""
) -> tuple[int, str]:
    code = audit_log(path, after=after, newest=newest)
    return code, capsys.readouterr().out


def test_the_chain_goes_on_from_file_to_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.log"
    written(path, 10)
    last = written(path, 10).last
    aside = put_aside(path)
    assert len(aside) > 2
    for each in aside:
        newest = each.read_bytes().splitlines()[-1]
        assert each.name.endswith(f"{json.loads(newest)['n']:012}")
    assert checked(capsys, path) == (0, f"20 lines hold; the newest hash is {last}\n")
    changed = aside[1].read_bytes()
    aside[1].write_bytes(changed.replace(b"ann", b"bob", 1))
    assert checked(capsys, path)[0] == 1
    aside[1].unlink()
    assert checked(capsys, path)[0] == 1


def test_files_that_were_moved_away_are_begun_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.log"
    last = written(path, 10).last
    oldest = put_aside(path)[0]
    moved = json.loads(oldest.read_bytes().splitlines()[-1])
    oldest.unlink()
    assert checked(capsys, path)[0] == 1
    told = checked(capsys, path, moved["n"], moved["hash"])
    assert told == (0, f"10 lines hold; the newest hash is {last}\n")


def test_a_process_that_ended_between_two_files_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.log"
    before = written(path, 2)
    path.rename(tmp_path / f"audit.log.{before.count:012}")
    assert written(path, 1).count == 3
    assert checked(capsys, path)[0] == 0


@pytest.mark.fault(34)
def test_a_disk_without_room_for_a_file_keeps_the_full_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path) -> NoReturn:
        raise OSError(errno.ENOSPC, "no space left")

    path = tmp_path / "audit.log"
    log = AuditLog(path)
    with monkeypatch.context() as disk:
        disk.setattr(auditlog, "_opened", full)
        for _ in range(10):
            log.note(who="ann")
        assert not put_aside(path)
    log.note(who="ann")
    log.close()
    assert len(put_aside(path)) == 1
    assert checked(capsys, path)[0] == 0
