# SPDX-License-Identifier: Apache-2.0
"""What would break an `up` half-way, looked at before it begins: room, keys, certificates."""

import datetime
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from pedchain_network.errors import CertificateEndedError, DiskFullError, KeyExposedError
from pedchain_network.limits import DISK_FREE_BYTES, EXPIRY_WARN_DAYS
from pedchain_network.pki import crypto, leaves
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology.model import Topology

_MB = 10**6
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check(topology: Topology, state: State, progress: Progress) -> None:
    """Nothing of this state stands in the way; certificates that end soon are told.

    Raises `DiskFullError`, `KeyExposedError` or `CertificateEndedError`.
    """
    require_room(state.root)
    require_private_keys(state.crypto)
    now = datetime.datetime.now(datetime.UTC)
    ends = require_valid(topology, state.crypto, now)
    if ends is not None and (ends[0] - now).days < EXPIRY_WARN_DAYS:
        progress.step(
            f"{ends[1]} ends in {(ends[0] - now).days} days: ped-network cert renew before then"
        )


def require_room(root: Path) -> None:
    """There is room for ledgers to grow. Raises `DiskFullError`."""
    free = shutil.disk_usage(root).free
    if free < DISK_FREE_BYTES:
        raise DiskFullError(
            f"{root}: {free // _MB} MB left on this file system, "
            f"and a network is not started with less than {DISK_FREE_BYTES // _MB} MB",
            "free some space, or use --state on another file system",
        )


def require_private_keys(root: Path) -> None:
    """Nobody but their owner can read the keys. Raises `KeyExposedError`."""
    for path in root.rglob("key.pem"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            raise KeyExposedError(
                f"{path} has mode {mode:04o}: others on this host can read the key",
                f"chmod 600 {path}; renew its certificate with --new-key if they may have",
            )


def require_valid(
    topology: Topology, root: Path, now: datetime.datetime
) -> tuple[datetime.datetime, str] | None:
    """Every certificate here is good now; returns when the first ends, and which.

    Raises `CertificateEndedError`: a node with such a certificate starts and is then refused by
    everybody.
    """
    first: tuple[datetime.datetime, str] | None = None
    for path in _certificates(topology, root):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if begins > now:
            raise CertificateEndedError(
                f"{path} begins only {begins:%Y-%m-%d %H:%M} UTC", "set this host's clock"
            )
        if ends <= now:
            raise CertificateEndedError(
                f"{path} ended {ends:%Y-%m-%d %H:%M} UTC",
                "ped-network cert renew, or set this host's clock if it is wrong",
            )
        if first is None or ends < first[0]:
            first = (ends, str(path))
    return first


def _certificates(topology: Topology, root: Path) -> Iterator[Path]:
    """Those of authorities, nodes and users that are here."""
    for organization in topology.organizations:
        owned = crypto.of(root, organization)
        wanted = [owned.authority("ca"), owned.authority("tlsca")]
        wanted += [leaf.certificate(owned.root) for leaf in leaves.of(topology, organization)]
        yield from (path for path in wanted if path.exists())
