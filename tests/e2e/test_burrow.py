# SPDX-License-Identifier: MIT
"""mmlag beside a live Burrow, on the same groups of the same broker: what both can know is
the same, key by key. Debian's Burrow is older than the one whose recorded answers the unit
tests compare: it sees no owners on this Kafka, and has no `observedAt`."""

import json
import os
import re
import socket
import urllib.error
import urllib.request

import pytest

from conftest import TOPICS, Workplace, wait_for

GROUP = f"burrow-beside-{os.getpid()}"  # one that nobody has committed for before
COMMITS = ["orders:0:5", "orders:3:7", "orders:17:1", "payments:1:2", "clicks.v1:11:3"]
OURS_ALONE = {"observedAt", "client_id"}  # newer than Debian's


@pytest.fixture(scope="module", autouse=True)
def beside(lab):
    lab("up", "burrow", "exporter")
    lab("commit", GROUP, *COMMITS)
    yield
    lab("exporter", "stop")
    lab("burrow", "stop")
    lab("zk262", "stop")


@pytest.fixture
def at_rest(lab, oracle):
    """Nothing is produced, and a group without members is behind; its true offsets."""
    lab("load", "rate", "0")

    def true():
        answer = oracle.ask(GROUP)
        if "error" in answer:  # a broker that is busy with what a test before this one left
            print("the broker:", answer["error"])
        return answer.get("offsets")

    def still():
        first, second = true(), true()
        return first if first and first == second else None

    try:
        yield wait_for("the log ends stand still", 60, still)
    finally:
        lab("load", "rate", "200")


def ask(base, path):
    """Status, content type and JSON of an answer."""
    try:
        with urllib.request.urlopen(base + path, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers["Content-Type"], json.loads(refusal.read())
    except OSError:
        return 0, "", {}


@pytest.fixture(scope="module")
def pages(lab, beside, tmp_path_factory):
    """The pages of a daemon that follows GROUP and the mirror's group."""
    workplace = Workplace(tmp_path_factory.mktemp("beside"), lab)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    rules = {"window": "20s"}
    topics = [{"name": t, "group": g, "partitions": TOPICS[t]} for g in (GROUP, lab.group) for t in TOPICS
              if g != GROUP or t != "orders-retry"]
    config = workplace.config(topics=topics, http={"listen": f"127.0.0.1:{port}"},
                              defaults={"group": None, "rules": rules})
    daemon = workplace.daemon(config)
    url = f"http://127.0.0.1:{port}"
    wait_for("both groups are known", 90,
             lambda: ask(url, "/v3/kafka/default/consumer")[2].get("consumers")
             == sorted([GROUP, lab.group]))
    yield url
    assert daemon.stop() == 0


def same_shape(path, ours, theirs):
    """Every key of theirs, of the same kind; of ours only those that are newer beside."""
    if ours is None or theirs is None:
        return
    if isinstance(theirs, dict):
        assert set(theirs) <= set(ours), f"{path}: missing {set(theirs) - set(ours)}"
        assert set(ours) - set(theirs) <= OURS_ALONE, f"{path}: more keys"
        for key, value in theirs.items():
            same_shape(f"{path}.{key}", ours[key], value)
    elif isinstance(theirs, list):
        assert isinstance(ours, list), path
        if theirs and ours:
            same_shape(path + "[]", ours[0], theirs[0])
    elif isinstance(theirs, (int, float)) and not isinstance(theirs, bool):
        assert isinstance(ours, (int, float)) and not isinstance(ours, bool), path
    else:
        assert type(ours) is type(theirs), path


def by_partition(answer):
    return {(p["topic"], p["partition"]): p for p in answer["status"]["partitions"]}


def test_burrow_and_we_agree_on_a_group_at_rest(lab, pages, at_rest):
    true = {(t, int(p)): o["end"] - o["committed"] for t, partitions in at_rest.items()
            for p, o in partitions.items() if o["committed"] is not None}
    lag = f"/v3/kafka/default/consumer/{GROUP}/lag"

    def known(base):
        """All lags are the true ones, and the verdict has been reached."""
        status, _, answer = ask(base, lag)
        found = by_partition(answer) if status == 200 else {}
        return answer if {k: p["current_lag"] for k, p in found.items() if p["end"]} == true \
            and all(p["status"] == "STOP" for p in found.values() if p["end"]) else None

    theirs = wait_for("Burrow knows the group", 60, lambda: known(lab.burrow_url))
    ours = wait_for("so do we", 60, lambda: known(pages))
    same_shape("lag", ours, theirs)
    for key in ("cluster", "group", "status", "partition_count", "totallag"):
        assert ours["status"][key] == theirs["status"][key], key
    assert ours["status"]["status"] == "ERR"
    assert ours["status"]["maxlag"]["current_lag"] == theirs["status"]["maxlag"]["current_lag"]
    assert set(by_partition(ours)) == set(by_partition(theirs))
    for key, mine in by_partition(ours).items():
        its = by_partition(theirs)[key]
        assert (mine["status"], mine["current_lag"]) == (its["status"], its["current_lag"])
        assert (mine["end"] or {}).get("offset") == (its["end"] or {}).get("offset"), key

    for path in (lag.replace("/lag", "/status"), "/v3/kafka",
                 f"/v3/kafka/default/consumer/{GROUP}"):
        mine, its = ask(pages, path), ask(lab.burrow_url, path)
        assert mine[:2] == its[:2]
        assert mine[2]["message"] == its[2]["message"]
        same_shape(path, mine[2], its[2])
    for topic in TOPICS:
        path = f"/v3/kafka/default/topic/{topic}"
        mine, its = ask(pages, path)[2], ask(lab.burrow_url, path)[2]
        if topic == "orders-retry":
            continue  # of the mirror's group, which is on the move
        last = {int(p): o["end"] for p, o in at_rest[topic].items()}
        assert its["offsets"] == [last[p] for p in sorted(last)]
        assert set(mine["offsets"]) <= set(its["offsets"])


@pytest.mark.parametrize("path", [
    "/v3/kafka/nowhere", "/v3/kafka/nowhere/topic", "/v3/kafka/nowhere/consumer",
    "/v3/kafka/default/topic/nothing", "/v3/kafka/default/consumer/nobody",
    "/v3/kafka/default/consumer/nobody/lag", "/v3/kafka/default/consumer/nobody/status",
    "/v3/nothing", "/v3/kafka/default/nothing"])
def test_what_is_not_there_is_told_as_burrow_tells_it(lab, pages, path):
    mine, its = ask(pages, path), ask(lab.burrow_url, path)
    assert mine[:2] == its[:2]
    assert {k: mine[2][k] for k in ("error", "message")} == \
        {k: its[2][k] for k in ("error", "message")}
    same_shape(path, mine[2], its[2])


def test_both_find_a_running_mirror_well(lab, pages):
    path = f"/v3/kafka/default/consumer/{lab.group}/status"

    def well(base):
        answer = ask(base, path)[2].get("status", {})
        return answer if answer.get("status") == "OK" and not answer["partitions"] else None

    theirs = wait_for("Burrow says OK", 60, lambda: well(lab.burrow_url))
    ours = wait_for("we say OK", 90, lambda: well(pages))
    same_shape("status", ours, theirs)
    assert ours["partition_count"] == theirs["partition_count"] == sum(TOPICS.values())


def test_the_exporter_and_we_count_the_same_at_rest(lab, pages, at_rest):
    """Its own names: kafka_consumer_group_lag and _offset, by group, topic and partition."""
    def series(base, family):
        try:
            with urllib.request.urlopen(base + "/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        found = {}
        for labels, value in re.findall(rf"^{family}\{{(.*)\}} (\S+)$", text, re.M):
            label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            if GROUP in (label.get("group"), label.get("consumergroup")):
                found[label["topic"], int(label.get("partition", -1))] = float(value)
        return found

    want = {(t, int(p)): o for t, partitions in at_rest.items() for p, o in partitions.items()
            if o["committed"] is not None}
    pairs = {
        "kafka_consumer_group_lag": ("kafka_consumergroup_lag", lambda o: o["end"] - o["committed"]),
        "kafka_consumer_group_offset": ("kafka_consumergroup_current_offset",
                                        lambda o: o["committed"]),
    }
    for its_name, (our_name, true) in pairs.items():
        truth = {k: true(o) for k, o in want.items()}
        for base, name in ((lab.exporter_url, its_name), (pages, our_name)):
            wait_for(f"{name} is true", 60, lambda b=base, n=name, t=truth: series(b, n) == t)
    sums = {}
    for (topic, _), o in want.items():
        sums[topic, -1] = sums.get((topic, -1), 0) + o["end"] - o["committed"]
    assert series(pages, "kafka_consumergroup_lag_sum") == sums
