# SPDX-License-Identifier: MIT
"""A short piece of `make torture`, with a seed of its own: what it finds can be repeated."""

import os

import torture
from conftest import ROOT


def test_a_short_torture_loses_and_doubles_nothing(lab, tmp_path):
    torture.FAILING = os.path.join(ROOT, "build", "release", "failing.so")
    assert os.path.exists(torture.FAILING)
    documents, sessions, lives, _ = torture.torture(tmp_path, lab, 20, 4)
    assert documents > 100 and sessions >= 2 and len(lives) >= 2
