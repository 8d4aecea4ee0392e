# SPDX-License-Identifier: Apache-2.0
"""Signed records that another program (a charger's back end, a meter's reader) puts into a folder.

    driver = { kind = "ocmf", folder = "records" }

Each file `*.ocmf` holds one OCMF record. What is on the disk of the outbox goes to `sent/` beside
it; what cannot be a record of this device goes to `refused/`, so that it stops nothing. Write the
file beside and rename it: a file is taken as it is found.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from emsagent import limits
from emsagent.config import DriverConfig
from emsagent.drivers import Sample
from emsagent.errors import ConfigError, DriverFault
from emsagent.toml import Table


def make(config: DriverConfig) -> "Folder":
    """The driver `{ kind = "ocmf", folder = "..." }`."""
    table = Table(config.settings, config.where)
    path = config.base / table.text("folder")
    table.done()
    if not path.is_dir():
        raise ConfigError(table.path("folder"), f"{path} is not a folder")
    return Folder(path)


class Folder:
    """Records in files."""

    signs_itself = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: dict[bytes, Path] = {}

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """None: what is here is signed already."""
        return iter(())

    def records(self) -> list[bytes]:
        """What lies in the folder, in order of names. Raises `DriverFault`."""
        try:
            found = sorted(self._path.glob("*.ocmf"))[: limits.RECORDS_PASSED_MAX]
            self._waiting = {_read(one): one for one in found}
        except OSError as error:
            raise DriverFault("folder", str(error.strerror)) from error
        return list(self._waiting)

    def passed(self, records: Iterable[bytes]) -> None:
        """Put them away."""
        self._move(records, "sent")

    def refused(self, records: Iterable[bytes]) -> None:
        """Put away what cannot be a record of this device."""
        self._move(records, "refused")

    def _move(self, records: Iterable[bytes], folder: str) -> None:
        target = self._path / folder
        try:
            target.mkdir(exist_ok=True)
            for record in records:
                file = self._waiting.pop(record)
                file.replace(target / file.name)
        except OSError as error:  # the outbox knows the record: it is stored once all the same
            raise DriverFault("folder", str(error.strerror)) from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(limits.MESSAGE_BYTES_MAX + 1).strip()
