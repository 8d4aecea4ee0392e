# SPDX-License-Identifier: Apache-2.0
"""`compare` and `watch` over profiles and folders."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pedchain_audit import asking, heads, witness
from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError
from pedchain_audit.heads import View
from pedchain_audit.witness import SplitViewError, Witness
from pedchain_fabric.client import profile

__all__ = ["SplitViewError", "Watch", "compare", "watch"]


@dataclass(frozen=True, slots=True)
class Watch:
    """What a witness watches, and where it writes; `every` in seconds."""

    views: tuple[Path, ...]
    key: Path
    log: Path
    others: tuple[Path, ...] = ()
    every: float = 60.0
    once: bool = False
    user: str = "auditor"


@asynccontextmanager
async def opened(paths: Sequence[Path], user: str) -> AsyncIterator[list[View]]:
    """Views by path: a folder is a copied ledger, a file a profile."""
    found: list[View] = []
    async with AsyncExitStack() as stack:
        for path in paths:
            if path.is_dir():
                found.append(heads.Copy(str(path), Archive(path)))
                continue
            peer = await heads.Peer.open(path, user)
            found.append(peer)
            await stack.enter_async_context(peer.gateway)
        yield found


def channel(path: Path) -> str:
    """The channel that a view is of."""
    return asking.channel(Archive(path)) if path.is_dir() else profile.load(path).channel


async def compare(paths: Sequence[Path], user: str) -> str:
    """The comparison in words. Raises `SplitViewError` where views differ."""
    if len(paths) < 2:
        raise ArchiveError("name two views to compare")
    async with opened(paths, user) as views:
        found = await heads.compare(views)
    if found.differs is not None:
        raise SplitViewError(heads.told(found))
    return f"{heads.told(found)}\nSAME"


async def watch(watched: Watch, note: Callable[[str], None]) -> str:
    """Rounds until two views differ (`SplitViewError`); one that cannot be asked is noted."""
    signing = Witness.of(watched.key)
    name = channel(watched.views[0])
    async with opened(watched.views, watched.user) as views:
        while True:
            own = witness.log(watched.log)
            others = [line for path in watched.others for line in witness.log(path)]
            made = await witness.look(signing, name, views, [*own, *others], int(time.time()))
            witness.keep(watched.log, made)
            heights = ", ".join(f"{one['view']} {one['number'] + 1}" for one in made)
            note(f"{len(made)} heads signed: {heights}" if made else "nothing new")
            if watched.once:
                return f"{len(made)} heads signed by {signing.key[-16:]}\nSAME"
            await asyncio.sleep(watched.every)
