# SPDX-License-Identifier: Apache-2.0
"""The topology with one definition's next version, and what it changes for its readers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_network.change.chaincode import deployment_of
from pedchain_network.change.chaincodeguards import Reason
from pedchain_network.errors import ChangeRefusedError
from pedchain_network.topology.model import Deployment, Package, Topology


@dataclass(frozen=True, slots=True)
class Wish:
    """What an upgrade is asked to change; None leaves it. `new_code` puts the code that is
    installed now beside the running one, as another package of the same contract."""

    version: str | None = None
    endorsement: str | None = None
    new_code: bool = False


def upgraded(stored: Topology, name: str, wish: Wish) -> Topology:
    """The stored topology with the definition's next sequence. Raises `ChangeRefusedError`."""
    deployment = deployment_of(stored, name)
    before = deployment.definition
    after = replace(
        before,
        version=before.version if wish.version is None else wish.version,
        endorsement=before.endorsement if wish.endorsement is None else wish.endorsement,
    )
    if wish.new_code:
        package = _beside(stored, stored.chaincode.package(deployment.package))
        stored = _with_package(stored, package)
        deployment = replace(deployment, package=package.label)
    elif after == before:
        raise ChangeRefusedError(
            Reason.NOTHING_CHANGES,
            f"nothing of {name} would change",
            "give --version, --endorsement, --new-code or --topology FILE",
        )
    definition = replace(after, sequence=before.sequence + 1)
    return _with(stored, replace(deployment, definition=definition))


def adopted(stored: Topology, name: str, given: Topology) -> Topology:
    """The stored topology with this one definition, and its package, as another file has them.

    Raises `ChangeRefusedError`.
    """
    deployment = deployment_of(given, name)
    package = given.chaincode.package(deployment.package)
    labels = {each.label for each in stored.chaincode.packages}
    if package.label not in labels:
        stored = _with_package(stored, package)
    return _with(stored, deployment)


def without_unused(topology: Topology) -> Topology:
    """Without packages of a later generation's forerunners that no definition uses any more."""
    used = {each.package for each in topology.deployments}
    newest = {
        each.contract: max(
            (
                other.generation
                for other in topology.chaincode.packages
                if other.contract == each.contract
            ),
        )
        for each in topology.chaincode.packages
    }
    kept = tuple(
        each
        for each in topology.chaincode.packages
        if each.label in used or each.generation == newest[each.contract]
    )
    return replace(topology, chaincode=replace(topology.chaincode, packages=kept))


def changes(before: Definition | None, after: Definition) -> Iterator[str]:
    """What is different, one line each."""
    if before is None:
        yield f"{after.name} is new"
        return
    yield f"{after.name}: sequence {before.sequence} -> {after.sequence}"
    for word, old, new in (
        ("version", before.version, after.version),
        ("endorsed by", before.endorsement, after.endorsement),
    ):
        if old != new:
            yield f"  {word} {old} -> {new}"
    known = {each.name: each for each in before.collections}
    for each in after.collections:
        if each.name not in known:
            yield f"  new collection {_words(each)}"
        elif each != known[each.name]:
            yield f"  collection {_words(known[each.name])} -> {_words(each)}"
            for msp_id in sorted(set(each.members) - set(known[each.name].members)):
                yield f"    {msp_id} will also get every value of {each.name} from before"


def _words(collection: Collection) -> str:
    own = f", endorsed by {collection.endorsement}" if collection.endorsement else ""
    peers = f"{collection.required_peers} to {collection.max_peers} other peers"
    return f"{collection.name} of {', '.join(collection.members)}, sent to {peers}{own}"


def _with(topology: Topology, deployment: Deployment) -> Topology:
    name = deployment.definition.name
    found = [each.definition.name for each in topology.deployments]
    if name not in found:
        return replace(topology, deployments=(*topology.deployments, deployment))
    deployments = tuple(
        deployment if each.definition.name == name else each for each in topology.deployments
    )
    return replace(topology, deployments=deployments)


def _with_package(topology: Topology, package: Package) -> Topology:
    packages = (*topology.chaincode.packages, package)
    return replace(topology, chaincode=replace(topology.chaincode, packages=packages))


def _beside(topology: Topology, package: Package) -> Package:
    """The next package of the same contract, in a slot of its own."""
    known = topology.chaincode.packages
    generation = 1 + max(each.generation for each in known if each.contract == package.contract)
    taken = {each.slot for each in known}
    slot = next(number for number in range(len(taken) + 1) if number not in taken)
    label = f"{package.contract}_{generation + 1}"
    return Package(label, package.contract, slot, generation)
