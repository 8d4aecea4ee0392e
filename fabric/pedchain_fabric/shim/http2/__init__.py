# SPDX-License-Identifier: Apache-2.0
"""The server's half of gRPC on HTTP/2, as much as peers use of it: RFC 9113 without push.

`frames` cuts bytes into frames, `stream` and `session` keep one connection's state (no I/O),
`messages` is gRPC's framing, `protocol` joins them to a socket (docs/adr/0015).
"""
