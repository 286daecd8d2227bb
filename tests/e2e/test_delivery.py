# SPDX-License-Identifier: MIT
"""Whatever the search server does, each sample is in the index once, or accounted for.
Here the server is a scripted one, so that it does exactly the wrong thing; the same on
real servers is in test_delivery_real.py."""

import base64
import contextlib
import json
import os
import pathlib
import resource
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import time
import urllib.request

import pytest

import torture
from conftest import MMLAG, ROOT, wait_for
from delivery import COUNT, Cases, Delivery, command, run_apart
from peer import Gone, Peer, answer, hold, ok, refuse

pytestmark = pytest.mark.beside

case = Cases()
BASIC = "Basic " + base64.b64encode(b"mmlag:the-password").decode()


@contextlib.contextmanager
def delivery(path, lab, peer=None, urls=None, **kw):
    """A scripted server and a daemon that ships to it; in the end nothing may have been
    sent that a real server would not take."""
    peer = peer or Peer()
    d = Delivery(path, lab, urls or [peer.url], peer.sources, **kw)
    try:
        yield peer, d
    finally:
        d.close()
    assert not peer.complaints, peer.complaints[:3]


def same_fault(path, lab, *script, seconds=60, **kw):
    with delivery(path, lab, **kw) as (peer, d):
        peer.script = list(script)
        d.start().arrived(seconds).settle()
        assert not peer.script
        return peer, d


# --- the connection ---

@case
def nobody_listens_at_the_start(path, lab):
    with delivery(path, lab) as (peer, d):
        peer.close()
        d.start().logged("documents wait in the spool")
        time.sleep(1)
        peer.listen()
        d.arrived().settle()


@case
def killed_in_the_middle_of_a_bulk(path, lab):
    def die(x):
        x.read(x.length // 2)
        x.reset()
    same_fault(path, lab, die, die)


@case
def killed_between_storing_and_answering(path, lab):
    def die(x):
        x.store()
        x.reset()
    peer, _ = same_fault(path, lab, die, ok, die, die)
    assert peer.conflicts >= 3


@case
def the_answer_breaks_off_anywhere(path, lab):
    def cut(at):
        def behave(x):
            body = x.store()
            text = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode() + body
            x.raw_send(text[:at])
            x.reset()
        return behave
    same_fault(path, lab, *[cut(at) for at in (0, 1, 15, 60)])
    same_fault(path / "later", lab, *[cut(at) for at in (90, 120, -1)])


@case
def an_answer_that_is_late_holds_up_nothing_but_itself(path, lab):
    with delivery(path, lab, count=100, elastic={"timeout": "30s"}) as (peer, d):
        peer.script = [hold(8)]
        d.start().arrived()
        d.settle()
        times = sorted(s["@timestamp"] for s in peer.sources() if s.get("topic") == "a")
        at = [float(t[17:23]) + 60 * int(t[14:16]) for t in times]
        assert max(b - a for a, b in zip(at, at[1:])) < 1.5  # the sampling went on


@case
def an_answer_after_our_patience_is_a_lost_answer(path, lab):
    peer, _ = same_fault(path, lab, hold(3), elastic={"timeout": "1s"})
    assert peer.conflicts >= 1


@case
def one_of_two_nodes_dies(path, lab):
    other = Peer()
    with delivery(path, lab) as (peer, _):
        pass
    with delivery(path, lab, urls=[peer.url, other.url], peer=peer) as (peer, d):
        other.stored = peer.stored  # one cluster
        other.lock = peer.lock
        d.start()
        wait_for("bulks to both", 20, lambda: peer.bulks and other.bulks)
        other.close()
        other.script = [lambda x: x.reset()] * 100
        d.arrived().settle()
        assert not other.complaints


@case
def a_name_that_is_gone_does_not_stop_the_others(path, lab):
    with delivery(path, lab) as (peer, _):
        pass
    with delivery(path, lab, peer=peer,
                  urls=["http://no-such-host.invalid:9200", peer.url]) as (peer, d):
        d.start().arrived().settle()


@case
def all_names_are_gone_until_the_next_life(path, lab):
    with delivery(path, lab, urls=["http://no-such-host.invalid:9200"]) as (peer, d):
        d.start().logged("documents wait in the spool")
        time.sleep(COUNT * 0.05 + 1)  # until all samples were taken
        assert d.stop() == 0
        assert len(d.spool("q")) == 2 * COUNT
        config = json.loads((path / "mmlag.yaml").read_text())
        config["elasticsearch"]["hosts"] = [peer.url]
        (path / "mmlag.yaml").write_text(json.dumps(config))
        d.start().arrived(sessions=2).settle(sessions=2)


# --- what the answer says ---

@case
def a_storm_of_429(path, lab):
    full = refuse(429, "es_rejected_execution_exception")
    same_fault(path, lab, answer(429), full, full, answer(429, headers=["Retry-After: 2"]), full)


@case
def server_errors(path, lab):
    same_fault(path, lab, answer(503), answer(500, b"<html>"), refuse(
        503, "unavailable_shards_exception"), answer(502, b""))


@case.slow
def one_of_two_kinds_is_blocked_and_the_other_flows(path, lab):
    """Disk full (429), a block of the operator's (403): by index, so by document."""
    with delivery(path, lab, elastic={"bulk": {"max_delay": "100ms", "max_documents": 4}}) as (
            peer, d):
        peer.mood = refuse(403, "cluster_block_exception", lambda s: s.get("topic") == "b")
        d.start().arrived(20, ["a"])
        assert not d.samples()["b"]
        peer.mood = refuse(429, "cluster_block_exception", lambda s: s.get("topic") == "b")
        d.logged("wait apart")
        wait_for("those that wait apart", 20, lambda: "wait apart    " in d.spool_status())
        assert "lift the block" in d.spool_status()
        peer.mood = ok
        d.arrived(90)
        wait_for("nothing that is held up", 60, lambda: "since" not in d.spool_status())
        d.settle()


@case.slow
def credentials_are_wrong_and_then_right(path, lab):
    path.mkdir(parents=True)
    secret = path / "password"
    secret.touch(mode=0o600)
    secret.write_text("not-the-password")

    def guarded(x):
        if x.headers.get("authorization") != BASIC:
            x.body()
            x.send(401, b'{"error":{"type":"security_exception","reason":"no"},"status":401}')
        elif x.path.startswith("/_bulk"):
            ok(x)
        else:
            x.body()
            x.peer.about_index(x)
    with delivery(path, lab, elastic={"username": "mmlag", "password_file": str(secret)}) as (
            peer, d):
        peer.mood = peer.others = guarded
        d.start().logged("check username and password_file")
        assert not peer.stored
        said = d.spool_status()
        assert "held up       since 2" in said and "check username" in said, said
        assert d.figures()['mmlag_delivery_trouble{kind="credentials"}'] == 1
        secret.write_text("the-password")
        d.arrived(90).settle()
        assert "the-password" not in d.log()


@case
def too_large_is_halved(path, lab):
    def bounded(x):
        if x.length > 2500:
            x.send(413, b"")
            raise Gone  # as the real one: it does not read the rest
        ok(x)
    with delivery(path, lab, elastic={"compression": "none"}) as (peer, d):
        peer.close()
        d.start().logged("documents wait in the spool")
        time.sleep(1.5)  # so that some are together
        peer.mood = bounded
        peer.listen()
        d.arrived().settle()


@case
def one_document_poisons_the_whole_request(path, lab):
    def poisoned(x):
        if any(s.get("topic") == "b" and s.get("p0") == 7 for _, _, s in x.documents()):
            x.send(400, b'{"error":{"type":"illegal_argument_exception"},"status":400}')
        else:
            ok(x)
    with delivery(path, lab) as (peer, d):
        peer.mood = poisoned
        d.start().arrived(60, ["a"])
        wait_for("the neighbours", 30, lambda: sum(map(len, d.samples()["b"].values())) == COUNT - 1)
        d.settle(dead=[7])


@case
def a_document_that_is_refused_is_a_dead_letter(path, lab):
    with delivery(path, lab) as (peer, d):
        peer.mood = refuse(400, "document_parsing_exception",
                           lambda s: s.get("topic") == "b" and s.get("p0") in (3, 4))
        d.start().arrived(60, ["a"])
        wait_for("the neighbours", 30, lambda: sum(map(len, d.samples()["b"].values())) == COUNT - 2)
        d.settle(dead=[3, 4])


# --- what is no answer ---

def stored_but(send):
    def behave(x):
        body = x.store()
        send(x, body)
    return behave


def gzipped(x, body):
    x.send(200, body, ["Content-Encoding: gzip"])


@case
def garbage(path, lab):
    same_fault(path, lab,
               stored_but(lambda x, b: x.send(200, b"\x00\xff{{{")),
               stored_but(lambda x, b: x.send(200, b"{}")),
               stored_but(lambda x, b: x.send(200, b"")), seconds=90)


@case
def a_login_page(path, lab):
    same_fault(path, lab, stored_but(lambda x, b: x.send(
        200, b"<!DOCTYPE html><html>sign in</html>", ["Content-Type: text/html"])),
        stored_but(lambda x, b: x.send(204, b"")))


@case
def items_that_do_not_add_up(path, lab):
    def one_less(x, body):
        v = json.loads(body)
        v["items"].pop()
        x.send(200, json.dumps(v).encode())

    def no_status(x, body):
        v = json.loads(body)
        del v["items"][-1]["create"]["status"]
        x.send(200, json.dumps(v).encode())
    same_fault(path, lab, stored_but(one_less), stored_but(no_status),
               stored_but(lambda x, b: x.send(200, b'{"errors":false,"items":[]}')))


@case
def items_in_another_order(path, lab):
    """Whose verdict is it? One document is to be refused, and its neighbours are not."""
    def bad(source):
        return (400, "document_parsing_exception") if (
            source.get("topic") == "b" and source.get("p0") == 7) else None

    def reversed_items(x):
        v = json.loads(x.store(bad))
        v["items"].reverse()
        x.send(200, json.dumps(v).encode())
    with delivery(path, lab) as (peer, d):
        peer.close()
        d.start().logged("documents wait in the spool")
        time.sleep(COUNT * 0.05)  # so that they are together
        peer.script = [reversed_items, reversed_items]
        peer.mood = lambda x: x.send(200, x.store(bad))
        peer.listen()
        d.arrived(60, ["a"])
        wait_for("the neighbours", 30,
                 lambda: sum(map(len, d.samples()["b"].values())) == COUNT - 1)
        d.settle(dead=[7])
        assert "in another order" in d.log()


@case
def unusual_but_whole_answers_are_taken(path, lab):
    """An old proxy that ends its answer with the connection, trailers, words ahead of the
    answer, a packed one: nothing of it is a reason to send anything twice."""
    def old(x):
        x.raw_send(b"HTTP/1.0 200 OK\r\n\r\n" + x.store())
        raise Gone

    def chunked(x):
        body = x.store()
        x.raw_send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n")
        for piece in (body[:7], body[7:]):
            x.raw_send(b"%x;why=not\r\n%s\r\n" % (len(piece), piece))
        x.raw_send(b"0\r\nX: y\r\nRetry-After: 9\r\n\r\n")

    def ahead(x):
        x.raw_send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                   b"Retry-After: 99\r\nLink: </x>\r\n\r\n")
        ok(x)

    def packed(x):
        import gzip
        gzipped(x, gzip.compress(x.store()))
    peer, _ = same_fault(path, lab, old, chunked, ahead, packed, old)
    assert peer.conflicts == 0


@case
def compressed_garbage(path, lab):
    def half(x, body):
        import gzip
        packed = gzip.compress(body * 10)
        gzipped(x, packed[:len(packed) // 2])
    same_fault(path, lab, stored_but(lambda x, b: gzipped(x, b"no gzip at all")),
               stored_but(half))


@case
def an_answer_that_is_shorter_than_it_says(path, lab):
    def short(x, body):
        x.send(200, body[:len(body) // 2], length=len(body))
        raise Gone
    same_fault(path, lab, stored_but(short), stored_but(short))


@case
def an_answer_of_200_megabytes(path, lab):
    def huge(x, body):
        x.send(200, b"", length=200 << 20)
        for _ in range(200):
            x.raw_send(b" " * (1 << 20))
    with delivery(path, lab) as (peer, d):
        peer.script = [stored_but(huge), stored_but(huge)]
        d.start().arrived()
        assert d.peak() < 150
        d.settle()


@case
def a_header_line_of_a_megabyte(path, lab):
    same_fault(path, lab, stored_but(lambda x, b: x.raw_send(
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * (1 << 20) + b"\r\n\r\n")))


@case.slow
def a_redirection_is_not_followed(path, lab):
    elsewhere = Peer()
    _, d = same_fault(path, lab, answer(302, b"", [f"Location: {elsewhere.url}/_bulk"]), seconds=90)
    assert "redirected" in d.log() and elsewhere.bulks == 0


@case.slow
def a_proxy_wants_credentials(path, lab):
    _, d = same_fault(path, lab, answer(407, b"", ["Proxy-Authenticate: Basic"]), seconds=90)
    assert "proxy" in d.log()


# --- certificates ---

def certificate(path, name, days):
    run = lambda *args: subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=path)
    if not (path / "ca.crt").exists():
        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=an authority",
            "-addext", "keyUsage=critical,keyCertSign", "-keyout", "ca.key", "-out", "ca.crt")
    (path / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=node", "-keyout", name + ".key",
        "-out", name + ".csr")
    run("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", str(days), "-extfile", "names", "-out", name + ".crt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path / (name + ".crt"), path / (name + ".key"))
    return context


@case.slow
def an_expired_certificate_is_told_nothing(path, lab):
    path.mkdir(parents=True)
    expired, good = certificate(path, "expired", -1), certificate(path, "good", 9)
    peer = Peer(tls=expired)
    with delivery(path, lab, peer=peer, elastic={"ca_file": str(path / "ca.crt")}) as (peer, d):
        d.start().logged("renew the server's certificate")
        assert peer.bulks == 0 and not peer.stored
        peer.tls = good
        d.arrived(90).settle()


# --- our own misfortunes ---

@case
def the_disk_is_full_for_a_while(path, lab):
    """What cannot be written waits in memory, and goes all the same."""
    with delivery(path, lab, count=120) as (peer, d):
        peer.close()  # so that it must wait
        d.start(preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        d.logged("documents wait in the spool")
        pid = d.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        d.logged("spool: ")
        resource.prlimit(pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        d.logged("the file can be written again", 40)
        peer.listen()
        d.arrived(90).settle()


@case
def the_file_system_is_read_only_at_the_start(path, lab):
    path.mkdir(parents=True)
    state = path / "state"
    state.mkdir(mode=0o700)
    with delivery(path, lab, count=120) as (peer, d):
        d.prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                    f"mount --bind {state} {state} && mount -o remount,bind,ro {state} && "
                    'exec "$0" "$@"']
        peer.close()  # so that it must wait
        d.start().logged("spool: ")
        d.logged("documents wait in the spool")
        assert not list(state.iterdir())
        subprocess.run(["nsenter", "-t", str(d.process.pid), "-m", "mount", "-o",
                        "remount,bind,rw", str(state)], check=True)
        d.logged("the file can be written again", 40)
        peer.listen()
        d.arrived(90).settle()


@case
def no_room_is_left_from_the_start(path, lab):
    with delivery(path, lab, spool={"min_free": "1TiB"}) as (_, d):
        d.start().arrived().settle()
        assert "spool: " in d.log()


@case
def a_damaged_file_is_put_aside(path, lab):
    """It is named by log, alert and `spool status`, and can be taken in again."""
    with delivery(path, lab) as (peer, d):
        peer.close()
        d.start().logged("documents wait in the spool")
        wait_for("all samples", 60, lambda: len(d.spool("q")) == 2 * COUNT)
        assert d.stop() == 0
        with sqlite3.connect(path / "state" / "mmlag.db") as db:
            db.execute("DROP TABLE meta")
        db.close()
        peer.listen()
        d.start().logged("could not be used and was put aside")
        (aside,) = (f.name for f in (path / "state").glob("mmlag.db.aside-*-damaged"))
        assert aside in d.log() and aside in d.spool_status()

        def alerts():
            with urllib.request.urlopen(d.pages + "/api/v1/alerts", timeout=5) as answer:
                return [a for a in json.load(answer)["alerts"] if a["rule"] == "spool_set_aside"]
        wait_for("an alert of it", 60, lambda: [a["state"] for a in alerts()] == ["firing"])
        d.arrived()
        assert len(d.samples()["a"]) == 1  # those of this life
        said = subprocess.run([MMLAG, "spool", "import", aside, "-c", d.config], check=False,
                              capture_output=True, text=True, timeout=20)
        assert f"{2 * COUNT} documents and 0 dead letters were taken in\n" in said.stdout, said
        d.arrived(sessions=2).settle(sessions=2)


@case.slow
def a_command_that_floods_pushes_nobody_else_out(path, lab):
    """As fast as it can, while the server is away and the spool is small."""
    with delivery(path, lab, count=200, spool={"max_bytes": "1MiB"}) as (peer, d):
        d.configure(None, topics=["a", "b", {"name": "flood", "command": "yes '1 2'"}])
        peer.close()
        d.start().logged("held back")
        wait_for("more than the spool holds", 40,
                 lambda: d.figures()['mmlag_documents_total{outcome="evicted"}'] > 300)
        assert d.figures()["mmlag_samples_total"] < 16000  # ten thousand at once
        peer.listen()
        d.arrived(90)
        wait_for("accounts that balance", 10, d.balance)
        assert d.peak() < 80  # ten thousand went through, and none of it stayed
        assert d.stop() == 0
        for topic, found in d.samples().items():
            assert [sorted(v) for v in found.values()] == [list(range(1, 201))], topic


def killed(path, lab, point):
    """kill -9 of our own daemon when the third bulk is at that point; then a new life."""
    with delivery(path, lab) as (peer, d):
        def die(x):
            body = x.store() if point != "before it is stored" else x.body()
            if point == "after the answer":
                x.send(200, body)
            d.process.send_signal(signal.SIGKILL)
            raise Gone
        peer.script = [ok, ok, die]
        d.start()
        wait_for("its end", 20, lambda: d.process.poll() is not None)
        assert d.kill() == -signal.SIGKILL
        d.start().arrived(sessions=2).settle(sessions=2, lives=2)


@case
def killed_before_a_bulk_is_stored(path, lab):
    killed(path, lab, "before it is stored")


@case
def killed_when_a_bulk_is_stored(path, lab):
    killed(path, lab, "stored")


@case
def killed_when_a_bulk_is_answered(path, lab):
    killed(path, lab, "after the answer")


@case
def killed_while_documents_wait_apart(path, lab):
    with delivery(path, lab) as (peer, d):
        peer.mood = refuse(429, "es_rejected_execution_exception", lambda s: s.get("topic") == "b")
        d.start().arrived(30, ["a"])
        d.logged("wait apart")
        time.sleep(0.5)  # two commits
        d.kill()
        peer.mood = ok
        d.start().arrived(sessions=2).settle(sessions=2, lives=2)


@case
def killed_again_and_again_at_the_start(path, lab):
    with delivery(path, lab) as (peer, d):
        peer.close()
        for pause in (0.02, 0.1, 0.4, 0.8, 1.2):
            d.start()
            time.sleep(pause)  # the point of the kill
            d.kill()
        peer.listen()
        d.start().arrived(sessions=2)
        wait_for("an empty spool", 30, lambda: not d.spool("q"))
        sessions = {t: len(v) for t, v in d.samples().items()}
        assert d.stop() == 0
        assert not d.spool("dead")
        for found in d.samples().values():
            for numbers in found.values():
                assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert min(sessions.values()) >= 2, sessions


@case
def killed_while_a_stop_drains(path, lab):
    with delivery(path, lab) as (peer, d):
        d.start().arrived()
        peer.script = [hold(5)] * 9
        d.stop()
        d.start()
        wait_for("a bulk that is held", 20, lambda: len(peer.script) < 9)
        d.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)  # in the middle of the drain
        d.kill()
        peer.script = []
        d.start().arrived(sessions=3).settle(sessions=3, lives=3)


@case
def a_stop_in_the_middle_of_an_outage_keeps_all(path, lab):
    with delivery(path, lab) as (peer, d):
        peer.script = [ok, answer(503)]
        peer.mood = answer(503)
        d.start().logged("documents wait in the spool")
        time.sleep(COUNT * 0.05 + 0.5)  # until all samples were taken
        began = time.monotonic()
        assert d.stop() == 0
        assert time.monotonic() - began < 3
        peer.mood = ok
        d.start().arrived(sessions=2).settle(sessions=2)


# --- names ---

def in_a_mount_namespace(*binds):
    """What to put before a command so that it sees these files, (ours, the system's)."""
    mounts = "".join(f"mount --bind {ours} {theirs} && " for ours, theirs in binds)
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
            mounts + 'exec "$0" "$@"']


@case.slow
def all_names_are_gone_under_a_running_daemon(path, lab):
    """Nobody resolves the names any more: the session that breaks in that time cannot be
    opened again until they are back."""
    path.mkdir(parents=True)
    hosts, resolver, known = path / "hosts", path / "resolv.conf", path / "known_hosts"
    names = "127.0.0.1 mmlag-broker.test mmlag-search.test\n"
    hosts.write_text(names)
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    with open(lab.known_hosts, encoding="ascii") as f:
        known.write_text(f.read().replace("127.0.0.1", "mmlag-broker.test"))
    # The first session lives until its topic is told to break it, the next ones stay.
    with tempfile.TemporaryDirectory(prefix="mmlag-names-") as shared:
        os.chmod(shared, 0o755)
        cut = pathlib.Path(shared) / "cut"
        text = command(COUNT, 0.05).replace(
            "sleep 600", f"while [ ! -e {cut} ]; do sleep 0.1; done; kill -9 $PPID")
        with delivery(path, lab) as (peer, d):
            d.configure(host="mmlag-broker.test", known_hosts=str(known), command=text)
            d.configure("elasticsearch", hosts=[f"http://mmlag-search.test:{peer.port}"])
            d.prefix = in_a_mount_namespace((hosts, "/etc/hosts"), (resolver, "/etc/resolv.conf"))
            d.start().arrived()
            hosts.write_text("127.0.0.1 localhost\n")
            cut.touch()
            d.logged("the name cannot be resolved", 40)
            cut.unlink()
            time.sleep(2)  # some tries in vain
            assert len(d.samples()["a"]) == 1
            hosts.write_text(names)
            d.arrived(sessions=2).settle(sessions=2)


@case.slow
def the_search_server_moves_to_another_address(path, lab):
    """Its name is gone for a while, and leads elsewhere then."""
    path.mkdir(parents=True)
    hosts, resolver = path / "hosts", path / "resolv.conf"
    hosts.write_text("127.0.0.1 mmlag-search.test\n")
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")

    def last_words(x):
        x.send(200, x.store(), ["Connection: close"])
        raise Gone
    with delivery(path, lab, count=300) as (peer, d):
        d.configure("elasticsearch", hosts=[f"http://mmlag-search.test:{peer.port}"])
        d.prefix = in_a_mount_namespace((hosts, "/etc/hosts"), (resolver, "/etc/resolv.conf"))
        d.start()
        wait_for("longer than an address is remembered", 40, lambda: len(peer.stored) > 240)
        hosts.write_text("127.0.0.1 localhost\n")
        peer.close()
        peer.mood = last_words
        d.logged("check the name and the resolver", 30)
        there = Peer(address="127.0.0.2", port=peer.port)
        there.stored, there.indices = peer.stored, peer.indices
        hosts.write_text("127.0.0.2 mmlag-search.test\n")
        d.arrived(60).settle()
        assert there.bulks > 0 and not there.complaints


# --- everything at once ---

@case.slow
def a_short_torture_loses_and_doubles_nothing(path, lab):
    """A short piece of `make torture`, with a seed of its own: what it finds can be
    repeated."""
    torture.FAILING = os.path.join(ROOT, "build", "release", "failing.so")
    assert os.path.exists(torture.FAILING)
    documents, sessions, lives, _ = torture.torture(path, lab, 20, 4)
    assert documents > 100 and sessions >= 2 and len(lives) >= 2


@case.slow
def one_call_after_the_other_fails_and_costs_nothing(path, lab):
    """The n-th connect, fsync, write and allocation, n growing from life to life."""
    torture.FAILING = os.path.join(ROOT, "build", "release", "failing.so")
    documents, sessions, _, _ = torture.torture(path, lab, 0, 0, in_turn=True)
    assert documents > 50 and sessions >= 14


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory, lab, request):
    wanted = {i.callspec.params["name"] for i in request.session.items
              if i.function is test_delivery_survives}
    width = int(os.environ.get("MMLAG_CASES", "12"))
    return run_apart({n: f for n, f in case.items() if n in wanted},
                     tmp_path_factory.mktemp("delivery"), lab, width)


@pytest.mark.parametrize("name", list(case))
def test_delivery_survives(outcomes, name):
    if outcomes[name] is not None:
        raise outcomes[name]
