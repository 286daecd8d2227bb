# SPDX-License-Identifier: MIT
"""The manual pages name every command, option and key that the program has, and no
other; what the documents tell to type is there. Needs no server."""

import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import MMLAG, ROOT

PAGE = pathlib.Path(ROOT, "docs", "mmlag.1").read_text()
KEYS_PAGE = pathlib.Path(ROOT, "build", "release", "mmlag.yaml.5")
EVERYWHERE = {"config", "help", "version"}


def printed(*args):
    return subprocess.run([MMLAG, *args], capture_output=True, text=True, timeout=30,
                          check=True).stdout


def commands():
    return re.findall(r"^  ([a-z]+) +\S", printed("--help"), re.M)


def options_of_help(command):
    text = printed(command, "--help").replace("kafka-consumer-groups.sh --describe", "")
    return set(re.findall(r"(?<![a-z])--([a-z][a-z-]*)", text)) - EVERYWHERE


def options_of_source(command):
    """Those that it understands; the table of every command is in the file of its name."""
    text = pathlib.Path(ROOT, "collector", "cli", command + ".c").read_text()
    names = set(re.findall(r'\{"([a-z][a-z-]*)", (?:NULL, &|&[a-z.>-]+, NULL|required_argument|no_argument)',
                           text))
    return (names | (http() if "OPTIONS_HTTP(" in text else set())) - EVERYWHERE


def flags(text):
    return set(re.findall(r"\bFl -([a-z][a-z-]*)", text))


def section(title):
    return PAGE.split(f".Sh {title}\n")[1].split(".Sh ")[0]


def http():
    return flags(section("HTTP"))


def items():
    """Command → its text in the manual. Items of the lists within have a flag behind .It."""
    parts = re.split(r"^\.It Cm ([a-z]+)", section("COMMANDS"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_every_command_is_in_the_manual_and_no_other():
    assert sorted(items()) == sorted(commands())


@pytest.mark.parametrize("command", commands())
def test_every_option_of_a_command_is_in_the_manual_and_no_other(command):
    text = items()[command]
    told = flags(text) | (http() if ".Sx HTTP" in text else set())
    assert told == options_of_source(command)


@pytest.mark.parametrize("command", commands())
def test_the_help_of_a_command_tells_all_its_options(command):
    assert options_of_help(command) == options_of_source(command)


def command_lines():
    """(where, command, options) of all that a document tells to type."""
    for page in [pathlib.Path(ROOT, "README.md"), *sorted(pathlib.Path(ROOT, "docs").glob("*.md"))]:
        text = page.read_text().replace("\\\n", " ")
        lines = re.findall(r"^(?!\|).*\bmmlag [a-z].*$", "\n".join(
            re.findall(r"^```\n(.*?)^```", text, re.M | re.S)), re.M)
        lines += [part.replace("\\|", "|") for part in re.findall(r"`(mmlag [a-z][^`]*)`", text)]
        for line in lines:
            for command, rest in re.findall(r"\bmmlag ([a-z]+)\b([^#;]*)", line):
                rest = rest.split(" | ")[0]
                yield page.name, command, set(re.findall(r"(?<=[ \[])--([a-z][a-z-]*)", rest))


def test_documents_tell_to_type_only_what_is_there():
    seen, known = set(), {c: options_of_source(c) | EVERYWHERE for c in commands()}
    for page, command, options in command_lines():
        if command in known:
            assert options <= known[command], (page, command)
            seen.add(command)
        else:
            assert not options, (page, command)
    assert len(seen) > 10  # they are found at all


HOST = "host: h, user: u, key_file: /k, kafka_home: /k, bootstrap_server: 'b:1', group: g"


def examples():
    """(page, YAML) of every configuration in the documents, made whole."""
    for page in [pathlib.Path(ROOT, "README.md"), *sorted(pathlib.Path(ROOT, "docs").glob("*.md"))]:
        for text in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.M | re.S):
            text = "topics:\n" + text if re.match(" *- ", text) else text
            if not re.search(r"^topics:", text, re.M):
                text += f"topics: [{{name: a-topic, {HOST}}}]\n"
            elif not re.search(r"^defaults:|source:", text, re.M):
                text += f"defaults: {{{HOST}}}\n"
            yield page.name, text
    yield KEYS_PAGE.name, KEYS_PAGE.read_text().split(".Bd -literal -offset indent\n")[1].split(".Ed")[0]


def test_configurations_in_the_documents_are_taken(tmp_path):
    found = list(examples())
    assert len(found) > 8
    for page, text in found:
        (tmp_path / "mmlag.yaml").write_text(text)
        run = subprocess.run([MMLAG, "export", "config", "-c", str(tmp_path / "mmlag.yaml")],
                             capture_output=True, text=True, timeout=30, check=False)
        assert run.returncode == 0, (page, text, run.stderr)


def test_every_key_is_in_the_manual_of_the_configuration():
    keys = printed("export", "schema", "--reference")
    listed = re.findall(r"^\| `(\w+)` \|", keys, re.M)
    assert re.findall(r"^\.It Ic (\w+)$", KEYS_PAGE.read_text(), re.M) == listed
    assert len(listed) > 100


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
@pytest.mark.parametrize("page", [pathlib.Path(ROOT, "docs", "mmlag.1"), KEYS_PAGE],
                         ids=lambda p: p.name)
def test_the_manual_can_be_set(page):
    run = subprocess.run(["man", "--warnings", "-l", str(page)],
                         capture_output=True, text=True, timeout=30, check=False,
                         env={"MANPAGER": "cat", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
    assert run.returncode == 0 and run.stderr == "" and "mmlag" in run.stdout
