// SPDX-License-Identifier: MIT
// charts: lag, time lag and rates of one topic over the kept history, on one time
// axis. Gaps are gaps in the lines, hatched, with their reason.
/* global Dygraph */
import {el, setAttr} from "./dom.js";
import {t} from "./messages.js";
import {compact, compactBelow, span, spanShort, tick, time, reason, DASH} from "./format.js";

// The library's legend writes HTML and style attributes; ours is text below.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((p) => p !== Dygraph.Plugins.Legend);

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const finite = (n) => typeof n === "number" ? n : null;

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 604800];

// Ticks of an axis of milliseconds, at round times.
function spanTicks(from, until, pixels) {
	const most = Math.max(2, Math.floor(pixels / 26));
	const step = 1000 * (STEPS.find((s) => (until - from) / (s * 1000) <= most) || 604800 * Math.ceil((until - from) / (604800e3 * most)));
	const ticks = [];
	if (until - from < 1000) return [{v: 0, label: "0"}];
	for (let v = Math.ceil(from / step) * step; v <= until; v += step) ticks.push({v, label: spanShort(v)});
	return ticks;
}

// [history of the API] → rows with a break wherever nobody looked, and all gaps.
export function weave(history, from, until, interval) {
	const points = history.points, rows = [];
	const gaps = history.gaps.map((g) => ({...g, until: g.until ?? until, lasts: g.until === null}));
	const most = 3.5 * Math.max(history.step_ms || 0, interval || 0, 1000);
	const breakAt = (x) => rows.push([x, null, null, null, null, null, null]);
	let before = null;
	points.forEach(([x, sum, max, timeLag, produced, consumed], i) => {
		if (before !== null) {
			const gap = gaps.find((g) => g.from > before && g.from < x || g.from <= before && g.until > before + 1000 && g.until <= x);
			if (gap || x - before > most) breakAt(before + 1);
			if (!gap && x - before > most) gaps.push({from: before, until: x, reason: null, message: ""});
		}
		rows.push([x, finite(sum), finite(max), finite(timeLag), finite(produced), finite(consumed), i]);
		before = x;
	});
	gaps.sort((a, b) => a.from - b.from);
	return {rows, gaps: gaps.filter((g) => g.until >= from && g.from <= until)};
}

function hatch(g, x, y, w, h, colour) {
	g.save();
	g.beginPath();
	g.rect(x, y, w, h);
	g.clip();
	g.globalAlpha = 0.16;
	g.fillStyle = colour;
	g.fillRect(x, y, w, h);
	g.globalAlpha = 0.35;
	g.strokeStyle = colour;
	g.lineWidth = 1;
	g.beginPath();
	for (let d = x - h - (x % 7); d < x + w; d += 7) {
		g.moveTo(d, y + h);
		g.lineTo(d + h, y);
	}
	g.stroke();
	g.restore();
}

export class Charts {
	constructor(root) {
		this.root = root;
		this.parts = [];
		this.zoom = null; // [from, until], or the whole range
		this.range = [0, 1];
		this.gaps = [];
		this.chosen = null;
		this.kinds = [
			{key: "chartLag", label: compact, axis: compactBelow, series: () => ["sum", "max"].map((n) => t(n)).concat(this.chosen === null ? [] : [`p${this.chosen}`]),
				pick: (r, lag) => [r[1], r[2]].concat(this.chosen === null ? [] : [lag])},
			{key: "chartTime", label: span, axis: spanShort, ticker: spanTicks, series: () => [t("timeLag")], pick: (r) => [r[3]]},
			{key: "chartRate", label: compact, axis: compactBelow, series: () => [t("produced"), t("consumed")], pick: (r) => [r[4], r[5]]},
		];
		for (const kind of this.kinds) this.parts.push(this.part(kind));
	}

	part(kind) {
		const p = {kind, legend: el("span", {class: "legend"}), box: el("div", {class: "plot", role: "img"})};
		p.heading = el("h4", {}, t(kind.key), " ", p.legend);
		p.figure = el("figure", {class: "chart"}, p.heading, p.box);
		this.root.append(p.figure);
		return p;
	}

	get window() {
		return this.zoom || this.range;
	}

	// `lags` are those of the chosen partition, one for each point, or null.
	show({rows, gaps, range, chosen, lags}) {
		this.gaps = gaps;
		this.range = range;
		this.chosen = chosen;
		this.rows = rows;
		for (const p of this.parts) {
			const data = rows.map((r) => [new Date(r[0]), ...p.kind.pick(r, r[6] === null || !lags ? null : finite(lags[r[6]]))]);
			this.plot(p, data.length ? data : [[new Date(range[0]), ...p.kind.series().map(() => null)]]);
			this.say(p, data);
		}
	}

	plot(p, data) {
		const labels = ["x", ...p.kind.series()];
		const same = p.graph && p.labels === labels.join("\n");
		this.quiet = true;
		if (same) {
			p.graph.updateOptions({file: data, dateWindow: this.window});
		} else {
			p.graph?.destroy();
			p.labels = labels.join("\n");
			p.graph = new Dygraph(p.box, data, this.options(p, labels));
		}
		this.quiet = false;
	}

	options(p, labels) {
		const model = {...Dygraph.defaultInteractionModel};
		for (const name of Object.keys(model)) if (name.startsWith("touch")) delete model[name]; // fingers scroll the page
		model.dblclick = () => this.setZoom(null);
		return {
			labels, dateWindow: this.window, includeZero: true, interactionModel: model, animatedZooms: false,
			colors: [css("--line1"), css("--line2"), css("--line3")], strokeWidth: 1.6, connectSeparatedPoints: false,
			drawIsolatedPoints: true, pointSize: 2, highlightCircleSize: 3, gridLineColor: css("--grid"), axisLineColor: css("--line"), axisLabelFontSize: 11,
			gridLineWidth: 1, rangeSelectorHeight: 0, xRangePad: 0, yRangePad: 10,
			fillAlpha: 0.12, series: {[labels[1]]: {fillGraph: p.kind.key !== "chartRate"}, ...(labels[2] ? {[labels[2]]: {strokePattern: [5, 3]}} : {})},
			axes: {
				x: {axisLabelFormatter: (x) => tick(+x, this.window[1] - this.window[0]), pixelsPerLabel: 80, drawGrid: false},
				y: {axisLabelFormatter: (y, _, __, graph) => p.kind.axis(y, graph.yAxisRange()[1]), axisLabelWidth: 58, pixelsPerLabel: 22, ...(p.kind.ticker ? {ticker: p.kind.ticker} : {})},
			},
			underlayCallback: (g, area, graph) => this.underlay(g, area, graph),
			plugins: [{activate: () => ({didDrawChart: (e) => this.reasons(e.drawingContext, e.dygraph)})}],
			drawCallback: (graph) => this.moved(graph),
			highlightCallback: (e, x, points) => this.point(x, points, p),
			unhighlightCallback: () => this.point(null),
		};
	}

	// [gap, left edge, width] of those in view.
	* inView(area, graph) {
		for (const gap of this.gaps) {
			const a = Math.max(area.x, graph.toDomXCoord(gap.from)), b = Math.min(area.x + area.w, graph.toDomXCoord(gap.until));
			if (b > area.x && a < area.x + area.w) yield [gap, a, Math.max(2, b - a)];
		}
	}

	underlay(g, area, graph) {
		for (const [gap, x, w] of this.inView(area, graph)) hatch(g, x, area.y, w, area.h, css(gap.reason ? "--nodata" : "--dim"));
	}

	// After the grid, whose lines would strike them through.
	reasons(g, graph) {
		const area = graph.getArea();
		g.save();
		g.font = "10px system-ui, sans-serif";
		g.textAlign = "left";
		g.textBaseline = "top";
		for (const [gap, x, w] of this.inView(area, graph)) {
			const text = gap.reason || "", wide = g.measureText(text).width;
			if (!text || wide + 8 >= w) continue;
			g.fillStyle = css("--back");
			g.fillRect(x + 2, area.y + 1, wide + 4, 13);
			g.fillStyle = css("--text");
			g.fillText(text, x + 4, area.y + 3);
		}
		g.restore();
	}

	// Somebody dragged one of them: the others follow.
	moved(graph) {
		if (this.quiet) return;
		const [from, until] = graph.xAxisRange();
		if (Math.abs(from - this.window[0]) + Math.abs(until - this.window[1]) < 2) return;
		this.setZoom([from, until]);
	}

	setZoom(zoom) {
		this.zoom = zoom;
		this.quiet = true;
		for (const p of this.parts) p.graph?.updateOptions({dateWindow: this.window, valueRange: null});
		this.quiet = false;
		for (const p of this.parts) this.say(p);
		this.onzoom?.();
	}

	// For buttons: the middle stays, or the window moves by a part of itself.
	scale(factor, shift = 0) {
		const [a, b] = this.window, w = (b - a) * factor, middle = (a + b) / 2 + (b - a) * shift;
		const from = Math.max(this.range[0], Math.min(middle - w / 2, this.range[1] - w));
		const until = Math.min(this.range[1], from + w);
		if (until - from >= this.range[1] - this.range[0] - 1) this.setZoom(null);
		else if (until - from > 5000) this.setZoom([from, until]);
	}

	// The legend: names with their line, and the figures under the pointer.
	point(x, points, from) {
		this.hover = x;
		for (const p of this.parts) {
			if (x !== null && p !== from) p.graph?.setSelection(p.graph.getRowForX(x));
			this.say(p);
		}
	}

	say(p) {
		const [a, b] = this.window, x = this.hover ?? null;
		const names = p.kind.series();
		const rows = this.rows.filter((r) => r[6] !== null);
		const row = x === null ? rows.at(-1) : rows.find((r) => r[0] === x);
		const all = p.kind.pick(row || [], null).map((v) => p.kind.label(v));
		p.legend.replaceChildren(...names.map((name, i) => el("span", {class: `key k${i + 1}`}, `${name} `,
			el("b", {}, p.kind.pick.length > 1 && i === 2 ? this.partAt(p, row) : all[i] ?? DASH))),
		...(x === null ? [] : [el("time", {}, time(x))]));
		let max = null;
		for (const r of rows)
			if (r[0] >= a && r[0] <= b) for (const v of p.kind.pick(r, null)) if (v !== null && v !== undefined && v > (max ?? -Infinity)) max = v;
		setAttr(p.box, "aria-label", t("chartLabel", {what: t(p.kind.key), now: all[0] ?? DASH, max: p.kind.label(max)}));
	}

	partAt(p, row) {
		if (!row || !p.graph) return DASH;
		const i = p.graph.getRowForX(row[0]);
		return i === null || i < 0 ? DASH : compact(p.graph.getValue(i, 3));
	}

	repaint() {
		for (const p of this.parts) {
			p.graph?.updateOptions({colors: [css("--line1"), css("--line2"), css("--line3")], gridLineColor: css("--grid"), axisLineColor: css("--line")});
			p.graph?.resize();
		}
	}

	destroy() {
		for (const p of this.parts) p.graph?.destroy();
		this.root.replaceChildren();
	}
}

// The same gaps as text, newest first.
export function gapList(gaps, now) {
	return gaps.slice().reverse().slice(0, 50).map((g) => {
		const words = g.reason ? reason(g.reason) || g.reason : t("notWatched");
		const until = g.lasts ? t("gapLasts") : time(g.until, now);
		const item = el("li", {}, el("span", {class: "when"}, `${time(g.from, now)} – ${until} (${span((g.lasts ? now : g.until) - g.from)})`), " ",
			el("span", {}, words));
		if (g.reason) item.append(" ", el("code", {}, g.reason));
		if (g.message) item.append(" ", el("q", {}, g.message));
		return item;
	});
}
