# SPDX-License-Identifier: Apache-2.0
"""What people may ask of data about them."""
