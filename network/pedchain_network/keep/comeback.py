# SPDX-License-Identifier: Apache-2.0
"""A restored network is up again when it holds at least what it held, and everywhere the same."""

from pedchain_network.bringup import up as bringup
from pedchain_network.change.reach import Reach
from pedchain_network.keep import ledgers
from pedchain_network.keep.archive import Manifest
from pedchain_network.pki import ownership
from pedchain_network.progress import Progress
from pedchain_network.runtimes.choice import Choice
from pedchain_network.state import State


async def up(state: State, manifest: Manifest, progress: Progress) -> None:
    """Bring it up and compare. Raises `NetworkError`."""
    topology = state.topology()
    await bringup.up(topology, state, Choice(manifest.runtime, "as before"), progress)
    if not ownership.whole(state.crypto, topology):
        progress.step("its orderers copy the others' blocks; see ped-network status")
        return
    async with Reach(topology, state) as reach:
        await ledgers.require_at_least(reach, manifest.ledgers)
        await ledgers.require_same(reach)
    if manifest.ledgers:
        progress.step(f"{len(manifest.ledgers)} ledgers hold what they held when it was made")
    progress.step("all peers hold the same state")
