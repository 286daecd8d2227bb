# SPDX-License-Identifier: MIT
"""What export writes for Kibana, OpenSearch Dashboards and Grafana: checked offline, and
every question of every panel asked of a real server with documents of ours in it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from conftest import MMLAG, ROOT, Search, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import grafana_board  # noqa: E402
import panels  # noqa: E402
import saved_objects  # noqa: E402

with open(os.path.join(ROOT, "mappings", "mapping.json"), encoding="utf-8") as _f:
    MAPPING = json.load(_f)
INDEX = "mmlag-panels"
START = 1795255200000  # 2026-11-21T10:00:00Z
TIMES = (START, START + 10 * panels.MINUTE - 1)
GROUP = 'oasis "blue" \'group\' <script>alert(1)</script> $x'
STREAM = f"mmlag-ts-{int(time.time())}"  # the lab's servers cannot delete a stream
LONG = "t" * 249


def stamp(minute):
    return START + minute * panels.MINUTE + 10000


def sample(topic, minute, lags, **more):
    known = [v for v in lags.values() if v is not None]
    return {"@timestamp": stamp(minute), "topic": topic, **lags, "cluster": "dc1", "group": GROUP,
            "host": "mm1", "lag_sum": sum(known), "lag_max": max(known),
            "lag_max_partition": int(next(p for p in lags if lags[p] == max(known))[1:]),
            "partitions": len(lags), "members": 2, "group_state": "stable", "status": "OK",
            "time_lag_ms": minute * 1000, "time_lag_kind": "interpolated",
            "produced_per_sec": 40.0, "consumed_per_sec": 30.0 + minute, "drain_ms": None,
            "target_end_sum": 70 + minute, "delivered_per_sec": None if minute == 0 else 20.0 + minute,
            "undelivered": None if minute == 0 else 3 * minute, "sample_ms": 2310, **more}


def gap(topic, minute, reason):
    return {"@timestamp": stamp(minute), "topic": topic, "cluster": "dc1", "group": GROUP,
            "host": "mm1", "status": "NODATA", "reason": reason, "message": "…",
            "since": stamp(minute)}


def alert(state, minute):
    return {"@timestamp": stamp(minute), "event": "alert", "state": state, "severity": "critical",
            "rule": "stopped", "incident": "i1", "since": stamp(1), "cluster": "dc1",
            "group": GROUP, "topic": "orders", "partitions": [0], "value": 40.0,
            "message": "orders is stopped"}


DOCUMENTS = [
    *(sample("orders", i, {"p0": 10 * i, "p1": 0, "p2": None if i == 0 else 5}) for i in range(5)),
    *(sample("clicks", i, {"p0": 100 - i}, status="WARN", target_end_sum=None, delivered_per_sec=None,
             undelivered=None, target_reason="topic_absent") for i in range(3)),
    gap("clicks", 3, "ssh_lost"), gap("clicks", 4, "ssh_lost"), gap("clicks", 5, "group_not_found"),
    alert("firing", 2), alert("resolved", 4),
]
LAG = {"orders": [0, 15, 25, 35, 45], "clicks": [100, 99, 98]}
PARTITION = {0: [100, 99, 98, 30, 40], 1: [0] * 5, 2: [None, 5, 5, 5, 5]}


def export(path, *args, code=0):
    run = subprocess.run([MMLAG, "export", *args, "-c", path], capture_output=True, text=True,
                         timeout=60, check=False)
    assert run.returncode == code, run.stderr
    return run.stdout if code == 0 else run.stderr


def write(path, index=INDEX, topics=None, target=True, **sections):
    path.write_text(json.dumps({
        "elasticsearch": {"hosts": ["http://127.0.0.1:9200"], "index": index},
        "defaults": {"host": "mm1", "user": "u", "agent": True, "kafka_home": "/opt/kafka",
                     "bootstrap_server": "b:9092", "group": GROUP.replace("$", "$$"),
                     "share": "group", **({"target": {"bootstrap_server": "t:9092"}} if target else {})},
        "topics": topics or [{"name": "orders", "partitions": 3}, "clicks", LONG], **sections}))
    return str(path)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write(tmp_path_factory.mktemp("dashboards") / "mmlag.yaml")


def fill(search, index=INDEX):
    search.drop(index)
    search("PUT", f"/{index}", MAPPING)
    for d in DOCUMENTS:
        search("POST", f"/{index}/_doc", d)
    search("POST", f"/{index}/_refresh")
    return panels.Asker(search, index, TIMES)


@pytest.fixture(scope="module")
def asker(search):
    yield fill(search)
    search.drop(INDEX)


@pytest.fixture(scope="module")
def objects(config):
    return {o["id"]: o for o in map(json.loads, export(config, "kibana").splitlines())}


def state(o):
    return json.loads(o["attributes"]["visState"])


def kql(o):
    return json.loads(o["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]


# --- offline ---

@pytest.mark.parametrize("args", [
    ("kibana",), ("opensearch-dashboards",), ("kibana", "--lens"), ("kibana", "--partitions", "1000"),
    ("kibana", "--lens", "--partitions", "1000"), ("kibana", "--partitions", "1")])
def test_a_file_of_saved_objects_is_sound_and_the_same_each_time(config, args):
    text = export(config, *args)
    assert saved_objects.check(text, MAPPING, INDEX + "*", lens="--lens" in args) == []
    assert export(config, *args) == text
    assert "<script>" not in text  # names of groups come from documents alone


def mutate(text, find, replace):
    assert find in text, find
    return text.replace(find, replace, 1)


Q = '\\"'  # a quotation mark within a string of the file
VEGA = '\\\\\\"'  # and within the Vega specification, a string within one


@pytest.mark.parametrize("point,find,replace", [
    (1, '"}}\n{"type":"visualization","id":"mmlag-now"', '"}} {"type":"visualization","id":"mmlag-now"'),
    (1, '"}}\n{"type":"visualization","id":"mmlag-now"', '"}}\n[]\n{"type":"visualization","id":"mmlag-now"'),
    (2, '"id":"mmlag-time-lag"', '"id":"mmlag-lag-by-topic"'),
    (2, '"type":"search"', '"type":"lens"'),
    (3, f'"visState":"{{{Q}title', f'"visState":"{{{{{Q}title'),
    (3, '"optionsJSON":"{', '"optionsJSON":"'),
    (4, f"{Q}panelRefName{Q}:{Q}panel_2", f"{Q}panelRefName{Q}:{Q}panel_99"),
    (4, '"type":"visualization","id":"mmlag-gaps"}', '"type":"visualization","id":"mmlag-gone"}'),
    (4, "control_1_index_pattern", "control_9_index_pattern"),
    (4, '"references":[{', '"references":[{"name":"nobody","type":"index-pattern","id":"mmlag-lag"},{'),
    (5, '{"index-pattern":"7.6.0"}', '{"index-pattern":"8.1.0"}'),
    (5, '{"visualization":"7.10.0"}', '{"visualization":"7.14.0"}'),
    (5, '{"dashboard":"7.9.3"}', '{"dashboard":"7.10.0"}'),
    (5, '{"search":"7.9.3"}', '{"search":"8.0.0"}'),
    (5, '"migrationVersion":{"search":"7.9.3"}', '"coreMigrationVersion":"8.8.0","migrationVersion":{"search":"7.9.3"}'),
    (5, '"migrationVersion":{"search":"7.9.3"}', '"x":1'),
    (6, f"{Q}w{Q}:24", f"{Q}w{Q}:30"),
    (6, f"{Q}x{Q}:24", f"{Q}x{Q}:20"),
    (6, f"{Q}i{Q}:{Q}3", f"{Q}i{Q}:{Q}4"),
    (7, f"{Q}field{Q}:{Q}lag_sum", f"{Q}field{Q}:{Q}lag_total"),
    (7, f"{Q}terms_field{Q}:{Q}topic.keyword", f"{Q}terms_field{Q}:{Q}topic.text"),
    (7, f"{Q}field{Q}:{Q}@timestamp", f"{Q}field{Q}:{Q}status"),
    (7, '"severity"', '"gravity"'),
    (7, f"{Q}fieldName{Q}:{Q}cluster{Q}", f"{Q}fieldName{Q}:{Q}lag_sum_{Q}"),
    (7, f"field{VEGA}:{VEGA}p1{VEGA}", f"field{VEGA}:{VEGA}partition_1{VEGA}"),
    (10, '"title":"mmlag-panels*"', '"title":"consumer_lag*"'),
    (10, f"index_pattern{Q}:{Q}mmlag-panels*", f"index_pattern{Q}:{Q}other*"),
    (10, f"index{VEGA}:{VEGA}mmlag-panels*", f"index{VEGA}:{VEGA}other*"),
])
def test_a_broken_file_is_found_out(config, point, find, replace):
    """Points 8, 9 and 11 of the list have their own broken files below."""
    broken = mutate(export(config, "kibana"), find, replace)
    points = {f.split(":")[0] for f in saved_objects.check(broken, MAPPING, INDEX + "*")}
    assert str(point) in points, points


@pytest.mark.parametrize("find,replace", [('"columnOrder":["split"', '"columnOrder":["splat"'),
                                          ('"accessors":["m0"', '"accessors":["m7"')])
def test_a_broken_lens_chart_is_found_out(config, find, replace):
    broken = mutate(export(config, "kibana", "--lens"), find, replace)
    findings = saved_objects.check(broken, MAPPING, INDEX + "*", lens=True)
    assert [f for f in findings if f.startswith("8:")], findings


def test_a_file_without_its_last_line_end_is_found_out(config):
    assert saved_objects.check(export(config, "kibana")[:-1], MAPPING, INDEX + "*") == ["1: no final newline"]


def test_another_configuration_gives_another_file(config, tmp_path):
    """That the same one gives the same bytes would hold for a file of nothing, too."""
    assert len({export(config, "kibana"), export(config, "kibana", "--partitions", "4"),
                export(write(tmp_path / "c.yaml", "other"), "kibana")}) == 3


def test_as_many_partitions_are_drawn_as_there_are(config, tmp_path):
    def drawn(text):
        return len(set(re.findall(r"\bp[0-9]+\b", text)))
    assert drawn(export(config, "kibana")) == 3  # the configuration says so
    assert drawn(export(config, "kibana", "--partitions", "1000")) == 1000
    assert drawn(export(config, "grafana", "--partitions", "40")) == 40
    silent = write(tmp_path / "silent.yaml", topics=["orders"])
    run = subprocess.run([MMLAG, "export", "kibana", "-c", silent], capture_output=True, text=True,
                         check=False)
    assert drawn(run.stdout) == 16 and "--partitions" in run.stderr


@pytest.mark.parametrize("index,pattern", [
    ("consumer_lag", "consumer_lag*"), ("lag-{yyyy.MM.dd}", "lag-*"), ("{yyyy.MM}-lag", "*-lag*")])
def test_the_pattern_meets_every_index_of_a_dated_name(tmp_path, index, pattern):
    text = export(write(tmp_path / "c.yaml", index), "kibana")
    assert saved_objects.check(text, MAPPING, pattern) == []


@pytest.mark.parametrize("args,words", [
    (("kibana", "--partitions", "0"), "1 to 1000"), (("kibana", "--partitions", "1001"), "1 to 1000"),
    (("opensearch-dashboards", "--lens"), "--lens"), (("nothing",), "nothing"), ((), "what"),
    (("template", "--kind", "odd"), "--kind"), (("template", "--retention", "5"), "unit"),
    (("grafana", "--board", "x"), "--board")])
def test_a_wrong_use_is_said(config, args, words):
    assert words in export(config, *args, code=64)


# --- Kibana and OpenSearch Dashboards, on a real server ---

def check_saved_objects(objects, asker):
    objects = dict(objects)  # each is taken out as it is asked

    def series(i):
        return asker.tsvb(state(objects.pop(i))["params"])

    def table(i):
        o = objects.pop(i)
        return asker.aggregations(state(o), kql(o))

    assert series("mmlag-lag-by-topic") == {
        "Lag": {t: list(enumerate(v)) for t, v in LAG.items()}}
    assert series("mmlag-time-lag")["Time lag"]["orders"] == [(i, 1000 * i) for i in range(5)]
    assert series("mmlag-throughput") == {
        "In": {"": [(0, 80), (1, 80), (2, 80), (3, 40), (4, 40)]},
        "Out": {"": [(0, 60), (1, 62), (2, 64), (3, 33), (4, 34)]}}
    assert table("mmlag-now") == [
        ("clicks", GROUP, "NODATA", None, None, None, None, None, "group_not_found"),
        ("orders", GROUP, "OK", 45, 40, 0, 4000, None, None)]
    assert table("mmlag-lag-by-partition") == [
        (i, PARTITION[0][i], PARTITION[1][i], PARTITION[2][i]) for i in range(5)] + [
        (5, None, None, None)]
    assert table("mmlag-gaps") == [(3, "ssh_lost", 1), (4, "ssh_lost", 1), (5, "group_not_found", 1)]
    assert series("mmlag-not-arrived") == {"Not arrived": {
        "orders": [(i, 3 * i) for i in range(1, 5)]}}
    assert series("mmlag-arrival")["Arrived"] == {"": [(i, 20 + i) for i in range(1, 5)]}
    assert table("mmlag-target-reasons") == [("clicks", "topic_absent", 3, stamp(2))]
    assert table("mmlag-reasons") == [("clicks", "ssh_lost", 2, stamp(4)),
                                      ("clicks", "group_not_found", 1, stamp(5))]
    hits = asker.ask(panels.KQL[kql(objects["mmlag-alerts"])], None, size=10,
                     sort=[{"@timestamp": "desc"}])["hits"]["hits"]
    columns = objects.pop("mmlag-alerts")["attributes"]["columns"]
    assert [[h["_source"].get(c) for c in columns] for h in hits] == [
        [s, "critical", "stopped", "orders", [0], 40.0, "orders is stopped"]
        for s in ("resolved", "firing")]
    for c in state(objects.pop("mmlag-controls"))["params"]["controls"]:
        answer = asker.ask({"match_all": {}}, {"v": {"terms": {"field": c["fieldName"]}}})
        got = {b["key"] for b in answer["aggregations"]["v"]["buckets"]}
        assert got == {"topic.keyword": {"orders", "clicks"}, "group": {GROUP},
                       "cluster": {"dc1"}}[c["fieldName"]]
    # the heat map is drawn by a test of its own
    assert set(objects) == {"mmlag-lag", "mmlag-overview", "mmlag-heat-map"}


def test_without_a_target_there_is_no_panel_of_one(tmp_path):
    one = write(tmp_path / "c.yaml", target=False)
    for args in (("kibana",), ("kibana", "--lens"), ("grafana",), ("grafana", "--board", "prometheus"),
                 ("prometheus-rules",)):
        text = export(one, *args)
        assert "deliver" not in text and "target" not in text.replace('"targets"', "").lower(), args
    assert saved_objects.check(export(one, "kibana"), MAPPING, INDEX + "*") == []


def test_each_panel_shows_what_the_documents_say(objects, asker):
    check_saved_objects(objects, asker)


def test_each_lens_chart_shows_what_the_documents_say(config, asker):
    lens = {o["id"]: o["attributes"] for o in
            map(json.loads, export(config, "kibana", "--lens").splitlines())}
    lag = [(t, i, v) for t, vs in LAG.items() for i, v in enumerate(vs)]
    assert sorted(r for r in asker.lens(lens["mmlag-lens-lag"]) if r[2] is not None) == sorted(lag)
    assert ("orders", 4, 4000) in asker.lens(lens["mmlag-lens-time-lag"])
    assert ("orders", 3, 40.0, 33.0) in asker.lens(lens["mmlag-lens-rates"])
    assert ("orders", 4, 12) in asker.lens(lens["mmlag-lens-not-arrived"])
    assert ("orders", 3, 33.0, 23.0) in asker.lens(lens["mmlag-lens-arrival"])
    assert asker.lens(lens["mmlag-lens-partitions"])[1] == (1, 99, 0, 5)
    assert sorted(asker.lens(lens["mmlag-lens-gaps"])) == [
        ("group_not_found", 5, 1), ("ssh_lost", 3, 1), ("ssh_lost", 4, 1)]


def test_a_thousand_partitions_are_one_question(config, search):
    wide = {"@timestamp": stamp(7), "topic": "wide", **{f"p{i}": i for i in range(1000)}}
    search.drop(INDEX + "-wide")
    search("PUT", f"/{INDEX}-wide", MAPPING)
    search("POST", f"/{INDEX}-wide/_doc?refresh=true", wide)
    many = {o["id"]: o for o in map(json.loads, export(
        config, "kibana", "--partitions", "1000").splitlines())}
    try:
        a = panels.Asker(search, INDEX + "-wide", TIMES)
        o = many["mmlag-lag-by-partition"]
        assert a.aggregations(state(o), kql(o)) == [(7, *range(1000))]
        o = many["mmlag-now"]  # a topic without a group is in the table too
        assert [row[:2] for row in a.aggregations(state(o), kql(o))] == [("wide", "__missing__")]
        spec = a.vega(json.loads(state(many["mmlag-heat-map"])["params"]["spec"]))
        assert spec["data"][0]["values"]["aggregations"]["time"]["buckets"][7]["p999"]["value"] == 999
    finally:
        search.drop(INDEX + "-wide")


@pytest.mark.parametrize("server", ["es7", "os2"])
def test_each_panel_shows_the_same_on_other_servers(objects, lab, server):
    if os.environ.get("ALL") != "1":
        pytest.skip("ALL=1 asks Elasticsearch 7 and OpenSearch 2 too")
    lab("up", server)
    search = Search(getattr(lab, server + "_url"))
    a = fill(search)
    check_saved_objects(objects, a)
    heat = json.loads(state(objects["mmlag-heat-map"])["params"]["spec"])
    # OpenSearch Dashboards leaves "interval" as it is called
    a.vega(heat, key="interval")
    search.drop(INDEX)


# --- the Vega chart, in a browser ---

PAGE = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><div id="v"></div>
<script src="vega.min.js"></script><script>
var spec = %s, warnings = [];
window.onerror = window.onunhandledrejection = function (e) { window.failed = JSON.stringify({error: String(e.reason || e)}); };
var view = new vega.View(vega.parse(spec), {renderer: "svg", container: "#v"});
view.logger({level: function () { return 0; }, warn: function () { warnings.push([].join.call(arguments, " ")); return this; },
  error: function () { warnings.push([].join.call(arguments, " ")); return this; }, info: function () { return this; }, debug: function () { return this; }});
view.width(800).height(400).runAsync().then(function () {
  var marks = [].map.call(document.querySelectorAll("g.mark-rect.role-mark path"), function (m) {
    return {fill: m.getAttribute("fill"), tip: m.__data__ && m.__data__.tooltip}; });
  var out = document.createElement("pre"); out.id = "out"; out.hidden = true;
  out.textContent = JSON.stringify({marks: marks, warnings: warnings,
    said: [].map.call(document.querySelectorAll("g.mark-text.role-mark text"), function (t) { return t.textContent; }),
    text: [].map.call(document.querySelectorAll("g.role-axis-label text"), function (t) { return t.textContent; })});
  document.body.appendChild(out); });
</script></body>"""


@pytest.fixture(scope="module")
def vega():
    """The library that Kibana and OpenSearch Dashboards draw with; kept in the lab's cache."""
    cache = os.path.join(os.environ.get("MMLAG_LAB_CACHE", "/var/tmp/mmlag-lab"), "vega-5.30.0")
    library = os.path.join(cache, "package", "build", "vega.min.js")
    if not shutil.which("chromium"):
        pytest.skip("no chromium")
    if not os.path.exists(library):
        if not shutil.which("npm"):
            pytest.skip("no npm, from which Vega would come")
        os.makedirs(cache, exist_ok=True)
        got = subprocess.run("npm pack --silent vega@5.30.0 && tar xzf vega-5.30.0.tgz", shell=True,
                             cwd=cache, capture_output=True, text=True, timeout=120, check=False)
        assert got.returncode == 0, got.stderr
    return library


@pytest.fixture(scope="module")
def draw(vega, tmp_path_factory):
    """Draws a specification in one browser for all of them: marks, texts and warnings, or an error."""
    webdriver = pytest.importorskip("selenium.webdriver")
    folder = tmp_path_factory.mktemp("vega")
    shutil.copy(vega, folder / "vega.min.js")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-background-networking",
                 "allow-file-access-from-files", f"user-data-dir={folder}/profile", "window-size=900,640"):
        options.add_argument("--" + word)
    service = webdriver.chrome.service.Service(shutil.which("chromedriver"))
    driver = webdriver.Chrome(service=service, options=options)

    def one(spec, picture=None):
        page = folder / "page.html"
        page.write_text(PAGE % json.dumps(spec).replace("<", "\\u003c"))
        driver.get(page.as_uri())
        out = wait_for("the drawing", 20, lambda: driver.execute_script(
            "return window.failed || document.getElementById('out')?.textContent"))
        if picture:
            driver.save_screenshot(picture)
        return json.loads(out)
    yield one
    driver.quit()


def test_the_heat_map_draws_a_mark_for_each_known_lag(objects, asker, draw):
    spec = asker.vega(json.loads(state(objects["mmlag-heat-map"])["params"]["spec"]))
    drawn = draw(spec, os.path.join(ROOT, "build", "heat-map.png"))
    known = [v for vs in PARTITION.values() for v in vs if v is not None]
    assert len(drawn["marks"]) == len(known)
    fills = {m["fill"] for m in drawn["marks"]}
    assert len(fills) >= len(set(known)) - 2  # near values may share a colour
    assert {"0", "1", "2"} <= set(drawn["text"])
    assert drawn["warnings"] == []


@pytest.mark.parametrize("find,replace", [
    ('"type": "rect"', '"type": "wrecked"'), ('"property": "aggregations', '"property": "agregations'),
    ('"scale": "', '"scale": "no-')], ids=["a mark", "an answer's name", "a scale"])
def test_a_broken_heat_map_is_found_out(objects, asker, draw, find, replace):
    """Point 9: it does not compile, warns, or draws no mark."""
    text = json.dumps(json.loads(state(objects["mmlag-heat-map"])["params"]["spec"]))
    spec = json.loads(mutate(text, find, replace))
    drawn = draw(asker.vega(spec))
    assert "error" in drawn or drawn["warnings"] or not drawn["marks"]


def test_a_heat_map_of_nothing_says_so_and_warns_of_nothing(objects, draw):
    spec = json.loads(state(objects["mmlag-heat-map"])["params"]["spec"])
    for buckets in ([], [{"key": START + i, **{f"p{n}": {"value": None} for n in range(3)}} for i in range(3)]):
        spec["data"][0] = {"name": "intervals", "values": buckets}
        drawn = draw(spec)
        assert drawn["marks"] == [] and drawn["warnings"] == []
        assert "No lag is known here" in drawn["said"][0]


# --- Grafana over Elasticsearch ---

@pytest.mark.parametrize("board", ["lag", "prometheus", "brokers"])
def test_a_board_of_grafana_is_sound(config, board):
    for more in ([], ["--partitions", "1000"]):
        text = export(config, "grafana", "--board", board, *more)
        assert grafana_board.check(json.loads(text)) == []
        assert export(config, "grafana", "--board", board, *more) == text


@pytest.mark.parametrize("find,replace", [
    ('"type":"date_histogram"', '"type":"terms"'), ('"refId":"B"', '"refId":"A"'),
    ('"x":12', '"x":6'), ('"w":12', '"w":25'), ('"min_doc_count":"1"', '"min_doc_count":1'),
    ('"unit":"ms"', '"unit":"millis"'), ('"schemaVersion":36', '"schemaVersion":"36"'),
    ('"id":2,', '"id":1,'), ('"field":"lag_sum"', '"name":"lag_sum"')])
def test_a_broken_board_is_found_out(config, find, replace):
    broken = mutate(export(config, "grafana"), find, replace)
    assert grafana_board.check(json.loads(broken)) != []


def test_each_panel_of_grafana_shows_what_the_documents_say(config, asker):
    board = json.loads(export(config, "grafana"))
    got = {p["title"]: [asker.grafana(t, topic="*") for t in p["targets"]] for p in board["panels"]}
    lag = sorted((t, i, v) for t, vs in LAG.items() for i, v in enumerate(vs))

    def known(rows):
        return sorted(r for r in rows if r[-1] is not None)
    assert known(got.pop("Lag by topic")[0]) == lag
    assert [r for r in known(got.pop("Time lag by topic")[0]) if r[0] == "orders"] == [
        ("orders", i, 1000 * i) for i in range(5)]
    assert ("orders", 4, 40) in got.pop("Largest lag of a partition")[0]
    rates = got.pop("Messages per second, in and out")
    assert ("orders", 3, 40.0) in rates[0] and ("orders", 3, 33.0) in rates[1]
    for title in ("Lag by partition", "Partitions, heat map"):
        assert got.pop(title)[0][:5] == [(i, *(PARTITION[p][i] for p in range(3))) for i in range(5)]
    assert sorted(got.pop("Samples that are missing")[0]) == [
        ("group_not_found", 5, 1), ("ssh_lost", 3, 1), ("ssh_lost", 4, 1)]
    assert ("orders", 4, 12) in got.pop("Committed, not arrived at the target")[0]
    assert ("orders", 3, 23.0) in got.pop("Messages per second, committed and arrived")[1]
    assert known(got.pop("Target not read")[0]) == [("topic_absent", i, 1) for i in range(3)]
    assert [d["state"] for d in got.pop("Alerts")[0]] == ["resolved", "firing"]
    assert got == {}
    one = next(p for p in board["panels"] if p["title"] == "Lag by topic")["targets"][0]
    assert {r[0] for r in asker.grafana(one, topic='("orders" OR "x")')} == {"orders"}


def test_grafana_gets_a_folder_that_it_can_be_pointed_at(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("sesame")
    secret.chmod(0o600)
    config = write(tmp_path / "c.yaml", elasticsearch={
        "hosts": ["http://es1:9200"], "index": "consumer_lag", "username": "us$$er",
        "password_file": str(secret)})
    where = tmp_path / "a folder"
    assert export(config, "grafana", "--dir", str(where)) == ""
    files = {str(p.relative_to(where)): p.read_text() for p in where.rglob("*") if p.is_file()}
    assert set(files) == {"provisioning/datasources/mmlag.yaml", "provisioning/dashboards/mmlag.yaml",
                          "dashboards/mmlag-lag.json", "dashboards/mmlag-prometheus.json",
                          "dashboards/mmlag-brokers.json"}
    sources = files["provisioning/datasources/mmlag.yaml"]
    assert '"us$$er"' in sources  # Grafana replaces $NAME
    assert "sesame" not in "".join(files.values())
    assert f'path: "{where}/dashboards"' in files["provisioning/dashboards/mmlag.yaml"]
    key = write(tmp_path / "key.yaml", elasticsearch={
        "hosts": ["https://es1:9200"], "api_key_file": str(secret), "insecure_skip_verify": True})
    export(key, "grafana", "--dir", str(tmp_path / "key"))
    made = (tmp_path / "key" / "provisioning" / "datasources" / "mmlag.yaml").read_text()
    assert "ApiKey $MMLAG_ES_API_KEY" in made and 'httpHeaderName1: "Authorization"' in made
    assert "tlsSkipVerify: true" in made
    export(config, "grafana", "--dir", str(where))
    assert files == {str(p.relative_to(where)): p.read_text() for p in where.rglob("*") if p.is_file()}
    (tmp_path / "file").write_text("")
    assert "cannot write" in export(config, "grafana", "--dir", str(tmp_path / "file"), code=1)


# --- rules of Kibana, templates ---

def requests(text):
    """(method, path, body) of lines for the console."""
    for part in text.rstrip("\n").split("\n\n"):
        head, _, body = part.partition("\n")
        yield (*head.split(" ", 1), json.loads(body) if body.strip() else None)


def test_rules_of_kibana_count_what_they_should(tmp_path, asker):
    config = write(tmp_path / "c.yaml", topics=[
        {"name": "orders", "thresholds": [{"on": "topic", "warning": 30, "critical": 1000}]},
        {"name": "clicks", "thresholds": [{"on": "topic", "warning": 30}, {"of": "time", "warning": "1m"}]}])
    counts = {}
    for method, path, body in requests(export(config, "kibana-rules")):
        assert method == "POST"
        assert re.fullmatch(r"kbn:/api/alerting/rule/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                            r"-[0-9a-f]{12}", path)
        p = body["params"]
        assert body["rule_type_id"] == ".es-query" and p["index"] == [INDEX + "*"]
        query = json.loads(p["esQuery"])["query"]
        counts[body["name"].split(" (")[0]] = asker.ask(query, None)["hits"]["total"]["value"]
    assert counts == {"mmlag: lag_sum above 30": 5, "mmlag: lag_sum above 1000": 0,
                      "mmlag: time_lag_ms above 60000 ms": 0, "mmlag: nothing arrives": 13,
                      "mmlag: a topic is without data": 3, "mmlag: a topic is stopped or stalled": 0}


def test_a_rule_for_topics_without_a_group_names_them(tmp_path):
    """Where the user's own command is run, the group may be unknown."""
    config = write(tmp_path / "c.yaml", topics=[
        {"name": "own", "command": "x", "format": "line",
         "thresholds": [{"on": "topic", "warning": 30}]}], defaults={
             "host": "mm1", "user": "u", "agent": True})
    body = next(requests(export(config, "kibana-rules")))[2]
    assert json.loads(body["params"]["esQuery"]) == {"query": {"bool": {"filter": [
        {"range": {"lag_sum": {"gt": 30}}}, {"terms": {"topic.keyword": ["own"]}}]}}}
    assert '{topic=~\\"own\\"} > 30' in export(config, "prometheus-rules")


def test_without_thresholds_a_rule_of_kibana_alerts_by_topic(config):
    first = next(requests(export(config, "kibana-rules", "--threshold", "77")))[2]
    p = first["params"]
    assert first["rule_type_id"] == ".index-threshold" and p["threshold"] == [77]
    assert (p["aggField"], p["termField"], p["groupBy"]) == ("lag_sum", "topic.keyword", "top")


@pytest.mark.parametrize("kind,index,target", [
    ("plain", "mmlag-tp", "mmlag-tp"), ("plain", "mmlag-td-{yyyy.MM}", "mmlag-td-2026.11"),
    ("alias", "mmlag-ta", "mmlag-ta"), ("data-stream", STREAM, STREAM)])
def test_a_template_gives_our_mapping(tmp_path, search, kind, index, target):
    config = write(tmp_path / "c.yaml", index)
    args = ["template", "--kind", kind, *(["--lifecycle", "none"] if kind != "alias" else [])]
    policies, template = [], None
    for method, path, body in requests(export(config, *args)):
        assert method == "PUT"
        if path.startswith("_ilm"):
            policies.append(body["policy"]["phases"])
            continue  # the lab's servers have no lifecycles
        if path.startswith("_data_stream"):
            continue  # nor this request: the first document makes the stream there
        if path.startswith("_index_template"):
            template = path
            for name in ("index.lifecycle.name", "index.lifecycle.rollover_alias"):
                assert (body["template"]["settings"].pop(name, None) is not None) == (kind == "alias")
        search("PUT", "/" + path, body)
    assert len(policies) == (kind == "alias")
    try:
        search("POST", f"/{target}/_create/1?refresh=true", DOCUMENTS[1])
        found = search("GET", f"/{target}/_mapping")
        mapping = next(iter(found.values()))["mappings"]["properties"]
        assert mapping["p0"]["type"] == "long" and mapping["topic"]["fields"]["keyword"]
        if kind == "data-stream":
            assert next(iter(found)).startswith(".ds-")
        if kind == "alias":
            rolled = search("POST", f"/{index}/_rollover", {})
            assert rolled["new_index"] == index + "-000002"
    finally:
        for name in (target, target + "-000001", target + "-000002"):
            search("DELETE", f"/{name}", ok=(200, 400, 404))
        search("DELETE", f"/{template}", ok=(200, 400))


def test_a_policy_ends_what_is_older_than_the_retention(config):
    for lifecycle, path in (("ilm", "_ilm/policy/mmlag-" + INDEX), ("ism", "_plugins/_ism/policies/mmlag-" + INDEX)):
        made = {p: b for _, p, b in requests(export(
            config, "template", "--kind", "data-stream", "--lifecycle", lifecycle, "--retention", "30d"))}
        assert path in made and f"_data_stream/{INDEX}" in made
        policy = made[path]["policy"]
        if lifecycle == "ilm":
            assert policy["phases"]["hot"]["actions"]["rollover"]["max_age"] == "2d"
            assert policy["phases"]["delete"] == {"min_age": "30d", "actions": {"delete": {}}}
        else:
            hot, delete = policy["states"]
            assert hot["actions"][0]["rollover"]["min_index_age"] == "2d"
            assert hot["transitions"] == [{"state_name": "delete",
                                           "conditions": {"min_rollover_age": "30d"}}]
            assert delete["actions"] == [{"delete": {}}]
            assert policy["ism_template"][0]["index_patterns"] == [INDEX]


def test_elasticsearch_itself_reads_the_lifecycle(config, lab, tmp_path):
    """The builds of the lab lack what runs a policy; the classes that read one are there."""
    server = os.path.join(os.environ.get("MMLAG_LAB_CACHE", "/var/tmp/mmlag-lab"), "elasticsearch-8.19.16")
    if os.environ.get("ALL") != "1" or not os.path.isdir(server):
        pytest.skip("ALL=1 asks the parser of Elasticsearch 8")
    made = {p: b for _, p, b in requests(export(
        config, "template", "--kind", "data-stream", "--retention", "30d"))}

    def read(policy):
        (tmp_path / "policy.json").write_text(json.dumps(policy))
        return subprocess.run(
            [lab.java_home + "/bin/java", "-cp", f"{server}/lib/*:{server}/modules/x-pack-core/*",
             os.path.join(ROOT, "tests", "support", "LifecycleCheck.java"), str(tmp_path / "policy.json")],
            capture_output=True, text=True, timeout=120, check=False)
    policy = made["_ilm/policy/mmlag-" + INDEX]["policy"]
    run = read(policy)
    assert run.returncode == 0, run.stderr
    assert "hot 0s" in run.stdout and '"max_age":"2d"' in run.stdout and "delete 30d" in run.stdout
    policy["phases"]["hot"]["actions"]["rollover"]["max_aeg"] = "2d"
    assert read(policy).returncode != 0  # it would tell


def test_a_template_that_would_delete_fresh_documents_is_refused(config, tmp_path):
    assert "one for ever" in export(config, "template", "--lifecycle", "ilm", code=78)
    dated = write(tmp_path / "c.yaml", "lag-{yyyy.MM}")
    assert "_ilm/policy/mmlag-lag\n" in export(dated, "template")
    assert "--kind plain" in export(dated, "template", "--kind", "alias", code=78)
    assert "never rolled over" in export(config, "template", "--kind", "alias", "--lifecycle", "none", code=78)


def test_the_configuration_is_printed_as_it_is_read(config, tmp_path):
    whole = tmp_path / "whole.yaml"
    whole.write_text(export(config, "config"))
    assert export(str(whole), "config") == whole.read_text()
    assert json.loads(whole.read_text())["topics"][0]["group"] == GROUP.replace("$", "$$")
