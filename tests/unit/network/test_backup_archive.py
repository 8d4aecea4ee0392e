# SPDX-License-Identifier: Apache-2.0
"""A backup's file is what its manifest says, or nothing of it is written."""

import dataclasses
import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pedchain_network.errors import BackupError
from pedchain_network.keep import archive
from pedchain_network.keep.archive import Ledger, Manifest

CONTENT = {"data/peer0/blocks": b"block" * 1000, "crypto/DSO/key.pem": b"secret", "empty": b""}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_bytes(content)
    return tmp_path / "root"


def manifest(root: Path) -> Manifest:
    return Manifest(
        channel="ped",
        runtime="embedded",
        fabric="3.1.5",
        made_at="2026-11-22T02:00:00Z",
        with_keys=True,
        organizations=("DSO",),
        ledgers=(Ledger("peer0.dso.ped", 7, "ab", "cd"),),
        files=archive.survey(root, {name: name.startswith("crypto") for name in CONTENT}),
    )


@pytest.fixture
def backup(root: Path, tmp_path: Path) -> Path:
    archive.write(tmp_path / "backup.tar.gz", manifest(root), root)
    return tmp_path / "backup.tar.gz"


def forge(path: Path, members: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    """An archive of exactly these members."""
    with gzip.open(path, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.type = tarfile.REGTYPE if name == archive.MANIFEST else kind
            member.linkname = "/etc/passwd"
            tar.addfile(member, io.BytesIO(content))
    return path


def test_what_is_written_is_what_is_read(root: Path, backup: Path, tmp_path: Path) -> None:
    assert archive.verify(backup) == manifest(root)
    assert archive.extract(backup, tmp_path / "out") == manifest(root)
    for name, content in CONTENT.items():
        assert (tmp_path / "out" / name).read_bytes() == content


def test_only_its_owner_reads_a_backup_and_the_keys_in_it(backup: Path, tmp_path: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    archive.extract(backup, tmp_path / "out")
    assert (tmp_path / "out/crypto/DSO/key.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700


def test_a_backup_that_cannot_be_finished_leaves_nothing(root: Path, tmp_path: Path) -> None:
    listed = manifest(root)
    (root / "empty").unlink()
    with pytest.raises(OSError, match="empty"):
        archive.write(tmp_path / "out.tar.gz", listed, root)
    assert {path.name for path in tmp_path.iterdir()} == {"root"}


@pytest.mark.parametrize("position", [0.1, 0.5, 0.8])
def test_a_damaged_byte_is_found(backup: Path, position: float) -> None:
    content = bytearray(backup.read_bytes())
    content[int(len(content) * position)] ^= 0xFF
    backup.write_bytes(content)
    with pytest.raises((BackupError, OSError)) as caught:
        archive.verify(backup)
    assert isinstance(caught.value, BackupError)


def test_an_archive_cut_short_is_refused(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-200])
    with pytest.raises(BackupError):
        archive.verify(backup)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "data/../../outside", "a//b", "./a", "a\\b", "..", ""]
)
def test_a_member_that_leaves_the_directory_is_refused(
    root: Path, tmp_path: Path, name: str
) -> None:
    entry = archive.Entry(1, "ab", secret=False)
    listed = dataclasses.replace(manifest(root), files={name: entry})
    path = forge(tmp_path / "forged", {archive.MANIFEST: listed.to_bytes(), name: b"x"})
    for read in (archive.verify, lambda path: archive.extract(path, tmp_path / "out")):
        with pytest.raises(BackupError):
            read(path)
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_links_and_folders_are_refused(root: Path, tmp_path: Path, kind: bytes) -> None:
    listed = dataclasses.replace(manifest(root), files={"a": archive.Entry(0, "", secret=False)})
    path = forge(tmp_path / "forged", {archive.MANIFEST: listed.to_bytes(), "a": b""}, kind)
    with pytest.raises(BackupError, match="not in its manifest"):
        archive.verify(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda members: members.pop("empty"), "lacks empty"),
        (lambda members: members.update(more=b"x"), "not in its manifest"),
        (lambda members: members.update(empty=b"x"), "another size"),
        (lambda members: members.update({"crypto/DSO/key.pem": b"secreT"}), "damaged"),
    ],
)
def test_what_the_manifest_does_not_say_is_refused(
    root: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], object], said: str
) -> None:
    members = {archive.MANIFEST: manifest(root).to_bytes(), **CONTENT}
    change(members)
    path = forge(tmp_path / "forged", members)
    with pytest.raises(BackupError, match=said):
        archive.verify(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"schema": "backup/2"}', b"\xff"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BackupError):
        archive.verify(forge(tmp_path / "forged", {archive.MANIFEST: content}))


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive at all")
    with pytest.raises(BackupError):
        archive.verify(tmp_path / "text")
