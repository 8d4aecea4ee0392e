# SPDX-License-Identifier: Apache-2.0
"""Devices beside their readings: how they are bound to a connection, claimed, told what to do."""
