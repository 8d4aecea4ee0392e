# SPDX-License-Identifier: Apache-2.0
"""Alert rules over Fabric 3.1's metrics (docs/source/metrics_reference.rst) and our own.

Only metrics that a node serves from its start on, or with its first event: a rule over a name that
nobody serves never fires and never says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pedchain_fabric.wire.quorum import bft_quorum
from pedchain_network.limits import (
    BEHIND_BLOCKS,
    DISK_FAIL,
    DISK_WARN,
    EXPIRY_FAIL_DAYS,
    EXPIRY_WARN_DAYS,
)

CRITICAL, WARNING = "critical", "warning"

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert: fires when `expression` has held for `lasting`."""

    name: str
    expression: str
    lasting: str
    severity: str
    what: str
    remedy: str

    def to_document(self) -> dict[str, object]:
        """As Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.lasting,
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.what, "description": self.remedy},
        }


def document(groups: Mapping[str, tuple[Rule, ...]]) -> dict[str, object]:
    """The rules file."""
    return {
        "groups": [
            {"name": name, "rules": [rule.to_document() for rule in rules]}
            for name, rules in groups.items()
        ]
    }


def groups(channel: str, orderers: int, *, bft: bool) -> dict[str, tuple[Rule, ...]]:
    """All rules for a channel with so many orderers, by group."""
    return {
        "nodes": _nodes(),
        "ordering": (*_ordering(channel, orderers, bft=bft), *(_bft if bft else _raft)(channel)),
        "endorsement": _endorsement(channel),
        "ledger": _ledger(channel),
        "host": _host(),
    }


def _nodes() -> tuple[Rule, ...]:
    return (
        Rule(
            "NodeDown",
            'up{kind=~"peer|orderer"} == 0',
            "30s",
            WARNING,
            "{{ $labels.node }} does not answer",
            "ped-network status, then ped-network up",
        ),
        Rule(
            "PartDown",
            "pedchain_part_up == 0",
            "30s",
            WARNING,
            "{{ $labels.part }} ended or does not listen",
            "ped-network logs {{ $labels.part }}, then ped-network up",
        ),
    )


def _ordering(channel: str, orderers: int, *, bft: bool) -> tuple[Rule, ...]:
    quorum = bft_quorum(orderers) if bft else orderers // 2 + 1
    refused = f'broadcast_processed_count{{channel="{channel}",status!="SUCCESS"}}'
    return (
        Rule(
            "QuorumLost",
            f'sum(up{{kind="orderer"}}) < {quorum}',
            "15s",
            CRITICAL,
            f"{{{{ $value }}}} of {orderers} orderers answer, {quorum} are needed: "
            "nothing can be ordered",
            "bring the others back: ped-network up",
        ),
        Rule(
            "SubmissionsRefused",
            f"sum(rate({refused}[5m])) / "
            f'sum(rate(broadcast_processed_count{{channel="{channel}"}}[5m])) > 0.05',
            "1m",
            WARNING,
            "orderers refuse {{ $value | humanizePercentage }} of what is submitted",
            "ped-network logs of the orderers",
        ),
    )


def _bft(channel: str) -> tuple[Rule, ...]:
    of = f'{{channel="{channel}"}}'
    return (
        Rule(
            "BlocksStalled",
            f"max(consensus_smartbft_pool_count_of_elements{of}) > 0 "
            f"and max(delta(ledger_blockchain_height{of}[1m])) == 0",
            "30s",
            CRITICAL,
            "{{ $value }} requests wait and no block comes",
            "ped-network doctor; look for orderers that do not answer",
        ),
        Rule(
            "ViewChanged",
            f"max(delta(consensus_smartbft_view_number{of}[10m])) > 0",
            "0s",
            WARNING,
            "the orderers gave their leader up",
            "see which orderer was slow or unreachable: ped-network logs",
        ),
        Rule(
            "OrdererBlacklisted",
            f"max(consensus_smartbft_blacklist_count{of}) > 0",
            "5m",
            WARNING,
            "{{ $value }} orderers may not lead, because they failed to",
            "ped-network status; ped-network logs of the orderers",
        ),
    )


def _raft(channel: str) -> tuple[Rule, ...]:
    of = f'{{channel="{channel}"}}'
    accepted = f'broadcast_processed_count{{channel="{channel}",status="SUCCESS"}}'
    return (
        Rule(
            "NoLeader",
            f"sum(consensus_etcdraft_is_leader{of}) == 0",
            "15s",
            CRITICAL,
            "no orderer leads",
            "ped-network doctor; look for orderers that do not answer",
        ),
        Rule(
            "BlocksStalled",
            f"sum(increase({accepted}[1m])) > 0 "
            f"and max(delta(ledger_blockchain_height{of}[1m])) == 0",
            "30s",
            CRITICAL,
            "{{ $value }} transactions were taken and no block comes",
            "ped-network doctor",
        ),
        Rule(
            "LeaderChanged",
            f"max(increase(consensus_etcdraft_leader_changes{of}[10m])) > 1",
            "0s",
            WARNING,
            "the orderers changed their leader {{ $value }} times in ten minutes",
            "see which orderer was slow or unreachable: ped-network logs",
        ),
    )


def _endorsement(channel: str) -> tuple[Rule, ...]:
    buckets = f'endorser_proposal_duration_bucket{{channel="{channel}"}}'
    return (
        Rule(
            "EndorsementsFailing",
            "1 - rate(endorser_successful_proposals[5m]) / rate(endorser_proposals_received[5m])"
            " > 0.1",
            "1m",
            WARNING,
            "{{ $labels.node }} refuses {{ $value | humanizePercentage }} of the proposals",
            "ped-network status (chaincode), ped-network logs {{ $labels.node }}",
        ),
        Rule(
            "EndorsementsSlow",
            f"histogram_quantile(0.95, sum by (le, node) (rate({buckets}[5m]))) > 1",
            "2m",
            WARNING,
            "one proposal in twenty takes {{ $labels.node }} more than {{ $value }} s",
            "look at the load of that host and of its chaincode server",
        ),
        Rule(
            "ChaincodeUnreachable",
            'increase(chaincode_launch_duration_count{success="false"}[5m]) > 0',
            "0s",
            WARNING,
            "{{ $labels.node }} cannot reach {{ $labels.chaincode }}",
            "ped-network status; ped-network up starts a chaincode server that ended",
        ),
    )


def _ledger(channel: str) -> tuple[Rule, ...]:
    height = f'ledger_blockchain_height{{channel="{channel}"}}'
    own = f'ledger_blockchain_height{{kind="peer",channel="{channel}"}}'
    commits = f'gossip_state_commit_duration_bucket{{channel="{channel}"}}'
    invalid = f'ledger_transaction_count{{channel="{channel}",validation_code!="VALID"}}'
    return (
        Rule(
            "PeerBehind",
            f"scalar(max({height})) - {own} > {BEHIND_BLOCKS}",
            "30s",
            WARNING,
            "{{ $labels.node }} is {{ $value }} blocks behind",
            "ped-network logs {{ $labels.node }}",
        ),
        Rule(
            "CommitsSlow",
            f"histogram_quantile(0.95, sum by (le, node) (rate({commits}[5m]))) > 1",
            "2m",
            WARNING,
            "one block in twenty takes {{ $labels.node }} more than {{ $value }} s",
            "look at the disk of that host",
        ),
        Rule(
            "TransactionsInvalid",
            f"sum(rate({invalid}[5m])) / "
            f'sum(rate(ledger_transaction_count{{channel="{channel}"}}[5m])) > 0.1',
            "2m",
            WARNING,
            "{{ $value | humanizePercentage }} of the transactions are invalid",
            "see their codes: ledger_transaction_count by validation_code",
        ),
    )


def _host() -> tuple[Rule, ...]:
    ends = "pedchain_certificate_end_seconds - time()"
    disk = "pedchain_disk_used_ratio"
    what = "{{ $labels.place }} ends in {{ $value | humanizeDuration }}"
    full = "{{ $labels.path }} is {{ $value | humanizePercentage }} full"
    return (
        Rule(
            "CertificateEndsSoon",
            f"{EXPIRY_FAIL_DAYS * _DAY_S} <= {ends} < {EXPIRY_WARN_DAYS * _DAY_S}",
            "1m",
            WARNING,
            what,
            "ped-network cert renew",
        ),
        Rule(
            "CertificateEnds",
            f"{ends} < {EXPIRY_FAIL_DAYS * _DAY_S}",
            "1m",
            CRITICAL,
            what,
            "ped-network cert renew, now",
        ),
        Rule(
            "DiskFillsUp",
            f"{DISK_WARN} <= {disk} < {DISK_FAIL}",
            "1m",
            WARNING,
            full,
            "free space, or move the data",
        ),
        Rule(
            "DiskFull",
            f"{disk} >= {DISK_FAIL}",
            "1m",
            CRITICAL,
            full,
            "free space now: a node stops in mid-write",
        ),
        Rule(
            "NobodyWatches",
            'up{kind="pedchain"} == 0',
            "5m",
            WARNING,
            "certificates and disks are not measured",
            "ped-network monitor --serve",
        ),
    )
