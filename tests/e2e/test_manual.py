# SPDX-License-Identifier: MIT
"""The manual page names every command and every option that the program has, and no
other. Needs no server."""

import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import MMLAG, ROOT

PAGE = pathlib.Path(ROOT, "docs", "mmlag.1").read_text()
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


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_the_manual_can_be_set():
    run = subprocess.run(["man", "--warnings", "-l", str(pathlib.Path(ROOT, "docs", "mmlag.1"))],
                         capture_output=True, text=True, timeout=30, check=False,
                         env={"MANPAGER": "cat", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
    assert run.returncode == 0 and run.stderr == "" and "mmlag" in run.stdout
