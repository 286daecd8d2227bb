// SPDX-License-Identifier: MIT
// format: numbers, spans and times as words, and what verdicts and reasons mean.
import {lang, t, has} from "./messages.js";

const whole = new Intl.NumberFormat(lang, {maximumFractionDigits: 0});
const tenth = new Intl.NumberFormat(lang, {maximumFractionDigits: 1});
const short = new Intl.NumberFormat(lang, {notation: "compact", maximumFractionDigits: 1});
const clock = new Intl.DateTimeFormat(lang, {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"});
const minute = new Intl.DateTimeFormat(lang, {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const dated = new Intl.DateTimeFormat(lang, {month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const date = new Intl.DateTimeFormat(lang, {month: "short", day: "numeric"});

export const DASH = "–";
const known = (n) => n !== null && n !== undefined;

export const number = (n) => known(n) ? whole.format(n) : DASH;
export const compact = (n) => known(n) ? (Math.abs(n) < 1e5 ? tenth : short).format(n) : DASH;
// A label of an axis that ends at `top`: one notation for all of them.
export const compactBelow = (n, top) => (top < 1e5 ? tenth : short).format(n);
export const rate = (n) => known(n) ? t("perSec", {n: Math.abs(n) < 100 ? tenth.format(n) : whole.format(n)}) : DASH;

// Two units at most, a tenth below ten seconds: "2 h 5 min", "1.5 s".
export function span(ms) {
	if (!known(ms)) return DASH;
	if (ms < 1000) return t(ms < 1 ? "s" : "ms", {n: whole.format(Math.max(0, ms))});
	if (ms < 9950) return t("s", {n: tenth.format(ms / 1000)});
	const s = Math.round(ms / 1000);
	const part = (n, unit) => n > 0 ? " " + t(unit, {n: whole.format(n)}) : "";
	if (s < 60) return t("s", {n: s});
	if (s < 3600) return t("min", {n: Math.floor(s / 60)}) + (s < 600 ? part(s % 60, "s") : "");
	if (s < 86400) return t("h", {n: Math.floor(s / 3600)}) + part(Math.floor(s % 3600 / 60), "min");
	return t("d", {n: whole.format(Math.floor(s / 86400))}) + part(Math.floor(s % 86400 / 3600), "h");
}

// One unit, for axes and columns.
export function spanShort(ms) {
	if (!known(ms)) return DASH;
	for (const [unit, size] of [["d", 86400e3], ["h", 3600e3], ["min", 60e3], ["s", 1e3]])
		if (ms >= size) return t(unit, {n: tenth.format(ms / size)});
	return ms === 0 ? "0" : t("ms", {n: whole.format(ms)});
}

// One whole unit: ages tick by the second, then by the minute.
export function age(ms) {
	if (!known(ms)) return DASH;
	for (const [unit, size] of [["d", 86400e3], ["h", 3600e3], ["min", 60e3]])
		if (ms >= size) return t(unit, {n: whole.format(Math.floor(ms / size))});
	return t("s", {n: Math.max(0, Math.floor(ms / 1000))});
}

export const ago = (ms) => t("ago", {span: span(Math.max(0, Math.floor(ms / 1000) * 1000))});

export function time(ms, now) {
	if (!known(ms)) return DASH;
	return Math.abs((now ?? Date.now()) - ms) < 20 * 3600e3 ? clock.format(ms) : dated.format(ms);
}

// A label of the time axis; `range` is what is in view.
export function tick(ms, range) {
	if (range < 10 * 60e3) return clock.format(ms);
	if (range < 2 * 86400e3) return minute.format(ms);
	return range < 8 * 86400e3 ? dated.format(ms) : date.format(ms);
}

export function bytes(n) {
	if (!known(n)) return DASH;
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;
	for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
	return `${(i ? tenth : whole).format(n)} ${units[i]}`;
}

const words = (kind, name) => name && has(`${kind}.${name}`) ? t(`${kind}.${name}`) : "";
export const rule = (name) => words("rule", name);
export const reason = (name) => words("reason", name);
export const verdict = (name) => has(name) ? t(name) : String(name);

// Worse is larger; a shape stands beside every colour.
export const RANK = {OK: 0, WARN: 1, ERR: 2, STOP: 3, STALL: 4, REWIND: 5, NODATA: 6};
export const SHAPE = {OK: "●", WARN: "▲", ERR: "■", STOP: "■", STALL: "❚❚", REWIND: "◀", NODATA: "✕"};
export const rank = (name) => RANK[name] ?? 6;
export const shape = (name) => SHAPE[name] ?? "?";
