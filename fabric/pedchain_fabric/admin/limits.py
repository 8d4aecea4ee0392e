# SPDX-License-Identifier: Apache-2.0
"""Every limit of the administrative clients, in one place."""

from pedchain_fabric.admin.channel import Consensus

CALL_TIMEOUT_S = 30.0
"""One administrative call to a peer; an install waits for the peer's builders."""

PARTICIPATION_TIMEOUT_S = 15.0
"""One request to an orderer's participation endpoint."""

PARTICIPATION_BODY_BYTES = 1 << 20
"""Largest configuration block an orderer takes (its `ChannelParticipation.MaxRequestBodySize`)."""

PARTICIPATION_ANSWER_BYTES = 100 << 20
"""Largest answer we read from an orderer: a whole block at most."""

MESSAGE_BYTES = 100 << 20
"""Largest gRPC message both ways, as Fabric's own peers set it."""

PACKAGE_BYTES = 1 << 20
"""Largest chaincode package we build; one as a service holds an address and no code."""

APPROVAL_ATTEMPT_PAUSE_S = 0.1
"""Pause before a lifecycle transaction is tried again while peers are still catching up."""

CONSENTERS_MIN = {Consensus.SMARTBFT: 4, Consensus.RAFT: 3}
"""Fewest orderers that go on when one fails: 3f + 1 of those that may lie, 2f + 1 of others."""

BATCH_BYTES_MAX = 49 << 20
"""Largest batch a channel may allow: a block must pass as one gRPC message with its overhead."""

CONFIGURATION_TIMEOUT_S = 30.0
"""How long nodes may take to have a new configuration in force."""

CONFIGURATION_PAUSE_S = 0.1
"""Between two looks at whether they have."""

BACKDATE_S = 300
"""How long before now certificates become valid: clocks differ."""

ORDERED_TIMEOUT_S = 10.0
"""How long one orderer may take to show that an update it took was ordered."""
