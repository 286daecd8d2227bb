# SPDX-License-Identifier: MIT
"""What `make install` puts where, and that nothing of it stays; what bash completes; with
ALL=1 the package. Needs no server."""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import MMLAG, ROOT


def make(*words):
    run = subprocess.run(["make", "-s", *words], cwd=ROOT, capture_output=True, text=True,
                         timeout=1800, check=False,
                         env={k: v for k, v in os.environ.items()
                              if k not in ("RESULTS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")})
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]


def files(below):
    return sorted(str(p.relative_to(below)) for p in below.rglob("*") if p.is_file())


def test_what_is_installed_is_whole_and_goes_again(tmp_path):
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/mm")
    there, base = files(tmp_path), tmp_path / "opt" / "mm"
    for name in ("bin/mmlag", "share/man/man1/mmlag.1", "share/man/man5/mmlag.yaml.5",
                 "share/doc/mmlag/NOTICE", "share/doc/mmlag/mappings/mapping.json",
                 "share/bash-completion/completions/mmlag", "lib/sysusers.d/mmlag.conf"):
        assert f"opt/mm/{name}" in there
    assert all(name.startswith("opt/mm/") for name in there)
    unit = (base / "lib/systemd/system/mmlag.service").read_text()
    assert "\nExecStart=/opt/mm/bin/mmlag run\n" in unit
    doc = base / "share/doc/mmlag"
    for page in doc.rglob("*.md"):
        for target in re.findall(r"\]\(([^):#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
    make("uninstall", f"DESTDIR={tmp_path}", "PREFIX=/opt/mm")
    assert files(tmp_path) == []


def test_the_program_carries_the_terms_of_what_is_embedded():
    text = subprocess.run([MMLAG, "--licenses"], capture_output=True, text=True, check=True).stdout
    assert "The mmlag developers" in text and "Dan Vanderkam" in text


@pytest.mark.parametrize("words,want", [
    ("mmlag ju", {"judge"}),
    ("mmlag spool d", {"dead", "drop"}),
    ("mmlag export --re", {"--retention", "--reference"}),
    ("mmlag check -c /etc/host", {"/etc/hostname", "/etc/hosts"}),
])
def test_bash_completes(words, want):
    words = words.split()
    script = (f". {ROOT}/examples/completion.bash; COMP_WORDS=({MMLAG} \"$@\"); COMP_CWORD=$#; "
              "_mmlag; printf '%s\\n' \"${COMPREPLY[@]}\"")
    run = subprocess.run(["bash", "-c", script, "bash", *words[1:]], capture_output=True,
                         text=True, check=True, timeout=30)
    assert want <= set(run.stdout.split()) and len(run.stdout.split()) < len(want) + 5


@pytest.mark.skipif(os.environ.get("ALL") != "1", reason="a whole build: ALL=1")
def test_the_package_is_made_and_lintian_has_nothing_to_say():
    make("deb", "DEB_BUILD_OPTIONS=nocheck")
    packages = list(pathlib.Path(ROOT, "build", "deb").glob("mmlag_*.deb"))
    assert len(packages) == 1
    control = subprocess.run(["dpkg-deb", "-f", str(packages[0]), "Depends"], capture_output=True,
                             text=True, check=True).stdout
    assert "libssh2" in control and "systemd" in control
