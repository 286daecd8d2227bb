# SPDX-License-Identifier: MIT
"""The index: created from the mapping, taken as it stands, looked at, mended."""

import json
import os
import threading

from conftest import ROOT, wait_for

TEAM = {  # as a script of old left it
    "mappings": {"properties": {
        "@timestamp": {"type": "date"},
        "topic": {"type": "text"},
        **{f"p{i}": {"type": "integer"} for i in range(18)},
    }}
}


def mapping(search, index):
    return search("GET", f"/{index}/_mapping")[index]["mappings"]


def test_the_index_is_created_from_the_mapping(workplace, index, search):
    run = workplace.run("once", "--ship", "-c", workplace.config(index))
    assert run.returncode == 0, run.stderr
    assert search.count(index) == 4
    made = mapping(search, index)
    with open(os.path.join(ROOT, "mappings", "mapping.json"), encoding="utf-8") as f:
        wanted = json.load(f)["mappings"]
    assert made["properties"]["topic"]["type"] == "keyword"
    assert made["properties"]["p17"]["type"] == "long"
    for name, field in wanted["properties"].items():
        if "type" in field:
            assert made["properties"][name]["type"] == field["type"], name
    guessed = set(made["properties"]) - set(wanted["properties"])
    assert all(n[0] == "p" and n[1:].isdigit() for n in guessed), guessed


def test_several_at_once_create_it_once(workplace, index, search):
    config = workplace.config(index, topics=["payments"])
    runs = []
    threads = [threading.Thread(target=lambda: runs.append(
        workplace.run("once", "--ship", "-c", config))) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [r.returncode for r in runs] == [0, 0, 0], [r.stderr for r in runs]
    assert search.count(index) == 3
    assert mapping(search, index)["properties"]["topic"]["type"] == "keyword"


def test_an_index_that_is_deleted_is_created_again_from_the_mapping(workplace, index, search):
    daemon = workplace.daemon(workplace.config(index, topics=["payments"]))
    wait_for("a document", 60, lambda: search.count(index) >= 1)
    search.drop(index)
    wait_for("documents again", 100, lambda: search.count(index) >= 1)
    wait_for("the mapping of ours", 100, lambda: mapping(search, index)["properties"]["topic"]
             ["type"] == "keyword")
    assert daemon.stop() == 0


def test_a_team_s_index_is_written_to_as_it_stands_and_mended_on_request(
        workplace, index, search):
    search("PUT", f"/{index}", TEAM)
    search("POST", f"/{index}/_doc?refresh=true",
           {"@timestamp": "2020-01-01T00:00:00Z", "topic": "orders", "p0": "12", "p1": "3"})
    config = workplace.config(index)
    run = workplace.run("once", "--ship", "-c", config)
    assert run.returncode == 0, run.stderr
    before = mapping(search, index)
    assert before["properties"]["topic"]["type"] == "text"
    assert before["properties"]["p17"]["type"] == "integer"
    check = workplace.run("check", "-c", config)
    assert check.returncode == 0, check.stdout
    assert "keyword" in check.stdout and "integer" in check.stdout
    fixed = workplace.run("check", "--fix-mapping", "-c", config)
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    after = mapping(search, index)
    assert after["properties"]["topic"]["fields"]["keyword"]["type"] == "keyword"
    assert after["properties"]["p17"]["ignore_malformed"] is True
    again = workplace.run("check", "--fix-mapping", "-c", config)
    assert "nothing is lacking" in again.stdout, again.stdout


def test_the_server_is_still_starting(workplace, index, search, lab):
    """Documents wait while Elasticsearch is down, and are all there afterwards."""
    lab("es8", "stop")
    daemon = workplace.daemon(workplace.config(index, topics=["payments"]))
    try:
        wait_for("trouble", 60, lambda: "wait in the spool" in daemon.log())
    finally:
        lab("es8", "start")
    wait_for("documents", 120, lambda: search.count(index) >= 3)
    assert daemon.stop() == 0
    documents = search.documents(index)
    assert len({d["_id"] for d in documents}) == len(documents)


def test_check_is_a_table_of_what_was_looked_at(workplace, index):
    check = workplace.run("check", "-c", workplace.config(index))
    assert check.returncode == 0, check.stdout + check.stderr
    assert "logged in" in check.stdout
    for topic in ("orders", "orders-retry", "payments", "clicks.v1"):
        assert f"topic {topic}" in check.stdout
    assert "FAIL" not in check.stdout and "\033" not in check.stdout
    wrong = workplace.run("check", "-c", workplace.config(index, defaults={"group": "nobody"}))
    assert wrong.returncode == 1 and "FAIL" in wrong.stdout
