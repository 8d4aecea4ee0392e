# SPDX-License-Identifier: Apache-2.0
"""What runs the nodes: docker, native, embedded."""
