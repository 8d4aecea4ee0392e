# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a network, said so that the reader knows what to do."""

import errno


class NetworkError(Exception):
    """Root of this package's errors. `fix` says what to do about it, if we know."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  fix: {self.fix}" if self.fix else self.message


class TopologyError(NetworkError):
    """The topology file is wrong at `where` (`file:line`)."""

    def __init__(self, where: str, message: str, fix: str = "") -> None:
        super().__init__(f"{where}: {message}", fix)
        self.where = where


class RuntimeMissingError(NetworkError):
    """The runtime asked for cannot run here."""


class ImageMissingError(NetworkError):
    """A container image is not here and cannot be had."""


class StateError(NetworkError):
    """The state directory holds something else than what is asked for."""


class DiskFullError(NetworkError):
    """There is no room to write."""


class KeyExposedError(NetworkError):
    """A private key that others on this host can read."""


class CertificateEndedError(NetworkError):
    """A certificate that is not valid now."""


class CertificateMissingError(NetworkError):
    """A certificate or key that is needed is not in the state directory."""


class CertificateRefusedError(NetworkError):
    """Certificates of an organisation's own CA that nodes could not work with."""


class PortBusyError(NetworkError):
    """A port we need belongs to somebody else."""


class CodeDiffersError(NetworkError):
    """Organisations do not run the same contract: their answers can never agree."""


class LedgerDiffersError(NetworkError):
    """Two peers of one channel do not hold the same state."""


class ChangeRefusedError(NetworkError):
    """A change of the network is refused; `reason` is its code. Nothing has happened."""

    def __init__(self, reason: str, message: str, fix: str = "") -> None:
        super().__init__(message, fix)
        self.reason = reason


class RenewalError(NetworkError):
    """A certificate that cannot be renewed here."""


class BundleError(NetworkError):
    """An organisation's part that cannot be made for a host of its own."""


class BackupError(NetworkError):
    """A backup that cannot be made, or that must not be restored."""


class PartError(NetworkError):
    """A part of the network is not healthy. `part` names it, `log` holds its last lines."""

    def __init__(self, part: str, message: str, log: str = "", fix: str = "") -> None:
        shown = f"{part}: {message}" + (f"\n{log}" if log else "")
        super().__init__(shown, fix)
        self.part = part
        self.what = message
        self.log = log


_REMEDIES = {
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        "free some space on that file system, then the same command again",
    ),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM), "run it as the owner of the state directory, or use --state"
    ),
    **dict.fromkeys(
        (errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.EROFS),
        "use --state with a directory of your own",
    ),
}


def of_system(error: OSError) -> NetworkError:
    """What the operating system refused, with what can be done about it."""
    return NetworkError(str(error), _REMEDIES.get(error.errno or 0, ""))


class UnaskedError(NetworkError):
    """Something that cannot be undone needs a yes, and nobody is there to be asked."""

    def __init__(self, question: str) -> None:
        super().__init__(question, "nothing was done; say --yes")
