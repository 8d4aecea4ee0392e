# SPDX-License-Identifier: Apache-2.0
"""Every bound this package puts on what it reads, in one place."""

# Fabric's own gRPC limit; nothing larger ever reaches a node.
MESSAGE_BYTES_MAX = 100 * 1024 * 1024
# Fabric's certificates are about 1 kB; a chain of CAs in one PEM is not an identity.
CERTIFICATE_BYTES_MAX = 64 * 1024
KEY_BYTES_MAX = 64 * 1024
# A DER ECDSA signature over P-521 has 139 bytes; Fabric tolerates what follows it.
SIGNATURE_BYTES_MAX = 4096
NONCE_BYTES = 24  # as Fabric's own clients; any non-empty nonce is accepted
POLICY_TEXT_MAX = 64 * 1024
POLICY_DEPTH_MAX = 32
POLICY_RULES_MAX = 10_000
PRINCIPAL_DEPTH_MAX = 16
CONFIG_DEPTH_MAX = 16
CHAIN_LENGTH_MAX = 8
CACHED_IDENTITIES_MAX = 1024  # per MSP; what falls out is only computed again
