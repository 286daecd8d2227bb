# SPDX-License-Identifier: MIT
"""A validator of Grafana's dashboards: types of members, places of panels, the shape of
targets of the data sources for Elasticsearch and Prometheus."""

TOP = {"uid": str, "title": str, "schemaVersion": int, "time": dict, "refresh": str, "templating": dict,
       "panels": list, "tags": list, "editable": bool, "annotations": dict, "version": int}
PANEL = {"id": int, "type": str, "title": str, "gridPos": dict, "datasource": dict, "targets": list,
         "fieldConfig": dict, "options": dict}
PANELS = {"timeseries", "status-history", "table"}
UNITS = {"short", "ms", "s", "cps", "Bps", "bytes", "percentunit", "none"}
METRICS = {"max", "min", "avg", "sum", "count", "raw_data"}


def members(where, node, types, say):
    for name, kind in types.items():
        if not isinstance(node.get(name), kind) or (kind is int and isinstance(node[name], bool)):
            say(f"{where}: {name} is {node.get(name)!r}, not {kind.__name__}")


def elastic_target(where, t, say):
    members(where, t, {"query": str, "timeField": str, "metrics": list, "bucketAggs": list}, say)
    ids = set()
    for m in t["metrics"]:
        members(where, m, {"id": str, "type": str}, say)
        if m["type"] not in METRICS:
            say(f"{where}: metric {m['type']}")
        if m["type"] not in ("count", "raw_data") and not isinstance(m.get("field"), str):
            say(f"{where}: {m['type']} of nothing")
        ids.add(m["id"])
    kinds = [b["type"] for b in t["bucketAggs"]]
    if t["metrics"] and t["metrics"][0]["type"] == "raw_data":
        if kinds:
            say(f"{where}: raw documents in buckets")
    elif not kinds or kinds[-1] != "date_histogram" or "date_histogram" in kinds[:-1]:
        say(f"{where}: the date histogram is not last: {kinds}")
    for b in t["bucketAggs"]:
        members(where, b, {"id": str, "type": str, "field": str, "settings": dict}, say)
        order = b["settings"].get("orderBy")
        if order is not None and order not in ids | {"_term", "_count", "_key"}:
            say(f"{where}: ordered by {order}")
        for name, value in b["settings"].items():
            if not isinstance(value, str):
                say(f"{where}: setting {name} is no text")


def check(board):
    findings = []
    say = findings.append
    members("board", board, TOP, say)
    members("time", board["time"], {"from": str, "to": str}, say)
    variables = board["templating"]["list"]
    names = [v["name"] for v in variables]
    if len(set(names)) != len(names):
        say("a variable stands twice")
    for v in variables:
        members(f"variable {v['name']}", v, {"name": str, "type": str}, say)
        if v["type"] not in ("datasource", "query", "adhoc"):
            say(f"variable {v['name']} is of type {v['type']}")
    ids, taken = set(), {}
    for p in board["panels"]:
        where = f"panel {p.get('title')}"
        members(where, p, PANEL, say)
        if p["id"] in ids or p["id"] < 1:
            say(f"{where}: id {p['id']} stands twice")
        ids.add(p["id"])
        if p["type"] not in PANELS:
            say(f"{where}: type {p['type']}")
        if p["fieldConfig"]["defaults"].get("unit") not in UNITS:
            say(f"{where}: unit {p['fieldConfig']['defaults'].get('unit')}")
        g = p["gridPos"]
        members(where, g, {"x": int, "y": int, "w": int, "h": int}, say)
        if g["x"] < 0 or g["x"] + g["w"] > 24:
            say(f"{where} is not within 24 columns")
        for x in range(g["x"], g["x"] + g["w"]):
            for y in range(g["y"], g["y"] + g["h"]):
                if taken.setdefault((x, y), p["id"]) != p["id"]:
                    say(f"{where} overlaps panel {taken[x, y]}")
                    return findings
        letters = [t["refId"] for t in p["targets"]]
        if not letters or len(set(letters)) != len(letters):
            say(f"{where}: refIds {letters}")
        for t in p["targets"]:
            if t["datasource"] != p["datasource"] or t["datasource"]["uid"] != "${datasource}":
                say(f"{where}: another data source")
            if p["datasource"]["type"] == "elasticsearch":
                elastic_target(where, t, say)
            else:
                members(where, t, {"expr": str, "legendFormat": str}, say)
    return findings
