# SPDX-License-Identifier: Apache-2.0
"""The same small contract and the same load, written for each rival."""
