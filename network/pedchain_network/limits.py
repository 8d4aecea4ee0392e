# SPDX-License-Identifier: Apache-2.0
"""Every limit of the network's tool, in one place."""

TOPOLOGY_BYTES = 1 << 20
"""Largest topology file read."""

TOPOLOGY_DEPTH = 16
"""Deepest nesting of a topology file; ours need 6."""

ORGANIZATIONS = 64
"""Most organisations in a topology."""

PEERS = 3
"""Most peers of one organisation."""

PACKAGES = 20
"""Most chaincode packages: as many as an organisation's port range has room for."""

AUTHORITY_DAYS = 5_475
"""Lifetime of an organisation's authorities: 15 years, as Fabric's own CA has it."""

NODE_DAYS = 730
"""Lifetime of a node's identity; an expired one is an outage."""

USER_DAYS = 365
"""Lifetime of a user's identity."""

TLS_DAYS = 730
"""Lifetime of a TLS certificate."""

MOST_DAYS = 36_500
"""Longest lifetime of a certificate a topology may ask for."""

BATCH_MESSAGES = 10_000
"""Most messages of a block."""

PEER_RESOURCES = (1_000, 768)
"""What a peer's container may use: thousandths of a processor, MB of memory."""

ORDERER_RESOURCES = (1_000, 512)
"""The same for an orderer's."""

CHAINCODE_RESOURCES = (1_000, 512)
"""The same for the container of a peer's chaincode."""

BACKDATE_S = 300
"""How long before now certificates become valid: clocks differ."""

UP_TIMEOUT_S = 90.0
"""Longest `up`, end to end."""

NODE_TIMEOUT_S = 30.0
"""Longest wait for a node's port after its start."""

STEP_TIMEOUT_S = 30.0
"""Longest wait for one step to succeed while nodes are still finding each other."""

PAUSE_S = 0.05
"""Pause between two looks at something we wait for."""

ALIVE_PAUSE_S = 0.25
"""How often `up` looks whether everything it started still runs: each look costs some ms."""

STANDSTILL_S = 10.0
"""How long an orderer may stand below the others before `up` restarts it: an unanswered heartbeat
and the change of view that follows take 7 s."""

STOP_TIMEOUT_S = 8.0
"""How long a process may take to end by itself before it is killed."""

STATUS_TIMEOUT_S = 1.5
"""How long `status` waits for one node."""

LOG_LINES = 12
"""Lines of a failed part's log that are shown."""

LOG_SEARCHED = 400
"""Lines of a log's end in which a panic is looked for: its cause stands above its list of calls."""

LOG_LINE_CHARACTERS = 300
"""How much of such a line."""

LOG_TAIL_BYTES = 64 << 10
"""How much of a log's end is read to find them."""

VERSION_TIMEOUT_S = 10.0
"""How long a binary may take to tell its version."""
BACKUP_FILES = 200_000
"""Most files in a backup: a ledger's databases have some thousand."""

BACKUP_MANIFEST_BYTES = 64 << 20
"""Largest manifest of a backup read."""

OPERATIONS_BYTES = 8 << 20
"""Most that is read of one answer of a node's operations interface."""

BEHIND_BLOCKS = 5
"""A node this many blocks below the highest is looked at again..."""

BEHIND_PATIENCE_S = 1.0
"""...and is behind if it has not reached by then what another had before."""

DISK_FREE_BYTES = 200 * 10**6
"""Least room for `up`: a peer or orderer that cannot write stops, and its ledger with it."""

EXPIRY_WARN_DAYS = 30
"""`doctor` warns of certificates with fewer days left..."""

EXPIRY_FAIL_DAYS = 7
"""...and fails with fewer than these."""

DISK_WARN = 0.80
"""Share of a file system in use at which `doctor` warns..."""

DISK_FAIL = 0.90
"""...and at which it fails."""

CLOCK_WARN_S = 2.0
"""How far a node's clock may be off before `doctor` warns..."""

CLOCK_FAIL_S = 60.0
"""...and fails. Peers refuse proposals 15 minutes off."""

CHECK_TIMEOUT_S = 20.0
"""Longest any one check of `doctor` takes."""

PROBE_TIMEOUT_S = 15.0
"""How long `doctor` waits for its probe transaction."""

SAMPLED_BLOCKS = 100
"""Newest blocks in which `doctor` looks for private data that members lack."""

HEALTHY_TIMEOUT_S = 5.0
"""How long an orderer may take to be healthy before a change of orderers is refused."""

HEALTHY_LAG_BLOCKS = 5
"""How far an orderer may be behind the others and still count as healthy: under load all are
always a block or two apart."""

ENGINE_TIMEOUT_S = 10
"""Longest wait for an answer of the container engine..."""

ENGINE_WORK_S = 600.0
"""...and for one that is work: pulling, building, copying ledgers."""

ENGINE_LOOK_S = 0.3
"""How old what the engine said may be before it is asked again."""

COMPOSE_TIMEOUT_S = 120.0
"""Longest that compose may take to start or to end containers."""

KEPT_LOG_LINES = 2_000
"""Lines of a container's log that are kept when the container is removed."""

LOG_FOLLOW_PAUSE_S = 0.2
"""Pause of `logs --follow` when nothing new was written."""

STATUS_CHAINCODE_S = 4.0
"""How long `status` waits for a peer's chaincode: peers themselves give it 5 s."""

CHAINCODE_CALL_S = 5.0
"""Longest chaincode call (a peer's `executetimeout`): so long an old server may still be needed."""

RENEW_WITHIN_DAYS = 30
"""Certificates that end within so many days are due for renewal, if nothing else is asked."""

UPDATE_BYTES = 1 << 20
"""Largest file of a channel update read: no orderer would take a larger one."""

ENDPOINT_TIMEOUT_S = 5.0
"""How long `doctor` waits for one endpoint's TLS handshake."""

CHECKS_AT_ONCE = 4
"""Checks of `doctor`, and handshakes of one check, under way at a time."""
