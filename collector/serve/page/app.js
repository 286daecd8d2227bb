// SPDX-License-Identifier: MIT
// app: what asks the daemon and tells the parts of the page. Every 2 s one cheap
// question (304 while nothing changed), none while the page is hidden.
import {setText, setClass, setAttr} from "./dom.js";
import {t, translate} from "./messages.js";
import {time, verdict} from "./format.js";
import {Api} from "./api.js";
import {Topics} from "./topics.js";
import {Topic} from "./topic.js";
import {Overview} from "./overview.js";
import {Dialog} from "./dialog.js";
import {Dead} from "./dead.js";
import {forgetColours} from "./strip.js";

const POLL_MS = 2000;
const $ = (id) => document.getElementById(id);

translate(document);
const api = new Api();
const now = () => api.now();
const topics = new Topics(null, now);
const topic = new Topic($("topic"), api, () => { location.hash = "#/"; });
const say = (text) => setText($("news"), text);
const dialog = new Dialog($("dialog"));
const overview = new Overview($("overview"), api, dialog, {names: (x) => topics.nameOf(x), again: () => poll()});
const dead = new Dead($("dead"), api, dialog, {knows: (id) => topics.byId.has(id), say, again: () => poll(),
	askToken: () => overview.askToken()});
let shownView; // the first view takes no focus
let lostSince = null, started = null, version = null, timer = 0, restartedUntil = 0, asked = false;

function banner(text, kind) {
	setText($("banner"), text || "");
	setClass($("banner"), `banner ${kind || ""}`);
	$("banner").hidden = !text;
	document.body.classList.toggle("lost", kind === "bad");
}

function announce(changed) {
	if (!changed.length) return;
	const lines = changed.slice(0, 3).map(([x, before]) =>
		t("newTopics", {topic: topics.nameOf(x), now: verdict(x.status), before: verdict(before)}));
	if (changed.length > 3) lines.push(t("moreChanges", {n: changed.length - 3}));
	say(lines.join("; "));
}

function title() {
	const bad = topics.all.filter((x) => x.status !== "OK").length;
	const text = bad ? `(${bad}) mmlag` : "mmlag";
	if (document.title !== text) document.title = text;
}

function sawStatus(status) {
	if (version !== null && status.version !== version) location.reload(); // another page
	version = status.version;
	if (started !== null && status.started !== started) {
		restartedUntil = performance.now() + 15000;
		topic.forget();
	}
	started = status.started;
}

function answered() {
	lostSince = null;
	asked = false;
	if (performance.now() < restartedUntil) banner(t("restarted", {time: time(started)}), "good");
	else banner("");
}

function failed(error) {
	if (!error.isAnswer && !error.isNetwork) {
		console.error(error); // a mistake of this page: the daemon is not gone
		return;
	}
	lostSince ??= Date.now();
	if (error.status === 401 || error.status === 403) {
		banner(t("refused", {error: error.message}), "bad");
		if (!asked) overview.askToken(); // once: who closes the question is not asked again
		asked = true;
	} else {
		banner(t("lost", {time: time(lostSince)}), "bad");
	}
}

async function ask() {
	const [list, status, alerts] = await Promise.all(
		["topics", "status", "alerts"].map((what) => api.get(`api/v1/${what}`)));
	if (status.fresh) sawStatus(status.body);
	if (list.fresh) {
		announce(topics.take(list.body.topics));
		title();
	}
	answered();
	overview.show(status.body, alerts.body);
	await dead.follow(status.body.spool);
	await topic.follow(topics.byId.get(topics.selected), lostSince === null);
}

async function poll() {
	clearTimeout(timer);
	timer = 0;
	try {
		await ask();
	} catch (error) {
		failed(error);
	}
	live();
	clearTimeout(timer);
	timer = document.hidden ? 0 : setTimeout(poll, POLL_MS);
}

function live() {
	const text = document.hidden ? t("paused") : lostSince !== null ? t("connecting") : t("live");
	setText($("live"), `${text}  ${time(now())}`);
	setAttr($("live"), "data-state", document.hidden ? "paused" : lostSince !== null ? "lost" : "live");
}

function tick() {
	if (document.hidden) return;
	live();
	if (lostSince !== null && !document.body.classList.contains("lost")) banner(t("lost", {time: time(lostSince)}), "bad");
	topics.tick();
	topic.tick();
	overview.tick();
}

function route() {
	const hash = location.hash;
	const id = hash.startsWith("#/t/") ? hash.slice(4) : null;
	const view = id !== null ? "topic" : {"#/overview": "overview", "#/dead": "dead"}[hash] || "topics";
	const was = shownView;
	shownView = view;
	document.body.dataset.view = view;
	for (const tab of document.querySelectorAll("[data-tab]"))
		setAttr(tab, "aria-current", tab.dataset.tab === (view === "dead" ? "overview" : view) ? "page" : null);
	$("topic").hidden = id === null;
	$("dead").hidden = view !== "dead";
	$("overview").hidden = id !== null || view === "dead";
	$("pane").scrollTop = 0;
	topics.select(id);
	topic.choose(id);
	if (id !== null) {
		if (was !== undefined) topic.focus();
		topic.follow(topics.byId.get(id), true).catch(failed);
	} else if (view === "dead") {
		dead.show();
		if (was !== undefined) dead.focus();
		if (overview.status) dead.follow(overview.status.spool).catch(failed);
	} else if (was === "dead") {
		document.querySelector("[data-focus=dead]")?.focus();
	} else if (was === "topic") {
		const row = topics.list.rows.get(topics.active);
		if (row) row.link.focus({preventScroll: true});
	}
}

document.addEventListener("keydown", (e) => {
	const typing = e.target.closest("input, select, textarea, dialog");
	if (e.key === "Escape" && !e.target.closest("dialog")) {
		if (e.target.id === "filter" && e.target.value) return; // the box clears itself
		location.hash = "#/";
	} else if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
		e.preventDefault();
		if (getComputedStyle($("filter")).display !== "none") $("filter").focus();
	}
});
$("skip").addEventListener("click", (e) => {
	e.preventDefault(); // a hash would be another view
	$("filter").focus();
});
document.addEventListener("visibilitychange", () => {
	if (document.hidden) {
		clearTimeout(timer);
		timer = 0;
		live();
	} else if (!timer) {
		poll();
	}
});
const recolour = () => {
	forgetColours();
	topics.repaint();
	topic.repaint();
	overview.repaint();
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
let sizing = 0;
addEventListener("resize", () => {
	clearTimeout(sizing);
	sizing = setTimeout(recolour, 100);
});
addEventListener("hashchange", route);

route();
poll();
setInterval(tick, 1000);
