// SPDX-License-Identifier: MIT
// dead: the documents that were refused for good: why, which, and, with a token, what is
// to become of them. A page of them at a time, the newest first.
import {el, fill, setText} from "./dom.js";
import {t} from "./messages.js";
import * as f from "./format.js";
import {idOf} from "./topics.js";

const PAGE = 20;

export class Dead {
	// `knows(id)`: is there such a topic in the list? `again()` asks the daemon anew.
	constructor(root, api, dialog, {knows, say, again, askToken}) {
		Object.assign(this, {root, api, dialog, knows, say, again, askToken});
		this.title = el("h2", {tabindex: "-1"}, t("deadTitle"));
		this.text = el("p", {class: "where"});
		this.trouble = el("p", {class: "note bad", role: "alert", hidden: true});
		this.tools = el("div", {class: "tools"});
		this.list = el("ul", {class: "letters", "aria-label": t("deadTitle")});
		this.pager = el("div", {class: "tools pager"});
		root.append(el("div", {class: "titlebar"},
			el("button", {type: "button", class: "back", "aria-label": t("close"), onclick: () => { location.hash = "#/overview"; }}, "←"),
			el("div", {}, this.title, this.text)), this.trouble, this.tools, this.list, this.pager);
		this.opened = new Set(); // letters whose document is shown
		this.forget();
	}

	forget() {
		this.turned = [0]; // the id before each page up to this one
		this.rows = [];
		this.more = false;
		this.seen = null;
	}

	show() {
		this.forget();
		setText(this.text, t("loading"));
		fill(this.list, "", () => []);
		fill(this.tools, "", () => []);
		fill(this.pager, "", () => []);
	}

	focus() {
		this.title.focus({preventScroll: true});
	}

	// The status has come: ask for the rows when there are others.
	async follow(spool) {
		if (this.root.hidden || !spool) return;
		this.spool = spool;
		const seen = `${spool.dead} ${spool.dead_bytes} ${this.api.token}`;
		if (seen === this.seen) return;
		this.seen = seen;
		await this.load();
	}

	async load() {
		const q = new URLSearchParams({dead: "1", limit: String(PAGE)}), before = this.turned.at(-1);
		if (before) q.set("before", String(before));
		try {
			const {body} = await this.api.get(`api/v1/spool?${q}`, false);
			if (!body.rows.length && this.turned.length > 1) {
				this.turned.pop(); // all of this page are gone
				await this.load();
				return;
			}
			this.rows = body.rows;
			this.more = body.more;
			this.trouble.hidden = true;
			this.draw();
		} catch (error) {
			this.seen = null;
			if (!error.isAnswer) throw error;
			setText(this.trouble, t("failed", {error: error.message}));
			this.trouble.hidden = false;
		}
	}

	turn(before) {
		if (before === undefined) this.turned.pop();
		else this.turned.push(before);
		this.load().then(() => this.focus()).catch(() => this.again());
	}

	draw() {
		const first = (this.turned.length - 1) * PAGE, n = this.spool.dead, rows = this.rows;
		setText(this.text, rows.length ? t("deadText") : t("noDead"));
		fill(this.tools, `${n} ${!this.api.token} ${!rows.length}`, () => !rows.length ? null : this.api.token ? [
			el("button", {type: "button", "data-focus": "all", onclick: () => this.act("retry", {all: true})}, t("sendAll", {n: f.number(n)})),
			el("button", {type: "button", "data-focus": "none", onclick: () => this.askDrop({all: true}, n)}, t("giveAllUp", {n: f.number(n)}))]
			: [el("span", {class: "note"}, t("needsToken")), el("button", {type: "button", onclick: this.askToken}, t("token"))]);
		fill(this.list, JSON.stringify([rows, !this.api.token]), () => rows.map((x) => this.letter(x)));
		fill(this.pager, `${first} ${rows.length} ${this.more} ${n}`, () => !first && !this.more ? null : [
			el("button", {type: "button", disabled: !first, "data-focus": "newer", onclick: () => this.turn()}, t("newer")),
			el("span", {class: "note"}, t("range1", {from: f.number(first + 1), to: f.number(first + rows.length), n: f.number(Math.max(n, first + rows.length))})),
			el("button", {type: "button", disabled: !this.more, "data-focus": "older", onclick: () => this.turn(rows.at(-1).id)}, t("older"))]);
		if (document.activeElement === document.body && this.acted) this.focus();
		this.acted = false;
	}

	letter(x) {
		const topic = typeof x.source === "object" && x.source !== null ? idOf(x.source) : "";
		const name = t("letter", {topic: x.topic, id: x.id});
		const words = typeof x.source === "string" ? x.source : JSON.stringify(x.source, null, 1);
		const shown = el("details", {open: this.opened.has(x.id), ontoggle: () => {
			if (shown.open) this.opened.add(x.id);
			else this.opened.delete(x.id);
		}}, el("summary", {}, t("document")), el("pre", {tabindex: "0", "aria-label": name}, words));
		const button = (word, key, act) => el("button", {type: "button", "data-focus": `${key}${x.id}`, "aria-label": `${t(word)}: ${name}`, onclick: act}, t(word));
		return el("li", {class: "letter"}, el("header", {},
			el("p", {}, el("b", {class: "code"}, x.status ? String(x.status) : f.DASH), " ", el("code", {}, x.type || "")),
			this.api.token ? el("p", {class: "acts"}, button("sendAgain", "r", () => this.act("retry", {ids: [x.id]})),
				button("giveUp", "d", () => this.askDrop({ids: [x.id]}, 1))) : null),
		el("p", {class: "words"}, x.reason || t("noReason")),
		el("p", {class: "sub"}, this.knows(topic) ? el("a", {href: `#/t/${topic}`}, x.topic) : el("b", {}, x.topic || f.DASH),
			` · ${f.time(x.at, this.api.now())} · #${x.id} · ${f.bytes(x.bytes)}`), shown);
	}

	askDrop(which, n) {
		this.dialog.ask(t("giveUpTitle"), [el("p", {}, t("giveUpText", {n: f.number(n)}))],
			[[t("giveUpYes"), () => this.act("drop", which)]]);
	}

	async act(what, which) {
		try {
			const {rows} = await this.api.post(`api/v1/spool/${what}`, which);
			if (this.dialog.open) this.dialog.close();
			this.say(t(what === "retry" ? "wentAgain" : "gaveUp", {n: f.number(rows)}));
			this.acted = true;
			this.seen = null;
			this.again();
		} catch (error) {
			this.dialog.tell(t("deadTitle"), error);
		}
	}
}
