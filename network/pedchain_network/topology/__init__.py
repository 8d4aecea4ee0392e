# SPDX-License-Identifier: Apache-2.0
"""The consortium as data."""
