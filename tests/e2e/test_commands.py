# SPDX-License-Identifier: MIT
"""The commands at a shell, without any server."""

import json
import os
import pathlib
import subprocess

import pytest

from conftest import MMLAG, ROOT, TOPICS

DATA = pathlib.Path(ROOT, "tests", "data", "cli")
VERSIONS = ["2.2.2", "2.6.2", "3.9.1", "4.1.1"]
NORMAL = [f"{v}-{s}" for v in VERSIONS for s in ("normal", "verbose", "no-members")]


def mmlag(*args, stdin=b"", env=None):
    run = subprocess.run([MMLAG, *args], input=stdin, capture_output=True, timeout=60,
                         check=False, env=dict(os.environ, **(env or {})))
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def decode(case, *args):
    code = (DATA / f"{case}.rc").read_text().strip()
    rc, out, err = mmlag("decode", "--stderr", str(DATA / f"{case}.err"), "--exit-code", code,
                         *args, stdin=(DATA / f"{case}.out").read_bytes())
    assert err == ""
    return rc, [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("case", NORMAL)
def test_a_recorded_table_becomes_the_documents_that_awk_sees(case):
    """The same numbers, counted from the header by a program that is not ours."""
    rc, documents = decode(case, "--group", "oasis-group")
    assert rc == 0
    want = {}
    columns = None
    for line in (DATA / f"{case}.out").read_text().splitlines():
        words = line.split()
        if "PARTITION" in words:
            columns = {name: i for i, name in enumerate(words)}
        elif columns and len(words) >= len(columns) - 3 and words[columns["PARTITION"]].isdigit():
            want.setdefault(words[columns["TOPIC"]], {})[
                "p" + words[columns["PARTITION"]]] = int(words[columns["LAG"]])
    assert {d["topic"] for d in documents} == set(want) == set(TOPICS)
    for d in documents:
        got = {k: v for k, v in d.items() if k[0] == "p" and k[1:].isdigit()}
        assert got == want[d["topic"]]
        assert d["group_state"] == ("empty" if "no-members" in case else "stable")
        assert d["members"] == (0 if "no-members" in case else 2)


@pytest.mark.parametrize("reason,cases", [
    ("group_not_found", ["unknown-group", "odd-group-posix"]),
    ("broker_unreachable", ["broker-down", "host-unresolved"]),
    ("cli_error", ["config-missing", "jmx-port-taken", "heap-too-small"]),
    ("cli_usage", ["no-group", "unknown-option", "topic-option"]),
    ("bad_output", ["members", "state"]),
])
def test_a_recorded_failure_has_its_reason(reason, cases):
    for version in VERSIONS:
        for case in cases:
            rc, documents = decode(f"{version}-{case}", "--topic", "orders")
            assert rc == 1 and len(documents) == 1
            d = documents[0]
            assert (d["reason"], d["status"], d["topic"]) == (reason, "NODATA", "orders"), case
            assert d["message"] and len(d["message"].encode()) <= 300
            assert not any(k.startswith(("p0", "lag_")) for k in d)


def test_a_line_is_a_document():
    rc, out, err = mmlag("decode", "--format", "line", "--topic", "orders", "--group", "g",
                         "--at", "2026-11-21T03:36:10.123Z",
                         stdin=b"12 0 - unknown -3\n\n0:5:9:4 2:-:7:-\nx\n")
    documents = [json.loads(line) for line in out.splitlines()]
    assert rc == 1 and err == ""
    first = documents[0]
    assert [first[f"p{i}"] for i in range(5)] == [12, 0, None, None, -3]
    assert (first["lag_sum"], first["lag_max"], first["lag_max_partition"]) == (9, 12, 0)
    assert first["@timestamp"] == "2026-11-21T03:36:10.123Z" and first["partitions"] == 5
    assert documents[1]["reason"] == "no_offsets"
    assert documents[2]["p0"] == 4 and documents[2]["p2"] is None and "p1" not in documents[2]
    assert documents[3]["reason"] == "bad_output"


@pytest.mark.parametrize("stdin", [b"", b"\n", b"hello\n", b"\0" * 5000, b"\xff\xfe" * 3000,
                                   b"a" * 1000000], ids=["empty", "newline", "word", "nul",
                                                         "no utf-8", "long"])
def test_garbage_is_a_gap_and_never_a_number(stdin):
    rc, out, err = mmlag("decode", "--topic", "orders", stdin=stdin)
    d = json.loads(out)
    assert rc == 1 and err == "" and d["reason"] == "bad_output"


def test_usage_errors_are_64_and_help_is_0():
    for args in (["decode", "--format", "x"], ["decode", "--format", "line"], ["decode", "--at", "n"],
                 ["decode", "--topic", "a b"], ["run", "--nonsense"], ["once", "x"], ["check", "-x"],
                 ["judge", "x"], ["nonsense"], [],
                 ["brokers", "--prometheus", "http://"], ["watch", "--group", "g", "--exporter", "x:1"],
                 ["brokers", "--prometheus", "http://h", "--user", "u"],
                 ["tail", "--url", "ftp://h"], ["top", "--url", "http://h", "--password-file", "f"],
                 ["import", "kibana", "--url", "http://h", "--token-file", "a", "--api-key-file", "b"]):
        rc, out, err = mmlag(*args)
        assert rc == 64 and out == "" and err, args
    for command in ("run", "once", "check", "decode", "judge"):
        rc, out, err = mmlag(command, "--help")
        assert rc == 0 and out.startswith("Usage: mmlag " + command) and err == ""
    assert mmlag("--version")[1].startswith("mmlag ")
    assert mmlag("--help")[0] == 0


def test_every_error_of_a_configuration_is_told_at_once_with_its_place(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("defaults:\n  host: h\n  user: u\n  key_file: /k\n  intervall: 10s\n"
                    "  timeout: 10\ntopics:\n  - a b\n")
    for command in (["check", "--offline"], ["run"], ["once"]):
        rc, out, err = mmlag(*command, "-c", str(file))
        assert rc == 78 and out == ""
        assert f"{file}:5:3: error:" in err and 'interval' in err
        assert f"{file}:6:12: error:" in err
        assert f"{file}:8:5: error:" in err
    assert mmlag("check", "-c", str(tmp_path / "none"))[0] == 78


def test_judge_answers_line_by_line():
    window = {"offsets": [1000, 2000, 3000, 4000, 5000],
              "timestamps": [100000, 200000, 300000, 400000, 500000],
              "lags": [50, 100, 150, 200, 250], "log_end_offsets": [5250],
              "current_lag": 250, "now": 1000}
    rc, out, _ = mmlag("judge", stdin=(json.dumps(window) + "\nnonsense\n").encode())
    first, second = map(json.loads, out.splitlines())
    assert rc == 65 and first == {"status": "STOP", "rule": "stopped"} and "error" in second


def test_a_broken_pipe_or_a_full_disk_is_no_success():
    table = (DATA / "3.9.1-normal.out").read_bytes()
    with open("/dev/full", "wb") as full:
        run = subprocess.run([MMLAG, "decode"], input=table, stdout=full,
                             stderr=subprocess.PIPE, check=False)
    assert run.returncode != 0


def unreachable(tmp_path, **more):
    key = tmp_path / "key"
    key.write_text("no key")
    key.chmod(0o600)
    path = tmp_path / "mmlag.yaml"
    path.write_text(json.dumps(dict({
        "state_dir": str(tmp_path / "state"),
        "defaults": {"host": "127.0.0.1", "port": 1, "user": "u", "key_file": str(key),
                     "kafka_home": "/k", "bootstrap_server": "s:9092", "group": "g",
                     "timeout": "3s"},
        "topics": ["orders", "payments"]}, **more)))
    return str(path)


def test_check_blames_the_host_once_and_looks_at_the_rest(tmp_path):
    rc, out, _ = mmlag("check", "-c", unreachable(tmp_path))
    lines = out.splitlines()
    assert rc == 1
    assert sum("Connection refused" in line for line in lines) == 1
    assert sum("not looked at" in line for line in lines) == 2
    assert any("state directory" in line and "is made at the first start" in line for line in lines)


def test_check_says_what_is_wrong_with_the_state_directory(tmp_path):
    nowhere = str(tmp_path / "no" / "such")
    _, out, _ = mmlag("check", "-c", unreachable(tmp_path, state_dir=nowhere))
    assert f"FAIL  state directory               {nowhere} cannot be made" in out
    _, out, _ = mmlag("check", "-c", unreachable(
        tmp_path, state_dir=str(tmp_path), spool={"min_free": "1TiB"}))
    assert "`spool.min_free` is 1 TiB" in out


def test_check_counts_the_open_files_that_run_will_need(tmp_path):
    """More of them where the way goes through a bastion."""
    behind = [{"name": "orders", "proxy_jump": "localhost:1"}, "payments"]
    for needed, more in ((140, {}), (144, {"topics": behind})):
        run = subprocess.run(["bash", "-c", 'ulimit -n 100; exec "$@"', "-", MMLAG, "check",
                              "-c", unreachable(tmp_path, **more)],
                             capture_output=True, text=True, check=False)
        assert f"{needed} open files are needed and 100 are allowed" in run.stdout
