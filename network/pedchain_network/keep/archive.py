# SPDX-License-Identifier: Apache-2.0
"""A backup's file: a gzipped tar whose first member says what must be in it, to the last byte.

Nothing of an archive is believed before all of it has been read: `verify` compares every member
with the manifest and writes nothing; `extract` compares again while it writes.
"""

import contextlib
import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pedchain_network.errors import BackupError
from pedchain_network.limits import BACKUP_FILES, BACKUP_MANIFEST_BYTES

SCHEMA = "backup/1"
MANIFEST = "manifest.json"

_CHUNK = 1 << 20
_SECRET = 0o600
_PLAIN = 0o644
_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its size in bytes, its SHA-256 in hex, whether only its owner may read it."""

    size: int
    sha256: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a node was sure to hold: `height` blocks, the newest of which has this header hash
    and, at a peer, this commit hash; both in hex."""

    node: str
    height: int
    block_hash: str
    commit_hash: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds, and of which network; `organizations` are those whose part it is."""

    channel: str
    runtime: str
    fabric: str
    made_at: str
    with_keys: bool
    organizations: tuple[str, ...]
    ledgers: tuple[Ledger, ...]
    files: Mapping[str, Entry]

    def to_bytes(self) -> bytes:
        """As JSON."""
        document = asdict(self) | {"schema": SCHEMA}
        return json.dumps(document, indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Manifest":
        """Read it. Raises `BackupError`."""
        try:
            document = json.loads(content)
            if document.pop("schema") != SCHEMA:
                raise BackupError("the backup is of another version", "restore it with that one")
            return cls(
                **document
                | {
                    "organizations": tuple(map(str, document["organizations"])),
                    "ledgers": tuple(Ledger(**each) for each in document["ledgers"]),
                    "files": {_safe(name): _entry(e) for name, e in document["files"].items()},
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BackupError("the backup's manifest cannot be read", "take another") from error


def survey(root: Path, names: Mapping[str, bool]) -> dict[str, Entry]:
    """Entries of files below `root`; `names` says of each whether it is secret."""
    return {name: Entry(*_measure(root / name), secret) for name, secret in names.items()}


def write(path: Path, manifest: Manifest, root: Path) -> None:
    """Write the archive of the manifest's files below `root`; it appears whole or not at all.

    Ledgers hold private data, so it is its owner's alone, with keys or without.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _SECRET)
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            gzip.GzipFile("", "wb", compresslevel=1, fileobj=file) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            content = manifest.to_bytes()
            _add(tar, MANIFEST, len(content), io.BytesIO(content))
            for name, entry in manifest.files.items():
                with open(root / name, "rb") as member:
                    _add(tar, name, entry.size, member)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def verify(path: Path) -> Manifest:
    """Read the whole archive; every byte of it is as its manifest says. Raises `BackupError`."""
    with _members(path) as (manifest, members):
        for name, file in members:
            _require_same(name, manifest.files[name], *_digest(file))
    return manifest


def extract(path: Path, target: Path) -> Manifest:
    """Write the archive's files below the new directory `target`. Raises `BackupError`."""
    target.mkdir(parents=True, mode=_FOLDER)
    with _members(path) as (manifest, members):
        for name, file in members:
            entry = manifest.files[name]
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True, mode=_FOLDER)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            descriptor = os.open(place, flags, _SECRET if entry.secret else _PLAIN)
            with os.fdopen(descriptor, "wb") as copy:
                _require_same(name, entry, *_digest(file, copy))
    return manifest


@contextlib.contextmanager
def _members(path: Path) -> Iterator[tuple[Manifest, Iterator[tuple[str, BinaryIO]]]]:
    """The manifest, and every other member once; complete when both have been read."""
    try:
        with tarfile.open(path, mode="r|gz") as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST or first.size > BACKUP_MANIFEST_BYTES:
                raise BackupError(f"{path} is no backup: its first member is no manifest")
            manifest = Manifest.from_bytes(_opened(tar, first).read())
            if len(manifest.files) > BACKUP_FILES:
                raise BackupError(f"{path} holds more than {BACKUP_FILES} files")
            yield manifest, _each(tar, manifest)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise BackupError(f"{path} is damaged: {error}", "take another copy of it") from error


def _each(tar: tarfile.TarFile, manifest: Manifest) -> Iterator[tuple[str, BinaryIO]]:
    left = set(manifest.files)
    while (member := tar.next()) is not None:
        name = _safe(member.name)
        if not member.isreg() or name not in left:
            raise BackupError(f"the backup holds {name!r}, which is not in its manifest")
        left.remove(name)
        if member.size != manifest.files[name].size:
            raise BackupError(f"{name} in the backup has another size than its manifest says")
        yield name, _opened(tar, member)
    if left:
        raise BackupError(f"the backup lacks {min(left)}", "take another copy of it")


def _safe(name: str) -> str:
    """A name that stays below the directory it is written to. Raises `BackupError`."""
    parts = PurePosixPath(name).parts
    plain = str(PurePosixPath(*parts)) == name and "\0" not in name and "\\" not in name
    if not parts or name.startswith("/") or ".." in parts or not plain:
        raise BackupError(f"the backup holds {name!r}, which would leave its directory")
    return name


def _entry(document: Mapping[str, Any]) -> Entry:
    return Entry(int(document["size"]), str(document["sha256"]), bool(document["secret"]))


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    file = tar.extractfile(member)
    if file is None:
        raise BackupError(f"the backup holds {member.name!r}, which is no file")
    return file  # type: ignore[return-value]  # typeshed: IO[bytes], which is what we read


def _add(tar: tarfile.TarFile, name: str, size: int, content: BinaryIO) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = _SECRET
    tar.addfile(member, content)


def _require_same(name: str, entry: Entry, size: int, sha256: str) -> None:
    if (size, sha256) != (entry.size, entry.sha256):
        raise BackupError(f"{name} in the backup is damaged", "take another copy of the backup")


def _measure(path: Path) -> tuple[int, str]:
    with open(path, "rb") as file:
        return _digest(file)


def _digest(source: BinaryIO, copy: BinaryIO | None = None) -> tuple[int, str]:
    """Size and SHA-256 of what `source` gives, copied on the way if wanted."""
    size, digest = 0, hashlib.sha256()
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        digest.update(chunk)
        if copy is not None:
            copy.write(chunk)
    return size, digest.hexdigest()
