# SPDX-License-Identifier: MIT
"""`mmlag judge` as a program: Burrow's public vectors one by one, and some thousand windows at
random beside the rules as they are written down, in another language. Needs no lab."""

import json
import random
import subprocess

import pytest
from conftest import MMLAG

pytestmark = pytest.mark.beside

TS5 = [100000, 200000, 300000, 400000, 500000]
TS10 = list(range(100000, 550001, 50000))
TS15 = [1512224618356, 1512224619362, 1512224620366, 1512224621367, 1512224622370, 1512224623373,
        1512224624378, 1512224625379, 1512224626383, 1512224627383, 1512224628383, 1512224629388,
        1512224630391, 1512224631394, 1512224632397]
UP5, FLAT5 = [1000, 2000, 3000, 4000, 5000], [1000] * 5
OFF15 = list(range(792748079, 792748094))
BACK4, BACK = [1000, 2000, 3000, 2000, 4000], [1000, 2000, 3000, 2000, 2500]

# offsets, timestamps, lags, log ends, current lag, now, allowed lag, status
VECTORS = [
    (UP5, TS5, [0, 50, 100, 150, 200], [5200], 200, 600, 0, "OK"),
    (UP5, TS5, [0, 50, 100, 150, 200], [5200], 200, 900, 0, "OK"),
    (UP5, TS5, [0, 50, 100, 150, 200], [5200], 200, 1000, 0, "STOP"),
    (UP5, TS5, [50, 100, 150, 200, 250], [5250], 250, 1000, 0, "STOP"),
    (FLAT5, TS5, [0, 50, 100, 150, 200], [1200], 200, 600, 0, "OK"),
    (FLAT5, TS5, [100, 150, 200, 250, 300], [1300], 300, 600, 0, "STALL"),
    (FLAT5, TS5, [100] * 5, [1100], 100, 600, 0, "STALL"),
    (BACK4, TS5, [100, 150, 200, 1250, 300], [4300], 300, 600, 0, "OK"),
    (UP5, TS5, [50, 100, 150, 200, 250], [5250], 0, 1000, 0, "OK"),
    (OFF15, TS15, [0] * 15, [792749024, 792749000, 792748800, 792748600, 792748500], 931,
     1512224650, 0, "STOP"),
    (OFF15, TS15, [0] * 15, [792748094, 792748093, 792748093, 792748093], 1, 1512224650, 0, "OK"),
    (list(range(1000, 5501, 500)), TS10, [0, None, 50, None, 100, None, 150, None, 200, None],
     [5700], 200, 600, 0, "OK"),
    ([1000, 2000, 2000], [100000, 200000, 300000], [2, 1, 1], [2001], 1, 550, 1, "OK"),
    (FLAT5, TS5, [100, 150, 200, 250, 300], [1300], 300, 600, 99, "STALL"),
    (BACK4, TS5, [100, 150, 200, 1250, 300], [4300], 300, 600, 99, "OK"),
    (BACK, TS5, [100, 150, 200, 1250, 300], [4300], 300, 600, 0, "REWIND"),
]
KEYS = ("offsets", "timestamps", "lags", "log_end_offsets", "current_lag", "now", "allowed_lag")
STATUS = {"incomplete": "OK", "lag_allowed": "OK", "stopped": "STOP", "rewound": "REWIND",
          "lag_was_zero": "OK", "stalled": "STALL", "lag_not_falling": "WARN", "lag_falling": "OK"}


def judge(windows):
    done = subprocess.run([MMLAG, "judge"], input="".join(json.dumps(w) + "\n" for w in windows),
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_public_vector_comes_out_as_burrow_says():
    windows = [dict(zip(KEYS, v)) for v in VECTORS]
    assert [a["status"] for a in judge(windows)] == [v[-1] for v in VECTORS]
    for window, vector in zip(windows, VECTORS):  # and each by itself
        [answer] = judge([window])
        assert answer["status"] == vector[-1] == STATUS[answer["rule"]]


def rule_of(w):
    """The rules as Burrow has them, for people to read."""
    offsets, times, allowed = w["offsets"], w["timestamps"], w.get("allowed_lag", 0)
    lags = [lag for lag in w["lags"] if lag is not None]
    if not offsets or w.get("complete", 1) < w.get("minimum_complete", 0):
        return "incomplete"
    if w["current_lag"] <= allowed:
        return "lag_allowed"
    silent = w["now"] * 1000 - times[-1] > times[-1] - times[0]
    if silent and not any(end <= offsets[-1] for end in w["log_end_offsets"]):
        return "stopped"
    back = next((i for i in range(1, len(offsets)) if offsets[i] < offsets[i - 1]), None)
    if back is not None and not any(o >= offsets[back - 1] for o in offsets[back:]):
        return "rewound"
    if any(lag <= allowed for lag in lags):
        return "lag_was_zero"
    if len(set(offsets)) == 1:
        return "stalled"
    if not any(after < before for before, after in zip(lags, lags[1:])):
        return "lag_not_falling"
    return "lag_falling"


def any_window(dice):
    n = dice.choice([0, 1, 1, 2, 3, 5, 8, 15])
    offset, time = dice.randrange(1, 50), dice.randrange(1, 1000) * 1000
    w = {"offsets": [], "timestamps": [], "lags": [],
         "current_lag": dice.choice([0, 1, 5, 100]), "allowed_lag": dice.choice([0, 0, 1, 5])}
    still, falling = dice.random() < 0.3, dice.random() < 0.5
    lag = dice.randrange(20)
    for _ in range(n):
        w["offsets"].append(offset)
        w["timestamps"].append(time)
        w["lags"].append(None if dice.random() < 0.2 else lag)
        time += dice.choice([0, 1, 999, 1000, 60000])
        if not still:
            offset = max(0, offset + dice.choice([0, 1, 1, 2, -1] if dice.random() < 0.5 else [1]))
        lag = max(0, lag + dice.choice([-2, -1] if falling else [0, 1, 3]))
    last, span = (w["timestamps"] or [0])[-1], time
    w["now"] = last // 1000 + dice.choice([0, 1, (last - (w["timestamps"] or [0])[0]) // 1000,
                                           (last - (w["timestamps"] or [0])[0]) // 1000 + 1, span])
    w["log_end_offsets"] = [max(0, offset + dice.choice([-3, -1, 0, 1, 4])) for _ in range(dice.randrange(4))]
    if dice.random() < 0.2:
        w["complete"], w["minimum_complete"] = dice.choice([0, 0.4, 0.5, 1]), dice.choice([0, 0.5, 1])
    return w


def test_windows_at_random_get_the_rule_that_is_written_down():
    dice = random.Random(20261121)
    windows = [any_window(dice) for _ in range(5000)]
    want = [rule_of(w) for w in windows]
    assert set(want) == set(STATUS), "each rule decides somewhere"
    for window, answer, rule in zip(windows, judge(windows), want):
        assert answer == {"status": STATUS[rule], "rule": rule}, window
