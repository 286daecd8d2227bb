// SPDX-License-Identifier: MIT
// strip: lags of all partitions as a row of cells (heat strip) or as a grid. Blue
// deepens with the lag; a verdict that is not OK has its own colour and its own mark.
import {t} from "./messages.js";
import {RANK, rank, verdict} from "./format.js";

let colours = null;
export function forgetColours() {
	colours = null;
}

function palette() {
	if (colours) return colours;
	const style = getComputedStyle(document.documentElement);
	const get = (name) => style.getPropertyValue(name).trim();
	colours = {heat: [0, 1, 2, 3, 4, 5].map((i) => get(`--heat${i}`)), line: get("--line"), dim: get("--dim"),
		ink: get("--mark"), chosen: get("--text"), text: get("--text"), light: get("--heat-text")};
	for (const name of Object.keys(RANK)) colours[name] = get(`--${name.toLowerCase()}`);
	return colours;
}

// 0 for no lag, 5 for a million and more.
export const heat = (lag) => lag <= 0 ? 0 : Math.min(5, 1 + Math.floor(Math.log10(lag) / 1.5));

function prepare(canvas, width, height) {
	const dpr = window.devicePixelRatio || 1;
	const w = Math.round(width * dpr), h = Math.round(height * dpr);
	if (canvas.width !== w || canvas.height !== h) {
		canvas.width = w;
		canvas.height = h;
		canvas.style.width = `${width}px`;
		canvas.style.height = `${height}px`;
	}
	const g = canvas.getContext("2d");
	g.setTransform(dpr, 0, 0, dpr, 0, 0);
	g.clearRect(0, 0, width, height);
	return g;
}

function mark(g, name, x, y, w, h) {
	const s = Math.min(w, h, 12) * 0.32, cx = x + w / 2, cy = y + h / 2;
	g.beginPath();
	if (name === "WARN") {
		g.moveTo(cx, cy - s);
		g.lineTo(cx + s, cy + s);
		g.lineTo(cx - s, cy + s);
	} else if (name === "REWIND") {
		g.moveTo(cx - s, cy);
		g.lineTo(cx + s, cy - s);
		g.lineTo(cx + s, cy + s);
	} else if (name === "STALL") {
		g.rect(cx - s, cy - s, s * 0.75, 2 * s);
		g.rect(cx + s * 0.25, cy - s, s * 0.75, 2 * s);
	} else {
		g.rect(cx - s, cy - s, 2 * s, 2 * s);
	}
	g.fill();
}

function cell(g, c, lag, name, x, y, w, h) {
	if (name !== "OK") {
		g.fillStyle = c[name] || c.NODATA;
		g.fillRect(x, y, w, h);
		if (w >= 6) {
			g.fillStyle = c.ink;
			mark(g, name, x, y, w, h);
		}
	} else if (lag === null) { // no lag known: only an outline
		g.strokeStyle = c.dim;
		g.strokeRect(x + 0.5, y + 0.5, Math.max(0.5, w - 1), h - 1);
	} else {
		const low = w < 6 ? Math.round(h * 0.25) : 0; // too narrow for marks: what is OK is lower
		g.fillStyle = c.heat[heat(lag)];
		g.fillRect(x, y + low, w, h - low);
	}
}

// Many partitions in few pixels: each bin shows the worst of its own.
function bins(lags, most) {
	if (lags.length <= most) return lags;
	const out = [];
	for (let i = 0; i < most; i++) {
		const from = Math.floor(i * lags.length / most), to = Math.floor((i + 1) * lags.length / most);
		let worst = lags[from];
		for (let k = from + 1; k < to; k++) {
			const a = rank(lags[k][2]) - rank(worst[2]);
			if (a > 0 || (a === 0 && (lags[k][1] ?? -1) > (worst[1] ?? -1))) worst = lags[k];
		}
		out.push(worst);
	}
	return out;
}

export function drawStrip(canvas, lags, width, height) {
	const g = prepare(canvas, width, height), c = palette();
	const shown = bins(lags, Math.floor(width / 3));
	const pitch = Math.min(14, width / Math.max(1, shown.length));
	const gap = pitch >= 5 ? 1 : pitch >= 3 ? 0.5 : 0;
	shown.forEach(([, lag, name], i) => cell(g, c, lag, name, i * pitch, 0, pitch - gap, height));
}

// What the strip says, in words.
export function describe(lags) {
	const by = new Map();
	for (const [p, , name] of lags) {
		if (name === "OK") continue;
		if (!by.has(name)) by.set(name, []);
		by.get(name).push(p);
	}
	const parts = [t("strip", {n: lags.length})];
	for (const [name, list] of [...by].sort((a, b) => rank(b[0]) - rank(a[0]))) {
		const first = list.slice(0, 8).map((p) => `p${p}`);
		if (list.length > 8) first.push(t("stripMore", {n: list.length - 8}));
		parts.push(t("stripBad", {verdict: verdict(name), list: first.join(", ")}));
	}
	return parts.join("; ");
}

const GRID = 24;
const columnsOf = (width) => Math.max(1, Math.floor(width / GRID));

// One square for each partition, with its number where there is room.
export function drawGrid(canvas, lags, width, chosen) {
	const columns = columnsOf(width), c = palette();
	const size = lags.length > 300 ? 14 : GRID;
	const per = size === GRID ? columns : Math.max(1, Math.floor(width / size));
	const g = prepare(canvas, width, Math.max(1, Math.ceil(lags.length / per)) * size);
	g.font = "10px system-ui, sans-serif";
	g.textAlign = "center";
	g.textBaseline = "middle";
	canvas.at = (x, y) => lags[Math.floor(y / size) * per + Math.floor(x / size)];
	lags.forEach(([p, lag, name], i) => {
		const x = i % per * size, y = Math.floor(i / per) * size, w = size - 2;
		cell(g, c, lag, name, x, y, w, w);
		if (size === GRID && name === "OK") {
			g.fillStyle = lag !== null && heat(lag) >= 3 ? c.light : c.text;
			g.fillText(p, x + w / 2, y + w / 2 + 0.5);
		}
		if (p === chosen) {
			g.strokeStyle = c.chosen;
			g.lineWidth = 2;
			g.strokeRect(x + 1, y + 1, w - 2, w - 2);
			g.lineWidth = 1;
		}
	});
}

// A legend cell of the same make.
export function drawSample(canvas, lag, name) {
	cell(prepare(canvas, 14, 14), palette(), lag, name, 0, 0, 14, 14);
}
