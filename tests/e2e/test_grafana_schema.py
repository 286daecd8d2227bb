# SPDX-License-Identifier: MIT
"""Boards and targets against the types that Grafana publishes, by TypeScript's compiler."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import MMLAG

pytestmark = pytest.mark.beside

PACKAGES = {"@grafana/schema": "10.4.2", "typescript": "5.4.5"}
DASHBOARD = {"name": "orders", "partitions": 3, "target": {"bootstrap_server": "t:9092"}}
# Enums are written as their values. What Grafana's own code adds to these types stands
# beside them: two members of variables, the minimal step of a query.
HEAD = """
import type {Dashboard, VariableModel} from '@grafana/schema';
import type {ElasticsearchDataQuery} from '@grafana/schema/dist/esm/raw/composable/elasticsearch/dataquery/x/ElasticsearchDataQuery_types.gen';
import type {PrometheusDataQuery} from '@grafana/schema/dist/esm/raw/composable/prometheus/dataquery/x/PrometheusDataQuery_types.gen';
type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[] :
  T extends object ? {[K in keyof T]: Plain<T[K]>} : T;
type Variable = Plain<VariableModel> & {definition?: string; filters?: unknown[]};
type Elasticsearch = Plain<ElasticsearchDataQuery>;
type Prometheus = Plain<PrometheusDataQuery> & {interval?: string};
type Board = Omit<Plain<Dashboard>, 'templating'> & {templating: {list: Variable[]}};
"""


@pytest.fixture(scope="module")
def tsc():
    """The compiler and the types, kept in the lab's cache; gives a function text → errors."""
    cache = os.path.join(os.environ.get("MMLAG_LAB_CACHE", "/var/tmp/mmlag-lab"), "grafana-schema-10.4.2")
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("no npm, from which Grafana's types would come")
    for name, version in PACKAGES.items():
        place = os.path.join(cache, "node_modules", *name.split("/"))
        if os.path.exists(os.path.join(place, "package.json")):
            continue
        os.makedirs(place, exist_ok=True)
        file = name.replace("@", "").replace("/", "-") + f"-{version}.tgz"
        got = subprocess.run(f"npm pack --silent {name}@{version} && tar xzf {file} -C {place} --strip-components=1",
                             shell=True, cwd=cache, capture_output=True, text=True, timeout=180, check=False)
        if got.returncode != 0:
            pytest.skip("Grafana's types cannot be fetched: " + got.stderr[-200:])

    def check(folder, text):
        (folder / "node_modules").symlink_to(os.path.join(cache, "node_modules"))
        (folder / "board.ts").write_text(HEAD + text)
        run = subprocess.run(
            ["node", "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution",
             "node", "--target", "es2020", "board.ts"], cwd=folder, capture_output=True, text=True, timeout=180, check=False)
        return run.stdout.splitlines()
    return check


def boards(folder):
    config = folder / "mmlag.yaml"
    config.write_text(json.dumps({
        "elasticsearch": {"hosts": ["http://127.0.0.1:9200"]},
        "defaults": {"host": "mm1", "user": "u", "agent": True, "kafka_home": "/k", "bootstrap_server": "b:9092",
                     "group": "g <b>'\"", "share": "group"}, "topics": [DASHBOARD]}))
    for name in ("lag", "prometheus", "brokers"):
        run = subprocess.run([MMLAG, "export", "grafana", "--board", name, "-c", str(config)], capture_output=True,
                             text=True, timeout=60, check=True)
        yield name, json.loads(run.stdout)


def declared(name, board):
    lines = [f"export const {name}: Board = {json.dumps(board)};"]
    for i, panel in enumerate(board["panels"]):
        for k, target in enumerate(panel["targets"]):
            kind = "Elasticsearch" if "bucketAggs" in target else "Prometheus"
            lines.append(f"export const {name}_{i}_{k}: {kind} = {json.dumps(target)};")
    return "\n".join(lines) + "\n"


def test_the_boards_are_of_the_published_types(tsc, tmp_path):
    assert tsc(tmp_path, "".join(declared(*b) for b in boards(tmp_path))) == []


def test_a_board_of_another_type_is_found_out(tsc, tmp_path):
    text = json.dumps(dict(boards(tmp_path))["lag"])
    wrong = {"tall": text.replace('"h": 9', '"h": "tall"', 1), "maximum": text.replace('"type": "max"', '"type": "maximum"', 1),
             "refreshes": text.replace('"refresh"', '"refreshes"', 1)}
    found = "\n".join(tsc(tmp_path, "".join(declared(n, json.loads(t)) for n, t in wrong.items())))
    for name in ("is not assignable to type 'number'", '"maximum"', "'\"refreshes\"' does not exist"):
        assert name in found, found
