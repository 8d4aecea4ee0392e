# SPDX-License-Identifier: Apache-2.0
"""A native peer's `core.yaml` (JSON is YAML): loopback listeners, fast gossip, LevelDB."""

from dataclasses import dataclass
from pathlib import Path

from pedchain_network.pki.crypto import Crypto
from pedchain_network.topology.model import Organization, Topology

_MESSAGE_BYTES = 100 << 20
_SECOND = "1s"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a peer's things lie: its ledger, the TLS CAs it trusts, the builder of packages."""

    data: Path
    trust: Path
    builder: Path


def core(
    topology: Topology, organization: Organization, crypto: Crypto, places: Places
) -> dict[str, object]:
    """The whole configuration.

    Gossip timers decide how fast `up` is: with Fabric's own a gateway needs half a minute to find
    the other organisations' peers. `trust` holds all organisations' TLS CAs: a peer that greets
    another just before it has learnt them from the channel would lose 4 s.
    """
    ports = organization.ports
    return {
        "peer": _peer(topology, organization, crypto, places),
        "vm": {"endpoint": ""},
        "chaincode": _chaincode(places.builder),
        "ledger": _ledger(places.data),
        "operations": {
            "listenAddress": topology.address(ports.peer_operations),
            "tls": {"enabled": False},
        },
        "metrics": {"provider": "prometheus"},
    }


def _peer(
    topology: Topology, organization: Organization, crypto: Crypto, places: Places
) -> dict[str, object]:
    address = topology.address(organization.ports.peer)
    chaincode = topology.address(organization.ports.peer_chaincode)
    tls = crypto.node_tls("peer")
    return {
        "id": topology.node("peer", organization),
        "networkId": topology.domain,
        "listenAddress": address,
        "address": address,
        "chaincodeListenAddress": chaincode,
        "chaincodeAddress": chaincode,
        "addressAutoDetect": False,
        "localMspId": organization.msp_id,
        "localMspType": "bccsp",
        "mspConfigPath": str(crypto.node_msp("peer")),
        "fileSystemPath": str(places.data),
        "tls": {
            "enabled": True,
            "clientAuthRequired": False,
            "cert": {"file": str(tls / "cert.pem")},
            "key": {"file": str(tls / "key.pem")},
            "rootcert": {"file": str(places.trust)},
        },
        "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
        "gateway": {
            "enabled": True,
            "endorsementTimeout": "30s",
            "broadcastTimeout": "30s",
            "dialTimeout": "2m",
        },
        "gossip": _gossip(address),
        "keepalive": {
            "interval": "7200s",
            "timeout": "20s",
            "minInterval": "60s",
            "client": {"interval": "60s", "timeout": "20s"},
            "deliveryClient": {"interval": "60s", "timeout": "20s"},
        },
        "authentication": {"timewindow": "15m"},
        "client": {"connTimeout": "3s"},
        "deliveryclient": {
            "blockGossipEnabled": False,
            "policy": "cluster",
            "reconnectTotalTimeThreshold": "3600s",
            "connTimeout": "3s",
            "reConnectBackoffThreshold": "5s",
            # How long a peer takes blocks from an orderer that says nothing while others go on.
            "blockCensorshipTimeoutKey": "3s",
            "minimalReconnectInterval": "100ms",
        },
        "handlers": {
            "authFilters": [
                {"name": "DefaultAuth"},
                {"name": "ExpirationCheck"},
                {"name": "TimeWindowCheck"},
            ],
            "decorators": [{"name": "DefaultDecorator"}],
            "endorsers": {"escc": {"name": "DefaultEndorsement"}},
            "validators": {"vscc": {"name": "DefaultValidation"}},
        },
        "discovery": {
            "enabled": True,
            "authCacheEnabled": True,
            "authCacheMaxSize": 1000,
            "authCachePurgeRetentionRatio": 0.75,
            "orgMembersAllowedAccess": False,
        },
        "limits": {
            "concurrency": {"endorserService": 2500, "deliverService": 2500, "gatewayService": 500}
        },
        "maxRecvMsgSize": _MESSAGE_BYTES,
        "maxSendMsgSize": _MESSAGE_BYTES,
    }


def _gossip(address: str) -> dict[str, object]:
    return {
        "bootstrap": address,
        "endpoint": address,
        "externalEndpoint": address,
        "useLeaderElection": False,
        "orgLeader": True,
        "membershipTrackerInterval": _SECOND,
        "publishStateInfoInterval": _SECOND,
        "requestStateInfoInterval": _SECOND,
        "aliveTimeInterval": _SECOND,
        "reconnectInterval": "500ms",
        "aliveExpirationTimeout": "5s",
        "maxBlockCountToStore": 10,
        "maxPropagationBurstLatency": "10ms",
        "maxPropagationBurstSize": 10,
        "propagateIterations": 1,
        "propagatePeerNum": 3,
        "pullInterval": _SECOND,
        "pullPeerNum": 3,
        "publishCertPeriod": "10s",
        "dialTimeout": _SECOND,
        "connTimeout": _SECOND,
        "recvBuffSize": 20,
        "sendBuffSize": 200,
        "digestWaitTime": "200ms",
        "requestWaitTime": "300ms",
        "responseWaitTime": "400ms",
        "maxConnectionAttempts": 120,
        "msgExpirationFactor": 20,
        "state": {"enabled": False},
        "pvtData": {
            # A commit waits so long for private data that nobody has; what is late is reconciled.
            # With Fabric's own minute, one transaction whose data was never given to others stops
            # every member's peer for a minute.
            "pullRetryThreshold": "3s",
            "transientstoreMaxBlockRetention": 1000,
            "pushAckTimeout": "3s",
            "btlPullMargin": 10,
            "reconcileBatchSize": 10,
            "reconcileSleepInterval": "10s",
            "reconciliationEnabled": True,
            # After a change of leader a transaction may be ordered twice; the second is invalid,
            # and the private data of both is gone with the first.
            "skipPullingInvalidTransactionsDuringCommit": True,
            "implicitCollectionDisseminationPolicy": {"requiredPeerCount": 0, "maxPeerCount": 1},
        },
    }


def _chaincode(builder: Path) -> dict[str, object]:
    """One call may hold a peer's commits up, so none may last longer than 5 s."""
    return {
        "mode": "net",
        "executetimeout": "5s",
        "startuptimeout": "30s",
        "installTimeout": "30s",
        "keepalive": 0,
        "externalBuilders": [
            {
                "name": "ccaas_builder",
                "path": str(builder),
                "propagateEnvironment": ["CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG"],
            }
        ],
        "system": {"_lifecycle": "enable", "cscc": "enable", "lscc": "enable", "qscc": "enable"},
        "runtimeParams": {
            "useWriteBatch": True,
            "maxSizeWriteBatch": 1000,
            "useGetMultipleKeys": True,
            "maxSizeGetMultipleKeys": 1000,
        },
    }


def _ledger(data: Path) -> dict[str, object]:
    return {
        "state": {"stateDatabase": "goleveldb", "totalQueryLimit": 100_000},
        "history": {"enableHistoryDatabase": True},
        "pvtdataStore": {
            "collElgProcMaxDbBatchSize": 5000,
            "collElgProcDbBatchesInterval": 1000,
            "deprioritizedDataReconcilerInterval": "60m",
            "purgeInterval": 100,
            "purgedKeyAuditLogging": True,
        },
        "snapshots": {"rootDir": str(data / "snapshots")},
    }
