// SPDX-License-Identifier: MIT
// topic: everything of one topic: verdict and why, figures, charts, partitions.
import {el, setText, setAttr, setClass, fill, empty, Windowed} from "./dom.js";
import {t} from "./messages.js";
import * as f from "./format.js";
import {drawGrid, drawSample, describe} from "./strip.js";
import {Charts, weave, gapList} from "./charts.js";

const RANGES = [["hour", 3600e3], ["hours6", 6 * 3600e3], ["day", 86400e3], ["week", 7 * 86400e3], ["month", 30 * 86400e3]];
const COLUMNS = ["partition", "verdict", "lag", "timeLag", "committed", "end", "owner", "why"];
const NOTHING = {step_ms: 0, points: [], lags: {}, gaps: []};
const WHOLE_EVERY_MS = 5 * 60e3; // between, only what is new is asked for

const ORDERS = {
	verdict: (a, b) => f.rank(b.status) - f.rank(a.status) || (b.lag ?? -1) - (a.lag ?? -1) || a.partition - b.partition,
	partition: (a, b) => a.partition - b.partition,
	lag: (a, b) => (b.lag ?? -1) - (a.lag ?? -1) || a.partition - b.partition,
	timeLag: (a, b) => (b.time_lag_ms ?? -1) - (a.time_lag_ms ?? -1) || a.partition - b.partition,
};

// `more` is what is known from the time `from` on: the newer truth.
export function merge(old, more, from) {
	let keep = old.points.length;
	while (keep > 0 && old.points[keep - 1][0] >= from) keep--;
	const lags = {};
	for (const p of new Set([...Object.keys(old.lags), ...Object.keys(more.lags)])) {
		const head = (old.lags[p] || []).slice(0, keep);
		while (head.length < keep) head.push(null);
		lags[p] = head.concat(more.lags[p] || more.points.map(() => null));
	}
	return {step_ms: Math.max(old.step_ms, more.step_ms), points: old.points.slice(0, keep).concat(more.points), lags, gaps: joinGaps(old.gaps, more.gaps)};
}

function joinGaps(old, more) {
	const by = new Map(old.filter((g) => g.until !== null).map((g) => [g.from, g]));
	for (const g of more) by.set(g.from, g);
	return [...by.values()].sort((a, b) => a.from - b.from);
}

export class Topic {
	constructor(root, api, back) {
		Object.assign(this, {root, api, id: null, order: "verdict", chosen: null, span: RANGES[0][1]});
		this.parts = {
			back: el("button", {type: "button", class: "back", onclick: back, "aria-label": t("close")}, "←"),
			title: el("h2", {tabindex: "-1"}), where: el("p", {class: "where"}), verdict: el("div", {class: "verdict"}),
			figures: el("dl", {class: "figures"}), trouble: el("p", {class: "note bad", role: "alert", hidden: true}),
			charts: el("div", {class: "charts"}), note: el("p", {class: "note"}), gaps: el("ul", {class: "gaps"}),
			canvas: el("canvas", {class: "grid", role: "img"}), legend: el("p", {class: "cells"}), why: el("p", {class: "note chosen-words", role: "status"}),
		};
		const p = this.parts;
		this.age = el("span");
		root.append(el("div", {class: "titlebar"}, p.back, el("div", {}, p.title, p.where)), p.verdict, p.trouble, p.figures,
			el("h3", {}, t("history")), this.tools(), p.charts, p.note, p.gaps,
			el("h3", {}, t("partitions")), p.canvas, p.legend, p.why, this.table());
		this.drawLegend();
		this.charts = new Charts(p.charts);
		this.charts.onzoom = () => this.markTools();
		p.canvas.addEventListener("click", (e) => {
			const hit = p.canvas.at?.(e.offsetX, e.offsetY);
			if (hit) this.pick(hit[0]);
		});
		new ResizeObserver(() => this.drawCells()).observe(root);
	}

	tools() {
		const button = (word, text, act) => el("button", {type: "button", "aria-label": t(word), title: t(word), onclick: act}, text);
		this.ranges = RANGES.map(([word, ms]) => el("button", {type: "button", "aria-pressed": "false", onclick: () => {
			this.span = ms;
			this.charts.zoom = null;
			this.history = null;
			this.load().catch((error) => this.complain(error));
		}}, t(word)));
		this.whole = button("wholeRange", "⤢", () => this.charts.setZoom(null));
		return el("div", {class: "tools", role: "group", "aria-label": t("range")}, this.ranges, el("span", {class: "space"}),
			button("earlier", "◂", () => this.charts.scale(1, -0.5)), button("zoomIn", "+", () => this.charts.scale(0.5)),
			button("zoomOut", "−", () => this.charts.scale(2)), button("later", "▸", () => this.charts.scale(1, 0.5)), this.whole);
	}

	markTools() {
		RANGES.forEach(([, ms], i) => setAttr(this.ranges[i], "aria-pressed", String(ms === this.span)));
		this.whole.disabled = this.charts.zoom === null;
	}

	table() {
		this.heads = COLUMNS.map((name) => el("div", {role: "columnheader", class: `p-${name}`}, ORDERS[name]
			? el("button", {type: "button", "aria-label": t("sortBy", {what: t(name)}), onclick: () => {
				this.order = name;
				this.drawRows();
			}}, t(name)) : t(name)));
		this.rows = el("div", {class: "prows", role: "rowgroup", tabindex: "0", "aria-label": t("partitions")});
		this.tableNode = el("div", {class: "ptable", role: "table", "aria-label": t("partitions")},
			el("div", {class: "prow head", role: "row"}, this.heads), this.rows);
		this.list = new Windowed(this.rows, {height: () => 26, key: (x) => x.partition,
			make: () => this.makeRow(), update: (row, x, i) => this.updateRow(row, x, i)});
		return el("div", {class: "scroll"}, this.tableNode);
	}

	makeRow() {
		const row = el("div", {class: "prow", role: "row"});
		row.cells = COLUMNS.map((name) => el("div", {role: "cell", class: `p-${name}`}));
		row.pick = el("button", {type: "button", onclick: () => this.pick(row.partition)});
		row.cells[0].append(row.pick);
		row.append(...row.cells);
		return row;
	}

	whyOf(x) {
		const stands = x.unchanged_ms >= 60e3 ? ` (${t("unchanged", {span: f.span(x.unchanged_ms)})})` : "";
		return (f.rule(x.rule) || x.rule || "") + stands;
	}

	// The chosen partition in words: in the table they may be cut.
	drawWhy() {
		const x = this.detail?.partitions.find((p) => p.partition === this.chosen);
		setText(this.parts.why, x ? `${t("partitionNo", {n: x.partition})}: ${f.verdict(x.status)}. ${this.whyOf(x)}` : t("clickPartition"));
	}

	updateRow(row, x, i) {
		const own = x.has_member === null || x.has_member === undefined ? f.DASH : t(x.has_member ? "yes" : "no");
		const why = this.whyOf(x);
		const texts = [null, `${f.shape(x.status)} ${f.verdict(x.status)}`, f.number(x.lag), f.span(x.time_lag_ms), f.number(x.committed),
			f.number(x.end), own, why];
		row.partition = x.partition;
		setAttr(row, "aria-rowindex", String(i + 2));
		setClass(row, `prow s-${x.status}${x.partition === this.chosen ? " chosen" : ""}`);
		setText(row.pick, `p${x.partition}`);
		setAttr(row.pick, "aria-pressed", String(x.partition === this.chosen));
		texts.forEach((text, k) => {
			if (text !== null) setText(row.cells[k], text);
		});
		setAttr(row.cells.at(-1), "title", why);
	}

	drawLegend() {
		const sample = (lag, name, word) => {
			const canvas = el("canvas", {"aria-hidden": "true"});
			drawSample(canvas, lag, name);
			return el("span", {}, canvas, " ", word);
		};
		this.parts.legend.replaceChildren(sample(0, "OK", t("legendLow")), sample(500, "OK", ""), sample(1e6, "OK", t("legendHigh")), sample(null, "OK", t("legendUnknown")),
			...["WARN", "STOP", "STALL", "REWIND"].map((name) => sample(1, name, t(name))));
	}

	choose(id) {
		if (this.id === id) return;
		this.id = id;
		this.detail = this.history = this.seen = null;
		this.chosen = null;
		this.charts.zoom = null;
		if (id === null) return;
		const [cluster, group, name] = id.split("/").map((s) => {
			try {
				return decodeURIComponent(s);
			} catch {
				return s;
			}
		});
		this.name = {cluster, group, topic: name};
		setText(this.parts.title, name || "");
		for (const part of ["where", "verdict", "figures", "gaps"]) empty(this.parts[part]);
		this.parts.trouble.hidden = true;
		setText(this.parts.note, t("loading"));
		this.list.show([]);
		this.charts.show({rows: [], gaps: [], range: [this.api.now() - this.span, this.api.now()], chosen: null, lags: null});
		this.markTools();
	}

	focus() {
		this.parts.title.focus({preventScroll: true});
	}

	forget() {
		this.history = null; // after a restart: ask for all of it again
		this.seen = null;
	}

	// The list's line of this topic has come: show it; ask for more when it changed.
	async follow(line, reachable) {
		if (this.id === null) return;
		if (line) this.head(line);
		if (!reachable) return;
		const seen = line ? [line.sample_at, line.status, line.gap_since, line.status_since].join() : null;
		if (this.detail && seen === this.seen && seen !== null) return;
		this.seen = seen;
		await this.load().catch((error) => {
			if (!error.isAnswer) throw error;
			this.complain(error);
		});
	}

	complain(error) {
		this.seen = null;
		setText(this.parts.trouble, t("failed", {error: error.message}));
		this.parts.trouble.hidden = false;
		setText(this.parts.note, "");
	}

	async load() {
		const {id} = this, now = this.api.now();
		const whole = !this.history || now - this.wholeAt > WHOLE_EVERY_MS;
		const last = this.history?.points.at(-1);
		// the newest points may still move: they are asked for again
		const since = whole || !last ? now - this.span : Math.max(now - this.span, last[0] - 2 * this.history.step_ms);
		const q = new URLSearchParams({cluster: this.name.cluster, group: this.name.group, since: String(Math.floor(since))});
		const {body} = await this.api.get(`api/v1/topics/${encodeURIComponent(this.name.topic)}?${q}`, false);
		if (id !== this.id) return; // another one was chosen meanwhile
		this.parts.trouble.hidden = true;
		if (whole) this.wholeAt = now;
		const history = body.history || NOTHING; // null while none is kept
		this.history = whole ? history : merge(this.history, history, since);
		this.detail = body;
		this.head(body.topic);
		this.drawCharts();
		this.drawRows();
		this.drawCells();
	}

	head(x) {
		this.line = x;
		const where = [[t("cluster"), x.cluster], [t("group"), x.group], [t("host"), x.host], ...Object.entries(x.labels || {})];
		fill(this.parts.where, JSON.stringify(where), () => where.filter(([, v]) => v).map(([k, v]) =>
			el("span", {}, el("small", {}, `${k} `), el("b", {}, v))));
		fill(this.parts.verdict, JSON.stringify([x.status, x.rule, x.worst_partition, x.reason, x.message, x.status_since, x.gap_since, x.sample_at === null, x.group_state]),
			() => this.verdictWords(x));
		this.drawFigures(x);
	}

	verdictWords(x) {
		const gap = x.status === "NODATA";
		const worst = (x.lags || []).find(([p]) => p === x.worst_partition);
		const since = gap ? x.gap_since : x.status_since;
		setClass(this.parts.verdict, `verdict s-${x.status}`);
		this.since = el("span", {class: "since"});
		this.sinceAt = since;
		this.tickSince();
		const words = gap ? f.reason(x.reason) || x.reason || t("noSample") : f.rule(x.rule) || x.rule || "";
		const lead = !gap && worst && worst[2] !== "OK" ? t("worstIs", {verdict: f.verdict(worst[2]), n: x.worst_partition}) : null;
		return [
			el("p", {}, el("span", {class: "badge"}, el("span", {class: "shape", "aria-hidden": "true"}, f.shape(x.status)), " ", f.verdict(x.status)), " ", this.since),
			el("p", {class: "words"}, lead ? el("b", {}, `${lead}: `) : null, words, " ", el("code", {}, (gap ? x.reason : x.rule) || "")),
			!gap && x.group_state === "empty" ? el("p", {class: "alone"}, t("alone")) : null,
			gap && x.message ? el("p", {class: "quote"}, x.message) : null,
			gap && (x.reason || x.sample_at !== null) ? el("p", {class: "note"}, x.sample_at === null ? t("noSample") : t("lastFigures", {time: f.time(x.sample_at, this.api.now())})) : null,
		];
	}

	tickSince() {
		if (this.since && this.sinceAt !== null && this.sinceAt !== undefined)
			setText(this.since, t("since", {time: f.time(this.sinceAt, this.api.now()), ago: f.ago(this.api.now() - this.sinceAt)}));
	}

	drawFigures(x) {
		const kind = {interpolated: t("interpolated"), extrapolated: t("extrapolated"), idle: t("idle")}[x.time_lag_kind];
		const partitions = x.expected_partitions === null || x.expected_partitions === x.partitions ? f.number(x.partitions)
			: t("expected", {n: f.number(x.partitions), m: f.number(x.expected_partitions)});
		const rows = [
			[t("lagSum"), f.number(x.lag_sum)],
			[t("lagMax"), f.number(x.lag_max), x.lag_max_partition === null ? "" : t("partitionNo", {n: x.lag_max_partition})],
			[t("timeLag"), f.span(x.time_lag_ms), kind],
			[t("produced"), f.rate(x.produced_per_sec)], [t("consumed"), f.rate(x.consumed_per_sec), x.drain_ms === null ? "" : t("drain", {span: f.span(x.drain_ms)})],
			...(x.target ? [[t("delivered"), f.rate(x.target.delivered_per_sec)], [t("undelivered"), f.number(x.target.undelivered), x.target.message]] : []),
			[t("partitions"), partitions],
			[t("members"), f.number(x.members), {stable: t("stable"), rebalancing: t("rebalancing"), empty: t("empty")}[x.group_state]],
		];
		fill(this.parts.figures, JSON.stringify([rows, x.sample_ms, x.interval_ms, x.sample_at === null]), () => {
			const item = ([name, value, more]) => el("div", {}, el("dt", {}, name), el("dd", {}, value, more ? el("small", {}, more) : null));
			return [...rows.map(item), el("div", {}, el("dt", {}, t("sample")), el("dd", {}, this.age,
				el("small", {}, t("sampleTook", {span: f.span(x.sample_ms), interval: f.span(x.interval_ms)}))))];
		});
		this.tick();
	}

	tick() {
		if (this.id === null || !this.line) return;
		const at = this.line.sample_at;
		setText(this.age, at === null ? f.DASH : f.ago(this.api.now() - at));
		this.age.classList.toggle("old", at !== null && this.api.now() - at > Math.max(3 * this.line.interval_ms, 15000));
		this.tickSince();
	}

	drawCharts() {
		const now = this.api.now(), range = [now - this.span, now];
		const {rows, gaps} = weave(this.history, range[0], now, this.line.interval_ms);
		const first = Math.min(rows[0]?.[0] ?? now, gaps[0]?.from ?? now);
		if (now - first < this.span / 2) range[0] = Math.min(first, now - 60e3); // young: no empty paper
		this.charts.show({rows, gaps, range, chosen: this.chosen, lags: this.chosen === null ? null : this.history.lags[this.chosen]});
		setText(this.parts.note, !this.history.points.length ? t("noHistory")
			: [this.history.step_ms > this.line.interval_ms ? t("resolution", {span: f.span(this.history.step_ms)}) : null, t("chartHint")].filter(Boolean).join(" · "));
		fill(this.parts.gaps, JSON.stringify(gaps.map((g) => [g.from, g.lasts ? f.span(now - g.from) : g.until, g.reason, g.message])), () => gapList(gaps, now));
		this.markTools();
	}

	drawRows() {
		if (!this.detail) return;
		COLUMNS.forEach((name, i) => setAttr(this.heads[i], "aria-sort", !ORDERS[name] ? null : name !== this.order ? "none" : name === "partition" ? "ascending" : "descending"));
		setAttr(this.tableNode, "aria-rowcount", String(this.detail.partitions.length + 1));
		this.rows.style.height = `${Math.min(420, this.detail.partitions.length * 26)}px`;
		this.list.show(this.detail.partitions.slice().sort(ORDERS[this.order]));
		this.drawWhy();
	}

	drawCells() {
		const width = this.parts.canvas.parentNode.clientWidth;
		if (!this.detail || !width) return;
		const lags = this.detail.topic.lags || [];
		const signature = `${this.theme} ${width} ${this.chosen} ${JSON.stringify(lags)}`;
		if (signature === this.painted) return;
		this.painted = signature;
		drawGrid(this.parts.canvas, lags, width, this.chosen);
		setAttr(this.parts.canvas, "aria-label", describe(lags));
	}

	pick(partition) {
		this.chosen = this.chosen === partition ? null : partition;
		this.drawCells();
		this.list.draw();
		this.drawWhy();
		if (this.history) this.drawCharts();
	}

	repaint() {
		this.theme = (this.theme || 0) + 1;
		this.drawLegend();
		this.drawCells();
		this.charts.repaint();
	}
}
