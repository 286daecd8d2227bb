# SPDX-License-Identifier: MIT
"""From nothing to a configuration that check passes, with the host's own words."""

import subprocess

from conftest import MMLAG, TOPICS


def init(lab, *more, **replaced):
    options = {"host": lab.ssh_host, "port": lab.ssh_port, "user": lab.ssh_user,
               "key": lab.key_ec2, "kafka-home": lab.kafka_home, "bootstrap": lab.bootstrap,
               "command-config": "config/mm.properties"}
    options.update({k.replace("_", "-"): v for k, v in replaced.items()})
    arguments = [word for k, v in options.items() for word in ("--" + k, v)]
    run = subprocess.run([MMLAG, "init", *arguments, *more], capture_output=True, text=True,
                         timeout=120, check=False)
    return run.returncode, run.stdout, run.stderr


def test_what_init_prints_passes_check(lab, tmp_path):
    rc, out, err = init(lab, group=lab.group, host_key="accept-new")
    assert rc == 0, err
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


def test_each_wrong_turn_has_its_own_words(lab):
    for replaced, words in [
            ({"kafka_home": "/nowhere"}, "--kafka-home /nowhere: that directory cannot"),
            ({"kafka_home": "/usr"}, "there is no bin/kafka-consumer-groups.sh in it"),
            ({"key": "/nowhere"}, "/nowhere: No such file"),
            ({"group": "nosuch"}, f"the brokers list: {lab.group}"),
            ({"command_config": "nowhere.properties"}, "check `command_config`"),
            ({"bootstrap": "x y"}, "bootstrap_server"),
            ({"host": "nowhere.invalid"}, "cannot be resolved")]:
        rc, out, err = init(lab, **dict({"host_key": "accept-new"}, **replaced))
        assert rc in (1, 64) and out == "" and words in err, (replaced, err)
