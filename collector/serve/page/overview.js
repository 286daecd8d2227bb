// SPDX-License-Identifier: MIT
// overview: alerts and silences, hosts, Elasticsearch, spool, receivers, and the token
// with which things can be changed.
import {el, fill} from "./dom.js";
import {t} from "./messages.js";
import * as f from "./format.js";
import {idOf} from "./topics.js";

const SPANS = [["30m", 30 * 60e3], ["2h", 2 * 3600e3], ["8h", 8 * 3600e3], ["1d", 86400e3], ["7d", 7 * 86400e3]];
const STATE = {firing: 0, pending: 1, resolved: 2};
const SEVERITY = {critical: 0, warning: 1};
const NAME_KEY = "mmlag.name";

const card = (name, state, lines) => el("section", {class: `card ${state}`}, el("h3", {}, name), ...lines);
const line = (...parts) => el("p", {}, ...parts);
const dot = (ok) => el("span", {class: `dot ${ok ? "s-OK" : "s-ERR"}`, "aria-hidden": "true"}, ok ? "● " : "■ ");

export class Overview {
	// `names(a)`: what tells an alert's topic from others of its name.
	constructor(root, api, dialog, {names, again}) {
		Object.assign(this, {root, api, dialog, names, again});
		this.alerts = el("section", {class: "card wide"});
		this.cards = el("div", {class: "cards"});
		this.about = el("footer", {class: "about"});
		root.append(el("h2", {class: "hidden"}, t("overview")), this.alerts, this.cards, this.about);
	}

	show(status, alerts) {
		this.status = status;
		this.alertsBody = alerts;
		this.draw();
	}

	tick() {
		if (this.status) this.draw();
	}

	repaint() {}

	draw() {
		const now = this.api.now(), s = this.status;
		const ago = (ms) => f.ago(now - ms);
		fill(this.alerts, JSON.stringify([this.alertsBody, !this.api.token, Math.floor(now / 10000)]), () => this.alertList(now));
		const cards = [
			["hosts", s.hosts, () => s.hosts.length ? this.hosts(s.hosts, ago) : null],
			["elasticsearch", s.elasticsearch, () => this.elasticsearch(s.elasticsearch, ago)],
			["spool", s.spool, () => this.spool(s.spool, now)],
			["receivers", s.receivers, () => this.receivers(s.receivers || [], ago)],
			["brokers", s.brokers, () => s.brokers.length ? this.brokers(s.brokers, ago) : null],
		];
		fill(this.cards, JSON.stringify([cards.map((c) => c[1]), Math.floor(now / 5000)]), () => cards.map(([, value, make]) => value ? make() : null));
		fill(this.about, JSON.stringify([s.version, s.started]), () => [
			line(t("version", {version: s.version, time: f.time(s.started, now)})), line(t("keys")),
			line(t("notice"), " ", el("a", {href: "dygraph-copyright.txt"}, "dygraph-copyright.txt"))]);
	}

	hosts(hosts, ago) {
		const rows = hosts.map((h) => el("li", {}, dot(!h.reason && h.with_data === h.topics), el("b", {}, h.host), " ",
			el("span", {}, t("hostTopics", {n: f.number(h.topics), with: f.number(h.with_data)})),
			h.sessions ? el("div", {class: "sub"}, t("hostSessions", {n: f.number(h.sessions), open: f.number(h.sessions_open)})) : null,
			h.reason ? el("div", {class: "sub"}, f.reason(h.reason) || h.reason, " ", h.message || "", h.since ? ` (${ago(h.since)})` : "") : null));
		return card(t("hosts"), hosts.some((h) => h.reason) ? "bad" : "", [el("ul", {}, rows)]);
	}

	elasticsearch(e, ago) {
		if (!e.configured) return card(t("elasticsearch"), "", [line(t("notConfigured"))]);
		return card(t("elasticsearch"), e.ok ? "" : "bad", [
			line(dot(e.ok), e.ok ? t("reachable") : t("troubled"), e.since && !e.ok ? ` (${ago(e.since)})` : ""),
			e.trouble ? el("p", {class: "sub"}, e.trouble) : null,
			e.parked ? line(t("parked", {n: f.number(e.parked)})) : null,
			e.pace ? line(t("pace", {pace: e.pace})) : null,
			line(e.last_success ? t("lastSuccess", {ago: ago(e.last_success)}) : t("neverSucceeded"))]);
	}

	spool(s, now) {
		return card(t("spool"), s.degraded || s.trouble || s.dead ? "bad" : "", [
			line(dot(!s.degraded && !s.trouble), s.documents ? t("spoolWaits", {n: f.number(s.documents), size: f.bytes(s.bytes)}) : t("spoolEmpty")),
			s.backlog ? line(t("spoolBacklog", {n: f.number(s.backlog)})) : null,
			s.oldest ? line(t("oldest", {time: f.time(s.oldest, now)})) : null,
			s.dead ? line(t("dead", {n: f.number(s.dead), size: f.bytes(s.dead_bytes)}), " ",
				el("a", {href: "#/dead", "data-focus": "dead"}, t("showDead"))) : null,
			s.degraded ? line(t("degraded")) : null,
			s.trouble ? el("p", {class: "sub"}, s.trouble) : null,
			s.set_aside ? line(t("setAside", {file: s.set_aside})) : null]);
	}

	brokers(list, ago) {
		const words = (b) => b.total === null ? t("brokerNone")
			: t("brokerRates", {n: f.number(b.brokers), total: f.compact(b.total), mean: f.compact(b.mean), least: f.compact(b.min_rate)});
		return card(t("brokers"), list.some((b) => b.state !== "ok") ? "bad" : "", [el("ul", {}, list.map((b) =>
			el("li", {}, dot(b.state === "ok"), el("b", {}, b.name), " ", words(b), b.state === "low" ? ` – ${t("brokerLow")}` : "",
				b.message ? el("div", {class: "sub"}, b.message) : null,
				b.state !== "ok" && b.since ? el("div", {class: "sub"}, ago(b.since)) : null,
				el("div", {class: "sub"}, (b.instances || []).map((i) => `${i.instance} ${f.rate(i.rate)}`).join(", ")))))]);
	}

	receivers(list, ago) {
		if (!list.length) return card(t("receivers"), "", [line(t("noReceivers"))]);
		return card(t("receivers"), list.some((r) => !r.ok) ? "bad" : "", [el("ul", {}, list.map((r) =>
			el("li", {}, dot(r.ok), el("b", {}, r.name), ` ${r.type}`, r.waiting ? `, ${t("waiting", {n: f.number(r.waiting)})}` : "",
				r.trouble ? el("div", {class: "sub"}, r.trouble) : null,
				r.last_success ? el("div", {class: "sub"}, t("lastSuccess", {ago: ago(r.last_success)})) : null)))]);
	}

	alertList(now) {
		const {alerts, silences} = this.alertsBody;
		const sorted = alerts.slice().sort((a, b) => STATE[a.state] - STATE[b.state]
			|| (SEVERITY[a.severity] ?? 2) - (SEVERITY[b.severity] ?? 2) || b.since - a.since);
		const items = sorted.map((a) => el("li", {class: `alert ${a.state} ${a.severity}`}, el("div", {},
			el("span", {class: "state"}, a.state === "firing" ? "■ " : a.state === "pending" ? "▲ " : "● ", t(a.state)), " ",
			a.topic ? el("a", {href: `#/t/${idOf(a)}`}, this.names(a)) : el("b", {}, a.host || a.group || ""), " ",
			el("code", {}, a.rule), " ", el("small", {}, `${a.severity} · ${f.ago(now - a.since)}`),
			el("div", {class: "sub"}, a.message), a.silenced_until ? el("div", {class: "sub"}, t("silenced", {time: f.time(a.silenced_until, now)})) : null),
		this.api.token && a.state !== "resolved" ? el("button", {type: "button", "data-focus": `a${a.incident}`, onclick: () => this.askSilence(a)}, t("silence")) : null));
		const firing = alerts.filter((a) => a.state === "firing").length;
		this.alerts.className = `card wide ${firing ? "bad" : ""}`;
		return [el("div", {class: "bar"}, el("h3", {}, t("alerts"), firing ? ` (${firing})` : ""),
			el("button", {type: "button", "data-focus": "token", onclick: () => this.askToken()}, this.api.token ? t("tokenSet") : t("token"))), items.length ? el("ul", {}, items) : line(dot(true), t("noAlerts")),
			silences.length ? el("h4", {}, t("silences")) : null, silences.length ? el("ul", {}, silences.map((s) => this.silence(s, now))) : null];
	}

	silence(s, now) {
		const what = ["cluster", "group", "topic", "host", "rule"].filter((k) => s[k]).map((k) => `${k} ${s[k]}`).join(", ") || t("everything");
		return el("li", {class: "alert"}, el("div", {}, el("b", {}, what), " ", t("silenceUntil", {time: f.time(s.until, now)}),
			el("div", {class: "sub"}, [s.comment, s.by].filter(Boolean).join(" · "))),
		this.api.token ? el("button", {type: "button", "data-focus": `s${s.id}`, onclick: () => this.post({id: s.id, until: 0})}, t("endSilence")) : null);
	}

	async post(body) {
		try {
			await this.api.post("api/v1/silences", body);
			this.dialog.close();
			this.again();
		} catch (error) {
			this.dialog.tell(t("silences"), error);
		}
	}

	askToken() {
		if (this.dialog.open) return;
		const box = el("input", {type: "password", autocomplete: "off", "aria-label": t("tokenTitle"), value: this.api.token});
		const use = (value) => {
			this.api.token = value.trim();
			this.dialog.close();
			this.again();
		};
		this.dialog.ask(t("tokenTitle"), [el("p", {}, t("tokenText")), box],
			[[t("tokenUse"), () => use(box.value)], ...(this.api.token ? [[t("tokenForget"), () => use("")]] : [])]);
	}

	askSilence(a) {
		const select = (options) => el("select", {}, options.map(([value, words]) => el("option", {value}, words)));
		const spans = select(SPANS.map(([value, ms]) => [value, f.span(ms)]));
		spans.value = "2h";
		const scopes = select([a.topic ? ["rule", t("scopeRule")] : null, a.topic ? ["topic", t("scopeTopic")] : null,
			a.host ? ["host", t("scopeHost")] : null].filter(Boolean));
		const why = el("input", {type: "text", maxlength: "200"});
		const by = el("input", {type: "text", maxlength: "100", value: sessionStorage.getItem(NAME_KEY) || ""});
		const label = (words, box) => el("label", {}, el("span", {}, words), box);
		this.dialog.ask(t("silenceTitle"), [el("p", {class: "sub"}, a.message), label(t("silenceFor"), spans), label(t("silenceScope"), scopes), label(t("comment"), why), label(t("by"), by)],
			[[t("save"), () => {
				sessionStorage.setItem(NAME_KEY, by.value);
				const scope = scopes.value === "host" ? {host: a.host} : {cluster: a.cluster, group: a.group, topic: a.topic, ...(scopes.value === "rule" ? {rule: a.rule} : {})};
				this.post({for: spans.value, ...scope, comment: why.value, by: by.value});
			}]]);
	}
}
