# SPDX-License-Identifier: Apache-2.0
"""Steps 6 and 7, not yet."""


class Metering:
    def __init__(self, figures):
        pass

    def block(self, *a):
        pass

    def finish(self):
        pass
