# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a network, or soon will be, and what to do about it."""
