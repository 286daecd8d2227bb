# SPDX-License-Identifier: MIT
"""Boards and alert rules for Prometheus: every expression asked of a real server over
figures that are known, every rule made to fire and not to fire by promtool."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from conftest import MMLAG, ROOT, wait_for

if not shutil.which("prometheus") or not shutil.which("promtool"):
    pytest.skip("no prometheus", allow_module_level=True)

STEP = 30
SPAN = 3 * 3600
END = int(time.time()) // 3600 * 3600 - 3600  # a whole hour, lately
GROUP = 'oasis "blue" \'g\' \\d $x {{ $labels.x }}'


def labels(**l):
    return "{" + ",".join('%s="%s"' % (k, v.replace("\\", "\\\\").replace('"', '\\"'))
                          for k, v in l.items()) + "}" if l else ""


def lag_series():
    g = GROUP
    for topic, p, lag, rate in (("orders", "0", 40, 2), ("orders", "1", 2, 1), ("x.y", "0", 7, 0)):
        at = {"consumergroup": g, "partition": p, "topic": topic, "instance": "m1", "job": "mmlag"}
        yield "kafka_consumergroup_lag", at, lambda t, v=lag: v
        yield "kafka_consumergroup_current_offset", at, lambda t, v=rate: 1000 + v * t
        yield "kafka_topic_partition_current_offset", {
            k: at[k] for k in ("partition", "topic", "instance")}, lambda t, v=rate: 5000 + v * t
    yield "kafka_consumergroup_lag", {"consumergroup": g, "partition": "2", "topic": "orders",
                                      "instance": "m1"}, lambda t: -1
    for topic, lag, n in (("orders", 42, 3), ("x.y", 7, 1)):
        at = {"consumergroup": g, "topic": topic, "instance": "m1"}
        yield "kafka_consumergroup_lag_sum", at, lambda t, v=lag: v
        yield "mmlag_topic_time_lag_seconds", at, lambda t, v=lag: v / 10
        yield "mmlag_topic_status", at, lambda t, v=n: v
        yield "mmlag_topic_consumed_per_second", at, lambda t, v=n: v
        yield "kafka_topic_partitions", {"topic": topic, "instance": "m1"}, lambda t, v=n: v
    at = {"consumergroup": g, "topic": "orders", "instance": "m1"}
    yield "mmlag_topic_undelivered", at, lambda t: 9
    yield "mmlag_topic_delivered_per_second", at, lambda t: 2
    yield "mmlag_topic_target_unread", dict(at, topic="x.y", reason="topic_absent"), lambda t: 1
    yield "kafka_consumergroup_members", {"consumergroup": g, "instance": "m1"}, lambda t: 2
    yield "mmlag_topic_nodata", {"consumergroup": g, "topic": "z", "reason": "ssh_lost"}, lambda t: 1
    yield "mmlag_samples_total", {"instance": "m1"}, lambda t: 0.5 * t
    yield "mmlag_documents_total", {"instance": "m1", "outcome": "indexed"}, lambda t: 0.4 * t
    yield "mmlag_documents_total", {"instance": "m1", "outcome": "expired"}, lambda t: 0.1 * t
    yield "mmlag_spool_documents", {"instance": "m1"}, lambda t: 5
    yield "mmlag_dead_letters", {"instance": "m1"}, lambda t: 1


def broker_series():
    bean = "kafka_server_BrokerTopicMetrics_"
    for instance, suffix, rate in (("b1", "", 10), ("b2", "_total", 4)):  # two versions of the exporter
        on = {"instance": instance}
        for name, factor in (("MessagesInPerSec", 1), ("BytesInPerSec", 100), ("BytesOutPerSec", 200)):
            for topic, share in (("orders", 0.75), ("x.y", 0.25)):
                yield bean + name + suffix, dict(on, topic=topic), lambda t, v=rate * factor * share: v * t
            if instance == "b1":  # rules that give the total beside its parts
                yield bean + name, on, lambda t, v=rate * factor: v * t
        yield "kafka_server_KafkaRequestHandlerPool_RequestHandlerAvgIdlePercent" + suffix, on, \
            lambda t, v=rate: v / 10
        yield "kafka_server_ReplicaManager_UnderReplicatedPartitions", on, lambda t, v=rate: v - 4
        old = instance == "b1"
        for area, used in (("heap", 100), ("nonheap", 1)):
            yield "jvm_memory_bytes_used" if old else "jvm_memory_used_bytes", dict(on, area=area), \
                lambda t, v=used * rate: v
            yield "jvm_memory_bytes_max" if old else "jvm_memory_max_bytes", dict(on, area=area), \
                lambda t, v=used: v * 50
        yield "jvm_gc_collection_seconds_sum", dict(on, gc="G1"), lambda t: 0.02 * t
    # a broker that gives the total alone
    yield bean + "MessagesInPerSec", {"instance": "b3"}, lambda t: 3 * t


def open_metrics():
    families = {}
    for name, at, f in [*lag_series(), *broker_series()]:
        families.setdefault(name, []).append((labels(**at), f))
    for name, series in families.items():
        yield f"# TYPE {name} unknown"
        for at, f in series:
            for t in range(0, SPAN + 1, STEP):
                yield f"{name}{at} {f(t)} {END - SPAN + t}"
    yield "# EOF"


class Prometheus:
    def __init__(self, path):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.url = "http://127.0.0.1:%d" % s.getsockname()[1]
        text = path / "history.txt"
        text.write_text("\n".join(open_metrics()) + "\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text),
                        str(path / "data")], check=True, capture_output=True, timeout=120)
        (path / "prometheus.yml").write_text("{}\n")
        with open(path / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={path}/prometheus.yml",
                 f"--storage.tsdb.path={path}/data", "--storage.tsdb.retention.time=30d",
                 "--web.listen-address=" + self.url[7:]], stderr=log, stdout=log)
        wait_for("Prometheus", 60, self.ready)

    def ready(self):
        assert self.process.poll() is None, "Prometheus has ended"
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def __call__(self, expr, at=END):
        expr = re.sub(r"\$(topic|group|instance)\b", ".*", expr.replace("$__rate_interval", "2m"))
        query = urllib.parse.urlencode({"query": expr, "time": at})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=30) as answer:
            got = json.load(answer)
        assert got["status"] == "success" and not got.get("warnings"), got
        return got["data"]["result"]

    def close(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    p = Prometheus(tmp_path_factory.mktemp("prometheus"))
    yield p
    p.close()


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write(tmp_path_factory.mktemp("config") / "mmlag.yaml", ["orders", "x.y"])


def write(path, topics):
    path.write_text(json.dumps({
        "elasticsearch": {"hosts": ["http://127.0.0.1:9200"]},
        "defaults": {"host": "mm1", "user": "u", "agent": True, "kafka_home": "/opt/kafka",
                     "bootstrap_server": "b:9092", "group": GROUP.replace("$", "$$"), "share": "group",
                     "target": {"bootstrap_server": "t:9092"}},
        "topics": topics}))
    return str(path)


def export(config, *args):
    return subprocess.run([MMLAG, "export", *args, "-c", config], capture_output=True, text=True,
                          timeout=60, check=True).stdout


def legend(form, metric):
    return re.sub(r"\{\{(\w+)\}\}", lambda m: metric.get(m[1], ""), form)


def shown(prometheus, board):
    """title → {legend: value}, of all panels."""
    out = {}
    for p in board["panels"]:
        got = out.setdefault(p["title"], {})
        for t in p["targets"]:
            for r in prometheus(t["expr"]):
                name = legend(t["legendFormat"], r["metric"])
                assert name not in got, f"{p['title']}: {name} twice"
                got[name] = round(float(r["value"][1]), 3)
    return out


def test_each_panel_of_lag_shows_what_the_series_say(prometheus, config):
    got = shown(prometheus, json.loads(export(config, "grafana", "--board", "prometheus")))
    g = GROUP
    partitions = {f"orders 0 ({g})": 40, f"orders 1 ({g})": 2, f"x.y 0 ({g})": 7}
    assert got == {
        "Lag by topic": {f"orders ({g})": 42, f"x.y ({g})": 7},
        "Time lag by topic": {f"orders ({g})": 4.2, f"x.y ({g})": 0.7},
        "Lag by partition": partitions,
        "The twenty largest partitions": dict(partitions, **{f"orders 2 ({g})": -1}),
        "Messages in per second": {"orders": 3, "x.y": 0},
        "Messages out per second": {f"orders ({g})": 3, f"x.y ({g})": 0},
        "Members": {g: 2},
        "Partitions": {"orders": 3, "x.y": 1},
        "Verdict on each topic": {f"orders ({g})": 3, f"x.y ({g})": 1},
        "Without data": {"z ssh_lost": 1},
        "Committed, not arrived at the target": {
            f"orders ({g})": 9, "x.y not known: topic_absent": 0},
        "Messages per second, committed and arrived": {
            "orders committed": 3, "orders arrived": 2, "x.y committed": 1},
        "Documents": {"indexed": 0.4, "expired": 0.1, "samples taken": 0.5},
        "Waiting in the spool": {"m1": 5, "m1 refused": 1},
    }


def test_each_panel_of_brokers_shows_what_the_series_say(prometheus, config):
    board = json.loads(export(config, "grafana", "--board", "brokers"))
    got = shown(prometheus, board)
    hours = got.pop("Messages in per second, by hour of the day (UTC) and day")
    assert got == {
        "Messages in per second, by broker": {"b1": 10, "b2": 4, "b3": 3},
        "Messages in per second, by topic": {"orders": 10.5, "x.y": 3.5},
        "Bytes in, by broker": {"b1": 1000, "b2": 400},
        "Bytes out, by broker": {"b1": 2000, "b2": 800},
        "Idle request handlers": {"b1": 1, "b2": 0.4},
        "Under-replicated partitions": {"b1": 6, "b2": 0},
        "Heap": {"b1 used": 1000, "b1 at most": 5000, "b2 used": 400, "b2 at most": 5000},
        "Garbage collection": {"b1 G1": 0.02, "b2 G1": 0.02},
    }
    # three hours of figures, and the begin of a fourth
    last = END // 3600 % 24
    assert set(hours) == {"%02d" % ((last - i) % 24) for i in range(4)}
    assert all(abs(v - 17) < 1 for v in hours.values()), hours
    assert len(board["panels"][-1]["targets"]) == 24


def test_each_variable_has_its_values(prometheus, config):
    for board in ("prometheus", "brokers"):
        for v in json.loads(export(config, "grafana", "--board", board))["templating"]["list"]:
            if v["type"] == "query":
                series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", v["query"]["query"]).groups()
                got = {r["metric"].get(label) for r in prometheus(series)} - {None}
                assert got in ({GROUP}, {"orders", "x.y"}, {"b1", "b2"}), (v["name"], got)


def test_every_metric_of_ours_is_one_that_is_served(config, tmp_path):
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as f:
        served = set(re.findall(r"^\| `(mmlag_\w+)` \|", f.read(), re.M))
    used = export(write(tmp_path / "c.yaml", THRESHOLDS), "prometheus-rules") + "".join(
        export(config, "grafana", "--board", b) for b in ("prometheus", "brokers"))
    names = set(re.findall(r"\bmmlag_\w+", used))
    assert len(names) > 8 and names <= served, names - served


# --- alert rules ---

THRESHOLDS = [
    {"name": "orders", "thresholds": [{"on": "topic", "warning": 30, "critical": 1000, "for": "5m"},
                                      {"of": "time", "on": "topic", "warning": "90s", "for": "5m"}]},
    {"name": "x.y", "thresholds": [{"on": "partition", "warning": 5, "for": "3m"},
                                   {"on": "group", "critical": 2000, "for": "3m"}]},
]


def promtool(*args):
    run = subprocess.run(["promtool", *args], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def series(name, values, **at):
    return {"series": name + labels(**at), "values": values}


@pytest.fixture
def rules(tmp_path):
    config = write(tmp_path / "mmlag.yaml", THRESHOLDS)
    file = tmp_path / "rules.yml"
    file.write_text(export(config, "prometheus-rules"))
    return file


def test_promtool_takes_the_rules(rules, tmp_path, config):
    assert "SUCCESS: 16 rules found" in promtool("check", "rules", str(rules))
    default = tmp_path / "default.yml"
    default.write_text(export(config, "prometheus-rules", "--threshold", "77"))
    assert "SUCCESS: 12 rules found" in promtool("check", "rules", str(default))
    assert 'expr: "kafka_consumergroup_lag_sum > 77"' in default.read_text()


def quoted(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def fires(rules, input_series, name, **expected):
    """Does an alert with these labels fire after 20 minutes? promtool is told that none
    does, and says which one did."""
    case = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": input_series,
        "alert_rule_test": [{"eval_time": "20m", "alertname": name, "exp_alerts": []}]}]}
    file = rules.parent / "test.yml"
    file.write_text(json.dumps(case))
    run = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True,
                         timeout=60, check=False)
    got = (run.stdout + run.stderr).partition("got:")[2]
    return run.returncode != 0 and all(f'{k}="{quoted(v)}"' in got for k, v in expected.items())


G = {"consumergroup": GROUP}
O = dict(G, topic="orders")
X = dict(G, topic="x.y")


@pytest.mark.parametrize("name,input_series,labels_of_alert", [
    ("MmlagDown", [series("up", "1x30")], {"severity": "critical"}),
    ("MmlagNotSampling", [series("mmlag_samples_total", "5x30", instance="m1")], {"instance": "m1"}),
    ("MmlagNotShipping", [series("mmlag_spool_oldest_timestamp_seconds", "1x30", instance="m1")],
     {"severity": "warning"}),
    ("MmlagSpoolInMemory", [series("mmlag_spool_degraded", "1x30", instance="m1")], {"instance": "m1"}),
    ("MmlagDocumentsRefused", [series("mmlag_documents_total", "0+1x30", outcome="rejected")],
     {"outcome": "rejected"}),
    ("MmlagDocumentsLost", [series("mmlag_documents_total", "0+1x30", outcome="evicted")],
     {"outcome": "evicted"}),
    ("ConsumerLagNoData", [series("mmlag_topic_nodata", "1x30", reason="ssh_lost", **O)], O),
    # another reason is the same alert
    ("ConsumerLagNoData", [series("mmlag_topic_nodata", "1x18", reason="ssh_lost", **O),
                           series("mmlag_topic_nodata", "_x18 1x9", reason="ssh_auth", **O)], O),
    ("ConsumerStopped", [series("mmlag_partition_status", "4x30", partition="0", **O)], O),
    ("ConsumerStopped", [series("mmlag_partition_status", "5x30", partition="0", **O)], O),
    ("ConsumerNotDelivered", [series("mmlag_topic_undelivered", "61x30", **O),
                              series("mmlag_topic_consumed_per_second", "1x30", **O)], O),
    ("TargetNotRead", [series("mmlag_topic_target_unread", "1x30", reason="topic_absent", **O)], O),
    ("ConsumerRewound", [series("mmlag_partition_status", "6x30", partition="0", **O)], O),
    ("ConsumerLag", [series("kafka_consumergroup_lag_sum", "31x30", **O)], dict(O, severity="warning")),
    ("ConsumerLag", [series("kafka_consumergroup_lag", "6x30", partition="3", **X)],
     dict(X, partition="3")),
    ("ConsumerLag", [series("kafka_consumergroup_lag_sum", "1500x30", **X),
                     series("kafka_consumergroup_lag_sum", "501x30", **G, topic="other")],
     dict(G, severity="critical")),
    ("ConsumerTimeLag", [series("mmlag_topic_time_lag_seconds", "91x30", **O)], O),
])
def test_a_rule_fires_when_it_should(rules, name, input_series, labels_of_alert):
    assert fires(rules, input_series, name, **labels_of_alert)


WELL = [
    series("mmlag_build_info", "1x30", instance="m1"), series("mmlag_topic_nodata", "0x30", reason="", **O),
    *(series("mmlag_partition_status", f"{code}x30", partition=str(code), **O) for code in (0, 1, 2, 3)),
    series("mmlag_samples_total", "0+6x30", instance="m1"),
    series("mmlag_spool_oldest_timestamp_seconds", "0x30", instance="m1"),
    series("mmlag_spool_degraded", "0x30", instance="m1"),
    *(series("mmlag_documents_total", "3x30", outcome=o) for o in ("rejected", "evicted", "expired")),
    series("kafka_consumergroup_lag_sum", "30x30", **O), series("kafka_consumergroup_lag_sum", "400x30", **X),
    series("kafka_consumergroup_lag", "500x30", partition="0", **O),
    series("kafka_consumergroup_lag", "5x30", partition="0", **X),
    series("kafka_consumergroup_lag", "900x30", partition="0", **G, topic="xzy"),  # "." is no pattern
    series("kafka_consumergroup_lag", "900x30", partition="0", consumergroup="other", topic="x.y"),
    series("mmlag_topic_time_lag_seconds", "90x30", **O),
    series("mmlag_topic_undelivered", "60x30", **O), series("mmlag_topic_consumed_per_second", "1x30", **O),
    series("mmlag_topic_undelivered", "0x30", **X), series("mmlag_topic_consumed_per_second", "0x30", **X),
]


def test_no_rule_fires_while_all_is_well(rules):
    names = sorted(set(re.findall(r'alert: "(\w+)"', rules.read_text())))
    case = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": WELL, "alert_rule_test": [
            {"eval_time": t, "alertname": n, "exp_alerts": []} for n in names for t in ("5m", "20m")]}]}
    file = rules.parent / "well.yml"
    file.write_text(json.dumps(case))
    promtool("test", "rules", str(file))


def test_a_thing_that_stops_firing_is_told_by_these_tests(rules):
    """The checker itself: a rule that cannot fire is found out."""
    rules.write_text(rules.read_text().replace("mmlag_spool_degraded == 1", "mmlag_spool_degraded == 7"))
    assert not fires(rules, [series("mmlag_spool_degraded", "1x30", instance="m1")],
                     "MmlagSpoolInMemory", instance="m1")
