# SPDX-License-Identifier: Apache-2.0
"""An orderer's `orderer.yaml` (JSON is YAML): no system channel, mutual TLS for admins."""

from pedchain_network.runtimes import operations
from pedchain_network.runtimes.places import Places
from pedchain_network.topology.model import Node, Topology

_MESSAGE_BYTES = 100 << 20

# An orderer that has fallen behind asks all others how far they are before it does anything else.
# One that accepts connections and then says nothing (paused, cut off) keeps it for as long as a
# dial may take; with Fabric's own 5 s that is longer than a view change may last, the next one is
# called for meanwhile, and they go round for ever.
_CLUSTER = {
    "DialTimeout": "1s",
    "RPCTimeout": "3s",
    "ReplicationPullTimeout": "2s",
    "ReplicationRetryTimeout": "2s",
}


def orderer(topology: Topology, node: Node, places: Places) -> dict[str, object]:
    """The whole configuration; what is not here has the orderer's own default."""
    own_tls = {
        "Enabled": True,
        "Certificate": str(places.tls / "cert.pem"),
        "PrivateKey": str(places.tls / "key.pem"),
    }
    authority = str(places.own_authority)
    return {
        "General": {
            "ListenAddress": places.host(node.listener()),
            "ListenPort": node.port(),
            "TLS": {**own_tls, "RootCAs": [authority], "ClientAuthRequired": False},
            "Keepalive": {
                "ServerMinInterval": operations.PING_INTERVAL,
                "ServerInterval": "7200s",
                "ServerTimeout": "20s",
            },
            "LocalMSPDir": str(places.msp),
            "LocalMSPID": node.member.msp_id,
            "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
            "Authentication": {"TimeWindow": "15m"},
            "Cluster": _CLUSTER,
            "MaxRecvMsgSize": _MESSAGE_BYTES,
            "MaxSendMsgSize": _MESSAGE_BYTES,
        },
        "FileLedger": {"Location": str(places.data)},
        "Consensus": {
            "WALDir": str(places.data / "wal"),
            "SnapDir": str(places.data / "snapshot"),
        },
        "Admin": {
            "ListenAddress": places.address(node.listener("admin")),
            "TLS": {**own_tls, "ClientAuthRequired": True, "ClientRootCAs": [authority]},
        },
        "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": "1 MB"},
        "Operations": operations.orderer(node, places),
        "Metrics": {"Provider": "prometheus"},
    }
