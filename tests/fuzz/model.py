# SPDX-License-Identifier: Apache-2.0
"""What a fuzzer needs to know of a decoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """A decoder of bytes somebody else made.

    `decode` takes any bytes; `errors` are all it may raise. `seeds` are valid examples, which it
    takes without an error; `hostile` are built to cost time, memory or depth.
    """

    name: str
    decode: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Sequence[bytes]]
    hostile: Callable[[], Sequence[bytes]] = tuple

    def try_(self, data: bytes) -> None:
        """Decode; only what `errors` does not name leaves here."""
        try:
            self.decode(data)
        except self.errors:
            return

    def found(self) -> list[Path]:
        """What once ended otherwise, kept so that it never does again."""
        return sorted((CORPUS / self.name).glob("*"))
