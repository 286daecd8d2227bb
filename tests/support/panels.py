# SPDX-License-Identifier: MIT
"""What Kibana, OpenSearch Dashboards and Grafana ask a search server for our panels,
worked out from the panels as these programs do it, and the answers as rows."""

import json

MINUTE = 60000
KQL = {
    "target_reason : *": {"exists": {"field": "target_reason"}},  # the queries that stand in the files, as the programs translate them
    "": {"match_all": {}},
    'status : "NODATA"': {"match_phrase": {"status": "NODATA"}},
    'event : "alert"': {"match_phrase": {"event": "alert"}},
    "not event : *": {"bool": {"must_not": {"exists": {"field": "event"}}}},
}


def within(query, times):
    return {"bool": {"filter": [query, {"range": {"@timestamp": {
        "gte": times[0], "lte": times[1], "format": "epoch_millis"}}}]}}


def histogram(field="@timestamp"):
    return {"date_histogram": {"field": field, "fixed_interval": "1m", "min_doc_count": 1}}


def terms(field, size, order):
    return {"terms": {"field": field, "size": int(size), "order": order}}


def nest(buckets, metrics):
    """[(name, agg)] from the outermost, metrics in the innermost."""
    aggs = dict(metrics)
    for name, agg in reversed(buckets):
        inner = dict(aggs)
        order = agg.get("terms", {}).get("order", {})
        for key in order:  # what it is ordered by must stand beside it
            if key in metrics:
                inner[key] = metrics[key]
        aggs = {name: dict(agg, aggs=inner) if inner else agg}
    return aggs


def value(agg):
    if agg is None:
        return None
    if "hits" in agg:
        hits = agg["hits"]["hits"]
        fields = hits[0].get("fields", {}) if hits else {}
        return next(iter(fields.values()))[0] if fields else None
    return agg["value"]


def rows(answer, buckets, metrics, start):
    """Tuples of keys (times as whole minutes since `start`) and values."""
    out = []

    def down(node, left, keys):
        if not left:
            out.append((*keys, *(node["doc_count"] if m == "count" else value(node.get(m))
                                 for m in metrics)))
            return
        for b in node[left[0]]["buckets"]:
            key = b["key"]
            if isinstance(key, (int, float)):
                key = int(key - start) // MINUTE
            down(b, left[1:], (*keys, key))

    down(answer["aggregations"], buckets, ())
    return out


class Asker:
    def __init__(self, search, index, times):
        self.search, self.index, self.times = search, index, times

    def ask(self, query, aggs, index=None, size=0, **more):
        body = {"size": size, "query": within(query, self.times), "aggs": aggs, **more}
        if not aggs:
            del body["aggs"]
        answer = self.search("POST", f"/{index or self.index}/_search", body)
        assert answer["_shards"]["failed"] == 0 and not answer["timed_out"], answer
        return answer

    # --- Kibana and OpenSearch Dashboards ---

    def tsvb(self, params):
        """label → {split: [(minute, value)]}; a series_agg is worked out by the program."""
        out = {}
        for s in params["series"]:
            metric = {m["id"]: {m["type"]: {"field": m["field"]}} for m in s["metrics"] if "field" in m}
            name = next(iter(metric))
            answer = self.ask({"match_all": {}}, nest(
                [("split", terms(s["terms_field"], s["terms_size"], {s["terms_order_by"]: "desc"})),
                 ("time", histogram(params["time_field"]))], metric), params["index_pattern"])
            got = {}
            for split, minute, v in rows(answer, ["split", "time"], [name], self.times[0]):
                if v is not None:
                    got.setdefault(split, []).append((minute, v))
            if any(m["type"] == "series_agg" for m in s["metrics"]):
                total = {}
                for points in got.values():
                    for minute, v in points:
                        total[minute] = total.get(minute, 0) + v
                got = {"": sorted(total.items())}
            out[s["label"]] = got
        return out

    def aggregations(self, state, kql):
        metrics, buckets = {}, []
        counts = {a["id"] for a in state["aggs"] if a["type"] == "count"}
        for a in state["aggs"]:
            p = a["params"]
            if a["type"] == "terms":
                by = p["orderBy"]
                agg = terms(p["field"], p["size"], {"_count" if by in counts else by: p["order"]})
                if p["missingBucket"]:
                    agg["terms"]["missing"] = "__missing__"
                buckets.append((a["id"], agg))
            elif a["type"] == "date_histogram":
                buckets.append((a["id"], histogram(p["field"])))
            elif a["type"] == "top_hits":
                metrics[a["id"]] = {"top_hits": {
                    "size": p["size"], "sort": [{p["sortField"]: {"order": p["sortOrder"]}}],
                    "_source": False, "docvalue_fields": [p["field"]]}}
            elif a["type"] != "count":
                metrics[a["id"]] = {a["type"]: {"field": p["field"]}}
        answer = self.ask(KQL[kql], nest(buckets, metrics))
        names = ["count" if a["id"] in counts else a["id"] for a in state["aggs"]
                 if a["schema"] == "metric"]
        return rows(answer, [b[0] for b in buckets], names, self.times[0])

    def vega(self, spec, interval="1m", key="fixed_interval"):
        """The spec with the answer in place of the question."""
        spec = json.loads(json.dumps(spec))
        data = spec["data"][0]
        url = data.pop("url")
        assert url.pop("%context%") is True and url["%timefield%"] == "@timestamp"
        body = url["body"]
        h = body["aggs"]["time"]["date_histogram"]
        assert h.pop("interval") == {"%autointerval%": 60}
        h[key] = interval
        for end, t in zip(("min", "max"), self.times):
            assert h["extended_bounds"].pop(end) == {"%timefilter%": end}
            h["extended_bounds"][end] = t
        answer = self.ask({"match_all": {}}, body["aggs"], url["index"])
        data["values"] = answer
        return spec

    def lens(self, attributes):
        state = attributes["state"]
        layer = next(iter(state["datasourceStates"]["formBased"]["layers"].values()))
        buckets, metrics, names = [], {}, []
        for name in layer["columnOrder"]:
            c = layer["columns"][name]
            kind = c["operationType"]
            if kind == "terms":
                by = c["params"]["orderBy"]["columnId"]
                counted = layer["columns"][by]["operationType"] == "count"
                buckets.append((name, terms(c["sourceField"], c["params"]["size"],
                                            {"_count" if counted else by: "desc"})))
            elif kind == "date_histogram":
                buckets.append((name, histogram(c["sourceField"])))
            elif kind == "count":
                names.append("count")
            else:
                names.append(name)
                metrics[name] = {{"average": "avg"}.get(kind, kind): {"field": c["sourceField"]}}
        answer = self.ask(KQL[state["query"]["query"]], nest(buckets, metrics))
        return rows(answer, [b[0] for b in buckets], names, self.times[0])

    # --- Grafana ---

    def grafana(self, target, **variables):
        query = target["query"]
        for name, v in variables.items():
            query = query.replace("$" + name, v)
        assert "$" not in query, query
        query = {"query_string": {"query": query, "analyze_wildcard": True}}
        if target["metrics"][0]["type"] == "raw_data":
            answer = self.ask(query, None, size=int(target["metrics"][0]["settings"]["size"]),
                              sort=[{"@timestamp": {"order": "desc"}}])
            return [h["_source"] for h in answer["hits"]["hits"]]
        counts = {m["id"] for m in target["metrics"] if m["type"] == "count"}
        metrics = {m["id"]: {m["type"]: {"field": m["field"]}} for m in target["metrics"]
                   if m["id"] not in counts}
        buckets = []
        for b in target["bucketAggs"]:
            if b["type"] == "terms":
                by = b["settings"]["orderBy"]
                buckets.append((b["id"], terms(b["field"], b["settings"]["size"], {
                    "_count" if by in counts else by: b["settings"]["order"]})))
            else:
                buckets.append((b["id"], histogram(b["field"])))
        answer = self.ask(query, nest(buckets, metrics))
        return rows(answer, [b[0] for b in buckets],
                    ["count" if m["id"] in counts else m["id"] for m in target["metrics"]],
                    self.times[0])
