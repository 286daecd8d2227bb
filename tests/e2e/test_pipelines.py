# SPDX-License-Identifier: MIT
"""The user's own commands, and what a host can answer instead of a sample."""

import json
import os
import signal
import time

from conftest import wait_for


def remote_processes(lab):
    """Command lines of what runs below the sessions of this lab's sshd, by the mark that
    it puts into their environment: other labs use the same account."""
    mark = f"MMLAG_LAB_RUN={lab.dir}/sshd\0".encode()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ, \
                    open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                if mark in environ.read():
                    found.append(cmdline.read().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue  # it has just ended, or is the kernel's
    return [line for line in found if line and "sshd" not in line]


def gap_of(workplace, **defaults):
    run = workplace.run("once", "-c", workplace.config(topics=["payments"], defaults=defaults))
    assert run.returncode == 1, run.stdout
    gap = json.loads(run.stdout)
    assert gap["status"] == "NODATA" and not any(k[0] == "p" and k[1:].isdigit() for k in gap)
    assert len(gap["message"].encode()) <= 300
    return gap


def test_the_pasted_loop_works_as_it_is(workplace, lab, index, search):
    loop = (f"while sleep 1; do echo -e $({lab.kafka_home}/bin/kafka-consumer-groups.sh "
            f"--bootstrap-server {lab.bootstrap} --group {lab.group} --describe "
            f"--command-config {lab.command_config} 2>/dev/null | grep payments | "
            r"sed 's/\s\+/\t/g' | cut -f 6 | xargs); done")
    config = workplace.path / "mmlag.yaml"
    config.write_text(f"""
state_dir: {workplace.path}/state
elasticsearch: {{hosts: ["{lab.es_url}"], index: {index}}}
topics:
  - name: payments
    host: {lab.ssh_host}
    port: {lab.ssh_port}
    user: {lab.ssh_user}
    key_file: {lab.key_ec2}
    known_hosts: {lab.known_hosts}
    group: {lab.group}
    partitions: 6
    format: line
    command: |
      {loop}
""")
    daemon = workplace.daemon(str(config))
    wait_for("two documents", 60, lambda: search.count(index) >= 2)
    assert daemon.stop() == 0
    for d in search.documents(index):
        assert d["topic"] == "payments" and d["@timestamp"].endswith("Z")
        assert [d[f"p{i}"] >= 0 for i in range(6)] and "p6" not in d
    wait_for("the end of the remote loop", 10, lambda: not remote_processes(lab))


def test_a_line_of_another_length_is_bad_output(workplace):
    gap = gap_of(workplace, format="line", partitions=6, command="echo 1 2 3; sleep 60",
                 share=None, interval=None, kafka_home=None, bootstrap_server=None,
                 command_config=None)
    assert gap["reason"] == "bad_output"


def test_what_the_host_answers_has_a_name(workplace, lab):
    line = {"format": "line", "share": None, "interval": None, "kafka_home": None,
            "bootstrap_server": None, "command_config": None}
    rows = [
        ("group_not_found", {"group": "nobody"}),
        ("cli_missing", {"kafka_home": "/no/such/kafka"}),
        ("broker_unreachable", {"bootstrap_server": "127.0.0.1:1"}),
        ("broker_unreachable", {"bootstrap_server": "no-such-host.invalid:9092"}),
        ("cli_error", {"command_config": "/no/such.properties"}),
        ("ssh_unreachable", {"port": 1}),
        ("ssh_unreachable", {"host": "no-such-host.invalid"}),
        ("ssh_auth", {"user": "nobody"}),
        ("no_offsets", dict(line, command="echo; sleep 60")),
        ("bad_output", dict(line, command="echo hello; sleep 60")),
        ("command_ended", dict(line, command="exit 3")),
        ("cli_missing", dict(line, command="no-such-command")),
        ("bad_output", dict(line, command="head -c 100000000 /dev/zero; echo; sleep 60")),
        ("bad_output", dict(line, command=r"printf 'a\0\377\n'; sleep 60")),
    ]
    for reason, defaults in rows:
        gap = gap_of(workplace, timeout="30s", **defaults)
        assert gap["reason"] == reason, (reason, gap)


def test_a_run_that_hangs_is_ended_on_the_host(workplace, lab):
    gap = gap_of(workplace, format="table", command="trap '' TERM; while :; do sleep 7; done",
                 timeout="3s", kafka_home=None, bootstrap_server=None, command_config=None)
    assert gap["reason"] == "cli_timeout", gap
    wait_for("the end of the run", 10, lambda: not remote_processes(lab))


def test_an_absent_topic_is_absent_and_not_its_longer_namesake(workplace):
    run = workplace.run("once", "-c", workplace.config(topics=["order", "orders-retry"]))
    first, second = map(json.loads, run.stdout.splitlines())
    assert run.returncode == 1
    assert first["topic"] == "order" and first["reason"] == "topic_absent"
    assert second["topic"] == "orders-retry" and second["partitions"] == 3


def test_nothing_is_left_on_the_host(workplace, lab):
    """After SIGTERM at once, after our own kill -9 within two seconds, with a JVM running."""
    for sig, code in ((signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
        wait_for("the end of what ran before", 10, lambda: not remote_processes(lab))
        daemon = workplace.daemon(workplace.config(defaults={"interval": "1s"}))
        wait_for("a JVM", 30, lambda: any("ConsumerGroupCommand" in p or "kafka-consumer-groups"
                                          in p for p in remote_processes(lab)))
        assert daemon.stop(sig) == code
        began = time.monotonic()
        wait_for("an empty host", 5, lambda: not remote_processes(lab))
        assert time.monotonic() - began < 2.5


def test_documents_wait_without_elasticsearch_and_go_once_it_is_there(
        workplace, index, search):
    quiet = workplace.config(topics=["payments"])
    daemon = workplace.daemon(quiet)
    wait_for("a sample", 60, lambda: "has data" in daemon.log())
    time.sleep(3)
    assert daemon.stop() == 0
    waiting = int(daemon.log().split(" documents stay in the spool")[0].split()[-1])
    assert waiting >= 1
    daemon = workplace.daemon(workplace.config(index, topics=["payments"]))
    wait_for("what waited", 60, lambda: search.count(index) >= waiting)
    assert daemon.stop() == 0


def test_a_second_daemon_on_the_same_directory_ends_with_75(workplace):
    config = workplace.config(topics=["payments"])
    daemon = workplace.daemon(config)
    wait_for("the start", 30, lambda: "remote command" in daemon.log())
    second = workplace.run("run", "-c", config)
    assert second.returncode == 75 and str(daemon.process.pid) in second.stderr
    assert daemon.stop(signal.SIGINT) == 0


def test_mirrormaker_2_is_recognised(workplace, lab):
    lab("up", "mm2")
    try:
        gap = gap_of(workplace, group="mm2-has-no-group")
        assert gap["reason"] == "mirrormaker2" and "JMX" in gap["message"]
    finally:
        lab("down", "mm2")


def test_no_thread_and_no_file_is_left(workplace, lab):
    before = set(os.listdir("/tmp"))
    workplace.run("once", "-c", workplace.config())
    after = {n for n in os.listdir("/tmp") if n not in before and "hsperf" not in n}
    assert not {n for n in after if "mmlag" in n or n.startswith("ssh-")}
