# SPDX-License-Identifier: Apache-2.0
"""What Prometheus needs to watch a network: configuration, alert rules, and a few measurements
that no node makes."""
