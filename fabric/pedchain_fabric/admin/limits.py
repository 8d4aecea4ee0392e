# SPDX-License-Identifier: Apache-2.0
"""Every limit of the administrative clients, in one place."""

CALL_TIMEOUT_S = 30.0
"""One administrative call to a peer; an install waits for the peer's builders."""

PARTICIPATION_TIMEOUT_S = 15.0
"""One request to an orderer's participation endpoint."""

PARTICIPATION_BODY_BYTES = 1 << 20
"""Largest configuration block an orderer takes (its `ChannelParticipation.MaxRequestBodySize`)."""

PARTICIPATION_ANSWER_BYTES = 16 << 20
"""Largest answer we read from an orderer."""

MESSAGE_BYTES = 100 << 20
"""Largest gRPC message both ways, as Fabric's own peers set it."""

PACKAGE_BYTES = 1 << 20
"""Largest chaincode package we build; one as a service holds an address and no code."""

APPROVAL_ATTEMPT_PAUSE_S = 0.1
"""Pause before a lifecycle transaction is tried again while peers are still catching up."""
