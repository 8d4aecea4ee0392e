# SPDX-License-Identifier: Apache-2.0
"""What runs: every part and node there, of the release the topology names, on one database."""

from collections.abc import Iterable, Mapping

from pedchain_network.watch import health
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn
from pedchain_network.watch.health import NodeHealth, PartHealth


def judge_nodes(parts: Iterable[PartHealth], nodes: Iterable[NodeHealth]) -> list[Finding]:
    """Every process or container runs and listens, every node answers."""
    states = {each.name: each.word for each in parts}
    states |= {each.name: each.state for each in nodes if states.get(each.name, "up") == "up"}
    fixes = {
        health.BEHIND: "ped-network logs {}",
        health.SILENT: "ped-network logs {}; if it hangs: end it, ped-network up",
        health.ABSENT: "it is not on this host's record: ask whoever runs it",
    }
    findings = [
        fail(
            "nodes",
            name,
            state,
            fixes.get(state, "ped-network logs {}; ped-network up").format(name),
        )
        for name, state in states.items()
        if state != health.UP
    ]
    return findings or [ok("nodes", f"{len(states)} processes and nodes run and answer")]


def judge_versions(versions: Mapping[str, str], wanted: str) -> list[Finding]:
    """Every node is of the release the topology names (`3.1.5`, or ours of that surface)."""
    findings = [
        warn(
            "versions",
            node,
            f"runs {version or 'an unknown version'}, the topology says {wanted}",
            "install that release, or change `fabric` in the topology",
        )
        for node, version in versions.items()
        if version.partition("-")[0] != wanted
    ]
    told = ", ".join(sorted(set(versions.values())))
    return findings or [ok("versions", f"{len(versions)} nodes run {told}")]


def judge_databases(couchdb: Mapping[str, bool]) -> list[Finding]:
    """No peer keeps its state in CouchDB, which rewrites JSON: it would endorse other bytes."""
    findings = [
        fail(
            "database",
            node,
            "keeps its state in CouchDB, which changes JSON values",
            "ledger.state.stateDatabase: goleveldb, and let it build its state anew",
        )
        for node, used in couchdb.items()
        if used
    ]
    return findings or [ok("database", "no peer serves CouchDB's metrics: all are on LevelDB")]
