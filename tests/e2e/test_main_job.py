# SPDX-License-Identifier: MIT
"""The main job on real servers: what is in Elasticsearch is what Kafka says."""

import os
import threading
import time

from conftest import TOPICS, wait_for

MINUTES = 10 if os.environ.get("ALL") == "1" else 2


class Watcher(threading.Thread):
    """Asks Kafka all the time, so that every moment lies between two known answers."""

    def __init__(self, oracle):
        super().__init__(daemon=True)
        self.oracle = oracle
        self.answers = []
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.25):
            self.answers.append(self.oracle.ask())

    def stop(self):
        self.ended.set()
        self.join()

    def bounds(self, topic, partition, begin_ms, end_ms):
        """Least and largest lag that any order of reading could have given between the
        two times: committed offsets and log ends only grow here."""
        before = [a for a in self.answers if a["t1"] <= begin_ms]
        after = [a for a in self.answers if a["t0"] >= end_ms]
        if not before or not after:
            return None
        first = before[-1]["offsets"][topic].get(str(partition))
        last = after[0]["offsets"][topic].get(str(partition))
        if not first or not last or first["committed"] is None:
            return None
        return first["end"] - last["committed"], last["end"] - first["committed"]


def milliseconds(document):
    from datetime import datetime
    text = document["@timestamp"].replace("Z", "+00:00")
    return datetime.fromisoformat(text).timestamp() * 1000


def lags(document):
    return {int(k[1:]): v for k, v in document.items()
            if k[0] == "p" and k[1:].isdigit()}


def test_every_lag_in_the_index_is_what_kafka_says(workplace, index, search, oracle, lab):
    watcher = Watcher(oracle)
    watcher.start()
    daemon = workplace.daemon(workplace.config(index))
    wait_for("documents of all topics", 60, lambda: len(
        {d["topic"] for d in search.documents(index)}) == len(TOPICS))
    for part in range(4):  # the mirror runs, stops, runs, stops
        time.sleep(MINUTES * 60 / 4)
        lab("mirror", "stop" if part % 2 == 0 else "start")
    lab("mirror", "start")
    time.sleep(3)
    assert daemon.stop() == 0
    time.sleep(1)
    watcher.stop()

    documents = [d for d in search.documents(index) if d["status"] != "NODATA"]
    compared = values = 0
    growing = set()
    for d in documents:
        got = lags(d)
        assert sorted(got) == list(range(TOPICS[d["topic"]])), d
        assert d["partitions"] == TOPICS[d["topic"]]
        known = [v for v in got.values() if v is not None]
        assert d["lag_sum"] == sum(known) and d["lag_max"] == max(known)
        assert d["p%d" % d["lag_max_partition"]] == d["lag_max"]
        at = milliseconds(d)
        whole = True
        for partition, value in got.items():
            # Offsets are read near the end of the run, never before its begin.
            bound = watcher.bounds(d["topic"], partition, at - d["sample_ms"] - 300, at + 300)
            if bound is None:
                whole = False
                continue
            assert bound[0] <= value <= bound[1], (d, partition, bound)
            values += 1
            if value > 100:
                growing.add(d["topic"])
        compared += whole
    assert compared >= 100, compared
    assert values >= 900
    assert growing, "the mirror was stopped, and no lag grew"
    assert len({d["_id"] for d in documents}) == len(documents)


def test_at_rest_the_lags_are_equal_to_the_last_message(workplace, oracle, lab):
    """Producer and mirror stand still: no bounds, the very numbers."""
    lab("load", "pause")
    lab("mirror", "stop")
    try:
        wait_for("offsets at rest", 30, lambda: oracle.ask()["offsets"] ==
                 (time.sleep(1), oracle.ask()["offsets"])[1])
        run = workplace.run("once", "-c", workplace.config())
        assert run.returncode == 0, run.stderr
        truth = oracle.ask()["offsets"]
        import json
        documents = {d["topic"]: d for d in map(json.loads, run.stdout.splitlines())}
        assert set(documents) == set(TOPICS)
        for topic, partitions in truth.items():
            if topic not in TOPICS:
                continue
            want = {int(p): None if o["committed"] is None else o["end"] - o["committed"]
                    for p, o in partitions.items() if o["committed"] is not None}
            got = {p: v for p, v in lags(documents[topic]).items() if p in want}
            assert got == want
            assert documents[topic]["group_state"] == "empty"
            assert documents[topic]["members"] == 0
    finally:
        lab("load", "resume")
        lab("mirror", "start")
