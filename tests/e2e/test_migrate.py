# SPDX-License-Identifier: MIT
"""docs/migrate.md, line by line, with indices as scripts of old left them. The server here
has no module for _reindex and _update_by_query: what they do is done document by document,
and their requests are only read."""

import json
import os
import re
import subprocess

import pytest

from conftest import ROOT

# As a script wrote them: offsets as text, "-" and "" where there was none, a line too short.
SCRIPT = [
    {"@timestamp": "2026-11-20T03:36:10.123456", "topic": "orders", "p0": "12", "p1": "0", "p2": "-"},
    {"@timestamp": "2026-11-20T03:36:11.123456", "topic": "orders", "p0": "13", "p1": "", "p2": ""},
    {"@timestamp": "2026-11-20T03:36:12.123456", "topic": "orders", "p0": 14, "p1": 0, "p2": 5},
    {"@timestamp": "2026-11-20T03:36:13.123456", "topic": "orders", "p0": ""},
    {"@timestamp": "2026-11-20T03:36:14.123456", "topic": "orders-retry"},
]
TEAM = {"mappings": {"properties": {"@timestamp": {"type": "date"}, "topic": {"type": "text"},
                                    **{f"p{i}": {"type": "integer"} for i in range(3)}}}}


def blocks():
    """The lines for a shell, in their order."""
    with open(os.path.join(ROOT, "docs", "migrate.md"), encoding="utf-8") as f:
        return [b for b in f.read().split("```")[1::2] if "curl" in b]


def copy(search, source, to):
    """As the server does it: each _source anew, under its _id."""
    for h in search("POST", f"/{source}/_search?size=1000")["hits"]["hits"]:
        search("PUT", f"/{to}/_doc/{h['_id']}?refresh=true", h["_source"])


@pytest.fixture
def name(search):
    """Of the old index; those with a longer name go with it."""
    n = "mmlag-migrate"
    for old in (n, n + "-000001", n + "-000002"):
        search.drop(old)
    yield n
    for old in (n, n + "-000001", n + "-000002"):
        search.drop(old)


def topic(*lags):
    rows = "".join(f"g orders {i} 0 {lag} {lag} - - -\n" for i, lag in enumerate(lags))
    return [{"name": "orders", "format": "table", "group": "g", "interval": "1s", "command":
             "cat <<'E'\nGROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID\n" + rows + "E\n"}]


def write(search, index, documents):
    for d in documents:
        search("POST", f"/{index}/_doc?refresh=true", d)


def largest(search, index, field, **more):
    return search("POST", f"/{index}/_search?size=0", {"aggs": {"m": {"max": {"field": field}}}, **more}, ok=(200, 400))


def test_a_clean_start_with_the_old_documents_kept(workplace, search, lab, name, tmp_path):
    write(search, name, SCRIPT)
    said = workplace.run("check", "-c", workplace.config(name, topics=topic(7, 8, 9))).stdout
    assert "3 of them are strings" in said and "p0" in said
    os.symlink(os.path.join(ROOT, "mappings"), tmp_path / "mappings")

    def shell(block):
        text = block.replace("http://es1:9200", lab.es_url).replace("consumer_lag", name)
        run = subprocess.run(["bash", "-euc", f"ES={lab.es_url}\n" + text], capture_output=True, text=True, cwd=tmp_path,
                             timeout=60, check=False)
        assert run.returncode == 0 and '"error"' not in run.stdout, run.stdout + run.stderr
        return run.stdout

    aliases, caps, reindex, swap = blocks()
    assert shell(aliases).count('"acknowledged":true') == 2
    config = workplace.config(name + "_all", topics=topic(7, 8, 9))
    check = workplace.run("check", "-c", config)
    assert f"{name}-000002 takes our documents" in check.stdout
    assert workplace.run("once", "--ship", "-c", config).returncode == 0
    assert search.count(name + "_all") == 6
    split = search("POST", f"/{name}_all/_search?size=0", {"aggs": {"t": {"terms": {"field": "topic.keyword"}}}})
    assert {b["key"]: b["doc_count"] for b in split["aggregations"]["t"]["buckets"]} == {"orders": 5, "orders-retry": 1}
    fields = json.loads(shell(caps))["fields"]
    assert set(fields["p0"]) == {"text", "long"}
    failed = largest(search, name + "_all", "p0")
    assert failed["_shards"]["failed"] > 0, "charts fail in part"
    make, request, count = re.fullmatch(r"(.*?)(curl -X POST \S+_reindex.*?}}')[^\n]*\n(.*)", reindex, re.S).groups()
    assert '"acknowledged":true' in shell(make)
    asked = json.loads(re.search(r"-d '(.*)'$", request, re.S)[1].replace("consumer_lag", name))
    assert asked == {"source": {"index": name}, "dest": {"index": name + "-000001"}}
    copy(search, name, name + "-000001")
    assert re.findall(r'"count":(\d+)', shell(count)) == ["5", "5"]
    shell(swap)
    whole = largest(search, name + "_all", "p0")
    assert whole["_shards"]["failed"] == 0 and whole["aggregations"]["m"]["value"] == 14
    assert largest(search, name + "_all", "p2")["aggregations"]["m"]["value"] == 9
    dashes = search("POST", f"/{name}_all/_search", {"query": {"term": {"_ignored": "p2"}}})["hits"]["hits"]
    assert [h["_source"]["p2"] for h in dashes] == ["-"], "kept, and out of the numbers"
    assert workplace.run("once", "--ship", "-c", config).returncode == 0
    assert search.count(name + "_all") == 7


def test_the_old_index_of_whole_numbers_goes_on_after_fix_mapping(workplace, search, name):
    search("PUT", f"/{name}", TEAM)
    write(search, name, [d for d in SCRIPT if d.get("p2") != "-"])
    assert largest(search, name, "p0")["aggregations"]["m"]["value"] == 14, "strings count as numbers"
    large = workplace.config(name, topics=topic(5, 3_000_000_000, 0))
    refused = workplace.run("once", "--ship", "-c", large)
    assert refused.returncode == 1 and "p1" in refused.stderr, refused.stderr
    assert workplace.run("check", "--fix-mapping", "-c", large).returncode == 0
    assert workplace.run("once", "--ship", "-c", large).returncode == 0
    split = {"aggs": {"t": {"terms": {"field": "topic.keyword"}}}}

    def by_topic():
        got = search("POST", f"/{name}/_search?size=0", split)["aggregations"]["t"]["buckets"]
        return {b["key"]: b["doc_count"] for b in got}
    search("POST", f"/{name}/_refresh")
    assert by_topic() == {"orders": 1}, "documents from before do not have it"
    copy(search, name, name)
    assert by_topic() == {"orders": 4, "orders-retry": 1}
