# SPDX-License-Identifier: Apache-2.0
"""`restore`: a backup becomes a state directory, whole or not at all.

An orderer alone must not come back with old data into a network that went on without it: it has
forgotten what it voted for since. So a backup of one organisation's part is restored without its
orderers' ledgers; they join anew and copy the others' blocks. SmartBFT bears that of one orderer at
a time; Raft does not bear it at all, there the consenter is removed and added again.
"""

import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from pedchain_fabric.admin.channel import Consensus
from pedchain_network import files
from pedchain_network.errors import BackupError
from pedchain_network.keep import archive
from pedchain_network.keep.archive import Manifest
from pedchain_network.progress import Progress
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import Run, State

_KEY = "key.pem"
_MAY_BE_THERE = {"lock"}


def restore(path: Path, state: State, keys: Path | None, progress: Progress) -> Manifest:
    """Make the state directory from a backup; what runs there is the caller's to start.

    `keys` is a directory like `crypto` with the private keys that the backup was made without.
    Raises `BackupError`, and then nothing has been written.
    """
    _require_empty(state)
    manifest = archive.verify(path)
    progress.step(f"{len(manifest.files)} files verified, made {manifest.made_at}")
    part = state.root.with_name(f".{state.root.name}.restoring")
    shutil.rmtree(part, ignore_errors=True)
    try:
        archive.extract(path, part)
        restored = State(part)
        _without_old_votes(restored, manifest, progress)
        if keys is not None:
            progress.step(f"{_put_keys(restored.crypto, keys)} keys from {keys}")
        _require_keys(restored.crypto, manifest)
        restored.save(Run(manifest.runtime, manifest.channel))
        (state.root / "lock").unlink(missing_ok=True)
        part.rename(state.root)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    try:
        by_name(manifest.runtime).place_data(state.topology(), state)
    except BaseException:
        shutil.rmtree(state.root, ignore_errors=True)
        raise
    progress.step(f"restored into {state.root}")
    return manifest


def _require_empty(state: State) -> None:
    if state.root.exists():
        there = {each.name for each in state.root.iterdir()} - _MAY_BE_THERE
        if there:
            raise BackupError(
                f"{state.root} is not empty: it holds {min(there)}",
                "restore into another directory: --state, or remove what is there: clean",
            )


def _without_old_votes(state: State, manifest: Manifest, progress: Progress) -> None:
    topology = state.topology()
    if len(manifest.organizations) == len(topology.organizations):
        return
    own = [each for each in topology.orderers() if each.organization in manifest.organizations]
    if own and topology.ordering.consensus is Consensus.RAFT:
        raise BackupError(
            f"{own[0].name} would come back having forgotten its votes, which Raft does not bear",
            "remove the consenter (orderer remove), bundle the organisation anew, add it again",
        )
    for node in own:
        shutil.rmtree(state.data / node.name, ignore_errors=True)
        progress.step(f"{node.name} joins anew: restore no other orderer until it has caught up")


def _put_keys(crypto: Path, keys: Path) -> int:
    """Copy the keys that certificates here lack; each must be its certificate's."""
    count = 0
    for place in _places(crypto):
        source = keys / place.relative_to(crypto)
        if not place.exists() and source.is_file():
            files.write(place, source.read_bytes(), secret=True)
            count += 1
    return count


def _require_keys(crypto: Path, manifest: Manifest) -> None:
    """Nodes and administrators have keys, and those of their certificates."""
    missing = [place for place in _places(crypto) if not place.exists()]
    own = manifest.organizations
    lacking = [each for each in missing if each.relative_to(crypto).parts[0] in own]
    if lacking:
        raise BackupError(
            f"the backup holds no private keys, {lacking[0].relative_to(crypto)} to begin with",
            "name the directory that has them: --keys DIR, laid out as the state's crypto/",
        )
    for place in _places(crypto):
        if place.exists() and not _pair(_certificate(place), place):
            raise BackupError(
                f"{place.relative_to(crypto)} is not the key of the certificate in the backup",
                "name the keys of the time when the backup was made",
            )


def _places(crypto: Path) -> list[Path]:
    """Where private keys belong, by the certificates that are there."""
    found = []
    for certificate in sorted(crypto.rglob("cert.pem")):
        folder = certificate.parent
        if folder.name == "signcerts":
            found.append(folder.parent / "keystore" / _KEY)
        elif folder.name not in {"cacerts", "tlscacerts", "intermediatecerts"}:
            found.append(folder / _KEY)
    return found


def _certificate(key: Path) -> Path:
    if key.parent.name == "keystore":
        return key.parent.parent / "signcerts" / "cert.pem"
    return key.with_name("cert.pem")


def _pair(certificate: Path, key: Path) -> bool:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        public = load_pem_private_key(key.read_bytes(), None).public_key()
        certified = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    except (ValueError, TypeError) as error:
        raise BackupError(f"{key.name} or {certificate} cannot be read") from error
    return public.public_bytes(*form) == certified.public_bytes(*form)
