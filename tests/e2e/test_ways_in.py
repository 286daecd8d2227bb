# SPDX-License-Identifier: MIT
"""Keys and host keys as teams have them, on a real sshd."""

import json
import os
import shutil
import stat
import subprocess
import tempfile

import pytest

KEYS = ["ec2", "pkcs8", "rsa", "ed25519", "ecdsa"]


def sample(workplace, env=None, **defaults):
    config = workplace.config(topics=["payments"], defaults=defaults)
    return workplace.run("once", "-c", config, env=env)


@pytest.fixture
def nest():
    """Where the agents of mmlag live: a short name, for those of their sockets are."""
    path = tempfile.mkdtemp(prefix="nest")
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "passphrase"])
@pytest.mark.parametrize("kind", KEYS)
def test_a_key_logs_in(workplace, lab, nest, kind, encrypted):
    defaults = {"key_file": getattr(lab, f"key_{kind}{'_enc' if encrypted else ''}")}
    if encrypted:
        defaults["passphrase_file"] = lab.passphrase_file
    run = sample(workplace, dict(os.environ, RUNTIME_DIRECTORY=nest), **defaults)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["partitions"] == 6
    assert os.listdir(nest) == []
    agents = subprocess.run(["pgrep", "-f", f"ssh-agent.*{nest}"], capture_output=True,
                            check=False)
    assert agents.stdout == b""


def test_a_wrong_passphrase_is_said(workplace, lab, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("not this one\n")
    wrong.chmod(stat.S_IRUSR)
    for kind in KEYS:
        run = sample(workplace, key_file=getattr(lab, f"key_{kind}_enc"),
                     passphrase_file=str(wrong))
        assert run.returncode == 1
        gap = json.loads(run.stdout)
        assert gap["reason"] == "ssh_auth" and "passphrase" in gap["message"], gap


def test_the_agent_signs(workplace, lab, tmp_path):
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "agent")],
                             stdout=subprocess.DEVNULL)
    env = dict(os.environ, SSH_AUTH_SOCK=str(tmp_path / "agent"))
    try:
        while not (tmp_path / "agent").exists():
            assert agent.poll() is None
        for kind in ["rsa", "ed25519"]:
            subprocess.run(["ssh-add", "-q", "-D"], env=env, check=True, stderr=subprocess.DEVNULL)
            subprocess.run(["ssh-add", "-q", getattr(lab, f"key_{kind}")], env=env, check=True)
            config = workplace.config(topics=["payments"],
                                      defaults={"key_file": None, "agent": True})
            run = workplace.run("once", "-c", config, env=env)
            assert run.returncode == 0, (kind, run.stderr)
    finally:
        agent.terminate()
        agent.wait()


def test_an_unknown_host_is_refused_with_the_line_that_would_accept_it(workplace, tmp_path):
    run = sample(workplace, known_hosts=str(tmp_path / "none"))
    gap = json.loads(run.stdout)
    assert run.returncode == 1 and gap["reason"] == "ssh_host_key"
    assert "SHA256:" in gap["message"]
    assert "[127.0.0.1]:" in run.stderr


def test_accept_new_writes_the_key_down_and_then_is_strict(workplace, lab, tmp_path):
    known = tmp_path / "known"
    run = sample(workplace, known_hosts=str(known), host_key="accept-new")
    assert run.returncode == 0, run.stderr
    assert "[127.0.0.1]:" in known.read_text()
    run = sample(workplace, known_hosts=str(known))
    assert run.returncode == 0, run.stderr
    # another key for the same name, of whatever type: never accepted
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    text = (tmp_path / "other.pub").read_text().split()
    known.write_text(f"[127.0.0.1]:{lab.ssh_port} {text[0]} {text[1]}\n")
    run = sample(workplace, known_hosts=str(known), host_key="accept-new")
    assert run.returncode == 1
    assert json.loads(run.stdout)["reason"] == "ssh_host_key"


def test_a_pinned_fingerprint_is_enough(workplace, lab):
    for line in open(lab.known_hosts, encoding="ascii"):
        print_of = subprocess.run(["ssh-keygen", "-lf", "-"], input=line, text=True,
                                  capture_output=True, check=True).stdout.split()[1]
        if "ecdsa" in line:
            assert sample(workplace, known_hosts=None, host_key=print_of).returncode == 0
    run = sample(workplace, known_hosts=None, host_key="SHA256:" + "A" * 43)
    assert json.loads(run.stdout)["reason"] == "ssh_host_key"


def test_a_key_that_others_can_read_is_a_configuration_error(workplace, lab, tmp_path):
    key = tmp_path / "key"
    shutil.copy(lab.key_ed25519, key)
    key.chmod(0o644)
    run = sample(workplace, key_file=str(key))
    assert run.returncode == 78
    assert "chmod 600" in run.stderr
