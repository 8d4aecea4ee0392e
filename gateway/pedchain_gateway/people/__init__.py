# SPDX-License-Identifier: Apache-2.0
"""People: who they are, what they may see, and what is remembered of that."""
