# SPDX-License-Identifier: MIT
"""The faults that a real server can be made to have: each sample is in the index once, or
a dead letter. With ALL=1 some of them on every server of the lab."""

import json
import os
import signal
import subprocess
import time

import pytest

from conftest import MMLAG, Search, wait_for
from delivery import COUNT, Cases, Delivery, run_apart

case = Cases()  # with an index each, so that one server serves them side by side
OTHERS = ["es7", "es9", "os2"] if os.environ.get("ALL") == "1" else []


class Server:
    """A search server of the lab and a daemon at a time that ships to it."""

    def __init__(self, name, lab, path):
        self.name = name
        self.lab = lab
        self.path = path
        self.url = lab.es_url if name == "es8" else getattr(lab, name + "_url")
        self.search = Search(self.url)
        self.used = []

    def delivery(self, index, **kw):
        self.search.drop(index)
        d = Delivery(self.path / index, self.lab, [self.url],
                     lambda: self.search.documents(index), index=index, **kw)
        self.used.append((d, index))
        return d

    def processes(self):
        """The server's own last: from 8 on a launcher stands above it."""
        pid = self.lab(self.name, "pid").strip()
        found = [int(pid)]
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                found += map(int, f.read().split())
        return found

    def set(self, index, **settings):
        self.search("PUT", f"/{index}/_settings", {"index": settings})

    def close(self):
        for d, index in self.used:
            d.close()
            self.search.drop(index)


@pytest.fixture(scope="module", params=["es8", *OTHERS])
def server(request, lab, tmp_path_factory):
    if request.param != "es8":
        lab("up", request.param)
    s = Server(request.param, lab, tmp_path_factory.mktemp(request.param))
    yield s
    s.close()
    if request.param != "es8":
        lab("down", request.param)


def test_down_at_the_start_and_killed_in_the_middle(server, lab):
    """A real process that dies with kill -9, twice, and keeps its data."""
    lab(server.name, "stop")
    d = Delivery(
        server.path / "killed", lab, [server.url],
        lambda: server.search.documents("mmlag-killed"), index="mmlag-killed", count=400)
    try:
        d.start().logged("documents wait in the spool")
        lab(server.name, "start")
        wait_for("documents", 120, lambda: server.search.count("mmlag-killed") > 50)
        pids = server.processes()
        os.kill(pids[-1], signal.SIGKILL)
        wait_for("its end", 20, lambda: not any(os.path.exists(f"/proc/{p}") for p in pids))
        lab(server.name, "start")
        d.arrived(120).settle()
        assert server.search("GET", "/mmlag-killed/_mapping")["mmlag-killed"]["mappings"][
            "properties"]["p0"]["type"] == "long"
    finally:
        d.close()
        server.search.drop("mmlag-killed")


def test_frozen_in_the_middle(server):
    """It stands still for longer than our patience, and goes on with what it had read when
    we have gone."""
    d = server.delivery("mmlag-frozen", count=200, gap=0.15)
    d.start()
    wait_for("documents", 60, lambda: len(d.sources()) > 10)
    pid = server.processes()[-1]
    os.kill(pid, signal.SIGSTOP)
    try:
        d.logged("is the server overloaded", 40)
    finally:
        os.kill(pid, signal.SIGCONT)
    d.arrived(90).settle()


def test_a_storm_of_429(server):
    """Every request that has a body is refused for want of memory."""
    breaker = "network.breaker.inflight_requests.limit"
    d = server.delivery("mmlag-busy")
    server.search("PUT", "/_cluster/settings", {"transient": {breaker: "1b"}})
    try:
        d.start().logged("429 circuit_breaking_exception", 60)
    finally:
        server.search("PUT", "/_cluster/settings", {"transient": {breaker: None}})
    d.arrived(90).settle()


@case
def blocks_are_waited_for_and_said(server):
    """The operator's, and the one of a disk that is nearly full."""
    d = server.delivery("mmlag-blocked", count=400)
    d.start()
    wait_for("documents", 30, lambda: len(d.sources()) > 10)
    server.set("mmlag-blocked", **{"blocks.write": True})
    d.logged("lift the block")
    server.set("mmlag-blocked", **{"blocks.write": False, "blocks.read_only_allow_delete": True})
    time.sleep(2)  # some more samples are taken, and none of them stored
    before = len(d.sources())
    assert d.stop() == 0
    d.start().logged("index.blocks.read_only_allow_delete of mmlag-blocked is set")
    assert len(d.sources()) == before
    server.set("mmlag-blocked", **{"blocks.read_only_allow_delete": None})
    d.arrived(90, sessions=2).settle(sessions=2, lives=2)


@case
def an_index_that_is_closed_is_waited_for(server):
    """400 for each document, and no fault of theirs."""
    d = server.delivery("mmlag-closed")
    server.search("PUT", "/mmlag-closed", {"mappings": {"properties": {
        "@timestamp": {"type": "date"}}}})
    server.search("POST", "/mmlag-closed/_close")
    d.start().logged("open the index", 60)
    server.search("POST", "/mmlag-closed/_open")
    d.arrived(120).settle()


@case
def what_the_index_cannot_take_is_a_dead_letter_with_its_reason(server):
    """The field limit for one topic, a type that refuses a value for the other."""
    index = "mmlag-limited"
    d = server.delivery(index, topics=("a",))
    server.search("PUT", f"/{index}", {
        "settings": {"index.mapping.total_fields.limit": 60},
        "mappings": {"properties": {
            "@timestamp": {"type": "date"}, "topic": {"type": "keyword"},
            "p0": {"type": "byte"}, "p1": {"type": "long"}}}})
    config = json.loads((d.path / "mmlag.yaml").read_text())
    wide = "for i in 1 2 3; do seq -s ' ' 1 200; sleep 0.1; done; sleep 600"
    narrow = config["defaults"]["command"].replace("echo $i $b", "echo $((i + 97)) $b")
    config["topics"] = [{"name": "a", "command": narrow},
                        {"name": "wide", "command": wide, "partitions": 200}]
    (d.path / "mmlag.yaml").write_text(json.dumps(config))
    d.start()
    fits = 127 - 97  # bytes go to 127
    wait_for("what fits", 60, lambda: len(d.sources()) >= fits)
    wait_for("the rest to be settled", 60, lambda: not d.spool("q") and
             len(d.spool("dead")) == COUNT - fits + 3)
    assert d.stop() == 0
    numbers = sorted(s["p0"] for s in d.sources() if s.get("topic") == "a")
    letters = d.spool("dead")
    assert numbers == list(range(98, 128))
    assert sorted(n for t, _, n in letters if t == "a") == list(range(128, 98 + COUNT))
    assert len([1 for t, _, _ in letters if t == "wide"]) == 3
    assert not d.spool("q")
    assert "are refused for good: 400" in d.log()


def roll_over_underway(search, name, d):
    """As a lifecycle does it: what comes later stands in the new index, and nothing is lost.
    On a slow day all is there before; what the next life brings is later for sure."""
    d.start()
    wait_for("some documents", 60, lambda: len(d.sources()) >= 5)
    search("POST", f"/{name}/_rollover", {})
    d.arrived()
    assert d.stop() == 0
    d.start().arrived(sessions=2).settle(sessions=2)
    found = search("POST", f"/{name}/_search", {"size": 0, "aggs": {"by": {"terms": {"field": "_index"}}}})
    assert len(found["aggregations"]["by"]["buckets"]) == 2, found


@case
def an_alias_and_a_data_stream_are_shipped_to(server):
    """What a template makes of our index name is the operator's business."""
    search = server.search
    d = server.delivery("mmlag-by-alias")
    search.drop("mmlag-by-alias-000001")
    search.drop("mmlag-by-alias-000002")
    search("PUT", "/mmlag-by-alias-000001", {
        "aliases": {"mmlag-by-alias": {"is_write_index": True}},
        "mappings": {"properties": {"@timestamp": {"type": "date"}}}})
    try:
        roll_over_underway(search, "mmlag-by-alias", d)
    finally:
        d.close()
        search.drop("mmlag-by-alias-000001")
        search.drop("mmlag-by-alias-000002")
    if server.name == "es7":
        return  # that build has no data streams
    name = f"mmlag-stream-{int(time.time())}"  # one cannot be deleted on these builds
    search("PUT", f"/_index_template/{name}", {
        "index_patterns": [name], "data_stream": {}, "priority": 500,
        "template": {"mappings": {"properties": {"@timestamp": {"type": "date"}}}}})
    d = Delivery(server.path / name, server.lab, [server.url],
                 lambda: search.documents(name), index=name)
    try:
        roll_over_underway(search, name, d)
    finally:
        d.close()


@case
def what_would_be_lost_is_said_before_it_is(server):
    """By `check`, and by the daemon before the first document."""
    index = "mmlag-outlook"
    d = server.delivery(index, topics=("a",))
    config = json.loads((d.path / "mmlag.yaml").read_text())
    config["topics"] = [{"name": "a", "partitions": 200,
                         "command": "while :; do seq -s ' ' 2147483600 2147483799; sleep 1; done"}]
    (d.path / "mmlag.yaml").write_text(json.dumps(config))

    def check():
        run = subprocess.run([MMLAG, "check", "-c", d.config], capture_output=True, text=True,
                             timeout=120, check=False)
        return run.returncode, " ".join(run.stdout.split())

    code, said = check()
    assert code == 0, said
    assert f"index {index} is not there yet: it will be created" in said
    assert "a year, and nothing ends them: put {yyyy.MM} into" in said
    assert "export template --kind data-stream --lifecycle" in said and "_delete_by_query" in said
    server.search("PUT", f"/{index}", {
        "settings": {"index.mapping.total_fields.limit": 60, "index.blocks.write": True},
        "mappings": {"dynamic": "strict", "properties": {
            "@timestamp": {"type": "date"}, "topic": {"type": "text"}, "p0": {"type": "integer"},
            "p1": {"type": "keyword"}, "lag_sum": {"type": "date"}, "host": {"type": "long"}}}})
    sentences = [
        "6 are mapped, 198 partitions and ", "are to come, and the limit is 60", "raise index.mapping.total_fields.limit",
        "is text without topic.keyword", "1 of them are integer: a lag of 2147483648",
        "1 of them are strings", "lag_sum: is date where we write long: documents would be refused",
        "host: is long where we write keyword", "it is strict: documents would be refused",
        "no dynamic template makes a new partition a long",
        f"index.blocks.write of {index} is set"]
    code, said = check()
    assert code == 1, said
    for sentence in sentences:
        assert sentence.replace(": is", " is") in said.replace(": is", " is"), (sentence, said)
    d.start().logged(sentences[-1], 60)
    for sentence in sentences:
        assert sentence in d.log(), sentence
    assert d.stop() == 0
    server.search.drop(index)
    server.search.drop(index + "-000001")
    server.search("PUT", f"/{index}-000001", {"aliases": {index: {"is_write_index": True}}})
    try:
        assert "let its rollover and lifecycle end them" in check()[1]
    finally:
        server.search.drop(index + "-000001")


@pytest.fixture(scope="module")
def outcomes(server, lab, request):
    wanted = {i.callspec.params["name"] for i in request.session.items
              if i.function is test_a_real_server}
    return run_apart({n: lambda path, lab, f=f: f(server) for n, f in case.items() if n in wanted},
                     server.path, lab, len(case))


@pytest.mark.parametrize("name", list(case))
def test_a_real_server(outcomes, name):
    if outcomes[name] is not None:
        raise outcomes[name]
