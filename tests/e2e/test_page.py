# SPDX-License-Identifier: MIT
"""The status page in a real browser, on a stand-in for the listener (mock_api.py)."""

import itertools
import json
import math
import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import wait_for
from mock_api import PAGE, TOKEN, Mock, World, example, gap, ms, topic
from test_serve import Pages
from test_terminal import Lines, Terminal

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402

pytestmark = pytest.mark.beside

if not shutil.which("chromium") or not shutil.which("chromedriver"):
    pytest.skip("no chromium", allow_module_level=True)


class Page:
    def __init__(self, folder):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "disable-dev-shm-usage",
                     f"user-data-dir={folder}", "window-size=1280,800"):
            options.add_argument("--" + word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)

    def open(self, url, width=1280, height=800, lang="en-US", dark=False):
        cdp = self.driver.execute_cdp_cmd
        cdp("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        cdp("Emulation.setUserAgentOverride", {"userAgent": "test", "acceptLanguage": lang})
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get(url)
        wait_for("the list", 10, lambda: self.js("return document.getElementById('count').textContent"))

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def module(self, script):
        """Run a script in which await import('/x.js') works."""
        got = self.driver.execute_async_script(
            f"const done = arguments[0]; (async () => {{ {script} }})().then(done, (e) => done('failed: ' + e))")
        assert not str(got).startswith("failed: "), got
        return got

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def text(self, css):
        return self.js("return document.querySelector(arguments[0])?.textContent ?? ''", css)

    def rows(self):
        """The topics in sight, from top to bottom."""
        return self.js("""return [...document.querySelectorAll('.rows .row')].map((r) =>
            [+r.getAttribute('aria-rowindex'), r.querySelector('a').textContent]).sort((a, b) => a[0] - b[0]).map((x) => x[1])""")

    def until(self, what, script, seconds=8):
        return wait_for(what, seconds, lambda: self.js("return " + script))

    def quiet(self):
        """Nothing in the console: no error, no breach of the content security policy."""
        log = [x["message"] for x in self.driver.get_log("browser") if x["level"] in ("WARNING", "SEVERE")]
        assert log == []

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    p = Page(tmp_path_factory.mktemp("chromium"))
    yield p
    p.driver.quit()


@pytest.fixture
def mock(request):
    m = Mock(getattr(request, "param", example)())
    yield m
    m.stop()


ORDERS = "#/t/dc1/oasis-group/orders"


def test_the_worst_stands_first_and_the_console_is_clean(page, mock):
    page.open(mock.url)
    rows = page.rows()
    assert rows[:7] == ["sessions", "audit", "orders", "inventory", "payments", "telemetry", "clicks.v1"]
    chips = page.js("return [...document.querySelectorAll('.chip b')].map((b) => b.textContent)")
    assert chips == ["2", "2", "1", "17"]
    for words in ("mm2.example.com", "0 of 2 SSH sessions open", "documents arrive", "nothing waits", "orders: partition 3 has no owner", "slack",
                  "2 brokers, 150.5 messages/s, 75.3 on average (at least 100) – below the minimum", "kafka1:9404 70/s"):
        assert words in page.text("#overview")
    strip = page.js("return document.querySelectorAll('.rows canvas')[2].getAttribute('aria-label')")
    assert strip == "18 partitions; STOP: p3"
    page.one("[aria-label='Sort by Topic']").click()
    assert page.rows()[:2] == ["audit", "billing.000"]
    page.quiet()


def test_filters_by_words_and_by_status(page, mock):
    page.open(mock.url)
    page.keys("/")
    page.keys("billing mm3")
    names = page.until("the filter", "document.getElementById('count').textContent.includes('6 of 22')") and page.rows()
    assert names and all(n.startswith("billing.") for n in names)
    page.js("document.getElementById('filter').select()")
    page.keys("checkout")
    assert page.rows() == ["orders"], "labels count too"
    page.keys(Keys.ESCAPE)
    page.one(".chip.s-ERR").click()
    assert page.rows() == ["orders", "inventory"]
    assert page.one(".chip.s-ERR").get_attribute("aria-pressed") == "true"
    page.one("#filter").send_keys("nothing-like-it")
    assert page.text("#count") == "Nothing fits the filter."


def test_everything_can_be_reached_with_the_keyboard_alone(page, mock):
    page.open(mock.url)
    page.keys(Keys.TAB)
    assert page.driver.switch_to.active_element.get_attribute("id") == "skip"
    page.keys(Keys.ENTER)
    assert page.driver.switch_to.active_element.get_attribute("id") == "filter"
    page.keys(Keys.ARROW_DOWN)
    page.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert page.driver.switch_to.active_element.text == "orders"
    page.keys(Keys.END)
    page.keys(Keys.HOME)
    page.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    page.until("the topic", "document.querySelector('#topic h2').textContent === 'orders'")
    page.keys(Keys.ESCAPE)
    page.until("the way back", "document.getElementById('topic').hidden")
    assert page.driver.switch_to.active_element.text == "orders"
    nameless = page.js("""return [...document.querySelectorAll('button, a, input, canvas[role], [role=img], [role=table]')]
        .filter((n) => n.offsetParent && !(n.getAttribute('aria-label') || n.textContent.trim() || n.labels?.length)).map((n) => n.outerHTML)""")
    assert nameless == []
    assert page.js("return document.querySelectorAll('.rows a[tabindex=\"0\"]').length") == 1


def deserted():
    world = World()
    world.topics = [topic("orders", group_state="empty", members=0), topic("payments")]
    return world


@pytest.mark.parametrize("mock", [deserted], indirect=True)
def test_a_group_without_members_is_said_before_any_verdict_is_bad(page, mock):
    page.open(mock.url + ORDERS)
    page.until("the verdict", "document.querySelector('.verdict .badge')")
    assert "OK" in page.text(".verdict") and page.text(".verdict .alone") == "The group has no members: is MirrorMaker running?"
    page.open(mock.url + ORDERS.replace("orders", "payments"))
    page.until("the verdict", "document.querySelector('.verdict .badge')")
    assert page.text(".verdict .alone") == ""
    page.quiet()


def test_the_strips_follow_the_list_when_a_topic_takes_its_room(page, mock):
    page.open(mock.url)
    wide = page.one(".rows .c-partitions").size["width"]
    page.js("[...document.querySelectorAll('.rows a')].find((a) => a.textContent === 'telemetry').click()")
    page.until("the topic", "document.querySelector('#topic h2').textContent === 'telemetry'")
    assert page.one(".rows .c-partitions").size["width"] < wide, "or this proves nothing"
    page.until("no strip beside its place", "[...document.querySelectorAll('.rows canvas')].every((c) => c.offsetWidth <= c.parentNode.clientWidth)")


def test_a_topic_shows_its_verdict_in_words_its_charts_and_its_gaps(page, mock):
    page.open(mock.url + ORDERS)
    page.until("the charts", "document.querySelectorAll('.plot canvas').length >= 6")
    page.until("the partitions", "document.querySelectorAll('.prows .prow').length >= 10")
    verdict = page.text(".verdict")
    assert "STOP on partition 3: Nobody owns the partition" in verdict and "stopped" in verdict
    axis = page.js("return [...document.querySelector('.plot').querySelectorAll('.dygraph-axis-label-y')].map((x) => x.textContent)")
    assert set(axis) >= {"0", "100K"} and all(x == "0" or x.endswith("K") for x in axis), "one notation on one axis"
    gaps = page.text(".gaps")
    assert "The SSH connection broke." in gaps and "ssh_lost" in gaps and "(9 min)" in gaps and "reset by the peer" in gaps
    first = page.js("return [...document.querySelector('.prows .prow').children].map((c) => c.textContent)")
    assert first[:3] == ["p3", "■ STOP", "48,211"] and "has been committed" in first[-1] and "14 min" in first[-1]
    assert page.js("return document.querySelectorAll('.plot')[0].getAttribute('aria-label')").startswith("Lag (messages): now ")
    page.one(".prows button").click()
    page.until("its own line", "document.querySelector('.legend').textContent.includes('p3')")
    page.quiet()


def test_the_mirrors_other_side_has_figures_where_it_is_looked_at(page, mock):
    page.open(mock.url + ORDERS.replace("orders", "payments"))
    page.until("the figures", "document.querySelector('.figures').textContent.includes('Arriving at the target')")
    figures = page.text(".figures")
    assert "Committed, not arrived" in figures and "the target has no topic 'payments'" in figures
    page.open(mock.url + ORDERS)
    page.until("the figures", "document.querySelector('.figures').textContent.includes('Produced')")
    assert "Arriving" not in page.text(".figures")
    page.quiet()


def test_a_gap_is_a_gap_in_the_line(page, mock):
    page.open(mock.url)
    rows, gaps = page.module("""
        const {weave} = await import('/charts.js');
        const at = (t) => [t, 5, 5, 1, 1, 1, 'OK'];
        const w = weave({step_ms: 1000, points: [at(1000), at(2000), at(5000), at(6000), at(60000)],
            gaps: [{from: 2500, until: 4500, reason: 'ssh_lost', message: ''}, {from: 61000, until: null, reason: 'ssh_auth', message: ''}]}, 0, 70000, 1000);
        return [w.rows.map((r) => [r[0], r[1]]), w.gaps.map((g) => [g.from, g.until, g.reason])];""")
    assert rows == [[1000, 5], [2000, 5], [2001, None], [5000, 5], [6000, 5], [6001, None], [60000, 5]]
    assert gaps == [[2500, 4500, "ssh_lost"], [6000, 60000, None], [61000, 70000, "ssh_auth"]]
    merged = page.module("""
        const {merge} = await import('/topic.js');
        const m = merge({step_ms: 1, points: [[1], [2], [3]], lags: {0: [1, 2, 3]}, gaps: [{from: 1, until: null}]},
            {step_ms: 1, points: [[3], [4]], lags: {0: [9, 4], 1: [7, 7]}, gaps: [{from: 1, until: 2}]}, 2.5);
        return [m.points.flat(), m.lags, m.gaps];""")
    assert merged == [[1, 2, 3, 4], {"0": [1, 2, 9, 4], "1": [None, None, 7, 7]}, [{"from": 1, "until": 2}]]


def test_dragging_zooms_all_charts_and_a_double_click_ends_it(page, mock):
    page.open(mock.url + ORDERS)
    page.until("the charts", "document.querySelectorAll('.plot canvas').length >= 6")
    whole = "document.querySelector(\"[aria-label='Whole range']\").disabled"
    ticks = "[...document.querySelectorAll('.plot')].map((p) => [...p.querySelectorAll('.dygraph-axis-label-x')].map((x) => x.textContent).join())"
    page.until("points", "!document.querySelector('.plot').getAttribute('aria-label').includes('–')")
    before = page.js("return " + ticks)
    assert page.js("return " + whole) is True
    box = page.one(".plot")
    ActionChains(page.driver).move_to_element_with_offset(box, -40, 0).click_and_hold().move_by_offset(120, 2).release().perform()
    assert page.js("return " + whole) is False
    zoomed = page.js("return " + ticks)
    assert zoomed[0] != before[0] and zoomed[0] == zoomed[1] == zoomed[2]
    ActionChains(page.driver).double_click(box).perform()
    assert page.js("return " + whole) is True
    page.one("[aria-label='Zoom in']").click()
    assert page.js("return " + whole) is False
    page.one("[aria-label='Whole range']").click()
    page.one(".tools button:nth-child(2)").click()
    page.until("the ticks of what is kept, three hours", f"{ticks}[0] !== {json.dumps(before[0])}")
    page.until("six hours", "document.querySelector('.tools button:nth-child(2)').getAttribute('aria-pressed') === 'true'")
    page.quiet()


def test_what_changes_is_shown_and_said_and_what_does_not_costs_nothing(page, mock):
    page.open(mock.url)
    page.until("an answer without a body", "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/topics')).length >= 3", 12)
    same = mock.world.counts
    assert same[("/api/v1/topics", 200)] == 1 and same[("/api/v1/topics", 304)] >= 1
    marked = page.js("window.marked = [...document.querySelectorAll('.rows .row')].find((r) => r.textContent.includes('clicks.v1')); return !!window.marked")
    assert marked
    with mock.world.lock:
        x = next(x for x in mock.world.topics if x["topic"] == "clicks.v1")
        x.update(status="ERR", rule="stalled", lag_sum=777777, status_since=ms())
    page.until("the announcement", "document.getElementById('news').textContent === 'clicks.v1: ERR, was OK'")
    assert page.rows()[2] == "clicks.v1"
    assert "777,777" in page.js("return window.marked.textContent"), "the same row, only other words"
    age = page.js("return document.querySelectorAll('.rows .c-age')[3].textContent")
    page.until("the age ticks", f"document.querySelectorAll('.rows .c-age')[3].textContent !== {json.dumps(age)}")


def test_a_hidden_page_asks_nothing(page, mock):
    page.open(mock.url)
    page.js("Object.defineProperty(document, 'hidden', {get: () => window.away === true, configurable: true});"
            "window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
    time.sleep(0.5)  # a question under way may still be counted
    before = sum(mock.world.counts.values())
    assert "paused" in page.text("#live")
    time.sleep(2.6)  # longer than the pause between two questions
    assert sum(mock.world.counts.values()) == before
    page.js("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    wait_for("a question at once", 2, lambda: sum(mock.world.counts.values()) > before)


def test_says_that_the_monitor_is_gone_and_recovers_when_it_is_back(page, mock):
    page.open(mock.url)
    assert not page.one("#banner").is_displayed()
    mock.stop()
    page.until("the banner", "!document.getElementById('banner').hidden")
    assert "No answer from mmlag since" in page.text("#banner")
    assert page.one("#banner").get_attribute("role") == "alert"
    mock.world.started = ms()
    mock.start()
    page.until("the way back", "document.getElementById('banner').textContent.startsWith('mmlag was restarted at')")
    assert page.js("return !document.body.classList.contains('lost')")


def test_speaks_korean_to_a_korean_browser(page, mock):
    page.open(mock.url + ORDERS, lang="ko-KR")
    page.until("the words", "document.querySelector('.verdict').textContent.includes('파티션을 맡은 멤버가 없고')")
    assert page.js("return document.documentElement.lang") == "ko"
    assert page.js("return document.querySelector('.chip .word').textContent") == "데이터 없음"
    holes = page.module("""
        const {tables: {en, ko}} = await import('/messages.js');
        const marks = (s) => (s.match(/\\{\\w+\\}/g) || []).sort().join();
        return [...new Set([...Object.keys(en), ...Object.keys(ko)])].filter((k) => !en[k] || !ko[k] || marks(en[k]) !== marks(ko[k]));""")
    assert holes == []
    page.quiet()


CONTRAST = """
    const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m; };
    const lum = (c) => { const f = c.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
    const back = (n) => { for (; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
    const faint = (n) => { for (; n; n = n.parentElement) if (getComputedStyle(n).opacity < 1) return true; return false; };
    const bad = [];
    for (const n of document.querySelectorAll('body *')) {
        if (!n.offsetParent || faint(n) || ![...n.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim())) continue;
        if (n.matches('.shape, .dot')) continue; // beside a word that says the same
        const a = lum(parse(getComputedStyle(n).color)), b = lum(back(n));
        const r = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (r < 4.5) bad.push(n.tagName + '.' + n.className + ' ' + r.toFixed(1) + ' ' + n.textContent.slice(0, 20));
    }
    return bad;"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_fits_a_phone_and_is_legible(page, mock, dark):
    mock.world.letter(1)
    for view in ("#/", "#/overview", ORDERS, "#/dead"):
        page.open(mock.url + view, width=360, height=740, dark=dark)
        if view == ORDERS:
            page.until("the partitions", "document.querySelectorAll('.prows .prow').length >= 5")
        assert page.js("return [document.documentElement.scrollWidth, innerWidth]") == [360, 360]
        wide = page.js("""return [...document.querySelectorAll('body *')].filter((n) => n.offsetParent && !n.closest('.scroll, .hidden, .c-status')
            && n.getBoundingClientRect().right > 361).map((n) => n.outerHTML.slice(0, 80))""")
        assert wide == []
        assert page.js(CONTRAST) == []
    back = page.js("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(back) < 60) == dark


# What an eye without one kind of cones sees of linear red, green and blue (Machado, Oliveira, Fernandes 2009, all of it).
SIGHTS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1))}


def seen(colour, sight):
    """#rrggbb as a place in CIE L*a*b*, where a distance of 2 is just noticed and 9 cannot be missed."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5))]
    r, g, b = (min(1, max(0, sum(x * y for x, y in zip(row, linear)))) for row in SIGHTS[sight])
    x, y, z = ((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047, 0.2126 * r + 0.7152 * g + 0.0722 * b,
               (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_are_told_apart_by_every_kind_of_sight(sight):
    """Each verdict has a mark of its own, too; where a cell is too narrow for one, its height tells."""
    with open(os.path.join(PAGE, "style.css"), encoding="utf-8") as f:
        schemes = [s for s in (dict(re.findall(r"--([\w-]+): (#\w{6})\b", b)) for b in f.read().split("}")) if "heat0" in s]
    assert len(schemes) == 2, "light and dark"
    heat = [f"heat{i}" for i in range(6)]
    bad = ["warn", "stop", "stall", "rewind"]
    pairs = [*itertools.product(bad, heat), *itertools.combinations(bad, 2), *itertools.pairwise(heat),
             *itertools.combinations(("line1", "line2", "line3"), 2)]
    for colours in schemes:
        near = [(a, b) for a, b in pairs if math.dist(seen(colours[a], sight), seen(colours[b], sight)) < 9]
        assert near == []


@pytest.fixture(scope="module")
def axe():
    """The text of axe-core, which looks for what keeps people out; kept in the lab's cache."""
    cache = os.path.join(os.environ.get("MMLAG_LAB_CACHE", "/var/tmp/mmlag-lab"), "axe-core-4.10.3")
    library = os.path.join(cache, "package", "axe.min.js")
    if not os.path.exists(library):
        if not shutil.which("npm"):
            pytest.skip("no npm, from which axe-core would come")
        os.makedirs(cache, exist_ok=True)
        got = subprocess.run("npm pack --silent axe-core@4.10.3 && tar xzf axe-core-4.10.3.tgz", shell=True, cwd=cache,
                             capture_output=True, text=True, timeout=120, check=False)
        assert got.returncode == 0, got.stderr
    with open(library, encoding="utf-8") as f:
        return f.read()


def lettered():
    world = example()
    for i in range(1, 44):
        world.letter(i, topic=f"t{i % 3}")
    return world


@pytest.mark.parametrize("mock", [lettered], indirect=True)
@pytest.mark.parametrize("dark,width,views", [(False, 1280, ("#/", ORDERS, "#/dead")), (True, 1280, ("#/dead",)), (False, 360, ("#/", "#/overview"))],
                         ids=["light", "dark", "phone"])
def test_no_rule_for_everybodys_access_is_broken(page, mock, axe, dark, width, views):
    for view in views:
        page.open(mock.url + view, width=width, dark=dark)
        page.js("sessionStorage.setItem('mmlag.token', arguments[0])", TOKEN)
        if view == ORDERS:
            page.until("the partitions", "document.querySelectorAll('.prows .prow').length >= 5")
        if view == "#/dead":
            page.until("the letters", "document.querySelectorAll('.letter').length === 20")
        page.js(axe)
        found = page.module("""return (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}))
            .violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target + ' ' + n.failureSummary).join(' | '));""")
        assert found == [], view
    page.js("sessionStorage.clear()")


@pytest.mark.parametrize("mock", [lettered], indirect=True)
def test_dead_letters_are_leafed_through_with_the_keyboard(page, mock):
    page.open(mock.url)
    assert "43 were refused and are kept as dead letters" in page.text("#overview")
    page.one("[data-focus=dead]").send_keys(Keys.ENTER)
    ids = "[...document.querySelectorAll('.letter .sub')].map((n) => +n.textContent.match(/#(\\d+)/)[1])"
    page.until("the first page", f"{ids}.length === 20")
    assert page.js("return " + ids) == list(range(43, 23, -1)) and "1 to 20 of 43" in page.text(".pager")
    assert page.js("return document.querySelectorAll('.letter button').length") == 0
    page.one("[data-focus=older]").send_keys(Keys.ENTER)
    page.until("the second page", f"{ids}[0] === 23")
    assert page.js("return document.activeElement.textContent") == "Dead letters"
    page.one("[data-focus=older]").send_keys(Keys.ENTER)
    page.until("the last page", f"{ids}.length === 3")
    assert page.one("[data-focus=older]").get_attribute("disabled")
    page.js("sessionStorage.setItem('mmlag.token', arguments[0])", TOKEN)
    page.until("buttons", "document.querySelectorAll('.letter button').length === 6")
    page.one("[data-focus=r2]").send_keys(Keys.ENTER)
    page.until("it went", f"{ids}.join() === '3,1'")
    assert page.text("#news") == "Sent again: 1"
    page.one("[data-focus=d3]").send_keys(Keys.ENTER)
    page.keys(Keys.ESCAPE)
    assert len(mock.world.dead) == 42, "asked first"
    page.one("[data-focus=d3]").send_keys(Keys.ENTER)
    page.keys(Keys.ENTER)
    page.until("it is gone", f"{ids}.join() === '1'")
    page.one("[data-focus=d1]").send_keys(Keys.ENTER)
    page.keys(Keys.ENTER)
    page.until("the page before, since this one is empty", f"{ids}[0] === 23")
    page.one("[data-focus=none]").click()
    assert "40" in page.text("dialog")
    page.one("dialog button.main").click()
    page.until("none", f"{ids}.length === 0")
    assert mock.world.dead == []
    page.open(mock.url + "#/dead", lang="ko-KR")
    page.until("the words", "document.getElementById('dead').textContent.includes('보관 중인 거부된 문서가 없습니다.')")
    page.js("sessionStorage.clear()")
    page.quiet()


def test_a_daemon_that_keeps_no_history_still_shows_the_topic(page, mock):
    mock.world.history = lambda *_: None
    page.open(mock.url + ORDERS)
    page.until("the partitions", "document.querySelectorAll('.prows .prow').length >= 10")
    assert page.text("#topic").count("No history is kept for this range.") == 1
    assert not page.one("#banner").is_displayed()
    page.quiet()


HOSTILE = ["<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "x" * 249, "a/b?c#d%2f&e", "~..", "\u202egnp.\u200b"]


def hostile():
    w = World()
    w.topics = [topic(n, "ERR", [5, (9, "STOP")], "stopped", group="it's \"my\" group <b>", host="<i>h</i>", labels={"<u>": "</u>'\""},
                      cluster="c & d") for n in HOSTILE]
    w.topics.append(gap("quiet", "<s>reason", "</p><script>window.hit=1</script>" + "w" * 260, host="<i>h</i>"))
    w.topics.append(topic("", "NODATA", [], match="^<a>.*$", sample_at=None, gap_since=ms(), reason="topic_absent", message=None))
    w.topics.append(topic("wide", "WARN", [*range(998), (4, "WARN"), None], "lag_not_falling", group="it's \"my\" group <b>"))
    w.alerts = [{"incident": "'\"<", "state": "firing", "severity": "<b>", "rule": "<b>", "since": ms(), "cluster": "c & d", "group": "it's \"my\" group <b>",
                 "topic": HOSTILE[0], "host": None, "partitions": [1], "value": 1, "message": "<script>window.hit=1</script>", "changed": ms(), "silenced_until": None}]
    w.status_more = {"elasticsearch": {"configured": True, "ok": False, "trouble": "<img src=x onerror=window.hit=1>", "since": ms(), "pace": "<b>", "last_success": None}}
    w.history_gaps = [{"from": ms() - 900_000, "until": ms() - 600_000, "reason": "<script>", "message": "<script>window.hit=1</script>"}]
    return w


@pytest.mark.parametrize("mock", [hostile], indirect=True)
def test_names_and_messages_are_text_whatever_they_hold(page, mock):
    page.open(mock.url)
    scripts = "return document.querySelectorAll('script, img, i, u, s').length"
    assert page.js(scripts) == 2
    assert set(HOSTILE) <= set(page.rows()) and "Pattern ^<a>.*$: no topic found" in page.rows()
    assert "<script>window.hit=1</script>" in page.text("#overview") and "<img src=x" in page.text("#overview")
    for name in [*HOSTILE, "quiet", "wide"]:
        page.js("[...document.querySelectorAll('.rows a')].find((a) => a.textContent === arguments[0]).click()", name)
        page.until(f"the topic {name[:20]}", f"document.querySelector('#topic h2').textContent === {json.dumps(name)}"
                   " && document.querySelectorAll('.prows .prow').length > 0")
        assert not page.one(".note.bad").is_displayed()
        page.until("its gap", "document.querySelector('.gaps').textContent.includes('window.hit=1')")
        assert page.js("return [...document.querySelectorAll('#topic h2, .where, .verdict, .gaps')].filter((n) => n.scrollWidth > n.clientWidth + 1).length") == 0
    page.until("all partitions", "document.querySelector('.ptable').getAttribute('aria-rowcount') === '1001'")
    assert page.js("return document.querySelectorAll('.prows .prow').length") < 40
    assert page.js(scripts) == 2 and page.js("return window.hit ?? null") is None
    page.quiet()


def many():
    return example(1000)


@pytest.mark.parametrize("mock", [many], indirect=True)
def test_a_thousand_topics_do_not_stutter(page, mock, record_property):
    """What an answer costs is counted in time of the CPU: the clock on the wall tells of other programs, too."""
    cdp = page.driver.execute_cdp_cmd
    page.open(mock.url)
    assert page.text("#count") == "1,022 of 1,022 topics"
    cdp("Performance.enable", {"timeDomain": "threadTicks"})

    def spent():
        return 1000 * next(m["value"] for m in cdp("Performance.getMetrics", {})["metrics"] if m["name"] == "TaskDuration")
    before = spent()
    for i in range(4):
        mock.world.wobble()
        page.js("document.getElementById('rows').scrollTop = arguments[0]", 9000 * i)
        seen = mock.world.counts.get(("/api/v1/topics", 200), 0)
        wait_for("the next answer", 6, lambda seen=seen: mock.world.counts.get(("/api/v1/topics", 200), 0) > seen)
    took = (spent() - before) / 4
    cdp("Performance.disable", {})
    record_property("an answer, ms of the CPU", took)
    assert took < 150
    assert page.js("return document.querySelectorAll('.rows .row').length") < 45
    page.one("#filter").send_keys("events-0999")
    assert page.rows() == ["events-0999"]


def test_silences_an_alert_with_a_token_that_stays_in_the_tab(page, mock):
    page.open(mock.url)
    assert not page.js("return document.querySelector('#overview .alert button') !== null"), "no button without a token"
    page.one("[data-focus=token]").click()
    page.one("dialog input[type=password]").send_keys("wrong" + Keys.ENTER)
    page.until("buttons", "document.querySelectorAll('#overview .alert button').length === 2")
    page.one("[data-focus=ai1]").click()
    page.one("dialog button.main").click()
    page.until("the refusal", "document.getElementById('dialog').textContent.includes('changing needs the token')")
    page.keys(Keys.ESCAPE)
    page.js("sessionStorage.setItem('mmlag.token', arguments[0])", TOKEN)
    page.one("[data-focus=ai1]").click()
    page.one("dialog label:nth-of-type(3) input").send_keys("planned <move>")
    page.one("dialog button.main").click()
    page.until("the silence", "document.getElementById('overview').textContent.includes('silenced until')")
    assert mock.world.silences[0]["topic"] == "orders" and mock.world.silences[0]["rule"] == "stopped"
    assert "planned <move>" in page.text("#overview")
    assert page.js("return [localStorage.length, document.cookie]") == [0, ""]
    page.one("[data-focus=ss0]").click()
    wait_for("its end", 5, lambda: mock.world.silences == [])
    page.js("sessionStorage.clear()")


def test_elsewhere_the_token_is_the_password_and_a_wrong_one_can_be_put_right(page, mock):
    mock.world.needs_token = True
    page.open(mock.url.replace("//", f"//me:{TOKEN}@"))
    page.until("the list", "document.querySelectorAll('.rows .row').length > 10")
    page.js("sessionStorage.setItem('mmlag.token', 'wrong')")
    page.until("the question", "document.getElementById('dialog').open")
    assert "needs a token" in page.text("#banner")
    page.keys(Keys.ESCAPE)
    seen = mock.world.counts[("/api/v1/topics", 401)]
    wait_for("another refusal", 6, lambda: mock.world.counts[("/api/v1/topics", 401)] > seen)
    assert not page.js("return document.getElementById('dialog').open"), "asked once"
    page.keys(Keys.ESCAPE)
    page.one("[data-focus=token]").click()
    page.js("document.querySelector('dialog input').value = ''")
    page.one("dialog input").send_keys(TOKEN + Keys.ENTER)
    page.until("the list again", "document.getElementById('banner').hidden")
    page.js("sessionStorage.clear()")


def test_the_real_daemon_serves_the_page_and_its_commands(page, workplace):
    """Not the stand-in: the listener itself, a gap, a restart, and top and tail beside it."""
    daemon = Pages(workplace)
    page.open(f"http://127.0.0.1:{daemon.port}/#/t/default/oasis-group/orders")
    page.until("the partitions", "document.querySelectorAll('.prows .prow').length === 3", 10)
    page.until("a sample", "document.querySelector('.figures').textContent.includes('12')")
    assert page.rows() == ["orders"]
    assert "not configured: documents stay in the spool" in page.text("#overview")
    if daemon("/api/v1/topics/orders").json()["history"]:
        page.until("a line in the chart", "/now \\d/.test(document.querySelector('.plot').getAttribute('aria-label'))", 15)
    page.quiet()
    terminal = Terminal("top", "-c", daemon.config)
    try:
        terminal.shows("orders")
        terminal.send("\r")
        terminal.shows("p2", "p0")
        terminal.send("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
    tail = Lines("tail", "-c", daemon.config, "--topic", "orders")
    wait_for("a document", 10, lambda: any(json.loads(x).get("p0") == 12 for x in tail.got))
    assert tail.stop() == 0
    daemon.daemon.stop()
    page.until("the loss", "!document.getElementById('banner').hidden", 10)
    again = workplace.daemon(daemon.config)
    page.until("the way back", "document.getElementById('banner').textContent.startsWith('mmlag was restarted at')", 20)
    again.stop()
