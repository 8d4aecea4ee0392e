# SPDX-License-Identifier: Apache-2.0
"""Runtime `docker`: Fabric's own images and ours, brought up by compose."""
