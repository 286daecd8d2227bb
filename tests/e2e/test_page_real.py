# SPDX-License-Identifier: MIT
"""The status page on the real daemon: an alert that fires, is silenced by its button and
ends; dead letters that go again and are given up; two clusters with topics of one name."""

import functools
import os
import shutil
import signal
import tempfile

import pytest

from conftest import Workplace, wait_for
from peer import Peer, refuse
from test_page import Page
from test_serve import TOKEN, free_port
from test_terminal import Terminal

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.beside

HEAD = "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    p = Page(tmp_path_factory.mktemp("chromium"))
    yield p
    p.driver.quit()


class Source:
    """A file that the host prints in place of the CLI's table."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="mmlag-table-")
        os.chmod(self.folder, 0o755)  # the host's user reads it

    def offsets(self, *pairs, group="oasis-group"):
        rows = "".join(f"{group} orders {i} {at} {end} {end - at} c-{i} /10.0.0.1 c\n" for i, (at, end) in enumerate(pairs))
        path = os.path.join(self.folder, group)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(HEAD + rows)
        os.chmod(path + ".new", 0o644)
        os.replace(path + ".new", path)

    def topic(self, group="oasis-group", **more):
        return {"name": "orders", "format": "table", "interval": "1s", "share": "topic", "group": group,
                "command": f"cat {self.folder}/{group}", **more}


@pytest.fixture
def source():
    s = Source()
    yield s
    shutil.rmtree(s.folder)


def start(workplace, topics, **sections):
    """A daemon with pages on a port of its own, with .url and .config."""
    token = workplace.path / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    port = free_port()
    config = workplace.config(topics=topics, http={"listen": f"127.0.0.1:{port}", "token_file": str(token)}, **sections)
    d = workplace.daemon(config)
    d.url, d.config = f"http://127.0.0.1:{port}/", config
    wait_for("the pages", 20, lambda: "pages on" in d.log())
    return d


@pytest.fixture
def daemon(workplace):
    return functools.partial(start, workplace)


@pytest.fixture(scope="module", autouse=True)
def stalled(lab, tmp_path_factory):
    """A daemon and its source. What it will be told about takes a window of 10 s, while the other tests run."""
    source = Source()
    source.offsets((100, 100), (200, 700))
    workplace = Workplace(tmp_path_factory.mktemp("stalled"), lab)
    yield start(workplace, [source.topic()], defaults={"rules": {"window": "10s"}}, alerts={"group_wait": "1s"}), source
    workplace.daemons[0].stop(signal.SIGKILL)
    shutil.rmtree(source.folder)


def give_token(page):
    page.one("[data-focus=token]").click()
    page.one("dialog input[type=password]").send_keys(TOKEN + Keys.ENTER)


def test_dead_letters_are_read_sent_again_and_given_up(page, daemon, source):
    search = Peer()
    search.mood = refuse(400, "document_parsing_exception")
    source.offsets((100, 112))
    daemon = daemon([source.topic()], elasticsearch={"hosts": [search.url], "bulk": {"max_delay": "100ms"}})
    page.open(daemon.url)
    page.js("sessionStorage.clear()")
    page.until("the link", "document.querySelector('[data-focus=dead]')", 30)
    page.one("[data-focus=dead]").click()
    # the newest may be the alert about them
    page.until("a letter", "(window.letter = [...document.querySelectorAll('.letter')].find((l) => l.textContent.includes('orders'))) !== undefined")
    words = page.js("return window.letter.textContent")
    assert "400" in words and "document_parsing_exception" in words and "so it was written" in words and "orders" in words
    assert page.js("return document.activeElement.textContent") == "Dead letters"
    page.js("window.letter.querySelector('summary').click()")
    page.until("its document", """window.letter.querySelector('pre')?.textContent.includes('"p0": 12')""")
    assert page.js("return document.querySelector('.letter button') === null"), "no button without a token"
    page.one("#dead .tools button").click()
    page.one("dialog input[type=password]").send_keys(TOKEN + Keys.ENTER)
    page.until("buttons", "document.querySelectorAll('.letter button').length >= 2")

    search.mood = lambda x: x.send(200, x.store())  # the cause is mended
    count = "document.querySelectorAll('.letter').length"
    before = len(search.stored)
    page.one("#dead [data-focus=all]").click()
    page.until("none is left", f"{count} === 0", 15)
    assert "Sent again: " in page.text("#news")
    page.until("the words", "document.getElementById('dead').textContent.includes('No document is kept that was refused.')")
    wait_for("they arrive", 20, lambda: len(search.stored) > before)

    search.mood = refuse(400, "document_parsing_exception")
    page.until("new ones", f"{count} >= 2", 20)
    search.mood = lambda x: x.send(200, x.store())
    page.one(".letter:last-child [data-focus^=d]").click()
    assert "Documents deleted for ever: 1." in page.text("dialog")
    page.one("dialog button.main").click()
    page.until("it is given up", "document.getElementById('news').textContent === 'Given up: 1'")
    page.one("#dead .back").click()
    page.until("the overview", "!document.getElementById('overview').hidden")
    page.js("sessionStorage.clear()")
    assert search.complaints == []
    page.quiet()


def test_two_clusters_with_topics_of_one_name_are_told_apart(page, daemon, source):
    source.offsets((100, 112), group="here")
    source.offsets((7, 7), group="there")
    daemon = daemon([source.topic("here", cluster="dc1"), source.topic("there", cluster="dc2")],
                    clusters=[{"name": "dc1", "bootstrap_server": "a:1"}, {"name": "dc2", "bootstrap_server": "b:1"}])
    wait_for("both in the log", 20, lambda: "dc1/orders: has data" in daemon.log() and "dc2/orders: has data" in daemon.log())
    page.open(daemon.url)
    page.until("both", "document.querySelectorAll('.rows .row').length === 2")
    assert "Nothing fires." in page.text("#overview")
    rows = page.js("return [...document.querySelectorAll('.rows .row')].map((r) => [r.querySelector('a').getAttribute('href'), r.querySelector('small').textContent, r.querySelector('.c-lag').textContent])")
    assert sorted((href, lag) for href, _, lag in rows) == [("#/t/dc1/here/orders", "12"), ("#/t/dc2/there/orders", "0")]
    assert sorted(("dc1" in words, "dc2" in words) for _, words, _ in rows) == [(False, True), (True, False)]
    page.open(daemon.url + "#/t/dc2/there/orders")
    page.until("the second one", "document.querySelector('.where').textContent.includes('dc2')")
    page.until("its lag", "document.querySelector('.figures dd').textContent === '0'")
    terminal = Terminal("top", "-c", daemon.config, columns=80)
    try:
        terminal.shows("dc1/orders", "dc2/orders")
        terminal.send("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
    terminal = Terminal("tail", "-c", daemon.config, "--topic", "orders", "--cluster", "dc2", NO_COLOR="1")
    try:
        wait_for("a line", 10, lambda: b"dc2/orders" in terminal.read())
        assert b"dc1/orders" not in terminal.raw
        terminal.send("\003")
        assert terminal.end() == 0
    finally:
        terminal.close()


def test_an_alert_fires_is_silenced_by_its_button_and_ends(page, stalled):
    daemon, source = stalled
    page.open(daemon.url)
    page.js("sessionStorage.clear()")
    page.until("the alert", "document.querySelector('#overview .alert.firing')", 60)
    words = page.text("#overview .alert.firing")
    assert "orders" in words and "stalled" in words and "critical" in words
    page.until("the chip", "document.querySelector('.chip.s-ERR b').textContent === '1'")
    assert page.js("return document.querySelector('#overview .alert button') === null"), "no button without a token"

    give_token(page)
    page.until("its button", "document.querySelector('#overview .alert.firing button')")
    page.one("#overview .alert.firing button").click()
    page.one("dialog label:nth-of-type(3) input").send_keys("the move of today")
    page.one("dialog button.main").click()
    page.until("the silence", "document.querySelector('#overview .alert.firing').textContent.includes('silenced until')", 15)
    assert "the move of today" in page.text("#overview")

    source.offsets((100, 100), (700, 700))
    page.until("the end", "document.querySelector('#overview .alert.resolved')", 40)
    assert page.js("return document.querySelector('#overview .alert.firing') === null")
    page.until("the verdict", "document.querySelector('.chip.s-OK b').textContent === '1'", 20)
    [end] = [b for b in page.driver.find_elements(By.CSS_SELECTOR, "#overview .alert button") if b.text == "End"]
    end.click()
    page.until("no silence", "!document.getElementById('overview').textContent.includes('the move of today')", 15)
    page.js("sessionStorage.clear()")
    page.quiet()
