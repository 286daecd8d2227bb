# SPDX-License-Identifier: MIT
"""A stand-in for the daemon's listener: docs/api.md with data that changes, and the
files of the status page. For the page's and the terminal's tests, and by hand:
    python3 tests/e2e/mock_api.py --port 39000 --topics 1000
Standard library only."""

import argparse
import base64
import email.utils
import hashlib
import http.server
import json
import math
import os
import random
import socket
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "collector", "serve", "page")
CHARTS = "/usr/share/javascript/dygraphs"
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
       "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
TOKEN = "secret-token"


def ms():
    return int(time.time() * 1000)


def topic(name, status="OK", lags=(12, 0, 3), rule=None, **more):
    """One topic as GET /api/v1/topics shows it."""
    pairs = [[i, lag, "OK"] if not isinstance(lag, tuple) else [i, *lag] for i, lag in enumerate(lags)]
    known = [(lag, -i) for i, lag, _ in pairs if lag is not None]
    now = ms()
    x = {"cluster": "dc1", "group": "oasis-group", "topic": name, "match": None, "host": "mm1.example.com", "labels": {},
         "status": status, "rule": rule or "lag_allowed", "worst_partition": 0, "status_since": now - 600_000,
         "sample_at": now - 1000, "interval_ms": 10_000, "sample_ms": 2310,
         "lag_sum": sum(lag for lag, _ in known) if known else None, "lag_max": max(known)[0] if known else None,
         "lag_max_partition": -max(known)[1] if known else None, "partitions": len(pairs), "expected_partitions": None,
         "members": 2, "group_state": "stable", "time_lag_ms": 900, "time_lag_kind": "interpolated",
         "produced_per_sec": 41.5, "consumed_per_sec": 41.2, "drain_ms": None, "target": None,
         "reason": None, "message": None, "gap_since": None, "lags": pairs}
    bad = [p for p in pairs if p[2] != "OK"]
    if bad:
        x["worst_partition"] = bad[0][0]
    x.update(more)
    return x


def gap(name, reason, message, since=180_000, **more):
    now = ms()
    return topic(name, "NODATA", reason=reason, message=message, gap_since=now - since,
                 status_since=now - since, sample_at=now - since - 2000, rule="incomplete", **more)


RULES = {"WARN": "lag_not_falling", "STOP": "stopped", "STALL": "stalled", "REWIND": "rewound"}


class World:
    """What the daemon would know. Tests change it under `lock`, or not at all."""

    def __init__(self):
        self.lock = threading.RLock()
        self.topics = []
        self.started = ms() - 3 * 3600_000
        self.alerts, self.silences, self.documents, self.first = [], [], [], 1
        self.status_more = {}
        self.dead = []  # letters, the newest first
        self.ahead = 0  # ms by which this clock is ahead of the reader's
        self.history_gaps = []
        self.needs_token = False
        self.counts = {}

    def touch(self):
        """Another sample of every topic with data."""
        with self.lock:
            for x in self.topics:
                if x["status"] != "NODATA":
                    x["sample_at"] = ms()

    def wobble(self):
        """The same, with other numbers."""
        with self.lock:
            for x in self.topics:
                if x["status"] == "NODATA":
                    continue
                x["sample_at"] = ms() - random.randrange(3000)
                for p in x["lags"]:
                    if p[1] is not None and p[2] == "OK":
                        p[1] = max(0, p[1] + random.randrange(-5 - p[1] // 20, 6 + p[1] // 20))
                known = [p[1] for p in x["lags"] if p[1] is not None]
                if known:
                    x["lag_sum"], x["lag_max"] = sum(known), max(known)
                self.document({"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), "topic": x["topic"],
                               **{f"p{p[0]}": p[1] for p in x["lags"][:4]}, "group": x["group"], "lag_sum": x["lag_sum"],
                               "lag_max": x["lag_max"], "status": x["status"]})

    def document(self, d):
        with self.lock:
            self.documents.append(d)
            if len(self.documents) > 2000:
                self.documents.pop(0)
                self.first += 1

    def get_documents(self, q):
        with self.lock:
            last = self.first + len(self.documents) - 1
            if "after" in q:
                after = int(q["after"])
            else:
                after = last - 10
            found = self.documents[max(0, after + 1 - self.first):]
            for key in ("topic", "cluster"):
                if key in q:
                    found = [d for d in found if d.get(key) == q[key]]
            return {"next": last, "documents": found}

    def get_topics(self):
        return {"topics": sorted(self.topics, key=lambda x: (x["cluster"], x["group"], x["topic"]))}

    def get_topic(self, name, q):
        for x in self.get_topics()["topics"]:
            if (x["topic"] or x["match"]) == name and q.get("cluster", x["cluster"]) == x["cluster"] \
                    and q.get("group", x["group"]) == x["group"]:
                return {"topic": x, "partitions": [self.partition(x, *p) for p in x["lags"]],
                        "history": self.history(x, int(q.get("since", ms() - 3600_000)))}
        return None

    @staticmethod
    def partition(x, p, lag, verdict):
        end = 1_000_000 + 977 * p
        return {"partition": p, "committed": None if lag is None else end - lag, "end": end, "lag": lag, "status": verdict,
                "rule": RULES.get(verdict, "lag_allowed" if (lag or 0) < 50 else "lag_falling"), "complete": 1.0,
                "time_lag_ms": None if lag is None else lag * 23, "time_lag_kind": "interpolated",
                "has_member": verdict != "STOP", "unchanged_ms": 0 if verdict == "OK" else 840_000}

    def history(self, x, since):
        now = x["sample_at"] or ms()
        if not x["sample_at"]:
            return {"step_ms": 10_000, "points": [], "lags": {}, "gaps": self.gaps(x)}
        step = max(10_000, (now - since) // 700 // 10_000 * 10_000)
        seed = sum(map(ord, x["topic"])) % 97
        points, lags = [], {str(p[0]): [] for p in x["lags"]}
        gaps = self.gaps(x)
        for at in range(max(since, self.started) // step * step + step, now + 1, step):
            if any(g["from"] <= at < (g["until"] or now + 1) for g in gaps):
                continue
            wave = 1 + 0.6 * math.sin(at / 420_000 + seed) + 0.25 * math.sin(at / 61_000 + 2 * seed)
            total = 0
            for p in x["lags"]:
                value = None if p[1] is None else max(0, int(p[1] * wave * (0.8 + 0.4 * ((at // step * 7 + p[0] * 13) % 11) / 11)))
                lags[str(p[0])].append(value)
                total += value or 0
            biggest = max((v[-1] for v in lags.values() if v[-1] is not None), default=None)
            points.append([at, total, biggest, int(900 * wave + biggest * 3) if biggest is not None else None,
                           round(41.5 + 6 * math.sin(at / 300_000), 1), round(41.0 + 6 * math.sin(at / 310_000 - 1), 1), x["status"]])
        return {"step_ms": step, "points": points, "lags": lags, "gaps": gaps}

    def gaps(self, x):
        found = [dict(g) for g in self.history_gaps]
        if x["status"] == "NODATA" and x["gap_since"]:
            found.append({"from": x["gap_since"], "until": None, "reason": x["reason"], "message": x["message"]})
        return found

    def get_status(self):
        count = {s: sum(x["status"] == s for x in self.topics) for s in ("OK", "WARN", "ERR", "NODATA")}
        hosts = []
        for name in sorted({x["host"] for x in self.topics}):
            mine = [x for x in self.topics if x["host"] == name]
            dead = [x for x in mine if x["status"] == "NODATA"]
            down = dead and len(dead) == len(mine)
            hosts.append({"host": name, "topics": len(mine), "with_data": len(mine) - len(dead),
                          "sessions": 2, "sessions_open": 0 if down else 2,
                          "reason": dead[0]["reason"] if down else None, "message": dead[0]["message"] if down else None,
                          "since": dead[0]["gap_since"] if down else None})
        return {"version": "0.9.0", "started": self.started,
                "topics": {"total": len(self.topics), "ok": count["OK"], "warn": count["WARN"], "err": count["ERR"], "nodata": count["NODATA"]},
                "hosts": hosts,
                "spool": {"documents": 0, "bytes": 0, "backlog": 0, "oldest": None, "dead": len(self.dead),
                          "dead_bytes": sum(x["bytes"] for x in self.dead), "degraded": False,
                          "trouble": None, "set_aside": None},
                "elasticsearch": {"configured": True, "ok": True, "trouble": None, "since": None, "pace": None, "kind": None, "parked": 0, "last_success": ms() // 5000 * 5000},
                "receivers": [{"name": "ops", "type": "slack", "waiting": 0, "ok": True, "trouble": None, "last_success": self.started + 5000}],
                "brokers": [{"name": "dc1", "state": "low", "since": self.started, "at": self.started, "message": None, "brokers": 2, "total": 150.5,
                             "mean": 75.25, "min": 70.0, "max": 80.5, "min_rate": 100.0, "not_finite": 0,
                             "instances": [{"instance": "kafka1:9404", "rate": 70.0}, {"instance": "kafka2:9404", "rate": 80.5}]}], **self.status_more}

    def letter(self, i, **more):
        """One more dead letter."""
        source = {"@timestamp": "2026-11-21T12:00:00.000Z", "topic": "orders", "cluster": "dc1", "group": "oasis-group", "p0": 12, "lag_sum": 3_000_000_000}
        with self.lock:
            self.dead.insert(0, {"id": i, "at": ms() - 60_000, "topic": "orders", "bytes": len(json.dumps(source)), "status": 400,
                                 "type": "document_parsing_exception", "reason": "[1:87] failed to parse field [lag_sum] of type [integer]",
                                 "source": source, **more})

    def get_rows(self, q):
        before, limit = int(q.get("before", 0)), int(q.get("limit", 100))
        rows = [x for x in (self.dead if q.get("dead") == "1" else []) if not before or x["id"] < before]
        return {"rows": rows[:limit], "more": len(rows) > limit}

    def change_rows(self, body):
        with self.lock:
            gone = [x for x in self.dead if body.get("all") or x["id"] in body["ids"]]
            self.dead = [x for x in self.dead if x not in gone]
            return {"rows": len(gone)}

    def silence(self, body):
        with self.lock:
            if body.get("until") == 0 and "id" in body:
                self.silences = [s for s in self.silences if s["id"] != body["id"]]
                return {"id": body["id"]}
            unit = {"m": 60, "h": 3600, "d": 86400}
            until = body.get("until") or ms() + int(body["for"][:-1]) * unit[body["for"][-1]] * 1000
            s = {"id": f"s{len(self.silences)}", "until": until, **{k: body.get(k) for k in ("cluster", "group", "topic", "host", "rule", "comment", "by")}}
            self.silences.append(s)
            for a in self.alerts:
                if all(s[k] in (None, a.get(k)) for k in ("cluster", "group", "topic", "host", "rule")):
                    a["silenced_until"] = until
            return {"id": s["id"]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mmlag"

    def log_message(self, *_):
        pass

    def address_string(self):
        return "-"

    def answer(self, status, kind, body, tag=None, more=()):
        if tag and self.headers.get("If-None-Match") == tag:
            status, body = 304, b""
        self.send_response_only(status)
        self.send_header("Date", email.utils.formatdate(time.time() + self.server.world.ahead / 1000, usegmt=True))
        if status != 304:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        if tag:
            self.send_header("ETag", tag)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer realm=\"mmlag\"")
            self.send_header("WWW-Authenticate", "Basic realm=\"mmlag\"")
        for name, value in (("Content-Security-Policy", CSP), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache"), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return status

    def json(self, value, status=200):
        body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"' if status == 200 else None
        status = self.answer(status, "application/json", body, tag)
        counts = self.server.world.counts
        key = (self.path.split("?")[0], status)
        counts[key] = counts.get(key, 0) + 1

    def file(self, path):
        name = "index.html" if path == "/" else path[1:]
        base = {"dygraph.min.js": CHARTS, "dygraph.min.css": CHARTS}.get(name, PAGE)
        if name == "dygraph-copyright.txt":
            base, name = "/usr/share/doc/libjs-dygraphs", "copyright"
        full = os.path.join(base, name)
        if "/" in name or not os.path.isfile(full):
            return self.json({"error": "there is nothing here"}, 404)
        with open(full, "rb") as f:
            body = f.read()
        kind = TYPES.get(os.path.splitext(name)[1], "text/plain; charset=utf-8")
        return self.answer(200, kind, body, '"' + hashlib.sha256(body).hexdigest()[:16] + '"')

    def allowed(self):
        basic = base64.b64encode(f"me:{TOKEN}".encode()).decode()
        return self.headers.get("Authorization") in (f"Bearer {TOKEN}", f"Basic {basic}")

    def do_GET(self):
        world = self.server.world
        parts = urllib.parse.urlsplit(self.path)
        q = dict(urllib.parse.parse_qsl(parts.query))
        if world.needs_token and not self.allowed():
            self.json({"error": "reading from here needs a token"}, 401)
            return
        if not parts.path.startswith("/api/"):
            self.file(parts.path)
            return
        with world.lock:
            if parts.path == "/api/v1/topics":
                found = world.get_topics()
            elif parts.path.startswith("/api/v1/topics/"):
                found = world.get_topic(urllib.parse.unquote(parts.path[len("/api/v1/topics/"):]), q)
            elif parts.path == "/api/v1/status":
                found = world.get_status()
            elif parts.path == "/api/v1/alerts":
                found = {"alerts": world.alerts, "silences": world.silences}
            elif parts.path == "/api/v1/documents":
                found = world.get_documents(q)
            elif parts.path == "/api/v1/spool":
                found = world.get_rows(q)
            else:
                found = None
        if found is None:
            self.json({"error": "there is nothing here"}, 404)
        else:
            self.json(found)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if not self.allowed() and not self.server.local:
            self.json({"error": "changing needs the token of http: token_file"}, 401)
        elif self.path == "/api/v1/silences":
            self.json(self.server.world.silence(body))
        elif self.path in ("/api/v1/spool/retry", "/api/v1/spool/drop"):
            self.json(self.server.world.change_rows(body))
        else:
            self.json({"error": "there is nothing here"}, 404)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    local = False  # a socket file: no token needed

    def __init__(self, *args):
        self.open_now = set()
        super().__init__(*args)

    def handle_error(self, *_):
        pass  # a browser that hangs up

    def process_request(self, request, client_address):
        self.open_now.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open_now.discard(request)
        super().shutdown_request(request)

    def hang_up(self):
        """End the connections that are kept alive, as the end of a process does."""
        for connection in list(self.open_now):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # closed meanwhile


class LocalServer(Server):
    address_family = socket.AF_UNIX
    local = True

    def server_bind(self):
        if os.path.exists(self.server_address):
            os.unlink(self.server_address)
        self.socket.bind(self.server_address)

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("-", 0)


class Mock:
    """The listener, in threads of this process; `address` is a port (0: any) or a path."""

    def __init__(self, world, address=0):
        self.world, self.address, self.server = world, address, None
        self.start()

    def start(self):
        if isinstance(self.address, str):
            self.server = LocalServer(self.address, Handler)
        else:
            self.server = Server(("127.0.0.1", self.address), Handler)
            self.address = self.server.server_address[1]
        self.server.world = self.world
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.address}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.server.hang_up()
        if isinstance(self.address, str) and os.path.exists(self.address):
            os.unlink(self.address)


def example(n=0):
    """A day in the life: everything the page can show, and `n` more topics."""
    w = World()
    rng = random.Random(7)
    some = lambda k, top: [rng.randrange(top) for _ in range(k)]  # noqa: E731
    w.topics = [
        topic("orders", "ERR", [*some(3, 90), (48211, "STOP"), *some(14, 120)], "stopped", time_lag_ms=1_260_000, time_lag_kind="extrapolated",
              labels={"team": "checkout"}, members=1),
        topic("payments", "WARN", [*some(4, 800), (2210, "WARN"), (1804, "WARN")], "lag_not_falling", time_lag_ms=48_000, drain_ms=None,
              target={"end_sum": None, "delivered_per_sec": None, "undelivered": None, "reason": "topic_absent",
                      "message": "the target has no topic 'payments'"}),
        topic("clicks.v1", "OK", some(12, 4000), "lag_falling", time_lag_ms=8200, drain_ms=95_000, produced_per_sec=1840.2, consumed_per_sec=1991.7),
        topic("orders-retry", "OK", [0, 0, None], time_lag_ms=0, time_lag_kind="idle", produced_per_sec=0.0, consumed_per_sec=0.0),
        topic("inventory", "ERR", [3, (990, "STALL"), (1200, "REWIND"), 5], "rewound", time_lag_ms=610_000),
        gap("audit", "broker_unreachable", "TimeoutException: Timed out waiting for a node assignment. Call: listOffsets", lags=some(6, 40)),
        gap("sessions", "ssh_host_key", "mm2.example.com: the key is SHA256:4sZ… but known_hosts has SHA256:9kQ…", host="mm2.example.com", lags=some(8, 40)),
        topic("telemetry", "OK", some(1000, 60), "lag_was_zero", time_lag_ms=2400, produced_per_sec=22840.0, consumed_per_sec=22835.5),
        *[topic(f"billing.{i:03}", "OK", some(rng.choice([3, 6, 12, 18]), rng.choice([4, 30, 400])), time_lag_ms=rng.randrange(4000),
                host=rng.choice(["mm1.example.com", "mm3.example.com"])) for i in range(14)],
        *[topic(f"events-{i:04}", "OK", some(18, 200), time_lag_ms=rng.randrange(9000), host=f"mm{i % 4 + 3}.example.com") for i in range(n)],
    ]
    now = ms()
    w.history_gaps = [{"from": now - 31 * 60_000, "until": now - 22 * 60_000, "reason": "ssh_lost", "message": "mm1.example.com: the connection was reset by the peer"}]
    w.alerts = [
        {"incident": "i1", "state": "firing", "severity": "critical", "rule": "stopped", "since": now - 21 * 60_000, "cluster": "dc1", "group": "oasis-group",
         "topic": "orders", "host": None, "partitions": [3], "value": 48211, "message": "orders: partition 3 has no owner, 48,211 messages wait",
         "changed": now, "silenced_until": None},
        {"incident": "i2", "state": "firing", "severity": "critical", "rule": "nodata", "since": now - 120_000, "cluster": "dc1", "group": None,
         "topic": None, "host": "mm2.example.com", "partitions": [], "value": None, "message": "mm2.example.com: ssh_host_key", "changed": now, "silenced_until": None},
        {"incident": "i3", "state": "resolved", "severity": "warning", "rule": "rewound", "since": now - 3000_000, "cluster": "dc1", "group": "oasis-group",
         "topic": "clicks.v1", "host": None, "partitions": [7], "value": 12, "message": "clicks.v1: partition 7 went back by 4,000", "changed": now, "silenced_until": None}]
    return w


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=39000)
    p.add_argument("--socket")
    p.add_argument("--topics", type=int, default=0)
    a = p.parse_args()
    world = example(a.topics)
    mock = Mock(world, a.socket or a.port)
    print(a.socket or mock.url, flush=True)
    while True:
        time.sleep(2)
        world.wobble()


if __name__ == "__main__":
    main()
