# SPDX-License-Identifier: MIT
"""The JSON Schema of configurations: takes what mmlag takes, marks what is wrong."""

import json
import os
import re
import subprocess

import pytest

from conftest import MMLAG, ROOT

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool}


def is_a(value, kind):
    if kind in ("integer", "number"):
        return not isinstance(value, bool) and isinstance(value, int if kind == "integer" else (int, float))
    return isinstance(value, KINDS[kind])


def wrong(schema, value, at="$"):
    """Places that a schema does not take: the part of draft 7 that ours uses."""
    known = {"$schema", "title", "description", "type", "properties", "additionalProperties", "required",
             "items", "anyOf", "enum", "pattern", "minimum", "maximum"}
    assert set(schema) <= known, set(schema) - known
    if "anyOf" in schema:
        tries = [wrong(s, value, at) for s in schema["anyOf"]]
        return [] if [] in tries else max(tries, key=lambda t: len(t[0]))  # the nearest miss
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, k) for k in kinds):
        return [at]
    if "enum" in schema and value not in schema["enum"]:
        return [at]
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        return [at]
    if is_a(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return [at]
    out = []
    if isinstance(value, dict):
        out += [f"{at}.{k}" for k in schema.get("required", []) if k not in value]
        for k, v in value.items():
            more = schema.get("properties", {}).get(k, schema.get("additionalProperties", True))
            if more is False:
                out.append(f"{at}.{k}")
            elif more is not True:
                out += wrong(more, v, f"{at}.{k}")
    if isinstance(value, list):
        for i, v in enumerate(value):
            out += wrong(schema.get("items", {}), v, f"{at}[{i}]")
    return out


def export(*args):
    run = subprocess.run([MMLAG, "export", *args], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def schema():
    return json.loads(export("schema"))  # needs no configuration


def test_every_key_is_in_it_with_its_help(schema):
    keys = set(re.findall(r"^\| `(\w+)` \|", export("schema", "--reference"), re.M))
    found = set()

    def down(node):
        if isinstance(node, dict):
            for name, key in node.get("properties", {}).items():
                found.add(name)
                assert key["description"]
            for v in node.values():
                down(v)
        elif isinstance(node, list):
            for v in node:
                down(v)
    down(schema)
    assert found == keys


@pytest.mark.parametrize("example", ["mmlag.yaml", "small.yaml"])
def test_it_takes_the_whole_of_an_example(schema, example):
    assert wrong(schema, json.loads(export("config", "-c", os.path.join(ROOT, "examples", example)))) == []


BASE = {"defaults": {"host": "mm1", "port": "${PORT:22}", "share": "group", "interval": "1h30m"},
        "topics": ["orders", {"name": "x", "partitions": 3}],
        "elasticsearch": {"hosts": "http://es:9200", "bulk": {"max_bytes": "5MiB"}}, "http": "off"}


def test_it_takes_short_forms_and_references(schema):
    assert wrong(schema, BASE) == []


@pytest.mark.parametrize("change,place", [
    ({"topicz": []}, "$.topicz"), ({"topics": "orders"}, "$.topics"),
    ({"topics": [{"name": "x", "partitions": 0}]}, "$.topics[0].partitions"),
    ({"defaults": {"interval": "10"}}, "$.defaults.interval"),
    ({"defaults": {"share": "all"}}, "$.defaults.share"),
    ({"defaults": {"host_key": "md5:x"}}, "$.defaults.host_key"),
    ({"elasticsearch": {}}, "$.elasticsearch.hosts"),
    ({"spool": {"max_bytes": "5MB"}}, "$.spool.max_bytes"),
    ({"http": {"port": 1}}, "$.http.port")])
def test_it_marks_what_is_wrong(schema, change, place):
    assert place in wrong(schema, dict(BASE, **change))
    missing = {k: v for k, v in BASE.items() if k != "topics"}
    assert wrong(schema, missing) == ["$.topics"]
