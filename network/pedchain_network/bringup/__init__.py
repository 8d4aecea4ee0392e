# SPDX-License-Identifier: Apache-2.0
"""From a topology to a network that has proven it works."""
