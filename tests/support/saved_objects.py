# SPDX-License-Identifier: MIT
"""A validator of saved objects (Kibana, OpenSearch Dashboards), for what an import would
refuse or, worse, take and show broken. Standard library only."""

import json
import re

# The newest stamp that every reader knows: OpenSearch Dashboards for the common file.
NEWEST = {"index-pattern": (7, 6, 0), "visualization": (7, 10, 0), "dashboard": (7, 9, 3),
          "search": (7, 9, 3)}
NEWEST_LENS = {"index-pattern": (7, 11, 0), "lens": (8, 9, 0), "dashboard": (8, 7, 0)}
STRINGS = {"visualization": ["visState", "uiStateJSON"], "dashboard": ["panelsJSON", "optionsJSON"],
           "index-pattern": ["fields"], "search": [], "lens": []}
METRIC = {"max", "min", "avg", "average", "sum"}


class Mapping:
    def __init__(self, mapping):
        self.properties = mapping["mappings"]["properties"]

    def type(self, field):
        if re.fullmatch(r"p[0-9]+", field):
            return "long"
        at = {"properties": self.properties}
        for part in field.split("."):
            at = at.get("properties", at.get("fields", {})).get(part)
            if at is None:
                return None
        return at.get("type", "object")


def fits(kind, operation):
    if operation in METRIC:
        return kind in ("long", "integer", "double", "date")
    if operation == "date_histogram":
        return kind == "date"
    if operation == "terms":
        return kind in ("keyword", "long", "integer")
    return kind is not None and kind != "text"


def walk(node):
    """Every object within."""
    if isinstance(node, dict):
        yield node
        for v in node.values():
            yield from walk(v)
    elif isinstance(node, list):
        for v in node:
            yield from walk(v)


def version(text):
    return tuple(int(n) for n in text.split("."))


class Check:
    def __init__(self, text, mapping, pattern, lens=False):
        self.text, self.mapping, self.pattern, self.lens = text, Mapping(mapping), pattern, lens
        self.findings = []
        self.objects = []

    def say(self, point, what):
        self.findings.append(f"{point}: {what}")

    def run(self):
        self.lines()
        for o in self.objects:
            inner = self.strings(o)
            self.references(o, inner)
            self.stamps(o)
            if o["type"] == "dashboard":
                self.panels(inner)
            self.fields(o, inner)
            if o["type"] == "lens":
                self.columns(o)
            self.index(o, inner)
        return self.findings

    def lines(self):
        if not self.text.endswith("\n"):
            self.say(1, "no final newline")
        seen = set()
        for n, line in enumerate(self.text.splitlines(), 1):
            try:
                o = json.loads(line)
            except ValueError as e:
                self.say(1, f"line {n} is not one JSON object: {e}")
                continue
            if not isinstance(o, dict):
                self.say(1, f"line {n} is no object")
                continue
            known = NEWEST_LENS if self.lens else NEWEST
            if o.get("type") not in known:
                self.say(2, f"line {n} is of no known type")
                continue
            key = (o["type"], o.get("id"))
            if key in seen or not o.get("id"):
                self.say(2, f"{key} stands twice, or has no id")
            seen.add(key)
            self.objects.append(o)
        self.ids = seen

    def strings(self, o):
        """What is JSON in a string, parsed."""
        a, inner = o["attributes"], {}
        names = [(a, n) for n in STRINGS[o["type"]]]
        if "kibanaSavedObjectMeta" in a:
            names.append((a["kibanaSavedObjectMeta"], "searchSourceJSON"))
        elif o["type"] in ("visualization", "dashboard", "search"):
            self.say(3, f"{o['id']} has no search source")
        group = a.get("controlGroupInput")
        if group:
            names += [(group, "panelsJSON"), (group, "ignoreParentSettingsJSON")]
        for where, name in names:
            value = where.get(name)
            if not isinstance(value, str):
                self.say(3, f"{o['id']}: {name} is no string")
                continue
            try:
                inner["controls" if where is group and name == "panelsJSON" else name] = json.loads(value)
            except ValueError as e:
                self.say(3, f"{o['id']}: {name}: {e}")
        spec = inner.get("visState", {}).get("params", {}).get("spec") if isinstance(
            inner.get("visState"), dict) else None
        if spec is not None:
            try:
                inner["spec"] = json.loads(spec)
            except ValueError as e:
                self.say(3, f"{o['id']}: spec: {e}")
        return inner

    def references(self, o, inner):
        named = {}
        for r in o.get("references", []):
            if r["name"] in named:
                self.say(4, f"{o['id']}: reference {r['name']} stands twice")
            named[r["name"]] = r
            if (r["type"], r["id"]) not in self.ids:
                self.say(4, f"{o['id']}: {r['type']} {r['id']} is not in the file")
        used = set()
        for node in walk([inner]):
            for key, value in node.items():
                if key.endswith("RefName"):
                    used.add(value if key != "panelRefName" or value in named
                             else f"{node.get('panelIndex')}:{value}")
        if o["type"] == "lens":
            used |= {"indexpattern-datasource-layer-" + k for k in
                     o["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]}
        for k in inner.get("controls", {}):
            used.add(f"controlGroup_{k}:optionsListDataView")
        for name in used - set(named):
            self.say(4, f"{o['id']}: {name} is in no reference")
        for name in set(named) - used:
            self.say(4, f"{o['id']}: reference {name} is not used")

    def stamps(self, o):
        newest = (NEWEST_LENS if self.lens else NEWEST)[o["type"]]
        stamp = o.get("migrationVersion", {}).get(o["type"]) or o.get("typeMigrationVersion")
        if stamp is None or version(stamp) > newest:
            self.say(5, f"{o['id']}: stamp {stamp}, newest known {newest}")
        if not self.lens and ("coreMigrationVersion" in o or "managed" in o):
            self.say(5, f"{o['id']}: a stamp in the style of Kibana 8")

    def panels(self, inner):
        taken = {}
        for p in inner.get("panelsJSON", []):
            g = p["gridData"]
            if g["i"] != p["panelIndex"]:
                self.say(6, f"panel {p['panelIndex']}: i is {g['i']}")
            if g["x"] < 0 or g["x"] + g["w"] > 48 or g["w"] < 1 or g["h"] < 1:
                self.say(6, f"panel {g['i']} is not within 48 columns")
            for x in range(g["x"], g["x"] + g["w"]):
                for y in range(g["y"], g["y"] + g["h"]):
                    if taken.setdefault((x, y), g["i"]) != g["i"]:
                        self.say(6, f"panels {taken[x, y]} and {g['i']} overlap")
                        return

    def field(self, o, name, operation):
        kind = self.mapping.type(name)
        if not fits(kind, operation):
            self.say(7, f"{o['id']}: {operation} of {name}, which is {kind}")

    def fields(self, o, inner):
        state = inner.get("visState", {})
        for agg in state.get("aggs", []):
            if agg["type"] != "count":
                self.field(o, agg["params"]["field"], agg["type"])
            if "sortField" in agg["params"]:
                self.field(o, agg["params"]["sortField"], "date_histogram")
        params = state.get("params", {})
        for series in params.get("series", []):
            if series["split_mode"] == "terms":
                self.field(o, series["terms_field"], "terms")
            for m in series["metrics"]:
                if "field" in m:
                    self.field(o, m["field"], m["type"])
        for c in params.get("controls", []):
            self.field(o, c["fieldName"], "terms")
        for c in inner.get("controls", {}).values():
            self.field(o, c["explicitInput"]["fieldName"], "terms")
        for node in walk(inner.get("spec", {})):
            for operation, body in node.items():
                if operation in METRIC | {"terms", "date_histogram"} and isinstance(body, dict) \
                        and isinstance(body.get("field"), str):
                    self.field(o, body["field"], operation)
        if o["type"] == "search":
            for c in o["attributes"]["columns"]:
                if self.mapping.type(c) is None:
                    self.say(7, f"{o['id']}: no field {c}")
        if o["type"] == "lens":
            for node in walk(o["attributes"]["state"]["datasourceStates"]):
                if node.get("operationType") not in (None, "count"):
                    self.field(o, node["sourceField"], node["operationType"])

    def columns(self, o):
        state = o["attributes"]["state"]
        layers = state["datasourceStates"]["formBased"]["layers"]
        for name, layer in layers.items():
            if sorted(layer["columnOrder"]) != sorted(layer["columns"]):
                self.say(8, f"{o['id']}: columnOrder is not the columns")
        for layer in state["visualization"]["layers"]:
            columns = layers.get(layer["layerId"], {"columns": {}})["columns"]
            for a in [layer["xAccessor"], *layer["accessors"],
                      *([layer["splitAccessor"]] if "splitAccessor" in layer else [])]:
                if a not in columns:
                    self.say(8, f"{o['id']}: no column {a}")

    def index(self, o, inner):
        named = [o["attributes"]["title"]] if o["type"] == "index-pattern" else []
        params = inner.get("visState", {}).get("params", {})
        named += [params["index_pattern"]] if "index_pattern" in params else []
        named += [n["index"] for n in walk(inner.get("spec", {})) if "%context%" in n]
        for n in named:
            if n != self.pattern:
                self.say(10, f"{o['id']}: index {n}, configured {self.pattern}")


def check(text, mapping, pattern, lens=False):
    """A list of findings, each "POINT: what"; empty when all is well. The points 9 (Vega
    draws) and 11 (the same bytes again) need more than the file; see test_dashboards.py."""
    return Check(text, mapping, pattern, lens).run()
