// SPDX-License-Identifier: MIT
// topics: the list, worst first. A thousand topics are a thousand objects, but only
// the rows in sight are in the document, and of them only what changed is touched.
import {el, setText, setAttr, setClass, Windowed} from "./dom.js";
import {t} from "./messages.js";
import {compact, number, age as ageOf, span, spanShort, time, rank, shape, verdict, reason} from "./format.js";
import {drawStrip, describe} from "./strip.js";

const CHIPS = ["NODATA", "ERR", "WARN", "OK"];
const COLUMNS = [["status", "status"], ["topic", "topic"], [null, "partitions"], ["lag", "lag"],
	["timeLag", "timeLag"], ["age", "age"]];
const HOLD_MS = 4000; // rows do not move under a hand

const byName = (a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
const large = (n) => n ?? -1;
const ORDERS = {
	status: (a, b) => rank(b.status) - rank(a.status) || large(b.lag_sum) - large(a.lag_sum) || byName(a, b),
	topic: byName,
	lag: (a, b) => large(b.lag_sum) - large(a.lag_sum) || byName(a, b),
	timeLag: (a, b) => large(b.time_lag_ms) - large(a.time_lag_ms) || byName(a, b),
	age: (a, b) => (a.sample_at ?? 0) - (b.sample_at ?? 0) || byName(a, b),
};

export const idOf = (x) => [x.cluster, x.group, x.topic || x.match || ""].map(encodeURIComponent).join("/");

export class Topics {
	// `open(id)` shows a topic; `now()` is the server's time in milliseconds.
	constructor(open, now) {
		Object.assign(this, {open, now, all: [], byId: new Map(), order: "status", only: new Set()});
		this.words = [];
		this.shown = [];
		this.held = 0;
		this.active = null;
		this.selected = null;
		this.version = 0;
		this.differs = {};
		this.filterBox = document.getElementById("filter");
		this.count = document.getElementById("count");
		const rows = document.getElementById("rows");
		this.list = new Windowed(rows, {
			height: () => this.rowHeight(), key: (x) => x.id,
			make: () => this.makeRow(), update: (row, x, i) => this.updateRow(row, x, i),
		});
		new ResizeObserver(() => this.fit(rows.clientWidth)).observe(rows);
		this.makeHead();
		this.makeChips();
		this.listen(rows);
	}

	rowHeight() {
		return document.body.clientWidth < 640 ? 68 : 46;
	}

	makeHead() {
		this.heads = COLUMNS.map(([key, name]) => el("div", {role: "columnheader", class: `c-${name}`},
			key ? el("button", {type: "button", "aria-label": t("sortBy", {what: t(name)}),
				onclick: () => this.sortBy(key)}, t(name)) : t(name)));
		document.getElementById("head").append(...this.heads);
		this.markHead();
	}

	markHead() {
		COLUMNS.forEach(([key], i) => setAttr(this.heads[i], "aria-sort", !key ? null : key !== this.order ? "none"
			: key === "topic" ? "ascending" : "descending"));
	}

	sortBy(key) {
		this.order = key;
		this.markHead();
		this.arrange(true);
		this.list.viewport.scrollTop = 0;
	}

	makeChips() {
		this.chips = new Map(CHIPS.map((name) => {
			const n = el("b", {}, "0");
			const chip = el("button", {type: "button", class: `chip s-${name}`, "aria-pressed": "false", onclick: () => {
				if (!this.only.delete(name)) this.only.add(name);
				setAttr(chip, "aria-pressed", String(this.only.has(name)));
				this.arrange(true);
			}}, el("span", {class: "shape", "aria-hidden": "true"}, shape(name)), " ",
			el("span", {class: "word"}, verdict(name)), " ", n);
			return [name, {chip, n}];
		}));
		document.getElementById("chips").append(...[...this.chips.values()].map((c) => c.chip));
	}

	listen(rows) {
		const hold = () => { this.held = performance.now() + HOLD_MS; };
		rows.addEventListener("pointermove", hold, {passive: true});
		rows.addEventListener("scroll", hold, {passive: true});
		rows.addEventListener("keydown", (e) => {
			hold();
			this.key(e);
		});
		rows.addEventListener("focusin", (e) => {
			const row = e.target.closest(".row");
			if (row) this.activate(row.id_);
		});
		this.filterBox.addEventListener("input", () => {
			this.words = this.filterBox.value.toLowerCase().split(/\s+/).filter(Boolean);
			this.list.viewport.scrollTop = 0;
			this.arrange(true);
		});
		this.filterBox.addEventListener("keydown", (e) => {
			if (e.key !== "ArrowDown" && e.key !== "Enter") return;
			e.preventDefault();
			if (this.shown.length) this.focusRow(0);
		});
	}

	key(e) {
		const at = this.shown.findIndex((x) => x.id === this.active);
		const page = Math.max(1, Math.floor(this.list.viewport.clientHeight / this.rowHeight()) - 1);
		const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.shown.length - 1,
			PageDown: at + page, PageUp: at - page}[e.key];
		if (to === undefined || e.ctrlKey || e.altKey || e.metaKey) return;
		e.preventDefault();
		this.focusRow(Math.max(0, Math.min(this.shown.length - 1, to)));
	}

	focusRow(i) {
		this.activate(this.shown[i].id);
		this.list.reveal(i);
		this.list.rows.get(this.active).link.focus({preventScroll: true});
	}

	// The one row that the Tab key reaches.
	activate(id) {
		const before = this.list.rows.get(this.active);
		this.active = this.list.pinned = id;
		if (before) setAttr(before.link, "tabindex", "-1");
		const row = this.list.rows.get(id);
		if (row) setAttr(row.link, "tabindex", "0");
	}

	select(id) {
		this.selected = id;
		if (id !== null) this.activate(id);
		this.list.draw();
	}

	// Returns what changed its status: [topic, status before].
	take(topics) {
		const changed = [], seen = new Map();
		this.version++;
		for (const x of topics) {
			x.id = idOf(x);
			x.name = x.topic || x.match || "";
			x.text = [x.name, x.group, x.cluster, x.host, x.status, x.reason || "",
				...Object.values(x.labels || {})].join(" ").toLowerCase();
			const before = this.byId.get(x.id);
			if (before && before.status !== x.status) changed.push([x, before.status]);
			x.stamp = this.version; // rows compare it: a new object is a new look
			seen.set(x.id, x);
		}
		this.all = topics;
		this.byId = seen;
		this.compare();
		this.tally();
		this.arrange(false);
		return changed;
	}

	// Which part of a topic's name, beside its own, differs from others' in the list.
	compare() {
		const several = (key) => this.all.some((x) => x[key] !== this.all[0][key]);
		this.differs = {cluster: several("cluster"), group: several("group"), host: several("host")};
	}

	nameOf(x) {
		const name = x.name ?? x.topic ?? "";
		return this.differs.cluster ? `${x.cluster}/${name}` : name;
	}

	// Why it is as it is, since when, whether it gets better; then what sets it apart.
	about(x) {
		const worst = (x.lags || []).find(([p]) => p === x.worst_partition);
		const from = x.status === "OK" ? null : x.status === "NODATA" ? x.gap_since : x.status_since;
		const since = from === null ? null : t("sinceShort", {time: time(from, this.now())});
		const why = x.status === "NODATA" ? reason(x.reason) || x.reason
			: worst && worst[2] !== "OK" ? `${verdict(worst[2])} p${x.worst_partition}`
				: x.rule === "lag_falling" && x.drain_ms ? t("drain", {span: span(x.drain_ms)}) : null;
		const parts = [since, why, ...["cluster", "group", "host"].map((key) => this.differs[key] ? x[key] : null)].filter(Boolean);
		if (!parts.length && x.partitions !== null) parts.push(t("strip", {n: number(x.partitions)}));
		return parts.join(" · ");
	}

	tally() {
		const n = {};
		for (const x of this.all) n[x.status] = (n[x.status] || 0) + 1;
		for (const [name, {chip, n: node}] of this.chips) {
			setText(node, number(n[name] || 0));
			chip.classList.toggle("zero", !n[name]);
		}
	}

	fits(x) {
		if (this.only.size && !this.only.has(x.status)) return false;
		return this.words.every((w) => x.text.includes(w));
	}

	arrange(now) {
		const shown = this.all.filter((x) => this.fits(x));
		if (!now && performance.now() < this.held) {
			const place = new Map(this.shown.map((x, i) => [x.id, i]));
			shown.sort((a, b) => (place.get(a.id) ?? 1e9) - (place.get(b.id) ?? 1e9) || ORDERS[this.order](a, b));
		} else {
			shown.sort(ORDERS[this.order]);
		}
		this.shown = shown;
		if (!shown.some((x) => x.id === this.active)) this.activate(shown.length ? shown[0].id : null);
		setAttr(document.getElementById("table"), "aria-rowcount", String(shown.length + 1));
		document.getElementById("list").classList.toggle("bare", shown.length === 0);
		this.list.show(shown);
		setText(this.count, this.all.length === 0 ? t("noTopics") : shown.length === 0 ? t("noMatch")
			: t("shown", {n: number(shown.length), all: number(this.all.length)}));
	}

	makeRow() {
		const cell = (name, ...inner) => el("div", {role: "cell", class: `c-${name}`}, ...inner);
		const r = el("div", {role: "row", class: "row"});
		r.shape = el("span", {class: "shape", "aria-hidden": "true"});
		r.word = el("span", {class: "word"});
		r.link = el("a", {tabindex: "-1"});
		r.where = el("small");
		r.canvas = el("canvas", {role: "img"});
		r.lag = el("span");
		r.time = el("span");
		r.age = el("span");
		r.append(cell("status", el("span", {class: "badge"}, r.shape, " ", r.word)), cell("topic", r.link, r.where),
			cell("partitions", r.canvas), cell("lag", r.lag), cell("timeLag", r.time), cell("age", r.age));
		return r;
	}

	updateRow(r, x, i) {
		setAttr(r, "aria-rowindex", String(i + 2));
		setAttr(r, "aria-current", x.id === this.selected ? "true" : null);
		setAttr(r.link, "tabindex", x.id === this.active ? "0" : "-1");
		this.updateAge(r, x);
		if (r.id_ === x.id && r.stamp === x.stamp) return;
		r.id_ = x.id;
		r.stamp = x.stamp;
		setClass(r, `row s-${x.status}`);
		setText(r.shape, shape(x.status));
		setText(r.word, verdict(x.status));
		setText(r.link, x.topic || t("pattern", {match: x.match}));
		setAttr(r.link, "title", x.name);
		setAttr(r.link, "href", `#/t/${x.id}`);
		const where = this.about(x);
		setText(r.where, where);
		setAttr(r.where, "title", where);
		setText(r.lag, x.lag_sum !== null && Math.abs(x.lag_sum) < 1e9 ? number(x.lag_sum) : compact(x.lag_sum));
		setText(r.time, spanShort(x.time_lag_ms));
		this.paint(r, x);
	}

	// A canvas is drawn again only for other lags or another size.
	paint(r, x) {
		const width = r.canvas.parentNode.clientWidth;
		const signature = `${width} ${this.theme} ${x.status === "NODATA"} ${JSON.stringify(x.lags)}`;
		if (r.painted === signature || !width) return;
		r.painted = signature;
		drawStrip(r.canvas, x.lags || [], width, r.canvas.parentNode.clientHeight);
		const words = describe(x.lags || []);
		setAttr(r.canvas, "aria-label", words);
		setAttr(r.canvas, "title", words);
	}

	updateAge(r, x) {
		const age = x.sample_at === null ? null : Math.max(0, this.now() - x.sample_at);
		setText(r.age, ageOf(age));
		r.age.classList.toggle("old", age !== null && age > Math.max(3 * x.interval_ms, 15000));
	}

	tick() {
		for (const [id, r] of this.list.rows) {
			const x = this.byId.get(id);
			if (x) this.updateAge(r, x);
		}
	}

	// A topic that is opened takes room from the list.
	fit(width) {
		if (width === this.width) return;
		this.width = width;
		for (const r of this.list.rows.values()) r.stamp = 0;
		this.list.draw();
	}

	// After another size or another scheme of colours.
	repaint() {
		this.theme = (this.theme || 0) + 1;
		for (const r of this.list.rows.values()) r.stamp = 0;
		this.list.draw();
	}
}
