# SPDX-License-Identifier: MIT
"""A search server that does what a test tells it, byte for byte where it must. It keeps
what it stored, and notes whatever a real server would not have taken."""

import gzip
import json
import re
import socket
import ssl
import struct
import threading
import time

BULK = "/_bulk"
ID = re.compile(r"[0-9]{13}-[0-9a-f]{32}")


class Gone(Exception):
    """The client went away."""


class Exchange:
    """One request, perhaps not read to its end, and its answer."""

    def __init__(self, peer, sock, head, rest):
        self.peer = peer
        self.sock = sock
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ")
        self.headers = {k.lower(): v.strip() for k, _, v in
                        (line.partition(":") for line in lines[1:])}
        self.length = int(self.headers.get("content-length", 0))
        self.raw = rest

    def read(self, n):
        """Read on until `n` bytes of the body are there."""
        while len(self.raw) < min(n, self.length):
            got = self.sock.recv(65536)
            if not got:
                raise Gone
            self.raw += got

    def body(self):
        self.read(self.length)
        if self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.raw)
        return self.raw

    def documents(self):
        """[(index, id, source)] of a bulk body, as a strict server reads it."""
        body = self.body()
        self.peer.check(body.endswith(b"\n"), "no newline at the end")
        self.peer.check(self.headers.get("content-type") == "application/x-ndjson", "its type")
        lines = body.decode("utf-8").split("\n")[:-1]
        self.peer.check(len(lines) % 2 == 0 and lines, "an odd number of lines")
        found = []
        for action, source in zip(lines[::2], lines[1::2]):
            create = json.loads(action)["create"]
            source = json.loads(source)
            self.peer.check(ID.fullmatch(create["_id"]), "an _id " + create["_id"])
            found.append((create["_index"], create["_id"], source))
        return found

    def items(self, refuse=None):
        """Store; `refuse` gives (status, type) for a source that is not to be stored."""
        out = []
        for index, key, source in self.documents():
            refusal = refuse(source) if refuse else None
            if refusal is None:
                refusal = self.peer.store(index, key, source)
            status, kind = refusal
            item = {"_index": index, "_id": key, "status": status}
            if kind:
                item["error"] = {"type": kind, "reason": "so it was written"}
            out.append({"create": item})
        return out

    def store(self, refuse=None):
        return json.dumps({"errors": True, "took": 1, "items": self.items(refuse)}).encode()

    def send(self, status=200, body=b"{}", headers=(), length=None):
        head = [f"HTTP/1.1 {status} Reason",
                f"Content-Length: {len(body) if length is None else length}", *headers]
        if not any(h.lower().startswith("content-type") for h in headers):
            head.append("Content-Type: application/json")
        if self.method == "HEAD":
            body = b""
        self.raw_send("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    def raw_send(self, data):
        self.sock.sendall(data)

    def reset(self):
        """Close with an RST, as a process that is killed with unread input does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone


def ok(x):
    x.send(200, x.store())


def answer(status, body=b"{}", headers=()):
    """An answer to a bulk of which nothing is stored."""
    def behave(x):
        x.body()
        x.send(status, body, headers)
    return behave


def refuse(status, kind, which=lambda source: True):
    """Answer for the documents that are so; the others are stored."""
    return lambda x: x.send(200, x.store(lambda s: (status, kind) if which(s) else None))


def end_slowly(sock):
    """Close only when the client has: what it sent and we did not read would turn the close
    into a reset, and that may overtake the alert that says why."""
    plain = socket.socket(fileno=sock.detach())
    plain.settimeout(5)
    plain.shutdown(socket.SHUT_WR)
    while plain.recv(65536):
        pass
    return plain


class Peer:
    """Listens on a port of the kernel's choice. `script` holds what is done with the next
    bulks, one each; then `mood` with all of them."""

    def __init__(self, tls=None, address="127.0.0.1", port=0):
        self.tls = tls
        self.address = address
        self.stored = {}       # (index, id) -> source
        self.complaints = []
        self.conflicts = 0
        self.script = []
        self.mood = ok
        self.others = None     # the same for what is no bulk
        self.bulks = 0
        self.indices = set()
        self.lock = threading.RLock()
        self.listener = None
        self.port = port
        self.listen()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.address}:{self.port}"

    def listen(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.address, self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """Nobody listens any more; listen() opens the same port again."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                try:
                    sock.do_handshake()
                except ssl.SSLError:
                    sock = end_slowly(sock)
                    return
            rest = b""
            while True:
                while b"\r\n\r\n" not in rest:
                    got = sock.recv(65536)
                    if not got:
                        return
                    rest += got
                head, _, rest = rest.partition(b"\r\n\r\n")
                x = Exchange(self, sock, head, rest)
                self.handle(x)
                x.body()
                rest = x.raw[x.length:]
        except (Gone, OSError):
            pass
        except Exception as e:  # pylint: disable=broad-except
            self.complaints.append(repr(e))
        finally:
            sock.close()

    def handle(self, x):
        if x.path.startswith(BULK):
            with self.lock:
                self.bulks += 1
                behave = self.script.pop(0) if self.script else self.mood
            behave(x)
        elif self.others:
            self.others(x)
        else:
            x.body()
            self.about_index(x)

    def about_index(self, x):
        name = x.path.split("?")[0].split("/")[1]
        if x.method == "PUT":
            json.loads(x.body())["mappings"]["properties"]  # pylint: disable=expression-not-assigned
            self.indices.add(name)
            x.send()
        elif name in self.indices:
            x.send(200, json.dumps({name: {"mappings": {}, "settings": {}}}).encode())
        else:
            x.send(404, b'{"error":{"type":"index_not_found_exception"},"status":404}')

    def store(self, index, key, source):
        with self.lock:
            if (index, key) in self.stored:
                self.conflicts += 1
                return 409, "version_conflict_engine_exception"
            self.stored[index, key] = source
            return 201, None

    def check(self, holds, what):
        if not holds:
            self.complaints.append("a bulk body with " + what)

    def sources(self):
        with self.lock:
            return list(self.stored.values())


def hold(seconds, then=ok):
    """The answer is late; what it is about happens at once."""
    def behave(x):
        body = x.store()
        time.sleep(seconds)  # that is the fault
        x.send(200, body) if then is ok else then(x)
    return behave
