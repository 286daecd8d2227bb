# SPDX-License-Identifier: MIT
"""The mirror's other side, on real servers."""

import json

from conftest import TOPICS, wait_for


def samples(workplace, topic, daemon_config):
    run = workplace.run("once", "-c", daemon_config)
    assert run.returncode == 0, run.stderr
    return {d["topic"]: d for d in map(json.loads, run.stdout.splitlines())}[topic]


def test_what_arrives_at_the_target_is_seen_and_a_dead_target_is_no_gap(workplace, lab):
    topics = list(TOPICS)
    config = workplace.config(
        topics=topics, defaults={"target": {"bootstrap_server": lab.target_bootstrap}})
    first = samples(workplace, "orders", config)
    assert first["target_end_sum"] > 0
    assert first["undelivered"] is None  # one look knows no growth
    wait_for("growth at the target", 60, lambda: samples(
        workplace, "orders", config)["target_end_sum"] > first["target_end_sum"])

    lab("mirror", "pause")
    try:
        # what was under way has arrived when two looks agree
        def stands():
            one = samples(workplace, "orders", config)
            two = samples(workplace, "orders", config)
            return one["target_end_sum"] == two["target_end_sum"] and (one, two)
        one, two = wait_for("a target that stands still", 60, stands)
        assert two["lag_sum"] > one["lag_sum"]
    finally:
        lab("mirror", "resume")

    lab("target", "pause")
    try:
        dead = samples(workplace, "orders", config)
    finally:
        lab("target", "resume")
    assert dead["target_end_sum"] is None and dead["undelivered"] is None
    assert dead["delivered_per_sec"] is None
    assert dead["status"] != "NODATA" and dead["partitions"] == TOPICS["orders"]
