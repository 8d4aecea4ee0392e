# SPDX-License-Identifier: Apache-2.0
"""The contracts of the consortium: registry, metering, settlement."""
