# SPDX-License-Identifier: MIT
"""`mmlag spool` on a state directory, without any server: alone, beside a daemon, and
through its socket."""

import http.server
import json
import os
import pathlib
import signal
import socketserver
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import MMLAG, wait_for

OLD = int(time.time() * 1000) - 60000


class Place:
    """A configuration and its state directory."""

    def __init__(self, path):
        self.state = path / "state"
        self.file = path / "mmlag.yaml"
        key = path / "key"
        key.write_text("no key")
        key.chmod(0o600)
        self.write(min_free="0B")

    def write(self, **spool):
        key = self.file.parent / "key"
        self.file.write_text(json.dumps({
            "state_dir": str(self.state), "spool": spool, "http": "off",
            "topics": [{"name": "orders", "host": "127.0.0.1", "port": 1, "user": "u",
                        "key_file": str(key), "group": "g", "kafka_home": "/k",
                        "bootstrap_server": "b:1"}]}))

    def spool(self, *args):
        run = subprocess.run([MMLAG, "spool", "-c", str(self.file), *args],
                             capture_output=True, text=True, timeout=60, check=False)
        return run.returncode, run.stdout, run.stderr

    def good(self, *args):
        code, out, err = self.spool(*args)
        assert (code, err) == (0, "")
        return out

    def json(self, *args):
        return json.loads(self.good(*args, "--json"))

    def database(self, sql, *rows):
        """Run a statement once, or for each of the rows."""
        with sqlite3.connect(self.state / "mmlag.db") as db:
            if rows:
                got = db.executemany(sql, rows).fetchall()
            else:
                got = db.execute(sql).fetchall()
        db.close()
        return got

    def fill(self, waiting=0, dead=0):
        """Rows as the daemon would have written them."""
        self.good("drop", "--all")  # makes the file
        if waiting:
            self.database("INSERT INTO q VALUES(?,'orders',?,?,?)",
                          *((n, OLD, f"w{n}", f'{{"n":{n}}}'.encode())
                            for n in range(1, waiting + 1)))
        if dead:
            self.database("INSERT INTO dead VALUES(?,'orders',?,?,?,?,400,'some_exception',?)",
                          *((n, OLD, f"d{n}", f'{{"n":{n}}}'.encode(), OLD,
                             f"reason {n}\x1b[31m") for n in range(1, dead + 1)))
        self.database("UPDATE meta SET documents=?, bytes=?*7, dead=?, dead_bytes=?*7, next_id=?",
                      (waiting, waiting, dead, dead, waiting + 1))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_an_empty_directory_has_an_empty_spool(place):
    assert "waiting       0 documents, 0 B\n" in place.good("status")
    assert place.json("status")["documents"] == 0
    assert place.good("list") == "nothing waits\n"
    assert place.good("dead") == "no dead letters\n"
    assert not place.state.exists()  # looking makes nothing


def test_rows_are_shown_to_people_and_to_scripts(place):
    place.fill(waiting=30, dead=2)
    out = place.good("status")
    assert "waiting       30 documents, 210 B, the oldest of 20" in out
    assert "dead letters  2 documents, 14 B ('mmlag spool dead' tells why)" in out
    assert [r["id"] for r in place.json("list")["rows"]] == list(range(30, 10, -1))
    assert len(place.json("list", "--limit", "3")["rows"]) == 3
    rows = place.json("dead")["rows"]
    assert [(r["id"], r["status"], r["source"]) for r in rows] == [
        (2, 400, {"n": 2}), (1, 400, {"n": 1})]
    out = place.good("dead")
    assert "orders  some_exception: reason 2" in out and "\x1b" not in out


def test_without_a_daemon_the_command_does_it_itself(place):
    place.fill(waiting=3, dead=4)
    assert place.good("retry", "2", "3") == "2 documents go again\n"
    assert place.json("status")["documents"] == 5
    assert place.database("SELECT doc_id FROM q ORDER BY id")[3:] == [("d2",), ("d3",)]
    assert place.json("retry", "9") == {"rows": 0}
    assert place.good("drop", "1") == "1 document was dropped\n"
    assert place.json("status")["dead"] == 1
    assert place.json("drop", "--waiting", "1", "2") == {"rows": 2}
    assert place.json("retry", "--all") == {"rows": 1}
    assert place.json("status")["documents"] == 4
    assert place.json("drop", "--waiting", "--all") == {"rows": 4}


def test_a_file_that_was_set_aside_is_taken_in(place):
    place.fill(waiting=500, dead=7)
    aside = place.state / "mmlag.db.aside-20261121T000000Z-damaged"
    (place.state / "mmlag.db").rename(aside)
    for part in ("-wal", "-shm"):
        pathlib.Path(str(place.state / "mmlag.db") + part).unlink(missing_ok=True)
    assert "set aside     mmlag.db.aside-2026" in place.good("status")
    out = place.good("import", str(aside))
    assert out == "500 documents and 7 dead letters were taken in\n"
    assert place.json("status")["documents"] == 500
    assert place.json("status")["dead"] == 7
    aside.write_bytes(b"x" * 8192)
    code, out, err = place.spool("import", aside.name)
    assert code == 1 and out == "" and "nothing can be read from" in err
    code, out, err = place.spool("import", "/etc/hostname")
    assert code == 1 and "only a file of" in err and "/etc/hostname" in err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_foreign_directory_is_not_filled_with_files_of_root(place):
    place.fill(dead=1)
    os.chown(place.state, 65534, -1)
    code, _, err = place.spool("retry", "--all")
    assert code == 1 and "belongs to another user (id 65534)" in err
    assert place.json("status")["dead"] == 1


@pytest.mark.parametrize("args", [
    [], ["eat"], ["status", "more"], ["retry"], ["drop"], ["retry", "x"], ["retry", "1", "--all"],
    ["import"], ["import", "a", "b"], ["list", "--limit", "many"], ["retry", "--waiting", "--all"],
    ["dead", "--loud"]])
def test_what_cannot_be_meant_is_a_usage_error(place, args):
    code, out, err = place.spool(*args)
    assert code == 64 and out == "" and "mmlag spool --help" in err


def test_a_wrong_configuration_is_told(place):
    place.write(max_bytes="much")
    code, _, err = place.spool("status")
    assert code == 78 and "max_bytes" in err


def test_looking_works_beside_a_daemon_and_changing_does_not_break_in(place):
    place.fill(waiting=5, dead=1)
    daemon = subprocess.Popen([MMLAG, "run", "-c", str(place.file)], stderr=subprocess.PIPE)
    try:
        wait_for("the daemon holds the lock", 10, lambda: place.spool("status")[0] == 0 and (
            place.state / "lock").read_text().strip() == str(daemon.pid))
        # its own gap documents may have come meanwhile
        assert place.json("status")["documents"] >= 5
        assert len(place.json("dead")["rows"]) == 1
        (place.state / "control.sock").unlink(missing_ok=True)
        code, out, err = place.spool("retry", "--all")
        assert code == 1 and out == ""
        assert "does not answer" in err and f"in use by process {daemon.pid}" in err
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(15) == 0
    assert place.json("retry", "--all") == {"rows": 1}


def test_a_running_daemon_does_it_for_us(place):
    place.fill(waiting=3, dead=4)
    aside = place.state / "mmlag.db.aside-20261121T000000Z-damaged"
    aside.write_bytes((place.state / "mmlag.db").read_bytes())
    daemon = subprocess.Popen([MMLAG, "run", "-c", str(place.file)], stderr=subprocess.PIPE)
    try:
        wait_for("the daemon answers", 10, lambda: (place.state / "control.sock").exists())
        before = place.json("status")["documents"]
        assert place.good("retry", "1", "2", "3") == "3 documents go again\n"
        assert place.good("drop", "4") == "1 document was dropped\n"
        assert place.json("drop", "--waiting", "1") == {"rows": 1}
        assert place.json("import", aside.name) == {
            "rows": 3, "dead": 4, "missing": 0, "damaged": False}
        assert place.json("status")["documents"] >= before + 3 - 1 + 3
        assert len(place.json("dead")["rows"]) == 4
        code, _, err = place.spool("import", "nothing")
        assert code == 1 and "by its name there" in err
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(15) == 0


class Control(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """What a daemon would be at control.sock."""

    daemon_threads = True

    def __init__(self, path):
        self.seen = []
        super().__init__(str(path), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, {"spool": {"documents": 3, "bytes": 2048, "oldest": 1795220000000,
                                    "dead": 0, "dead_bytes": 0, "trouble": "the disk\x1b is full",
                                    "set_aside": None}})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers["Content-Type"], json.loads(body)))
        if self.path.endswith("/drop"):
            self.answer(503, {"error": "the disk is away"})
        else:
            self.answer(200, {"rows": 7, "dead": 1, "missing": 2, "damaged": True})

    def log_message(self, format, *args):
        pass


def test_a_daemon_is_asked_through_its_socket(place):
    place.state.mkdir()
    server = Control(place.state / "control.sock")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        out = place.good("status")
        assert "waiting       3 documents, 2 KiB, the oldest of 2026-11-21T" in out
        assert "trouble       the disk? is full" in out
        assert place.good("retry", "5", "--", "-6") == "7 documents go again\n"
        assert place.good("import", "mmlag.db.aside-1") == (
            "7 documents and 1 dead letters were taken in\n2 could not be read\n")
        code, out, err = place.spool("drop", "--waiting", "--all")
        assert code == 1 and "the daemon says: the disk is away (503)" in err
        assert server.seen == [
            ("/api/v1/spool/retry", "application/json", {"ids": [5, -6]}),
            ("/api/v1/spool/import", "application/json", {"file": "mmlag.db.aside-1"}),
            ("/api/v1/spool/drop", "application/json", {"dead": False, "all": True}),
        ]
    finally:
        server.shutdown()
        server.server_close()
    assert not (place.state / "mmlag.db").exists()
