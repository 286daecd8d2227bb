# SPDX-License-Identifier: MIT
"""The small scripts that teams have: each reads a page of kafka_exporter in its own careless
way. Pointed at our page, only their address changed, they see what they saw there."""

import json
import subprocess
import sys
import urllib.request

import pytest

from conftest import Daemon, wait_for
from others import Site, free_port, mmlag, plain, recorded

GROUP = "oasis-group"
LOOP = """
import re, time, urllib.request
URL = "{url}"
GROUP = "oasis-group"

def read():
    return urllib.request.urlopen(URL).read().decode()

{read}

for _ in range(2):
    lag = get_lag()
    print("Current Lag for %s: %s" % (GROUP, lag))
    if lag > 100:
        print("WARNING: Consumer Lag is too high!")
    time.sleep(0.01)
"""
SCRIPTS = {
    "words of a line": """
def get_lag():
    total = 0
    for line in read().split("\\n"):
        if line.startswith("kafka_consumergroup_lag{") and 'consumergroup="%s"' % GROUP in line:
            total += float(line.split(" ")[1])
    return total""",
    "an expression with the labels in their order": r"""
def get_lag():
    pattern = r'^kafka_consumergroup_lag\{consumergroup="([^"]+)",partition="(\d+)",topic="([^"]+)"\} (-?[0-9.e+]+)$'
    return sum(int(float(lag)) for group, _, _, lag in re.findall(pattern, read(), re.M) if group == GROUP)""",
    "the sums of the topics": r"""
def get_lag():
    return sum(map(float, re.findall(r'kafka_consumergroup_lag_sum{consumergroup="%s",topic="\S+"} (.*)' % GROUP, read())))""",
    "everything that begins so": """
def get_lag():
    lines = [l for l in read().splitlines() if l.startswith("kafka_consumergroup_lag") and GROUP in l]
    return sum(float(l.rsplit(" ", 1)[1]) for l in lines)""",
    "offsets taken from each other": r"""
def get_lag():
    page = read()
    def offsets(name):
        found = re.findall(r'%s\{.*?partition="(\d+)",topic="(.*?)"\} (\S+)' % name, page)
        return {(t, p): float(v) for p, t, v in found}
    ends, done = offsets("kafka_topic_partition_current_offset"), offsets("kafka_consumergroup_current_offset")
    return sum(max(0, ends[k] - v) for k, v in done.items() if v >= 0)""",
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The recorded page of kafka_exporter, and ours of a daemon that reads it."""
    path, site, port = tmp_path_factory.mktemp("scripts"), Site(), free_port()
    site.answer = plain(recorded("kafka_exporter-1.9.0"))
    config = path / "mmlag.yaml"
    config.write_text(json.dumps({
        "state_dir": str(path / "state"), "http": {"listen": f"127.0.0.1:{port}"},
        "defaults": {"source": "exporter", "url": site.url + "/metrics", "group": GROUP, "interval": "1s"},
        "topics": [{"match": ".+"}]}))
    daemon = Daemon(str(config), str(path / "mmlag.log"))
    ours = f"http://127.0.0.1:{port}/metrics"

    def rows():
        try:
            with urllib.request.urlopen(ours, timeout=5) as answer:
                return answer.read().count(b"\nkafka_consumergroup_lag{")
        except OSError:
            return 0
    wait_for("all lags on our page", 30, lambda: rows() == 43)
    yield site.url + "/metrics", ours
    assert daemon.stop() == 0
    site.shutdown()
    site.server_close()


def said(read, url):
    run = subprocess.run([sys.executable, "-c", LOOP.replace("{url}", url).replace("{read}", read)],
                         capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_sees_on_our_page_what_it_saw_on_the_exporters(pages, script):
    theirs, ours = (said(SCRIPTS[script], url) for url in pages)
    assert ours == theirs and theirs.count("Current Lag for oasis-group: ") == 2
    assert theirs.count("WARNING") == 2


def test_watch_takes_their_place_on_either_page(pages):
    for url in pages:
        run = mmlag("watch", "--exporter", url, "--group", GROUP, "--count", "2", "--interval", "10ms")
        assert run.returncode == 1
        assert run.stdout == 2 * f"Current Lag for {GROUP}: 141\nWARNING: Consumer Lag is too high!\n"
        assert run.stderr.count("2 of 43 partitions") == 1
