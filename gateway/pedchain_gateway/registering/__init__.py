# SPDX-License-Identifier: Apache-2.0
"""Who and what is registered in a district."""
