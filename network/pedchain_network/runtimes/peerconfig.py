# SPDX-License-Identifier: Apache-2.0
"""A peer's `core.yaml` (JSON is YAML): its listeners, fast gossip, LevelDB."""

from pathlib import Path

from pedchain_network.limits import CHAINCODE_CALL_S
from pedchain_network.runtimes import operations
from pedchain_network.runtimes.places import Places
from pedchain_network.topology.model import Node, Topology

__all__ = ("Places", "core")

_MESSAGE_BYTES = 100 << 20
_SECOND = "1s"


def core(topology: Topology, node: Node, places: Places) -> dict[str, object]:
    """The whole configuration.

    Gossip timers decide how fast `up` is: with Fabric's own a gateway needs half a minute to find
    the other organisations' peers. `places.tls_authorities` holds all organisations' TLS CAs: a
    peer that greets another just before it has learnt them from the channel would lose 4 s.
    """
    return {
        "peer": {
            **_itself(topology, node, places),
            "tls": _tls(places),
            "gossip": _gossip(topology, node),
            "deliveryclient": _delivery(),
            **_services(),
        },
        "vm": {"endpoint": ""},
        "chaincode": _chaincode(places.builder),
        "ledger": _ledger(places.data),
        "operations": operations.peer(node, places),
        "metrics": {"provider": "prometheus"},
    }


def _itself(topology: Topology, node: Node, places: Places) -> dict[str, object]:
    """Who it is, where it listens and how others dial it."""
    return {
        "id": node.name,
        "networkId": topology.domain,
        "listenAddress": places.address(node.listener()),
        "address": topology.dialled(node),
        "chaincodeListenAddress": places.address(node.listener("chaincode")),
        "chaincodeAddress": topology.dialled(node, "chaincode"),
        "addressAutoDetect": False,
        "localMspId": node.member.msp_id,
        "localMspType": "bccsp",
        "mspConfigPath": str(places.msp),
        "fileSystemPath": str(places.data),
        "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
        "maxRecvMsgSize": _MESSAGE_BYTES,
        "maxSendMsgSize": _MESSAGE_BYTES,
    }


def _tls(places: Places) -> dict[str, object]:
    return {
        "enabled": True,
        "clientAuthRequired": False,
        "cert": {"file": str(places.tls / "cert.pem")},
        "key": {"file": str(places.tls / "key.pem")},
        "rootcert": {"file": str(places.tls_authorities)},
    }


def _delivery() -> dict[str, object]:
    """How it takes blocks from orderers."""
    return {
        "blockGossipEnabled": False,
        "policy": "cluster",
        "reconnectTotalTimeThreshold": "3600s",
        "connTimeout": "3s",
        "reConnectBackoffThreshold": "5s",
        # How long a peer takes blocks from an orderer that says nothing while others go on.
        "blockCensorshipTimeoutKey": "3s",
        "minimalReconnectInterval": "100ms",
    }


def _services() -> dict[str, object]:
    """What it does for clients, and how much of it at a time."""
    concurrency = {"endorserService": 2500, "deliverService": 2500, "gatewayService": 500}
    filters = ("DefaultAuth", "ExpirationCheck", "TimeWindowCheck")
    return {
        "gateway": {
            "enabled": True,
            "endorsementTimeout": "30s",
            "broadcastTimeout": "30s",
            "dialTimeout": "2m",
        },
        "keepalive": {
            "interval": "7200s",
            "timeout": "20s",
            "minInterval": operations.PING_INTERVAL,
            "client": {"interval": "60s", "timeout": "20s"},
            "deliveryClient": {"interval": "60s", "timeout": "20s"},
        },
        "authentication": {"timewindow": "15m"},
        "client": {"connTimeout": "3s"},
        "handlers": {
            "authFilters": [{"name": each} for each in filters],
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
        "limits": {"concurrency": concurrency},
    }


def _gossip(topology: Topology, node: Node) -> dict[str, object]:
    """How peers find each other. An organisation's peers first greet one another, and learn of
    other organisations' from the channel's anchor peers."""
    address = topology.dialled(node)
    siblings = [topology.dialled(e) for e in topology.peers(node.member) if e != node]
    return {
        "bootstrap": " ".join(siblings) or address,
        "endpoint": address,
        "externalEndpoint": address,
        "useLeaderElection": False,
        "orgLeader": True,
        "membershipTrackerInterval": _SECOND,
        "publishStateInfoInterval": _SECOND,
        # Every peer tells a change to all others within a second; asking them all for everything
        # again, and for certificates, is for what was lost, and costs two fifths of an idle peer.
        "requestStateInfoInterval": "4s",
        "aliveTimeInterval": _SECOND,
        # A peer that joins first tries the others at this pace until they have joined too. A try
        # replaces the connection its other end just opened, and what was on it (their greeting) is
        # lost for 5 s: the next one has to come after `up` has let all of them join.
        "reconnectInterval": "2s",
        "aliveExpirationTimeout": "5s",
        "maxBlockCountToStore": 10,
        "maxPropagationBurstLatency": "10ms",
        "maxPropagationBurstSize": 10,
        "propagateIterations": 1,
        "propagatePeerNum": 3,
        "pullInterval": "4s",
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
            # All of the organisation's own: its approvals of chaincode are such data.
            "implicitCollectionDisseminationPolicy": {"requiredPeerCount": 0, "maxPeerCount": 2},
        },
    }


def _chaincode(builder: Path) -> dict[str, object]:
    """One call may hold a peer's commits up, so none may last long."""
    return {
        "mode": "net",
        "executetimeout": f"{CHAINCODE_CALL_S:.0f}s",
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
