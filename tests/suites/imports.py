# SPDX-License-Identifier: MIT
def collect(numac):
    return []
