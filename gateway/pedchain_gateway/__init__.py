# SPDX-License-Identifier: Apache-2.0
"""One organisation's HTTP service in front of its Fabric peer."""
