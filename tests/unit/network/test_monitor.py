# SPDX-License-Identifier: Apache-2.0
"""Goal: alerts fire when they should and not otherwise. Method: Prometheus' own promtool.

Where promtool is not installed (Debian: package `prometheus`) what needs it is skipped, and says
so.
"""

import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pedchain_network.watch.doctor.disk import Disk
from pedchain_network.watch.doctor.expiry import Dated
from pedchain_network.watch.exposition import Exposition
from pedchain_network.watch.monitor import exporter, rules, scraping
from pedchain_network.watch.monitor.scraping import Credentials, Target
from tests import promql

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")

BFT = rules.groups("ped", 4, bft=True)
RAFT = rules.groups("ped", 3, bft=False)


def promtool(*arguments: str) -> None:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def written(directory: Path, name: str, document: dict[str, Any]) -> Path:
    path = directory / name
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


@needs_promtool
@pytest.mark.parametrize("groups", [BFT, RAFT], ids=["smartbft", "raft"])
def test_the_rules_are_well_formed(tmp_path: Path, groups: Any) -> None:
    promtool("check", "rules", str(written(tmp_path, "rules.yml", rules.document(groups))))


TARGETS = (
    Target("peer0.dso.ped", "peer", "DSO", "127.0.0.1:7056"),
    Target("peer0.districta.ped", "peer", "DistrictA", "127.0.0.1:7156"),
    Target("orderer0.dso.ped", "orderer", "DSO", "127.0.0.1:7056"),
)


@needs_promtool
def test_the_configuration_is_well_formed(tmp_path: Path) -> None:
    written(tmp_path, "rules.yml", rules.document(BFT))
    document = scraping.document(TARGETS, "127.0.0.1:9440", "rules.yml")
    promtool("check", "config", str(written(tmp_path, "prometheus.yml", document)))


def test_a_node_beyond_loopback_is_scraped_over_tls_as_its_administrator() -> None:
    credentials = Credentials(Path("/ca.pem"), Path("/cert.pem"), Path("/key.pem"))
    secure = Target("peer0.dso.ped", "peer", "DSO", "10.0.0.5:7056", credentials)
    jobs: Any = scraping.document([secure, TARGETS[1]], "x:1", "r")["scrape_configs"]
    by_name = {job["job_name"]: job for job in jobs}
    assert by_name["peers-DSO"]["scheme"] == "https"
    assert by_name["peers-DSO"]["tls_config"]["key_file"] == "/key.pem"
    assert "scheme" not in by_name["peers"]
    assert by_name["peers"]["static_configs"][0]["labels"]["node"] == "peer0.districta.ped"


def metrics(groups: dict[str, tuple[rules.Rule, ...]]) -> set[str]:
    """The names of all metrics that the rules use."""
    return {
        name
        for group in groups.values()
        for rule in group
        for name in promql.metrics(rule.expression)
    }


def test_functions_labels_and_texts_are_no_metrics() -> None:
    text = (
        'quantile(0.9, sum by (le, node) (rate(a_bucket{b="c"}[5m]))) > 1 and max(d{e!="f"}) == 0'
    )
    assert promql.metrics(text) == {"a_bucket", "d"}


def test_the_metrics_are_those_that_were_meant() -> None:
    """That real Fabric serves them is proven on it: tests/scenarios/test_network_watch.py."""
    assert {"up", "ledger_blockchain_height", "consensus_smartbft_view_number"} <= metrics(BFT)
    assert {name for name in metrics(BFT) if name.startswith("pedchain_")} == exporter.NAMES
    assert not any("etcdraft" in name for name in metrics(BFT))
    assert not any("smartbft" in name for name in metrics(RAFT))


Series = dict[str, str]


def fires(tmp_path: Path, alert: str, series: Series, at: str, labels: Sequence[Any]) -> None:
    """Promtool plays the series (5 s apart) and finds the alert with exactly these labels."""
    rule = next(
        rule
        for group in (*BFT.values(), *RAFT.values())
        for rule in group
        if rule.name == alert and all(name.split("{")[0] in rule.expression for name in series)
    )
    written(tmp_path, "rules.yml", rules.document({"one": (rule,)}))
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "5s",
        "tests": [
            {
                "interval": "5s",
                "input_series": [
                    {"series": name, "values": values} for name, values in series.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                        "eval_time": at,
                        "exp_samples": [{"labels": "{}", "value": len(labels)}] if labels else [],
                    },
                    *(
                        {
                            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing",'
                            + ",".join(f'{key}="{value}"' for key, value in each.items())
                            + "})",
                            "eval_time": at,
                            "exp_samples": [{"labels": "{}", "value": 1}],
                        }
                        for each in labels
                        if each
                    ),
                ],
            }
        ],
    }
    promtool("test", "rules", str(written(tmp_path, "test.yml", test)))


NOTHING: tuple[()] = ()
HEIGHT = "ledger_blockchain_height"
POOL = 'consensus_smartbft_pool_count_of_elements{channel="ped",node="o1"}'
O_HEIGHT = f'{HEIGHT}{{channel="ped",kind="orderer",node="o1"}}'
P1, P2 = (f'{HEIGHT}{{channel="ped",kind="peer",node="p{number}"}}' for number in (1, 2))
RECEIVED = 'endorser_proposals_received{node="p1"}'
SUCCESSFUL = 'endorser_successful_proposals{node="p1"}'
ENDS = 'pedchain_certificate_end_seconds{place="DSO/ca"}'
DISK = 'pedchain_disk_used_ratio{path="/data"}'
VIEW = 'consensus_smartbft_view_number{channel="ped",node="o1"}'
LAUNCH = 'chaincode_launch_duration_count{node="p1",chaincode="registry:1",success="false"}'
RAFT_LEADS = tuple(f'consensus_etcdraft_is_leader{{channel="ped",node="o{n}"}}' for n in (1, 2))
VALID, CONFLICT = (
    f'ledger_transaction_count{{channel="ped",validation_code="{code}"}}'
    for code in ("VALID", "MVCC_READ_CONFLICT")
)
TAKEN, REFUSED = (
    f'broadcast_processed_count{{channel="ped",status="{status}"}}'
    for status in ("SUCCESS", "SERVICE_UNAVAILABLE")
)


def ups(kind: str, *values: int) -> Series:
    return {
        f'up{{kind="{kind}",node="{kind}{number}"}}': f"{value}x200"
        for number, value in enumerate(values)
    }


def buckets(metric: str, fast: int, slow: int) -> Series:
    """In each interval so many below 0.1 s and so many between 1 and 10 s."""
    labels = 'channel="ped",node="p1"'
    return {
        f'{metric}{{{labels},le="0.1"}}': f"0+{fast}x200",
        f'{metric}{{{labels},le="1"}}': f"0+{fast}x200",
        f'{metric}{{{labels},le="10"}}': f"0+{fast + slow}x200",
        f'{metric}{{{labels},le="+Inf"}}': f"0+{fast + slow}x200",
    }


DAY = 86_400
CASES = {
    "a node that answers is well": ("NodeDown", ups("peer", 1), "2m", NOTHING),
    "a dead node is named": ("NodeDown", ups("peer", 1, 0), "2m", [{"node": "peer1"}]),
    "a dead chaincode server is named": (
        "PartDown",
        {'pedchain_part_up{part="chaincode0"}': "0x200"},
        "2m",
        [{"part": "chaincode0"}],
    ),
    "three of four order": ("QuorumLost", ups("orderer", 1, 1, 1, 0), "2m", NOTHING),
    "two of four do not": ("QuorumLost", ups("orderer", 1, 1, 0, 0), "2m", [{}]),
    "requests that become blocks are well": (
        "BlocksStalled",
        {POOL: "3x200", O_HEIGHT: "1+1x200"},
        "5m",
        NOTHING,
    ),
    "requests that wait while no block comes": (
        "BlocksStalled",
        {POOL: "3x200", O_HEIGHT: "9x200"},
        "5m",
        [{}],
    ),
    "no requests and no blocks are well": (
        "BlocksStalled",
        {POOL: "0x200", O_HEIGHT: "9x200"},
        "5m",
        NOTHING,
    ),
    "raft takes and makes no block": (
        "BlocksStalled",
        {TAKEN: "0+1x200", O_HEIGHT: "9x200"},
        "5m",
        [{}],
    ),
    "raft without a leader": (
        "NoLeader",
        dict.fromkeys(RAFT_LEADS, "0x200"),
        "2m",
        [{}],
    ),
    "raft with a leader": (
        "NoLeader",
        dict(zip(RAFT_LEADS, ("0x200", "1x200"), strict=True)),
        "2m",
        NOTHING,
    ),
    "a view that stays is well": ("ViewChanged", {VIEW: "2x200"}, "10m", NOTHING),
    "a view that rose": ("ViewChanged", {VIEW: "2x60 3x140"}, "8m", [{}]),
    "one change of raft's leader is its first": (
        "LeaderChanged",
        {'consensus_etcdraft_leader_changes{channel="ped"}': "1x200"},
        "10m",
        NOTHING,
    ),
    "more changes of raft's leader": (
        "LeaderChanged",
        {'consensus_etcdraft_leader_changes{channel="ped"}': "1x60 4x140"},
        "8m",
        [{}],
    ),
    "an orderer that may not lead": (
        "OrdererBlacklisted",
        {'consensus_smartbft_blacklist_count{channel="ped"}': "1x200"},
        "10m",
        [{}],
    ),
    "proposals that succeed": (
        "EndorsementsFailing",
        {RECEIVED: "0+10x200", SUCCESSFUL: "0+10x200"},
        "10m",
        NOTHING,
    ),
    "a fifth of the proposals fails": (
        "EndorsementsFailing",
        {RECEIVED: "0+10x200", SUCCESSFUL: "0+8x200"},
        "10m",
        [{"node": "p1"}],
    ),
    "endorsements within a second": (
        "EndorsementsSlow",
        buckets("endorser_proposal_duration_bucket", 100, 2),
        "10m",
        NOTHING,
    ),
    "a tenth of the endorsements takes longer": (
        "EndorsementsSlow",
        buckets("endorser_proposal_duration_bucket", 90, 10),
        "10m",
        [{"node": "p1"}],
    ),
    "a tenth of the commits takes longer": (
        "CommitsSlow",
        buckets("gossip_state_commit_duration_bucket", 90, 10),
        "10m",
        [{"node": "p1"}],
    ),
    "chaincode that cannot be reached": (
        "ChaincodeUnreachable",
        {LAUNCH: "0x60 1x140"},
        "7m",
        [{"node": "p1"}],
    ),
    "a peer within five blocks": (
        "PeerBehind",
        {P1: "10+1x200", P2: "6+1x200"},
        "5m",
        NOTHING,
    ),
    "a peer six blocks behind": (
        "PeerBehind",
        {P1: "10+1x200", P2: "4+1x200"},
        "5m",
        [{"node": "p2"}],
    ),
    "a few invalid transactions": (
        "TransactionsInvalid",
        {VALID: "0+95x200", CONFLICT: "0+5x200"},
        "10m",
        NOTHING,
    ),
    "a fifth of the transactions invalid": (
        "TransactionsInvalid",
        {VALID: "0+80x200", CONFLICT: "0+20x200"},
        "10m",
        [{}],
    ),
    "a tenth of the submissions refused": (
        "SubmissionsRefused",
        {TAKEN: "0+9x200", REFUSED: "0+1x200"},
        "10m",
        [{}],
    ),
    "a certificate for a year": ("CertificateEndsSoon", {ENDS: f"{365 * DAY}x200"}, "5m", NOTHING),
    "a certificate for 20 days": (
        "CertificateEndsSoon",
        {ENDS: f"{20 * DAY}x200"},
        "5m",
        [{"place": "DSO/ca", "severity": "warning"}],
    ),
    "a certificate for 3 days is no longer only a warning": (
        "CertificateEndsSoon",
        {ENDS: f"{3 * DAY}x200"},
        "5m",
        NOTHING,
    ),
    "a certificate for 3 days": (
        "CertificateEnds",
        {ENDS: f"{3 * DAY}x200"},
        "5m",
        [{"severity": "critical"}],
    ),
    "a disk at 85 percent": ("DiskFillsUp", {DISK: "0.85x200"}, "5m", [{"path": "/data"}]),
    "a disk at 95 percent": ("DiskFull", {DISK: "0.95x200"}, "5m", [{"path": "/data"}]),
    "nobody measures": ("NobodyWatches", {'up{kind="pedchain"}': "0x200"}, "9m", [{}]),
}


@needs_promtool
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_alerts_fire_on_this_and_not_on_that(tmp_path: Path, case: Any) -> None:
    fires(tmp_path, *case)


def test_every_rule_has_a_case_in_which_it_fires() -> None:
    known = {rule.name for groups in (BFT, RAFT) for group in groups.values() for rule in group}
    firing = {alert for alert, _, _, labels in CASES.values() if labels}
    assert known == firing


class Part:
    """A part that runs."""

    name, kind, organization, alive = "peer0.dso.ped", "peer", "DSO", True


def measured() -> str:
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    dated = Dated("1", ("DSO/ca", "channel"), ends, ends)
    return exporter.text([dated], [Disk("/data", 0.25, 1)], [Part()])  # type: ignore[list-item]


def test_the_measurements_are_in_prometheus_text() -> None:
    read = Exposition.parse(measured())
    assert read.names == exporter.NAMES
    assert read.value("pedchain_certificate_end_seconds", place="DSO/ca") == 1_798_761_600
    assert read.value("pedchain_disk_used_ratio", path="/data") == 0.25
    assert read.value("pedchain_part_up", part="peer0.dso.ped") == 1


def test_the_measurements_are_served_anew_each_time() -> None:
    count = iter(range(9))
    with exporter.server("127.0.0.1:0", lambda: f"n {next(count)}\n") as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        base = f"http://127.0.0.1:{serving.server_address[1]}"
        try:
            for expected in (b"n 0\n", b"n 1\n"):
                with urllib.request.urlopen(f"{base}/metrics", timeout=5) as answer:
                    assert answer.read() == expected
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{base}/other", timeout=5)
        finally:
            serving.shutdown()
            thread.join()
