# SPDX-License-Identifier: MIT
"""What an answer of Prometheus may look like, by the commands that ask it: numbers, words and
exit codes. The far end is made up; a live one is test_neighbours'."""

import csv
import io
import json
import os
import pty
import subprocess
import urllib.parse

import pytest

from conftest import MMLAG
from others import Site, mmlag, once, plain


@pytest.fixture(scope="module")
def site():
    s = Site()
    yield s
    s.shutdown()
    s.server_close()


def success(kind, result, **more):
    return json.dumps({"status": "success", **more, "data": {"resultType": kind, "result": result}})


def value(rate, instance=None, topic=None, **labels):
    labels.update({k: v for k, v in (("instance", instance), ("topic", topic)) if v is not None})
    return {"metric": labels, "value": [1700000000, rate]}


def values(rates, instance, topic="x"):
    return {"metric": {"instance": instance, "topic": topic},
            "values": [[1700000000 + 30 * i, r] for i, r in enumerate(rates)]}


def vector(*result, **more):
    return success("vector", list(result), **more)


def brokers(site, body, *more, status=200):
    site.answer = plain(body, status)
    return mmlag("brokers", "--prometheus", site.url, *more)


RATES = {  # answer → brokers, total, mean, min, max, not_finite, series
    "per instance": (vector(value("150", "b1"), value("250.5", "b2")),
                     (2, 400.5, 200.25, 150.0, 250.5, 0), [("b1", None, 150.0), ("b2", None, 250.5)]),
    "per topic": (vector(value("150", topic="x"), value("50", topic="y")),
                  (None, 200.0, None, None, None, 0), [(None, "x", 150.0), (None, "y", 50.0)]),
    "both": (vector(value("150", "b1"), value("100", "b1", "x"), value("50", "b1", "y"), value("300", "b2")),
             (2, 450.0, 225.0, 150.0, 300.0, 0), [("b1", "x", 100.0), ("b1", "y", 50.0), ("b2", None, 300.0)]),
    "an empty topic is none": (vector(value("150", "b1", ""), value("150", "b1", "x")),
                               (1, 150.0, 150.0, 150.0, 150.0, 0), [("b1", "x", 150.0)]),
    "an exponent": (vector(value("1.5e+02", "b1")), (1, 150.0, 150.0, 150.0, 150.0, 0), [("b1", None, 150.0)]),
    "two jobs of a broker": (vector(value("150", "b1", job="i"), value("50", "b1", job="j")),
                             (1, 200.0, 200.0, 200.0, 200.0, 0), [("b1", None, 200.0)]),
    "not finite": (vector(value("NaN", "b1"), value("200", "b2"), value("+Inf", "b3"), value("-Inf", "b4")),
                   (4, 200.0, 200.0, 200.0, 200.0, 3),
                   [("b1", None, None), ("b2", None, 200.0), ("b3", None, None), ("b4", None, None)]),
    "a scalar": (success("scalar", [1700000000, "150"]), (None, 150.0, None, None, None, 0), [(None, None, 150.0)]),
    "no labels": (vector(value("150")), (None, 150.0, None, None, None, 0), [(None, None, 150.0)]),
    "a matrix": (success("matrix", [values(["1", "150"], "b1")]), (1, 150.0, 150.0, 150.0, 150.0, 0),
                 [("b1", "x", 150.0)]),
}


@pytest.mark.parametrize("name", RATES)
def test_an_answer_is_printed_for_programs_as_promised(site, name):
    body, totals, rows = RATES[name]
    run = brokers(site, body, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    found = json.loads(run.stdout)
    assert list(found)[:9] == ["query", "at", "by", "brokers", "total", "mean", "min", "max", "not_finite"]
    assert found["query"] == "rate(kafka_server_BrokerTopicMetrics_MessagesInPerSec[1m])"
    assert (found["at"], found["by"]) == ("2023-11-14T22:13:20.000Z" if name != "a matrix" else
                                          "2023-11-14T22:13:50.000Z", ["instance", "topic"])
    assert tuple(found[k] for k in ("brokers", "total", "mean", "min", "max", "not_finite")) == totals
    assert [(s["instance"], s["topic"], s["rate"]) for s in found["series"]] == rows
    lines = brokers(site, body, "--csv").stdout.splitlines()
    assert lines[0] == "instance,topic,rate"
    assert lines[1:] == [",".join("" if c is None else str(c) for c in row) for row in rows]


MIXED = vector(value("200", "a"), value("150", "a", "x"), value("50", "a", "y"), value("130", "b"))


@pytest.mark.parametrize("by,rows", [
    ("instance", ["a,,200.0", "b,,130.0"]), ("topic", [",,130.0", ",x,150.0", ",y,50.0"]),
    ("instance,topic", ["a,x,150.0", "a,y,50.0", "b,,130.0"])])
def test_a_total_beside_its_parts_counts_once(site, by, rows):
    run = brokers(site, MIXED, "--by", by, "--csv")
    assert run.returncode == 0 and run.stdout.splitlines() == ["instance,topic,rate", *rows]
    got = json.loads(brokers(site, MIXED, "--by", by, "--json").stdout)
    assert [got[k] for k in ("brokers", "total", "mean", "min", "max")] == [2, 330, 165, 130, 200]


def test_what_is_no_number_is_shown_as_what_it_is(site):
    run = brokers(site, RATES["not finite"][0])
    assert run.returncode == 0
    assert [line.split()[-1] for line in run.stdout.splitlines()[1:5]] == ["NaN", "200.0", "+Inf", "-Inf"]
    assert "3 rates are not finite (1 NaN, 1 +Inf, 1 -Inf)" in run.stdout


WARNED = {
    "a low mean": (vector(value("99", "b1"), value("100", "b2")), [],
                   "the mean per broker, 99.5, is below the minimum of 100.0"),
    "one broker has it all": (vector(value("901", "b1"), *(value("99", f"c{i}") for i in range(5))), [],
                              "b1: 901.0 is 3.9 times the mean of the brokers (232.7)"),
    "a surge": (success("matrix", [values(["100", "100", "100", "900"], "b1")]), ["--range", "90s"],
                "b1 x: the last rate, 900.0, is 200% above its mean of 300.0"),
    "a sudden drop": (success("matrix", [values(["900", "900", "900", "100"], "b1")]), ["--range", "90s"],
                      "b1 x: the last rate, 100.0, is 86% below its mean of 700.0"),
    "a broker less": (success("matrix", [values(["200", "200"], "b1"), values(["200"], "b2")]),
                      ["--start", "2023-11-14T22:13:20Z", "--end", "1700000030"],
                      "b2: it had a rate before, and has none at the last step"),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_is_odd_about_the_rates_is_a_warning(site, name):
    body, more, words = WARNED[name]
    run = brokers(site, body, *more)
    assert run.returncode == 1 and run.stderr == ""
    assert [s for s in run.stdout.splitlines() if s.startswith("WARNING")] == ["WARNING: " + words]
    told = brokers(site, body, "--json", *more)
    assert (told.returncode, told.stderr) == (1, f"WARNING: {words}\n")
    assert json.loads(told.stdout)["warnings"] == [words]


def test_a_range_has_its_steps_and_the_totals_of_the_last(site):
    body = success("matrix", [values(["200", "NaN", "210"], "b1"), values(["100", "+Inf", "NaN"], "b2")])
    run = brokers(site, body, "--json", "--range", "60s", "--step", "30s")
    found = json.loads(run.stdout)
    assert (found["total"], found["brokers"], found["not_finite"], found["step"]) == (210.0, 2, 1, 30.0)
    assert {"from", "to"} < set(found)
    assert [s["values"] for s in found["series"]] == [
        [[1700000000, 200.0], [1700000030, None], [1700000060, 210.0]],
        [[1700000000, 100.0], [1700000030, None], [1700000060, None]]]


REFUSED = {
    "a 400 with its text": (400, '{"status":"error","errorType":"bad_data","error":"1:5: parse error"}', 65,
                            "answers 400: bad_data: 1:5: parse error\n"),
    "a 400 in plain words": (400, "plain\nwords\n", 65, "answers 400: plain words\n"),
    "a 422": (422, '{"status":"error","errorType":"execution","error":"too many"}', 65, "execution: too many\n"),
    "a 401": (401, "Unauthorized\n", 65, "answers 401: Unauthorized\n"),
    "a 503": (503, "", 65, "answers 503\n"),
    "a redirect": (302, "", 65, "answers 302\n"),
    "an error inside a success": (200, '{"status":"error","errorType":"timeout","error":"query timed out"}', 65,
                                  "timeout: query timed out\n"),
    "HTML": (200, "<html>", 65, "it is no JSON object\n"),
    "half an answer": (200, vector(value("1", "b1"))[:-5], 65, "it is no JSON object\n"),
    "a text": (200, success("string", [1, "x"]), 65, "the query gives a text; a number is due\n"),
    "a histogram": (200, vector({"metric": {}, "histogram": [1, {"count": "1", "sum": "2"}]}), 65,
                    "the query gives a histogram; a number is due\n"),
    "nothing": (200, vector(), 2, "no data: the query gives no series; "),
    "nothing in a range": (200, success("matrix", []), 2, "no data: the query gives no series; "),
    "NaN alone": (200, vector(value("NaN", "b1"), value("NaN", "b2")), 2, "no data: no rate is finite: 2 NaN\n"),
    "infinities alone": (200, vector(value("+Inf", "b1"), value("-Inf", "b2")), 2,
                         "no data: no rate is finite: 1 +Inf, 1 -Inf\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_rate_is_said_as_what_it_is(site, name):
    status, body, code, words = REFUSED[name]
    run = brokers(site, body, status=status)
    assert (run.returncode, run.stdout) == (code, "")
    assert words in run.stderr and run.stderr.count("\n") == 1


def test_labels_of_strangers_cannot_forge_a_line_or_speak_to_the_terminal(site):
    evil = "b\x1b]0;owned\x07\u009b31m\nWARNING: forged\x7f"
    body = vector(value("1000", evil, evil), *(value("1", f"b{i}", "x") for i in range(4)), warnings=[evil])
    run = brokers(site, body)
    assert run.returncode == 1 and len(run.stdout.splitlines()) == 1 + 5 + 2, run.stdout
    assert run.stdout.splitlines()[-1].startswith("WARNING: b?]0;owned???31m?WARNING: forged?: 1000.0 is ")
    for text in (run.stdout, run.stderr, brokers(site, body, "--csv").stderr):
        assert not [c for c in text if c < "\n" or "\n" < c < " " or "\x7f" <= c <= "\x9f"], text
        assert not [line for line in text.splitlines() if line.startswith("WARNING: forged")]
    got = json.loads(brokers(site, body, "--json").stdout)
    assert got["series"][0]["instance"] == evil and len(got["warnings"]) == 1, "programs get the label as it is"
    rows = list(csv.reader(io.StringIO(brokers(site, body, "--csv").stdout, newline="")))
    assert rows[1] == [evil, evil, "1000.0"]


def test_what_prometheus_warns_of_is_told_beside_the_rates(site):
    run = brokers(site, vector(value("150", "b1"), warnings=["PromQL warning: x"]))
    assert (run.returncode, run.stderr) == (0, "mmlag brokers: PromQL warning: x\n")
    assert "1 broker, total 150.0" in run.stdout


@pytest.mark.parametrize("given,asked", [
    ("2026-11-21T10:00:00Z", "1795255200.000"), ("2026-11-21T10:00:00.123Z", "1795255200.123"),
    ("2026-11-21T10:00:00+09:00", "1795222800.000"), ("1795255200.5", "1795255200.500"),
    ("2026-11-21", None), ("yesterday", None), ("5m", None), ("2026-13-01T00:00:00Z", None), ("", None)])
def test_a_time_is_understood_or_refused(site, given, asked):
    paths = []
    answer = plain(vector(value("150", "b1")))
    site.answer = lambda handler: paths.append(handler.path) or answer(handler)
    run = mmlag("brokers", "--prometheus", site.url, "--at", given)
    assert run.returncode == (0 if asked else 64)
    assert [p.rsplit("&time=", 1)[1] for p in paths] == ([asked] if asked else [])


def test_a_range_on_a_terminal_shows_its_trend(site):
    site.answer = plain(success("matrix", [values(["100", "200", "NaN", "400", "0"], "b1")]))
    master, slave = pty.openpty()
    with subprocess.Popen([MMLAG, "brokers", "--prometheus", site.url, "--range", "2m", "--max-change", "500%"],
                          stdout=slave, stderr=subprocess.PIPE) as run:
        os.close(slave)
        assert run.wait(30) == 1  # 0 is below the minimum
        shown = os.read(master, 65536).decode()
    os.close(master)
    assert "           0.000  ▃▅ █▁" in shown
    assert "\033[33mWARNING: the mean" in shown


@pytest.mark.parametrize("metric,query", [
    ("bytes-in", "rate(kafka_server_BrokerTopicMetrics_BytesInPerSec[1m])"),
    ("bytes-out", "rate(kafka_server_BrokerTopicMetrics_BytesOutPerSec[1m])"),
    ("idle-handlers", "kafka_server_KafkaRequestHandlerPool_RequestHandlerAvgIdlePercent"),
    ("under-replicated", "kafka_server_ReplicaManager_UnderReplicatedPartitions"),
    ("some_counter_total", "rate(some_counter_total[1m])")])
def test_other_metrics_take_the_place_of_messages(site, metric, query):
    found = json.loads(brokers(site, vector(value("150", "b1")), "--json", "--metric", metric).stdout)
    assert (found["query"], found["total"]) == (query, 150.0)


def test_any_expression_takes_the_place_of_the_metric(site):
    query = 'sum by (instance) (irate(x{a="b c"}[5m])) + 1'
    asked = []
    answer = plain(vector(value("150", "b1")))
    site.answer = lambda handler: asked.append(handler.path) or answer(handler)
    run = mmlag("brokers", "--prometheus", site.url + "/prefix/", "--json", "--query", query)
    path, _, rest = asked[0].partition("?")
    assert (path, urllib.parse.parse_qs(rest)) == ("/prefix/api/v1/query", {"query": [query]})
    assert json.loads(run.stdout)["query"] == query


SPELLINGS = [
    "rate(kafka_server_BrokerTopicMetrics_MessagesInPerSec[1m])",
    "rate(kafka_server_BrokerTopicMetrics_MessagesInPerSec_total[1m])",
    'rate(kafka_server_brokertopicmetrics_count{name="MessagesInPerSec"}[1m])',
    'rate(kafka_server_brokertopicmetrics_count_total{name="MessagesInPerSec"}[1m])',
    'rate(kafka_server_brokertopicmetrics_total{name="MessagesInPerSec"}[1m])',
    "rate(kafka_server_brokertopicmetrics_messagesinpersec_total[1m])",
    "rate(kafka_server_brokertopicmetrics_messagesin_total[1m])",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_spelling_of_the_metric_is_found_without_being_asked_for(site, spelling):
    def answer(handler):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query)["query"][0]
        return plain(vector(value("150", "b1")) if query == spelling else vector())(handler)

    site.answer = answer
    run = mmlag("brokers", "--prometheus", site.url, "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["query"] == spelling


LAGS = {
    "lags": (vector(value("5", topic="a", partition="0"), value("7.0", topic="a", partition="3")),
             {"p0": 5, "p3": 7, "lag_sum": 12, "partitions": 2}),
    "NaN": (vector(value("NaN", topic="a", partition="0"), value("7", topic="a", partition="1")),
            {"p0": None, "p1": 7, "lag_sum": 7}),
    "a negative": (vector(value("-3", topic="a", partition="0")), {"p0": -3, "lag_sum": -3}),
    "nothing": (vector(), {"reason": "topic_absent"}),
    "another topic": (vector(value("5", topic="b", partition="0")), {"reason": "topic_absent"}),
    "no partitions": (vector(value("5", topic="a")), {"reason": "source_error"}),
    "two numbers": (vector(value("5", topic="a", partition="0", x="1"), value("6", topic="a", partition="0", x="2")),
                    {"reason": "source_error"}),
    "an error": ('{"status":"error","errorType":"bad_data","error":"parse error"}', {"reason": "source_error"}),
    "HTML": ("<html>", {"reason": "source_error"}),
}


@pytest.mark.parametrize("name", LAGS)
def test_a_query_becomes_a_document_or_a_gap_with_its_reason(site, tmp_path, name):
    body, wanted = LAGS[name]
    code, document = once(site, tmp_path, plain(body), source="prometheus", url=site.url, query="q")
    assert {k: document[k] for k in wanted} == wanted
    assert code == (1 if "reason" in wanted else 0)
    assert ("lag_sum" in document) == ("reason" not in wanted)
