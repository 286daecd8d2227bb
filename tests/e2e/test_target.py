# SPDX-License-Identifier: MIT
"""The mirror's other side, on real servers."""

import json
import os

import pytest

from conftest import TOPICS, wait_for


def sample(workplace, config):
    run = workplace.run("once", "-c", config)
    assert run.returncode == 0, run.stderr
    return {d["topic"]: d for d in map(json.loads, run.stdout.splitlines())}["orders"]


def look(workplace, config):
    """A sample whose look at the target had its time: one gets 15 s and a low priority, which
    beside ten busy processes need not be enough for a JVM."""
    return wait_for("a look at the target in its time", 120, lambda: (
        s := sample(workplace, config)).get("target_reason") != "cli_timeout" and s)


def test_what_arrives_at_the_target_is_seen_and_a_dead_target_is_no_gap(workplace, lab):
    topics = list(TOPICS)
    config = workplace.config(
        topics=topics, defaults={"target": {"bootstrap_server": lab.target_bootstrap}})
    first = look(workplace, config)
    assert first["target_end_sum"] > 0
    assert first["undelivered"] is None  # one look knows no growth
    wait_for("growth at the target", 60, lambda: look(
        workplace, config)["target_end_sum"] > first["target_end_sum"])

    # stopped, not paused: after a pause of more than 10 s MirrorMaker ends by itself
    lab("mirror", "stop")
    try:
        one, two = look(workplace, config), look(workplace, config)
    finally:
        lab("mirror", "start")
    assert two["target_end_sum"] == one["target_end_sum"]
    assert two["lag_sum"] > one["lag_sum"]

    lab("target", "pause")
    try:
        dead = sample(workplace, config)
    finally:
        lab("target", "resume")
    assert dead["target_end_sum"] is None and dead["undelivered"] is None
    assert dead["delivered_per_sec"] is None and "target_reason" in dead
    assert dead["status"] != "NODATA" and dead["partitions"] == TOPICS["orders"]


def far(workplace, lab, **target):
    """The other side looked at from a host of another name, by a session of its own."""
    return workplace.config(defaults={
        "known_hosts": [str(workplace.path / "known_hosts")], "host_key": "accept-new",
        "target": {"host": "localhost", "bootstrap_server": lab.target_bootstrap, **target}})


def test_a_target_on_another_host_is_read_and_its_failures_touch_no_lag(workplace, lab):
    there = look(workplace, far(workplace, lab))
    assert there["target_end_sum"] > 0 and "target_reason" not in there

    absent = look(workplace, far(workplace, lab, topic="x.{topic}"))
    assert absent["target_reason"] == "topic_absent" and absent["target_end_sum"] is None

    closed = look(workplace, far(workplace, lab, port=1))
    assert closed["target_reason"] == "ssh_unreachable" and closed["target_end_sum"] is None
    assert closed["lag_sum"] is not None and closed["partitions"] == TOPICS["orders"]

    check = wait_for("a check in its time", 120, lambda: (
        r := workplace.run("check", "-c", far(workplace, lab, topic="x.{topic}")).stdout)
        and "cli_timeout" not in r and r)
    assert "cost on localhost" in check and "look at the target" in check
    assert "topic_absent" in check


@pytest.mark.skipif(os.environ.get("ALL") != "1", reason="an old Kafka: with ALL=1")
def test_an_old_kafka_is_asked_by_its_class(workplace, lab):
    try:
        for component in ("zk262", "k262", "producer"):
            lab(component, "start")
        old = {"kafka_home": lab.k262_home, "bootstrap_server": lab.k262_bootstrap}
        assert not os.path.exists(old["kafka_home"] + "/bin/kafka-get-offsets.sh")
        wait_for("messages in the old Kafka", 60, lambda: (look(
            workplace, far(workplace, lab, **old, topic="assignment-topic"))
            ["target_end_sum"] or 0) > 0)
        absent = look(workplace, far(workplace, lab, **old, topic="none"))
        assert absent["target_reason"] == "topic_absent"
    finally:
        for component in ("producer", "k262", "zk262"):
            lab(component, "stop")
