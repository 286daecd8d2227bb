# SPDX-License-Identifier: MIT
"""The whole stack of `scripts/lab full`: everybody who adds up the group's lag gets one
sum, users' scripts of the usual kind included, and Grafana's expressions are answered."""

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

from conftest import INSTANCE, MMLAG, ROOT, wait_for

pytestmark = pytest.mark.skipif(os.environ.get("ALL") != "1", reason="the whole stack: with ALL=1")
GROUP = "assignment-group"
NAME = INSTANCE + "-full"


def lab(*args, check=True):
    base = int(os.environ.get("MMLAG_LAB_PORTS", 21000)) + 200
    run = subprocess.run([os.path.join(ROOT, "scripts", "lab"), "-i", NAME, *args], capture_output=True,
                         text=True, timeout=500, check=False,
                         env={**os.environ, "MMLAG": MMLAG, "MMLAG_LAB_PORTS": str(base)})
    assert run.returncode == 0 or not check, run.stdout + run.stderr
    return run.stdout


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def full():
    try:
        said = lab("full", "--own-ports")
        yield {"said": said, **dict(zip(
            ("jmx", "page", "reader", "prometheus", "alertmanager"),
            re.findall(r"http://127\.0\.0\.1:\d+", said)))}
    finally:
        lab("down")


def sum_of_page(page):
    """As the usual script: all lags of the group on the page."""
    lags = re.findall(r'^kafka_consumergroup_lag\{consumergroup="%s"[^}]*\} (\S+)$' % GROUP, page, re.M)
    return sum(map(float, lags)) if lags else None


def query(full, expression):
    body = json.loads(get(full["prometheus"] + "/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
    assert body["status"] == "success"
    return body["data"]["result"]


def test_it_says_what_runs_where_and_listens_on_loopback_alone(full):
    for word in ("ZooKeeper", "Kafka 2.6", "Prometheus", "Alertmanager", "Grafana", "End:"):
        assert word in full["said"]
    ports = set(re.findall(r"127\.0\.0\.1:(\d+)", full["said"]))
    listening = subprocess.run(["ss", "-Htln"], capture_output=True, text=True, check=True).stdout
    for line in listening.splitlines():
        address, port = line.split()[3].rsplit(":", 1)
        assert port not in ports or address in ("127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"), line


def test_all_sums_agree_at_rest(full):
    wait_for("a lag", 60, lambda: (sum_of_page(get(full["page"] + "/metrics")) or 0) > 100)
    lab("producer", "stop")
    lab("consumer", "stop")  # its offsets stand; the group is empty

    def cli():
        home = "/".join(["", *full["said"].split("Grafana's boards")[1].split()[0].strip("/").split("/")[:-3],
                         "home", NAME, "kafka_2.12-2.6.2"])
        bootstrap = re.search(r"Kafka 2\.6 +(\S+),", full["said"])[1]
        out = subprocess.run([home + "/bin/kafka-consumer-groups.sh", "--bootstrap-server", bootstrap, "--group",
                              GROUP, "--describe"], capture_output=True, text=True, timeout=60, check=True).stdout
        return sum(int(line.split()[5]) for line in out.splitlines() if line.startswith(GROUP))

    truth = cli()
    assert truth > 100

    def agreed():
        pages = [sum_of_page(get(full[w] + "/metrics")) for w in ("page", "reader")]
        watch = subprocess.run([MMLAG, "watch", "--exporter", full["page"] + "/metrics", "--group", GROUP,
                                "--count", "1"], capture_output=True, text=True, timeout=60, check=False)
        seen = [float(r["value"][1]) for r in query(
            full, f'sum by (job) (kafka_consumergroup_lag{{consumergroup="{GROUP}"}})')]
        return pages + seen == [truth] * 4 and watch.returncode == 1 and watch.stdout == (
            f"Current Lag for {GROUP}: {truth}\nWARNING: Consumer Lag is too high!\n")
    wait_for("one sum everywhere", 60, agreed)
    assert cli() == truth


def test_a_script_that_asks_for_broker_rates_sees_what_brokers_sees(full):
    expression = "rate(kafka_server_BrokerTopicMetrics_MessagesInPerSec[1m])"
    run = subprocess.run([MMLAG, "brokers", "--prometheus", full["prometheus"], "--by", "instance", "--json",
                          "--min-rate", "0"], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    at = urllib.parse.urlencode({"query": expression, "time": found["at"]})
    rows = json.loads(get(full["prometheus"] + "/api/v1/query?" + at))["data"]["result"]
    parts = [float(r["value"][1]) for r in rows if "topic" in r["metric"]] or [
        float(r["value"][1]) for r in rows]
    assert found["brokers"] == 1 and found["total"] == pytest.approx(sum(parts), abs=0.01)


def test_every_expression_of_grafana_is_answered(full):
    where = full["said"].split("Grafana's boards")[1].split()[0]
    seen = 0
    for folder, _, files in os.walk(where):
        for name in files:
            if not name.endswith(".json") or "lag.json" == name:
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                board = json.load(f)
            for panel in board["panels"]:
                for target in panel["targets"]:
                    if "expr" in target:
                        expression = target["expr"]
                        for variable in ("group", "topic", "instance"):
                            expression = expression.replace(f"${variable}", ".*")
                        query(full, expression.replace("$__rate_interval", "1m"))
                        seen += 1
    assert seen > 30
