# SPDX-License-Identifier: MIT
"""From nothing to a configuration that check passes, with the host's own words."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from conftest import MMLAG, TOPICS


def start(lab, *more, **replaced):
    options = {"host": lab.ssh_host, "port": lab.ssh_port, "user": lab.ssh_user,
               "key": lab.key_ec2, "kafka-home": lab.kafka_home, "bootstrap": lab.bootstrap,
               "command-config": "config/mm.properties"}
    options.update({k.replace("_", "-"): v for k, v in replaced.items()})
    arguments = [str(word) for k, v in options.items() if v is not None for word in ("--" + k, v)]
    env = {k: v for k, v in os.environ.items() if k != "SSH_AUTH_SOCK"}
    return subprocess.Popen([MMLAG, "init", *arguments, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env=env)


def end(run):
    out, err = run.communicate(timeout=120)
    return run.returncode, out, err


def init(lab, *more, **replaced):
    return end(start(lab, *more, **replaced))


@pytest.fixture(scope="module", autouse=True)
def silent_port(lab):
    """It waits until the limit of time, and goes on beside the other tests."""
    run = start(lab, port=lab.bootstrap.split(":")[1], host_key="accept-new")
    yield run
    run.kill()
    run.communicate()


def test_what_init_prints_passes_check(lab, tmp_path):
    rc, out, err = init(lab, group=lab.group, host_key="accept-new", key=os.path.relpath(lab.key_ec2))
    assert rc == 0, err
    assert f"key_file: {os.getcwd()}/" in out, "the daemon is started elsewhere"
    assert err == ""  # progress is for a terminal
    assert "SHA256:" in out and "Kafka 3.9.1" in out
    path = tmp_path / "mmlag.yaml"
    path.write_text(out + f"\nstate_dir: {tmp_path}/state\n")
    check = subprocess.run([MMLAG, "check", "-c", path], capture_output=True, text=True,
                           timeout=120, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
    for topic in TOPICS:
        assert f"ok    topic {topic} " in check.stdout


def test_a_host_that_is_not_known_is_named_with_its_fingerprint(lab):
    rc, out, err = init(lab)
    assert rc == 1 and out == ""
    assert "is unknown: it shows" in err and "SHA256:" in err and "--host-key" in err


@pytest.fixture(scope="module")
def homes():
    """Kafka directories whose CLI says what it is told to."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="mmlag-homes-"))
    top.chmod(0o755)  # the host's user reads it
    table = "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID"
    for name, program in {
            "silent": "exit 0",
            "connect": '[ "${*: -1}" = --list ] && echo connect-mirror',
            "idle": f'if [ "${{*: -1}}" = --list ]; then echo idle; else echo; echo "{table}"; fi',
            "usage": 'echo "Option bootstrap-server is not a recognized option"; exit 1',
            "sasl": 'echo "Error: Executing consumer group command failed due to org.apache.kafka.common.errors.'
                    'SaslAuthenticationException: Authentication failed"; exit 1',
            "nojava": "exec no-such-java", "locked": "exit 0"}.items():
        cli = top / name / "bin" / "kafka-consumer-groups.sh"
        cli.parent.mkdir(parents=True)
        cli.write_text("#!/bin/bash\n" + program + "\n")
        cli.chmod(0o644 if name == "locked" else 0o755)
    yield top
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def keys(lab, tmp_path_factory):
    """Private keys that are of no use, each in its way."""
    top = tmp_path_factory.mktemp("keys")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", top / "other"], check=True)
    (top / "text").write_text("no key\n")
    (top / "text").chmod(0o600)
    (top / "public").write_text((top / "other.pub").read_text())
    (top / "public").chmod(0o600)
    (top / "open").write_text((top / "other").read_text())
    (top / "open").chmod(0o644)
    (top / "wrong").write_text("not the passphrase\n")
    (top / "wrong").chmod(0o600)
    return top


@pytest.mark.parametrize("home,rc", [("silent", 1), (None, 0)], ids=["no group", "groups too"])
def test_mirrormaker_2_on_the_host_is_recognised(lab, homes, home, rc):
    """A process of that name is enough: it has no group that would tell of it."""
    name = "org.apache.kafka.connect.mirror.MirrorMaker"
    with subprocess.Popen(["/usr/bin/python3", "-c", "import time; time.sleep(60)", name]) as mm2:
        try:
            got, out, err = init(lab, host_key="accept-new", **(
                {"kafka_home": str(homes / home)} if home else {"group": lab.group}))
        finally:
            mm2.kill()
    assert got == rc, err
    if home:
        assert "MirrorMaker 2 runs on the host" in err and "source: prometheus" in err and out == ""
    else:
        assert "# MirrorMaker 2 runs on this host too." in out and "source: prometheus" in out and "- name: orders" in out


PIN = "SHA256:" + "A" * 43
# What is wrong → what must be said: what it is, and what to do next, in words of init's options.
TURNS = [
    ({"port": 1}, ["127.0.0.1:1: Connection refused", "--port"]),
    ({"host": "nowhere.invalid"}, ["nowhere.invalid", "cannot be resolved", "Is the host's name right"]),
    ({"user": "nosuchuser"}, ["user nosuchuser", "is refused", "ssh -p {port} -i", "nosuchuser@127.0.0.1", "authorized_keys"]),
    ({"key": "{keys}/other"}, ["{keys}/other", "is refused", "Try it by hand: ssh -p {port} -i {keys}/other"]),
    ({"key": "/nowhere"}, ["--key: /nowhere: No such file"]),
    ({"key": "{keys}/open"}, ["--key: {keys}/open", "chmod 600"]),
    ({"key": "{keys}/text"}, ["{keys}/text is no private key"]),
    ({"key": "{keys}/public"}, ["is a public key: give the private one"]),
    ({"key": "{encrypted}"}, ["is encrypted: set --passphrase-file"]),
    ({"key": "{encrypted}", "passphrase_file": "{keys}/wrong"}, ["--passphrase-file is not its passphrase"]),
    ({"key": None}, ["no --key was given", "SSH_AUTH_SOCK names no agent"]),
    ({"host_key": None}, ["is unknown: it shows", "SHA256:", "--host-key"]),
    ({"host_key": PIN}, ["not the one of --host-key", PIN, "Compare the fingerprint"]),
    ({"run_as": "nobody"}, ["sudo", "--run-as needs"]),
    ({"kafka_home": "/nowhere"}, ["--kafka-home /nowhere: that directory cannot be entered"]),
    ({"kafka_home": "/usr"}, ["--kafka-home /usr: there is no bin/kafka-consumer-groups.sh in it"]),
    ({"kafka_home": "kafka"}, ["--kafka-home:", "whole path"]),
    ({"kafka_home": "{homes}/locked"}, ["cannot be executed by this user"]),
    ({"kafka_home": "{homes}/nojava"}, ["no-such-java"]),
    ({"kafka_home": "{homes}/usage"}, ["refused its arguments", "Kafka version"]),
    ({"kafka_home": "{homes}/sasl"}, ["refused the CLI's login", "--command-config"]),
    ({"kafka_home": "{homes}/silent"}, ["no consumer group", "group.id", "must run"]),
    ({"kafka_home": "{homes}/idle"}, ["no group has a topic", "the brokers list: idle", "group.id"]),
    ({"kafka_home": "{homes}/idle", "group": "idle"}, ["group 'idle' has no topic", "group.id"]),
    ({"kafka_home": "{homes}/connect"}, ["connect-mirror", "MirrorMaker 2", "source: prometheus"]),
    ({"kafka_home": None, "group": "nosuch"}, ["--group", "does not exist", "the brokers list:", "oasis-group"]),
    ({"kafka_home": None, "command_config": "nowhere.properties"}, ["check --command-config", "nowhere.properties"]),
    ({"kafka_home": None, "bootstrap": "127.0.0.1:1"}, ["did not answer", "check --bootstrap", "host can reach"]),
    ({"bootstrap": "x y"}, ["--bootstrap:", "host:9092"]),
    ({"bootstrap": "x"}, ["--bootstrap:", "no port", "x:9092"]),
]


@pytest.mark.parametrize("wrong,words", TURNS, ids=[" ".join(f"{k}={v}" for k, v in w.items()) for w, _ in TURNS])
def test_each_wrong_turn_has_its_own_words(lab, homes, keys, wrong, words):
    def fill(text):
        return str(text).format(keys=keys, homes=homes, port=lab.ssh_port,
                                encrypted=lab.key_ec2_enc)
    options = {"host_key": "accept-new", "command_config": None, "kafka_home": str(homes / "silent")}
    options.update({k: v if v is None else fill(v) for k, v in wrong.items()})
    if options["kafka_home"] is None:
        options["kafka_home"] = lab.kafka_home
    rc, out, err = init(lab, **options)
    assert rc in (1, 64) and out == "", err
    assert not [w for w in words if fill(w) not in err], err
    for key in ("bootstrap_server", "command_config", "passphrase_file", "kafka_home:", "`"):
        assert key not in err.replace("`source: prometheus`", ""), err


def test_a_port_that_says_nothing_is_told_with_what_to_do(silent_port):
    rc, out, err = end(silent_port)
    assert rc == 1 and out == "" and "accepts the connection, but says nothing" in err and "--port" in err
