# SPDX-License-Identifier: Apache-2.0
"""A network's ledgers as they stood, to come back to."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the data of a network that stood still while it was made."""

    path: Path

    @classmethod
    def take(cls, data: Path, path: Path) -> "Snapshot":
        """Copy `data` to `path`, which must not exist."""
        shutil.copytree(data, path)
        return cls(path)

    def put_back(self, data: Path) -> None:
        """Make `data` what it was; it may be put back as often as wanted."""
        shutil.rmtree(data)
        shutil.copytree(self.path, data)
