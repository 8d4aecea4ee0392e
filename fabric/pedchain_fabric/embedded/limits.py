# SPDX-License-Identifier: Apache-2.0
"""Every limit of the embedded network's services, in one place.

Values are Fabric's defaults (sampleconfig/core.yaml, orderer.yaml) unless a line says otherwise.
"""

MAX_MESSAGE_BYTES = 100 * 1024 * 1024
"""gRPC messages, both ways (internal/pkg/comm/config.go)."""

MIN_PING_INTERVAL_MS = 50_000
"""Fabric allows one client ping in 60 s; a little less, so that a punctual client is never cut."""

ENDORSER_CONCURRENCY = 2500
DELIVER_CONCURRENCY = 2500
GATEWAY_CONCURRENCY = 500

PROPOSAL_TIME_WINDOW_S = 15 * 60
"""`peer.authentication.timewindow`: proposals and deliver requests further from our clock fail."""

ENDORSEMENT_TIMEOUT_S = 30.0
BROADCAST_TIMEOUT_S = 30.0

EXECUTE_TIMEOUT_S = 30.0
STARTUP_TIMEOUT_S = 300.0
DIAL_TIMEOUT_S = 3.0
"""A CCaaS server named without a dial timeout (core/container/externalbuilder/instance.go)."""

CHAINCODE_PING_INTERVAL_MS = 60_000
CHAINCODE_PING_TIMEOUT_MS = 20_000

QUERY_PAGE = 100
"""Results per message between peer and chaincode (core/chaincode/chaincode_support.go)."""
TOTAL_QUERY_LIMIT = 100_000
WRITE_BATCH_LIMIT = 1000
GET_MULTIPLE_LIMIT = 1000

MAX_PACKAGE_BYTES = 90 * 1024 * 1024
MAX_PACKAGE_UNPACKED_BYTES = 256 * 1024 * 1024
"""Ours: a chaincode package is unpacked in memory."""

MAX_JOIN_BODY_BYTES = 1024 * 1024
"""`ChannelParticipation.MaxRequestBodySize`."""
MAX_HTTP_HEADER_BYTES = 64 * 1024
HTTP_IDLE_S = 60.0
"""Ours: a connection that sends nothing is closed."""

REQUEST_POOL_SIZE = 400
"""SmartBFT's request pool when the channel's options name none."""

RAFT_POOL_SIZE = 10_000
"""Ours: Raft has no such limit, it makes the sender wait."""

LAYOUT_COMBINATIONS = 10_000
"""Upper bound on the principal sets of one policy (common/policies/inquire)."""

REMEMBERED_PLANS = 1000
"""Ours: endorsement plans kept until something they depend on changes."""

REMEMBERED_VERDICTS = 10_000
"""Ours: who satisfied which policy, remembered until the configuration changes."""
