# SPDX-License-Identifier: Apache-2.0
"""Hyperledger Fabric v3 for Python.

`wire` holds the protocol's pure parts, `client` the Gateway client, `admin` administration,
`shim` the chaincode runtime and `embedded` a Fabric network in one process, for trying and testing.
"""
