# SPDX-License-Identifier: MIT
"""The HTTP listener, on a daemon that follows a stand-in over a real sshd: rights,
refusals, greedy clients, a taken port, the control socket. Needs no Java."""

import base64
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import pytest
from conftest import MMLAG, Workplace, wait_for

pytestmark = pytest.mark.beside

TOKEN = "a-token-of-ours"
TABLE = """GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID
oasis-group orders 0 100 112 12 c-1 /127.0.0.1 c
oasis-group orders 1 50 50 0 c-2 /127.0.0.1 c
oasis-group orders 2 - 7 - - - -
"""
# kafka_exporter's own names, which promtool does not like either
NAMES_OF_THE_EXPORTER = re.compile(r'^kafka_\S+_sum non-histogram .* "_sum" suffix$')


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def other_address():
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # sends nothing
            address = s.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    return address


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("any.name", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Pages:
    """A daemon with pages on a port of its own."""

    def __init__(self, workplace, listen="127.0.0.1", wait=True, sections=None, topic=None,
                 **http_keys):
        self.port = http_keys.pop("port", None) or free_port()
        self.workplace = workplace
        token = workplace.path / "token"
        if not token.exists():
            token.write_text(TOKEN + "\n")
            token.chmod(stat.S_IRUSR)
        keys = {"listen": f"{listen}:{self.port}", "token_file": str(token), **http_keys}
        entry = {"name": "orders", "format": "table", "interval": "1s", "share": "topic",
                 "command": "cat <<'E'\n" + TABLE + "E\n", **(topic or {})}
        self.config = workplace.config(topics=[entry], http=keys, **(sections or {}))
        self.control = str(workplace.path / "state" / "control.sock")
        self.daemon = workplace.daemon(self.config)
        if wait:
            wait_for("the topic is on the page", 20, self.has_data)

    def has_data(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            topics = self.local("GET", "/api/v1/topics").json()["topics"]
            return topics and topics[0]["status"] == "OK"
        return False

    def local(self, method, path, body=None, headers=None):
        c = Local(self.control)
        c.request(method, path, body, headers or {})
        return Answer(c.getresponse())

    def __call__(self, path, method="GET", body=None, address="127.0.0.1", **headers):
        c = http.client.HTTPConnection(address, self.port, timeout=10)
        c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        try:
            return Answer(c.getresponse())
        finally:
            c.close()

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return s

    def raw(self, *pieces, wait=10):
        """The status of what is sent as it stands; None when there is no answer."""
        with self.connect() as s:
            s.settimeout(wait)
            with contextlib.suppress(OSError):  # it may hang up on us
                for piece in pieces:
                    s.sendall(piece)
            got = b""
            with contextlib.suppress(OSError):
                while b"\r\n" not in got:
                    part = s.recv(4096)
                    if not part:
                        break
                    got += part
        return int(got.split()[1]) if got else None


BEARER = {"Authorization": "Bearer " + TOKEN}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"me:" + TOKEN.encode()).decode()}
JSON = {"Content_Type": "application/json"}


@pytest.fixture
def pages(workplace):
    return Pages(workplace)


class Beside(threading.Thread):
    """A test that does little but wait, on a daemon of its own, while others run."""

    def __init__(self, test, workplace):
        super().__init__(daemon=True)
        self.test, self.workplace, self.outcome = test, workplace, None
        self.start()

    def run(self):
        try:
            self.test(self.workplace)
        except BaseException as outcome:  # of the thread that asks, a skip too
            self.outcome = outcome

    def ends(self):
        self.join(120)
        assert not self.is_alive()
        if self.outcome:
            raise self.outcome


@pytest.fixture(scope="module", autouse=True)
def beside(lab, tmp_path_factory):
    started = {test: Beside(test, Workplace(tmp_path_factory.mktemp(test.__name__), lab))
               for test in (dripping_alone, tls_and_a_new_certificate, a_taken_port, a_reader_that_does_not_read)}
    yield started
    for b in started.values():  # where nobody asked, the end is not waited for
        for d in b.workplace.daemons:
            if d.process.poll() is None:
                d.stop(signal.SIGKILL)


def test_the_pages_answer(pages):
    topic = pages("/api/v1/topics").json()["topics"][0]
    assert topic["lags"] == [[0, 12, "OK"], [1, 0, "OK"], [2, None, "OK"]]
    one = pages("/api/v1/topics/orders?group=oasis-group").json()
    assert one["partitions"][0]["committed"] == 100 and one["partitions"][2]["lag"] is None
    assert pages("/api/v1/topics/nix").status == 404
    status = pages("/api/v1/status").json()
    assert status["topics"]["ok"] == 1 and status["hosts"][0]["with_data"] == 1
    assert pages("/api/v1/alerts").json()["alerts"] == []
    documents = pages("/api/v1/documents?topic=orders").json()
    assert documents["documents"][-1]["p0"] == 12
    after = documents["next"]
    newer = wait_for("a newer document", 10, lambda: pages(
        f"/api/v1/documents?after={after}").json()["documents"])
    assert newer[0]["topic"] == "orders"
    assert pages("/").headers["Content-Type"].startswith("text/html")
    lag = pages("/v3/kafka/default/consumer/oasis-group/lag").json()
    assert lag["status"]["totallag"] == 12
    assert lag["request"]["host"] == socket.gethostname()
    assert pages("/burrow/admin").body == b"GOOD"
    assert pages("/-/ready").status == 200 and pages("/-/healthy").status == 200


def test_a_topic_comes_with_its_history(pages):
    def points():
        return pages("/api/v1/topics/orders").json()["history"]["points"]
    first = wait_for("a point of history", 30, points)[0]
    assert first[1:3] == [12, 12] and first[6] == "OK"
    history = pages("/api/v1/topics/orders").json()["history"]
    assert history["lags"]["0"][0] == 12 and history["lags"]["2"][0] is None
    later = pages(f"/api/v1/topics/orders?since={first[0] + 3600000}&until={first[0] + 7200000}")
    assert later.json()["history"]["points"] == []
    assert pages("/api/v1/topics/orders?since=2026-01-01T00:00:00Z").status == 200
    assert pages("/api/v1/topics/orders?since=90m").json()["history"]["points"]
    for bad in ["since=yesterday", "until=x", "since=-5"]:
        assert pages("/api/v1/topics/orders?" + bad).status == 400, bad


def test_what_waits_can_be_listed_and_dropped(pages):
    rows = wait_for("documents wait", 10, lambda: pages("/api/v1/spool").json()["rows"])
    assert rows[0]["topic"] == "orders" and rows[0]["id"] > 0
    assert len(pages("/api/v1/spool?limit=1").json()["rows"]) == 1
    assert pages("/api/v1/spool?dead=1").json() == {"rows": [], "more": False}
    two = wait_for("two documents", 10, lambda: pages("/api/v1/spool?limit=2").json()["rows"][1:])
    before = two[0]["id"] + 1
    assert pages(f"/api/v1/spool?limit=1&before={before}").json()["rows"] == two
    for bad in ("dead=2", "before=0", "before=x", "before=", "limit=-1"):
        assert pages("/api/v1/spool?" + bad).status == 400, bad
    ids = [rows[0]["id"]]
    assert pages("/api/v1/spool/drop", "POST", json.dumps({"ids": ids, "dead": False}),
                 **JSON, **BEARER).json() == {"rows": 1}
    assert ids[0] not in [r["id"] for r in pages("/api/v1/spool").json()["rows"]]
    assert pages("/api/v1/spool/retry", "POST", '{"all":true}', **JSON, **BEARER).json() == {"rows": 0}
    for bad in ["{}", '{"ids":["a"]}', '{"ids":3}', '{"all":true,"ids":[1]}', "[]"]:
        assert pages("/api/v1/spool/drop", "POST", bad, **JSON, **BEARER).status == 400, bad
    assert pages("/api/v1/spool/import", "POST", '{"file":"../../etc/passwd"}', **JSON,
                 **BEARER).status == 400
    assert pages("/api/v1/spool/drop", "POST", json.dumps({"ids": ids}), **JSON).status == 401


def test_a_silence_gets_an_id(pages):
    path = "/api/v1/silences"
    answer = pages(path, "POST", '{"for":"2h","topic":"orders"}', **JSON, **BEARER)
    assert answer.status == 200 and len(answer.json()["id"]) == 16
    wait_for("the alarm shows it", 10, lambda: answer.json()["id"] in [
        s["id"] for s in pages("/api/v1/alerts").json()["silences"]])
    mine = pages(path, "POST", '{"for":"2h","topic":"orders","id":"mine"}', **JSON, **BEARER)
    assert mine.json() == {"id": "mine"}
    for bad in ["{}", '{"for":"2h"}', '{"for":"never","topic":"t"}', '{"x":1}', "nix"]:
        refused = pages(path, "POST", bad, **JSON, **BEARER)
        assert refused.status == 400 and refused.json()["error"], bad


def test_the_metrics_are_clean(pages):
    page = pages("/metrics")
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    series = [line.rsplit(" ", 1)[0] for line in page.body.decode().splitlines()
              if not line.startswith("#")]
    assert len(series) == len(set(series))
    assert ('kafka_consumergroup_lag{consumergroup="oasis-group",partition="2",topic="orders"}'
            in series)
    tool = subprocess.run(["promtool", "check", "metrics"], input=page.body,
                          capture_output=True, check=False)
    unclean = [line for line in (tool.stdout + tool.stderr).decode().splitlines()
               if not NAMES_OF_THE_EXPORTER.match(line)]
    assert unclean == []


def test_every_family_that_may_ever_be_served_is_clean():
    """docs/metrics.md is made from the declarations, and a unit test compares the two."""
    rows = re.findall(r"^\| `(mmlag_\w+)` \| (.*?) \| (\w+) \| (.*) \|$",
                      (pathlib.Path(__file__).parents[2] / "docs/metrics.md").read_text(), re.M)
    assert len(rows) > 40
    page = "".join(f"# HELP {name} {says}\n# TYPE {name} {kind}\n{name}" + (
        "{" + ",".join(f'{label}="x"' for label in re.findall(r"\w+", labels)) + "}"
        if re.search(r"\w", labels) else "") + " 1\n" for name, labels, kind, says in rows)
    tool = subprocess.run(["promtool", "check", "metrics"], input=page.encode(),
                          capture_output=True, check=False)
    assert (tool.returncode, tool.stdout, tool.stderr) == (0, b"", b"")


def test_unchanged_answers_are_304_and_large_ones_are_compressed(pages):
    first = pages("/")
    assert first.headers["ETag"]
    again = pages("/", If_None_Match=first.headers["ETag"])
    assert again.status == 304 and again.body == b""
    assert pages("/", If_None_Match='"other"').status == 200
    packed = pages("/", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == first.body
    metrics = pages("/metrics", Accept_Encoding="br, gzip;q=0.5")
    assert gzip.decompress(metrics.body).startswith(b"# HELP kafka_")
    head = pages("/metrics", "HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 1000
    topics = pages("/api/v1/topics")
    assert topics.headers["Date"]
    wait_for("an answer that changes with the next sample", 10, lambda: pages(
        "/api/v1/topics", If_None_Match=topics.headers["ETag"]).status == 200)


def test_headers_protect_the_reader(pages):
    for path in ["/", "/metrics", "/nix", "/api/v1/topics"]:
        headers = pages(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert not re.search(r"unsafe|https?:|\*", headers["Content-Security-Policy"])
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_who_may_do_what_on_loopback(pages):
    level = json.dumps({"level": "info"})
    path = "/api/v1/loglevel"
    assert pages(path).status == 405
    assert pages(path, "POST", level, **JSON).status == 401
    assert pages(path, "POST", level, **JSON, Authorization="Bearer wrong").status == 401
    refused = pages(path, "POST", level, **JSON)
    assert "Bearer" in refused.headers["WWW-Authenticate"] and refused.json()["error"]
    for right in [BEARER, BASIC]:
        assert pages(path, "POST", level, **JSON, **right).json() == {"level": "info"}
    assert pages(path, "POST", level, **BEARER).status == 400  # no Content-Type
    assert pages(path, "POST", "{", **JSON, **BEARER).status == 400
    assert pages(path, "POST", '{"level":"loud"}', **JSON, **BEARER).status == 400
    assert pages(path, "POST", level, **JSON, **BEARER, Origin="http://evil").status == 403
    own = f"http://127.0.0.1:{pages.port}"
    assert pages(path, "POST", level, **JSON, **BEARER, Origin=own).status == 200
    assert pages("/metrics", "POST", "{}", **JSON, **BEARER).status == 405
    for path in ["/", "/metrics", "/-/healthy", "/v3/kafka", "/api/v1/topics"]:
        answer = pages(path, "POST", "{}")  # whoever asks, there is nothing to change
        assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD", path
    assert pages("/api/v1/loglevel", "PUT").headers["Allow"] == "POST"
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]:
        answer = pages("/v3/kafka/default/consumer/oasis-group", method)
        assert answer.status == 405 and "GET" in answer.headers["Allow"], method


def test_only_our_own_names_are_a_host(workplace):
    pages = Pages(workplace, names=["mm.example"])
    for host in ["localhost", "127.0.0.1", f"127.0.0.1:{pages.port}", "mm.example:80", "MM.EXAMPLE"]:
        assert pages("/metrics", Host=host).status == 200, host
    for host in ["evil.example", "evil.example:9308", "mm.example.evil", "10.1.2.3", "[::1]"]:
        assert pages("/metrics", Host=host).status == 403, host
        assert pages("/-/healthy", Host=host).status == 403, host
    assert pages.local("GET", "/metrics").status == 200


def test_elsewhere_needs_a_token(workplace):
    address = other_address()
    pages = Pages(workplace, listen="0.0.0.0")
    assert pages("/metrics").status == 200  # from loopback
    assert pages("/metrics", address=address).status == 401
    assert pages("/api/v1/topics", address=address, Authorization="Bearer x").status == 401
    assert pages("/metrics", address=address, **BEARER).status == 200
    assert pages("/metrics", address=address, **BASIC).status == 200
    assert pages("/-/healthy", address=address).status == 200
    assert pages("/-/ready", address=address).status == 200
    assert pages("/nix", address=address).status == 401


def test_trusted_networks_read_without_a_token(workplace):
    address = other_address()
    pages = Pages(workplace, listen="0.0.0.0", trusted=[address + "/32"])
    assert pages("/metrics", address=address).status == 200
    assert pages("/api/v1/loglevel", "POST", '{"level":"info"}', address=address,
                 **JSON).status == 401


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def certificate(path, name, ca=None):
    """name.pem and name.key below path, signed by `ca` or by itself."""
    key, cert = str(path / (name + ".key")), str(path / (name + ".pem"))
    new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
           "-out", cert + ".new", "-subj", "/CN=" + name,
           "-addext", f"subjectAltName=DNS:{name},DNS:localhost"]
    if ca:
        new += ["-CA", str(path / (ca + ".pem")), "-CAkey", str(path / (ca + ".key"))]
    try:
        openssl(*new)
    except subprocess.CalledProcessError:
        pass
    if not os.path.exists(cert + ".new"):  # OpenSSL before 3.0.? has no -CA here
        csr = cert + ".csr"
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", csr,
                "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", csr, "-CA", str(path / (ca + ".pem")), "-CAkey",
                str(path / (ca + ".key")), "-CAcreateserial", "-days", "2", "-out", cert + ".new")
    os.chmod(key, 0o600)
    os.replace(cert + ".new", cert)
    return cert, key


def tls_and_a_new_certificate(workplace):
    address = other_address()
    tmp_path = workplace.path
    certificate(tmp_path, "ca")
    certificate(tmp_path, "stranger")
    client = certificate(tmp_path, "client", "ca")
    cert, key = certificate(tmp_path, "one")
    pages = Pages(workplace, listen="0.0.0.0", cert_file=cert, key_file=key,
                  client_ca_file=str(tmp_path / "ca.pem"))

    def connection(shown):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if shown:
            context.load_cert_chain(*shown)
        return http.client.HTTPSConnection(address, pages.port, timeout=10, context=context)

    def ask(shown=None, peer=None):
        c = connection(shown)
        c.request("GET", "/metrics")
        if peer is not None:
            peer.append(c.sock.getpeercert(True))
        return Answer(c.getresponse()).status

    hello = bytes.fromhex("1603010200010001fc0303")  # and no more of it
    stuck = [socket.create_connection((address, pages.port)) for _ in range(4)]
    for s in stuck[:2]:
        s.sendall(hello)
    assert ask() == 401
    assert ask(client) == 200
    assert ask((str(tmp_path / "stranger.pem"), str(tmp_path / "stranger.key"))) == 401
    assert pages.raw(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n") is None  # no TLS
    # a broken file changes nothing, a good one is taken over
    before = []
    ask(peer=before)
    good = open(cert, encoding="ascii").read()
    with open(cert, "w", encoding="ascii") as f:
        f.write("garbage")
    wait_for("the broken certificate is said", 25,
             lambda: "cannot be used" in pages.daemon.log())
    assert ask(client) == 200
    with open(cert, "w", encoding="ascii") as f:
        f.write(good)
    fresh, fresh_key = certificate(tmp_path, "two")
    os.replace(fresh_key, key)
    os.replace(fresh, cert)
    now = []

    half = connection(client)  # a request is under way while the certificate changes
    half.connect()
    half.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n")

    def renewed():
        half.send(b"X: y\r\n")
        now.clear()
        return ask(client, now) == 200 and now != before
    wait_for("the new certificate is shown", 25, renewed)
    half.send(b"\r\n")
    assert b" 200 OK" in half.sock.recv(65536)
    for s in stuck:
        wait_for("who never ends the handshake is ended", 30, lambda s=s: ended(s))
        s.close()


def test_what_is_too_large_is_refused(pages):
    line = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
    assert pages.raw(line + b"X: " + b"x" * (1 << 20) + b"\r\n\r\n") in (431, None)
    assert pages.raw(line + b"X: " + b"x" * 20000 + b"\r\n\r\n") == 431
    assert pages.raw(line + b"".join(b"X%d: y\r\n" % i for i in range(20000)) + b"\r\n") in (
        431, None)
    assert pages.raw(b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n") in (
        414, 431)
    post = (b"POST /api/v1/loglevel HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            b"application/json\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n")
    assert pages.raw(post + b"Content-Length: 10000000\r\n\r\n") == 413
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    assert pages.raw(post + b"Transfer-Encoding: chunked\r\n\r\n", chunk * 20, b"0\r\n\r\n") == 413
    for garbage in [b"\0\xff\r\n\r\n", b"GET\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    b"GET http://x/ HTTP/1.1\r\nHost: localhost\r\n\r\n"]:
        assert pages.raw(garbage, wait=1) in (400, None), garbage
    assert pages("/metrics").status == 200


def ended(s):
    """Has the other side closed this connection?"""
    try:
        s.settimeout(0)
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_unusual_requests_are_answered_in_their_order(pages):
    def statuses(asked, half=False):
        with pages.connect() as s:
            s.sendall(asked)
            if half:
                s.shutdown(socket.SHUT_WR)
            answer = b""
            while asked.count(b" HTTP/1.") != len(re.findall(rb"HTTP/1\.1 \d", answer)):
                more = s.recv(65536)
                if not more:
                    break
                answer += more
            return [int(n) for n in re.findall(rb"HTTP/1\.1 (\d+)", answer)]

    def get(path):
        return b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"

    # sent at once: one of a store's question, one of nothing, one of the board
    assert statuses(get(b"/api/v1/topics/orders") + get(b"/nix") + get(b"/-/ready")) == [200, 404, 200]
    assert statuses(get(b"/metrics"), half=True) == [200]  # it will ask no more, and reads on
    assert statuses(b"GET /-/ready HTTP/1.0\r\n\r\n") == [200]
    assert statuses(b"GET /-/ready HTTP/1.1\r\n\r\n") == [400]  # without a Host
    assert statuses(get(b"/-/ready")[:-2] + b"Content-Length: 5\r\n\r\nhello" + get(b"/nix")) == [
        200, 404]
    assert pages.raw(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n") == 400
    assert pages("/metrics", Host="").status == 403


def test_the_kept_share_of_an_objective_is_shown(workplace):
    """The topic has lags of 12 and 0."""
    pages = Pages(workplace, topic={"objective": {"lag_max": 11, "share": "99%", "over": "1d"}})

    def kept():
        objectives = pages.local("GET", "/api/v1/status").json()["objectives"]
        return [o for o in objectives if o["kept"] is not None]
    [told] = wait_for("something was counted", 20, kept)
    assert told == {"cluster": "default", "group": "oasis-group", "topic": "orders", "lag_max": 11,
                    "share": 0.99, "over_ms": 86400000, "kept": 0, "beyond_ms": told["beyond_ms"]}
    assert told["beyond_ms"] > 0
    assert ('\nmmlag_topic_objective_kept_ratio{consumergroup="oasis-group",topic="orders"} 0\n'
            in pages("/metrics").body.decode())


PATHS = ["/", "/metrics", "/-/healthy", "/-/ready", "/v3/kafka", "/v3/kafka/default/consumer",
         "/v3/kafka/default/consumer/oasis-group/lag", "/burrow/admin", "/api/v1/topics",
         "/api/v1/topics/orders", "/api/v1/alerts", "/api/v1/status", "/api/v1/spool"]


def test_no_path_waits_for_elasticsearch(workplace):
    with socket.socket() as silent:  # takes connections, and says nothing ever
        silent.bind(("127.0.0.1", 0))
        silent.listen(128)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        pages = Pages(workplace, sections={"elasticsearch": {"hosts": [url]}})
        wait_for("documents wait", 10,
                 lambda: pages.local("GET", "/api/v1/status").json()["spool"]["documents"])
        for path in PATHS:
            asked = time.monotonic()
            assert pages(path).status == 200, path
            assert time.monotonic() - asked < 3, path  # the server has 30 s
        pages.daemon.stop(signal.SIGKILL)


def test_slow_and_greedy_clients_harm_nobody(pages):
    dripping = [pages.connect() for _ in range(20)]
    for s in dripping:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
    # a hundred that say nothing: the oldest give way, everybody else is served at once
    silent = [pages.connect() for _ in range(100)]
    for _ in range(20):
        asked = time.monotonic()
        assert pages("/metrics").status == 200
        assert time.monotonic() - asked < 3
    assert all(wait_for("the drippers gave way", 5, lambda s=s: ended(s)) for s in dripping)
    for s in silent + dripping:
        s.close()


def dripping_alone(workplace):
    """Headers, and a body: each lives for the allowed age and no longer."""
    pages = Pages(workplace)
    header, body = pages.connect(), pages.connect()
    header.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
    body.sendall(b"POST /api/v1/loglevel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n"
                 b"Content-Type: application/json\r\nAuthorization: Bearer " + TOKEN.encode()
                 + b"\r\n\r\n")
    began = time.monotonic()

    def drip(s):
        with contextlib.suppress(OSError):
            s.settimeout(1)
            s.sendall(b"x")
        return ended(s)
    wait_for("the slow ones are ended", 40, lambda: all([drip(header), drip(body)]))
    assert 25 < time.monotonic() - began < 36
    header.close()
    body.close()


def is_held(pages, port):
    """Does a process hold the pages' end of the connection from our port?"""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f][1:]
    return any(int(r[1].split(":")[1], 16) == pages.port and int(r[2].split(":")[1], 16) == port
               and r[9] != "0" for r in rows)


def a_reader_that_does_not_read(workplace):
    pages = Pages(workplace)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", pages.port))
        port = s.getsockname()[1]
        s.settimeout(1)
        with contextlib.suppress(OSError):  # it stops reading when it cannot write
            for _ in range(2000):
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert is_held(pages, port)
        assert pages("/metrics").status == 200
        wait_for("it is ended", 40, lambda: not is_held(pages, port))


def cpu_ms(pid):
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")


def test_open_connections_cost_nothing(pages):
    idle = [pages.connect() for _ in range(20)]
    for s in idle[10:]:
        s.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert s.recv(65536)
    before, began = cpu_ms(pages.daemon.process.pid), time.monotonic()
    after = pages.local("GET", "/api/v1/documents").json()["next"]
    wait_for("five more samples", 15, lambda: pages.local(
        "GET", "/api/v1/documents").json()["next"] >= after + 5)
    spent = cpu_ms(pages.daemon.process.pid) - before
    assert spent < 300 * (time.monotonic() - began)  # a spinning thread takes 1000 a second
    for s in idle:
        s.close()


def a_taken_port(workplace):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        pages = Pages(workplace, port=taken.getsockname()[1])  # sees data through the socket
        wait_for("it is said", 10, lambda: "cannot listen" in pages.daemon.log())
    wait_for("the port is tried again", 15, lambda: pages.raw(
        b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200
        if "pages on" in pages.daemon.log() else False)
    assert pages.daemon.log().count("cannot listen") == 1


def test_a_resolver_that_says_nothing_delays_no_stop(workplace, tmp_path):
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.53.7.9\noptions timeout:25 attempts:1\n")
    token = tmp_path / "t"
    token.write_text(TOKEN)
    token.chmod(0o600)
    config = workplace.config(topics=["orders"], http={"listen": "pages.example:9308",
                                                       "token_file": str(token)})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.53.7.9", 53))
        silent.settimeout(20)
        daemon = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             f'mount --bind {resolver} /etc/resolv.conf && exec "$0" "$@"',
             MMLAG, "run", "-c", config], stderr=subprocess.DEVNULL)
        assert silent.recv(512), "the name is looked up"
        asked = time.monotonic()
        daemon.terminate()
        assert daemon.wait(20) == 0
        assert time.monotonic() - asked < 8  # the resolver goes on for 25 s


def test_the_control_socket_is_ours_alone_and_outlives_a_kill(workplace):
    pages = Pages(workplace)
    assert stat.S_IMODE(os.stat(pages.control).st_mode) == 0o600
    level = json.dumps({"level": "debug"})
    typed = {"Content-Type": "application/json"}
    assert pages.local("POST", "/api/v1/loglevel", level, typed).json() == {"level": "debug"}
    pages.daemon.stop(signal.SIGKILL)
    assert os.path.exists(pages.control)
    again = Pages(workplace)  # the same state directory
    assert again.local("GET", "/-/ready").status == 200
    assert again.daemon.stop() == 0
    assert not os.path.exists(pages.control)


def test_pages_can_be_off_and_the_control_socket_stays(workplace):
    config = workplace.config(topics=["orders"], http="off")
    daemon = workplace.daemon(config)
    control = str(workplace.path / "state" / "control.sock")
    wait_for("the socket is there", 10, lambda: os.path.exists(control))
    c = Local(control)
    c.request("GET", "/-/ready")
    assert c.getresponse().status == 200
    assert "pages on" not in daemon.log()


# --- those that went on beside all others ---

def test_tls_with_client_certificates_and_a_new_certificate(beside):
    beside[tls_and_a_new_certificate].ends()


def test_a_taken_port_stops_nothing_but_the_pages(beside):
    beside[a_taken_port].ends()


def test_a_reader_that_does_not_read_is_ended(beside):
    beside[a_reader_that_does_not_read].ends()


def test_one_that_drips_lives_for_the_allowed_age_and_no_longer(beside):
    beside[dripping_alone].ends()
