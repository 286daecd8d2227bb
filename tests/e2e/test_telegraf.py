# SPDX-License-Identifier: MIT
"""Telegraf's burrow input reads our Burrow API. The program itself where it has been built
(`scripts/lab fetch telegraf`, which takes minutes; ALL=1 does it): what it makes of our
answers goes into a file and into Elasticsearch. Its requests as they were recorded then, in
every run: each answer must be what it decodes, as strictly as it does."""

import gzip
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest

from conftest import INSTANCE, ROOT, wait_for

WALK = pathlib.Path(ROOT, "tests", "data", "telegraf", "walk.txt")
LINES = "while :; do echo {}; sleep 0.5; done\n"
ROWS = {"orders": {0: (100, 112), 1: (50, 50), 4: (7, 1007)}, "clicks.v1": {0: (9, 9)}}
INT64 = range(-2**63, 2**63)


@pytest.fixture
def pages(workplace, lab):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    topics = [{"name": topic, "command": LINES.format(" ".join(
        f"{p}:{committed}:{end}:{end - committed}" for p, (committed, end) in rows.items()))}
        for topic, rows in ROWS.items()]
    config = workplace.config(
        topics=topics, http={"listen": f"127.0.0.1:{port}"},
        defaults={"format": "line", "share": "topic", "kafka_home": None,
                  "bootstrap_server": None, "command_config": None})
    daemon = workplace.daemon(config)
    url = f"http://127.0.0.1:{port}"

    def known():
        try:
            with urllib.request.urlopen(url + "/v3/kafka/default/topic", timeout=5) as answer:
                return json.load(answer)["topics"] == sorted(ROWS)
        except OSError:
            return False

    wait_for("both topics have data", 30, known)
    yield url
    assert daemon.stop() == 0


def lags(rows):
    return {p: end - committed for p, (committed, end) in rows.items()}


# --- the recorded walk

def decode(body):
    """As encoding/json does into the input's structures: kinds must fit, null is nothing."""
    def fits(value, kind):
        if value is None:
            return
        if isinstance(kind, dict):
            assert isinstance(value, dict)
            for key, inner in kind.items():
                fits(value.get(key), inner)
        elif isinstance(kind, list):
            assert isinstance(value, list)
            for item in value:
                fits(item, kind[0])
        elif kind is int:
            assert type(value) is int and value in INT64
        else:
            assert isinstance(value, kind)

    item = {"offset": int, "timestamp": int, "lag": int}
    partition = {"topic": str, "partition": int, "status": str, "start": item, "end": item,
                 "current_lag": int, "owner": str}
    answer = json.loads(body)
    fits(answer, {"clusters": [str], "consumers": [str], "topics": [str], "offsets": [int],
                  "status": {"partitions": [partition], "status": str, "partition_count": int,
                             "maxlag": partition, "totallag": int}})
    return answer


def recorded():
    """(path, headers) of each request of the walk."""
    for block in WALK.read_text(encoding="utf-8").strip().split("\n\n"):
        first, *headers = block.splitlines()
        assert first.startswith("GET ")
        yield first[4:], dict(h.split(": ", 1) for h in headers)


def fetch(url, headers):
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
        body = answer.read()
        if answer.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
    return decode(body)


def test_the_recorded_walk_is_answered_as_it_is_understood(pages, lab):
    clusters, topics, groups, statuses = [], {}, [], {}
    places = {"cluster": ["default"], "topic": sorted(ROWS), "group": [lab.group]}
    for path, headers in recorded():
        names = re.findall(r"\{(\w+)\}", path)
        for value in places[names[-1]] if names else [""]:
            filled = path.replace("{cluster}", "default")
            filled = re.sub(r"\{\w+\}", lambda _, v=value: urllib.parse.quote(v, safe=""), filled)
            answer = fetch(pages + filled, headers)
            clusters += answer.get("clusters", [])
            groups += answer.get("consumers", [])
            if "offsets" in answer:
                topics[value] = answer["offsets"]
            if "status" in answer:
                statuses[value] = answer["status"]
    assert clusters == ["default"] and groups == [lab.group]
    assert topics == {t: [end for _, end in rows.values()] for t, rows in ROWS.items()}
    status = statuses[lab.group]
    assert status["totallag"] == sum(sum(lags(rows).values()) for rows in ROWS.values())
    found = {(p["topic"], p["partition"]): p["current_lag"] for p in status["partitions"]
             if p["end"]}
    assert found == {(t, p): lag for t, rows in ROWS.items() for p, lag in lags(rows).items()}
    assert status["maxlag"]["current_lag"] == 1000


# --- the program itself

class Recorder:
    """Passes requests on, and keeps what they look like."""

    def __init__(self, target, names):
        seen = self.seen = set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                path = self.path
                for value, name in names.items():
                    path = path.replace(f"/{value}", "/{%s}" % name)
                seen.add("\n".join([f"GET {path}"] + sorted(
                    f"{k}: {v}" for k, v in self.headers.items() if k != "Host")))
                request = urllib.request.Request(target + self.path)
                with urllib.request.urlopen(request, timeout=10) as answer:
                    body = answer.read()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def telegraf(lab):
    program = pathlib.Path(lab.telegraf)
    if not program.exists() and os.environ.get("ALL") == "1":
        subprocess.run([os.path.join(ROOT, "scripts", "lab"), "-i", INSTANCE, "fetch",
                        "telegraf"], check=True, timeout=3600)
    if not program.exists():
        pytest.skip("Telegraf is not built: scripts/lab fetch telegraf, or ALL=1")
    return str(program)


def test_telegraf_reads_us_and_writes_to_a_file_and_to_elasticsearch(
        pages, telegraf, lab, search, index, tmp_path):
    recorder = Recorder(pages, {"default": "cluster", lab.group: "group",
                                **{t: "topic" for t in ROWS}})
    out, config = tmp_path / "out.json", tmp_path / "telegraf.conf"
    config.write_text(f"""
[agent]
  interval = "1s"
  flush_interval = "1s"
  omit_hostname = true
[[inputs.burrow]]
  servers = ["{recorder.url}"]
[[outputs.file]]
  files = ["{out}"]
  data_format = "json"
[[outputs.elasticsearch]]
  urls = ["{lab.es_url}"]
  index_name = "{index}"
  health_check_interval = "0s"
  timeout = "30s"
  manage_template = false
""", encoding="utf-8")
    log = open(tmp_path / "telegraf.log", "wb")
    process = subprocess.Popen([telegraf, "--config", str(config)], stdout=log, stderr=log)
    partitions = sum(len(rows) for rows in ROWS.values())
    try:
        def written():
            lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
            found = [json.loads(line) for line in lines]
            return found if {m["name"] for m in found} == {
                "burrow_topic", "burrow_group", "burrow_partition"} else None

        found = wait_for("Telegraf writes what it read", 60, written)

        def shipped():  # 400 while the index has no document, 503 while it is made
            search("POST", f"/{index}/_refresh", ok=(200, 404, 503))
            hits = search("POST", f"/{index}/_search", ok=(200, 400, 404, 503), body={
                "size": 1000, "query": {"match": {"measurement_name": "burrow_partition"}}})
            return [h["_source"] for h in hits.get("hits", {}).get("hits", [])]

        kept = wait_for("Elasticsearch has the partitions", 90, shipped)
    finally:
        process.terminate()
        process.wait(20)
        log.close()
        recorder.close()

    of_partitions = {(m["tags"]["topic"], int(m["tags"]["partition"])): m["fields"]
                     for m in found if m["name"] == "burrow_partition" and m["fields"]["offset"]}
    assert len(of_partitions) == partitions
    for (topic, p), fields in of_partitions.items():
        committed, end = ROWS[topic][p]
        assert (fields["offset"], fields["lag"]) == (committed, end - committed)
        assert (fields["status"], fields["status_code"]) == ("OK", 1)
    group = next(m for m in found if m["name"] == "burrow_group")
    assert group["tags"] == {"cluster": "default", "group": lab.group}
    assert group["fields"]["total_lag"] == sum(f["lag"] for f in of_partitions.values())
    assert group["fields"]["lag"] == 1000 and group["fields"]["status_code"] == 1
    ends = {(m["tags"]["topic"], m["fields"]["offset"]) for m in found
            if m["name"] == "burrow_topic"}
    assert ends == {(t, end) for t, rows in ROWS.items() for _, end in rows.values()}
    orders = [d for d in kept if d["tag"]["topic"] == "orders" and d["tag"]["partition"] == "4"]
    assert orders and orders[0]["burrow_partition"]["lag"] == 1000

    walk = "\n\n".join(sorted(recorder.seen)) + "\n"
    if os.environ.get("MMLAG_UPDATE") == "1":
        WALK.write_text(walk, encoding="utf-8")
    assert walk == WALK.read_text(encoding="utf-8"), "MMLAG_UPDATE=1 records it anew"
