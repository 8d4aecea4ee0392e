# SPDX-License-Identifier: Apache-2.0
"""A native orderer's `orderer.yaml` (JSON is YAML): no system channel, mutual TLS for admins."""

from pathlib import Path

from pedchain_network.pki.crypto import Crypto
from pedchain_network.topology.model import Organization, Topology

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


def orderer(
    topology: Topology, organization: Organization, crypto: Crypto, data: Path
) -> dict[str, object]:
    """The whole configuration; what is not here has the orderer's own default."""
    ports = organization.ports
    tls = crypto.node_tls("orderer")
    own_tls = {
        "Enabled": True,
        "Certificate": str(tls / "cert.pem"),
        "PrivateKey": str(tls / "key.pem"),
    }
    authority = str(crypto.authority("tlsca"))
    return {
        "General": {
            "ListenAddress": topology.host,
            "ListenPort": ports.orderer,
            "TLS": {**own_tls, "RootCAs": [authority], "ClientAuthRequired": False},
            "LocalMSPDir": str(crypto.node_msp("orderer")),
            "LocalMSPID": organization.msp_id,
            "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
            "Authentication": {"TimeWindow": "15m"},
            "Cluster": _CLUSTER,
            "MaxRecvMsgSize": _MESSAGE_BYTES,
            "MaxSendMsgSize": _MESSAGE_BYTES,
        },
        "FileLedger": {"Location": str(data)},
        "Consensus": {"WALDir": str(data / "wal"), "SnapDir": str(data / "snapshot")},
        "Admin": {
            "ListenAddress": topology.address(ports.orderer_admin),
            "TLS": {**own_tls, "ClientAuthRequired": True, "ClientRootCAs": [authority]},
        },
        "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": "1 MB"},
        "Operations": {
            "ListenAddress": topology.address(ports.orderer_operations),
            "TLS": {"Enabled": False},
        },
        "Metrics": {"Provider": "prometheus"},
    }
