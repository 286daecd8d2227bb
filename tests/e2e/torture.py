# SPDX-License-Identifier: MIT
"""Many faults in a row, at random, from a seed that is printed: a scripted server that does
anything wrong, lives that end with SIGTERM or kill -9, and the n-th allocation, write,
fsync or connect that fails. In the end all is well, and what arrived is read: of each
session of the feeding command the numbers from 1 on, without a hole, none twice.

    torture.py [SECONDS [SEED]]"""

import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

from conftest import INSTANCE, Lab, wait_for
from delivery import Delivery
from peer import Gone, Peer, answer, hold, ok, refuse

FAILING = os.environ.get("MMLAG_FAILING", "")
FEED = ("b=$(date +%s%N | cut -c 1-16); i=0; "
        "while :; do i=$((i + 1)); echo $i $b; sleep 0.03; done")
# What ends a life, and which calls fail in it: what was only in memory, because the disk
# was bad, may be gone after a kill; so then the end is an orderly one, on a disk that is
# well again.
LIVES = [(None, "term"), (None, "kill"), ("connect", "kill"), ("malloc", "kill"),
         ("write", "term"), ("fsync", "term"), ("connect", "term")]


def cut(x, rng):
    body = x.store()
    text = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    x.raw_send(text[:rng.randrange(len(text))])
    x.reset()


def half(x, rng):
    x.read(rng.randrange(x.length + 1))
    x.reset()


def lose(x, rng):
    x.store()
    x.reset()


def silent(x, rng):
    time.sleep(rng.uniform(0, 1.5))  # the daemon's patience is 1 s
    raise Gone


FAULTS = [
    cut, half, lose, silent,
    lambda x, rng: answer(rng.choice([429, 500, 503, 408]))(x),
    lambda x, rng: refuse(429, "es_rejected_execution_exception",
                          lambda s: rng.random() < 0.5)(x),
    lambda x, rng: refuse(503, "unavailable_shards_exception",
                          lambda s: s.get("topic") == "b")(x),
    lambda x, rng: refuse(403, "cluster_block_exception", lambda s: s.get("p0", 0) % 7 == 0)(x),
    lambda x, rng: x.send(200, x.store()[:-5]),
    lambda x, rng: x.send(200, (x.store(), b"{}")[1]),
    lambda x, rng: answer(413, b"")(x) if x.length > 900 else ok(x),
    lambda x, rng: hold(rng.uniform(0, 0.8))(x),
    lambda x, rng: answer(404, b'{"error":{"type":"index_not_found_exception"}}')(x),
]


def misbehave(rng):
    def behave(x):
        if rng.random() < 0.5:
            ok(x)
        else:
            rng.choice(FAULTS)(x, rng)
    return behave


def configure(d, command):
    path = pathlib.Path(d.config)
    config = json.loads(path.read_text())
    config["defaults"]["command"] = command
    path.write_text(json.dumps(config))


def failing(d, kind, at, times):
    """The environment in which such a call fails."""
    return dict(os.environ, LD_PRELOAD=FAILING, FAIL_KIND=kind, FAIL_PATH=str(d.path / "state"),
                FAIL_AT=str(at), FAIL_TIMES=str(times))


def end_of(d, kind, sig):
    """End the process, where it has not ended by itself; a code that must not be fails."""
    code = d.process.poll()
    if code is None:
        code = d.stop(sig)
    d.stop(signal.SIGKILL)
    # -SIGTERM: it came before main did
    allowed = {0, -signal.SIGKILL, -signal.SIGTERM} | ({-signal.SIGABRT, 1, 78} if kind in ("malloc", "own") else set()) | (
        {1} if kind else set())
    assert code in allowed, f"{kind or 'nothing'} fails: {code}"
    return code


def life(d, peer, rng):
    """One start, some seconds, one end; returns what it was, in words."""
    kind, end = rng.choice(LIVES)
    env, at = dict(os.environ), ""
    if kind and FAILING:
        at = rng.randint(1, {"malloc": 20000, "write": 200}.get(kind, 20))
        env = failing(d, kind, at, 1 if end == "term" else 3)
    down = rng.random() < 0.2
    if down:
        peer.close()
    d.start(env=env)
    time.sleep(rng.uniform(0.2, 3))
    if down:
        peer.listen()
        time.sleep(rng.uniform(0, 1))
    code = end_of(d, kind, signal.SIGTERM if end == "term" else signal.SIGKILL)
    return f"{kind or 'nothing'} {at} fails, {end}: {code}"


TURNS = {"connect": range(1, 6), "fsync": range(1, 6), "write": range(1, 15, 4),
         "own": (1, 100, 500, 1500, 4000)}


def turns(d):
    """The first call of each kind fails once, in the next life the second, and so on. Of
    allocations only our own: libcrypto does not survive that of a lock."""
    for kind, places in TURNS.items():
        for at in places:
            d.start(env=failing(d, kind, at, 1))
            time.sleep(1)  # the life
            end_of(d, kind, signal.SIGTERM)


def check(d):
    """Returns (documents, sessions); a hole or a double fails. What stands in a file that
    was put aside after a failed fsync is counted as evicted, and can be imported."""
    documents = sessions = 0
    aside = set(d.aside())
    letters = d.spool("dead")
    assert not letters, letters[:5]
    for topic, found in d.samples().items():
        for session, numbers in found.items():
            assert len(set(numbers)) == len(numbers), f"{topic} {session}: doubles"
            lost = [n for n in range(1, max(numbers)) if n not in numbers
                    and (topic, session, n) not in aside]
            assert not lost, f"{topic} {session}: lost {lost[:20]} of {max(numbers)}"
            documents += len(numbers)
            sessions += 1
    return documents, sessions


def torture(path, lab, seconds, seed, in_turn=False):
    rng = random.Random(seed)
    peer = Peer()
    d = Delivery(path, lab, [peer.url], peer.sources,
                 elastic={"timeout": "1s", "bulk": {"max_delay": "50ms", "max_documents": 20}})
    configure(d, FEED)
    lives = []
    end = time.monotonic() + seconds
    try:
        if in_turn:
            turns(d)
        peer.mood = misbehave(rng)
        while time.monotonic() < end:
            lives.append(life(d, peer, rng))
        peer.mood = ok
        configure(d, "sleep 600")
        d.start()
        wait_for("a life that has begun", 20, d.is_up)
        wait_for("an empty spool", 60, lambda: not d.spool("q"))
        wait_for("accounts that balance", 10, d.balance)
        assert d.stop() == 0
        assert not peer.complaints, peer.complaints[:3]
        return (*check(d), lives, peer.conflicts)
    except BaseException:
        print("\n".join(lives), file=sys.stderr)
        print(d.log()[-20000:], file=sys.stderr)
        raise
    finally:
        d.close()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    print(f"torture: {seconds:.0f} s, seed {seed}, lab {INSTANCE}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mmlag-torture-") as path:
        documents, sessions, lives, conflicts = torture(pathlib.Path(path), Lab(), seconds, seed)
    print(f"torture: {len(lives)} lives, {sessions} sessions, {documents} documents, each once; "
          f"{conflicts} offered again; seed {seed}")


if __name__ == "__main__":
    main()
