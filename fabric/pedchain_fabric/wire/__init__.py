# SPDX-License-Identifier: Apache-2.0
"""Fabric's protocol without any I/O: what is signed, hashed, encoded, and who may do what.

`keys`, `identity`         signing and verifying, certificates
`msp`, `policy`            who belongs to an organisation, what signatures are enough
`channelconfig`            a channel's configuration: organisations, policies by path, orderers
`proposal`, `transaction`  what clients propose, what endorsers agree on
`rwset`, `compositekey`    what transactions read and write
`block`, `quorum`          hash chain, orderers' signatures, committers' notes

Verdicts equal those of Fabric 3.1's nodes. Bytes that cannot be read raise `WireError`,
certificates that cannot be used `IdentityError`, and nothing else.
"""
