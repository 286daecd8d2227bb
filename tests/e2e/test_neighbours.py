# SPDX-License-Identifier: MIT
"""mmlag beside other programs: an exporter of group lags, the JMX exporter, Prometheus.
All of them are real; Kafka itself is the judge."""

import json
import time
import urllib.parse
import urllib.request

import pytest

from conftest import wait_for
from others import free_port

GROUP = "neighbours"
COMMITS = ["orders:0:5", "orders:3:7", "orders:17:1", "payments:1:2", "clicks.v1:11:3"]
MESSAGES = "kafka_server_BrokerTopicMetrics_MessagesInPerSec"


@pytest.fixture(scope="module", autouse=True)
def neighbours(lab):
    lab("exporter", "start")
    lab("prometheus", "start")
    yield
    lab("prometheus", "stop")
    lab("exporter", "stop")


@pytest.fixture
def at_rest(lab, oracle):
    """Nothing is produced, and a group without members is behind; its true lags."""
    lab("load", "rate", "0")
    lab("commit", GROUP, *COMMITS)

    def still():
        first, second = lags(oracle), lags(oracle)
        return first if first == second and sum(first.values()) > 0 else None

    try:
        yield wait_for("the log ends stand still", 30, still)
    finally:
        lab("load", "rate", "200")


def lags(oracle):
    found = oracle.ask(GROUP)["offsets"]
    return {(topic, int(p)): o["end"] - o["committed"] for topic, partitions in found.items()
            for p, o in partitions.items() if o["committed"] is not None}


def lags_of(run):
    """(topic, partition) → lag out of printed documents."""
    return {(d["topic"], int(k[1:])): v for d in map(json.loads, run.stdout.splitlines())
            for k, v in d.items() if k[0] == "p" and k[1:].isdigit()}


def prometheus(lab, query, at=None):
    url = f"{lab.prometheus_url}/api/v1/query?" + urllib.parse.urlencode(
        {"query": query, **({"time": at} if at else {})})
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def sources(lab):
    topics = ["orders", "payments", "clicks.v1"]
    query = f'kafka_consumer_group_lag{{group="{GROUP}"}}'
    return topics, {
        "ssh": {"group": GROUP},
        "exporter": {"group": GROUP, "source": "exporter", "url": lab.exporter_url + "/metrics"},
        "prometheus": {"group": GROUP, "source": "prometheus", "url": lab.prometheus_url,
                       "query": query},
    }


def test_everybody_agrees_on_a_group_at_rest(lab, workplace, at_rest):
    total = sum(at_rest.values())
    page = lab.exporter_url + "/metrics"

    def watch(*more):
        return workplace.run("watch", "--exporter", page, "--group", GROUP, "--count", "1", *more)

    seen = wait_for("the exporter has read the commits and the log ends", 30,
                    lambda: (w := watch()).stdout.startswith(f"Current Lag for {GROUP}: {total}\n")
                    and w)
    assert seen.stdout.splitlines()[1:] == ["WARNING: Consumer Lag is too high!"]
    assert seen.returncode == 1
    calm = watch("--threshold", str(total + 1))
    assert (calm.stdout, calm.returncode) == (f"Current Lag for {GROUP}: {total}\n", 0)

    topics, ways = sources(lab)
    for name, defaults in ways.items():
        config = workplace.config(topics=topics, defaults=defaults, name=name + ".yaml")
        run = wait_for(f"{name} shows the lags", 20,
                       lambda c=config: (r := workplace.run("once", "-c", c))
                       and r.returncode == 0 and lags_of(r) == at_rest and r)
        assert sum(json.loads(d)["lag_sum"] for d in run.stdout.splitlines()) == total


def test_our_own_page_says_what_the_cli_and_the_exporter_say(lab, workplace, at_rest):
    """The short form of what test_full asks of the whole stack."""
    total = sum(at_rest.values())
    rows = [line.split() for line in lab("groups", "--describe", "--group", GROUP).splitlines()]
    assert sum(int(r[5]) for r in rows if r[:1] == [GROUP]) == total  # the CLI itself
    page = f"http://127.0.0.1:{free_port()}/metrics"
    topics, ways = sources(lab)
    config = workplace.config(topics=topics, defaults=ways["ssh"], http={
        "listen": page.split("/")[2]})
    daemon = workplace.daemon(config)
    for url in (page, lab.exporter_url + "/metrics"):
        wait_for(f"{url} shows the lag", 60, lambda u=url: workplace.run(
            "watch", "--exporter", u, "--group", GROUP, "--count", "1").stdout
            == f"Current Lag for {GROUP}: {total}\nWARNING: Consumer Lag is too high!\n")
    # and a second mmlag that reads the page of the first
    second = workplace.config(topics=topics, name="second.yaml", defaults={
        "group": GROUP, "source": "exporter", "url": page})
    run = workplace.run("once", "-c", second)
    assert run.returncode == 0 and lags_of(run) == at_rest
    assert daemon.stop() == 0


def test_what_vanishes_is_a_gap_and_never_zero(lab, workplace, at_rest):
    topics, ways = sources(lab)
    configs = {name: workplace.config(topics=topics, defaults=ways[name], name=name + ".yaml")
               for name in ("exporter", "prometheus")}
    for config in configs.values():
        wait_for("there is data", 30,
                 lambda c=config: workplace.run("once", "-c", c).returncode == 0)
    lab("exporter", "stop")
    try:
        for name, reason in (("exporter", "source_error"), ("prometheus", "topic_absent")):
            def gaps(c=configs[name]):
                run = workplace.run("once", "-c", c)
                documents = [json.loads(d) for d in run.stdout.splitlines()]
                return run.returncode == 1 and [d for d in documents if d["status"] == "NODATA"]

            found = wait_for(f"{name} misses the data", 30, gaps)
            assert [d["reason"] for d in found] == [reason] * len(topics)
            assert not any("p0" in d or "lag_sum" in d for d in found)
        run = workplace.run("watch", "--exporter", lab.exporter_url + "/metrics", "--group",
                            GROUP, "--count", "1")
        assert (run.returncode, run.stdout) == (69, "")
    finally:
        lab("exporter", "start")


def test_broker_rates_are_prometheus_own_and_nothing_counts_twice(lab, workplace):
    lab("load", "rate", "200")
    both = wait_for("Prometheus has rates of all topics and of each", 60, lambda: (
        r := prometheus(lab, f"rate({MESSAGES}[1m])"))
        and any("topic" not in s["metric"] for s in r)
        and any(s["metric"].get("topic") == "orders" for s in r) and r)
    at = both[0]["value"][0]
    want = sum(float(s["value"][1]) for s in prometheus(
        lab, f'rate({MESSAGES}{{topic!=""}}[1m])', at))
    run = workplace.run("brokers", "--prometheus", lab.prometheus_url, "--at", str(at), "--json",
                        "--min-rate", "0")
    found = json.loads(run.stdout)
    assert run.returncode == 0 and found["query"] == f"rate({MESSAGES}[1m])"
    assert found["brokers"] == 1 and found["not_finite"] == 0
    assert found["total"] == pytest.approx(want, abs=1e-3)
    assert found["mean"] == found["min"] == found["max"] == pytest.approx(want, abs=1e-3)
    assert {s["topic"] for s in found["series"]} >= {"orders", "payments"}
    assert None not in {s["topic"] for s in found["series"]}

    low = workplace.run("brokers", "--prometheus", lab.prometheus_url, "--min-rate", "1e6")
    assert low.returncode == 1 and "below the minimum" in low.stdout
    rows = workplace.run("brokers", "--prometheus", lab.prometheus_url, "--by", "topic", "--csv",
                         "--min-rate", "0").stdout.splitlines()
    assert rows[0] == "instance,topic,rate" and any(r.startswith(",orders,") for r in rows)


def test_what_prometheus_refuses_is_told_in_its_words(lab, workplace):
    def brokers(url, *more):
        return workplace.run("brokers", "--prometheus", url, *more)

    bad = brokers(lab.prometheus_url, "--query", "sum(")
    assert bad.returncode == 65 and "bad_data" in bad.stderr and "parse error" in bad.stderr
    assert brokers(lab.prometheus_url, "--query", "nothing_of_that_name").returncode == 2
    assert brokers("http://127.0.0.1:1").returncode == 69
    assert brokers(lab.prometheus_url, "--by", "rack").returncode == 64


def test_the_daemon_watches_the_brokers(lab, workplace):
    port = int(lab.prometheus_url.rsplit(":", 1)[1]) + 9
    config = workplace.config(
        topics=["orders"], http={"listen": f"127.0.0.1:{port}"},
        brokers=[{"name": "lab", "prometheus": lab.prometheus_url, "min_rate": 1e6,
                  "interval": "1s", "for": "1s"}])
    daemon = workplace.daemon(config)

    def api(what):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{what}",
                                        timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return {}

    found = wait_for("the brokers are on the page", 30,
                     lambda: api("status").get("brokers"))[0]
    assert (found["name"], found["state"], found["brokers"]) == ("lab", "low", 1)
    assert found["total"] > 0 and "below the minimum" in found["message"]
    assert abs(found["at"] / 1000 - time.time()) < 60
    alert = wait_for("an alert of it fires", 30, lambda: [
        a for a in api("alerts").get("alerts", []) if a["state"] == "firing"])[0]
    assert (alert["rule"], alert["host"], alert["severity"]) == ("brokers_low", "lab", "warning")
    assert daemon.stop() == 0
    assert "lab: brokers: the mean of 1 broker is " in daemon.log()
