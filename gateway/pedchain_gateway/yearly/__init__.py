# SPDX-License-Identifier: Apache-2.0
"""A district's yearly file: what it may print, and how anyone checks that."""
