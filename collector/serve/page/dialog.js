// SPDX-License-Identifier: MIT
// dialog: the one modal form of the page.
import {el} from "./dom.js";
import {t} from "./messages.js";

export class Dialog {
	constructor(node) {
		this.node = node;
	}

	get open() {
		return this.node.open;
	}

	close() {
		this.node.close();
	}

	// `buttons` are [words, what to do]; the first is what Enter does.
	ask(title, fields, buttons) {
		const form = el("form", {method: "dialog", onsubmit: (e) => {
			e.preventDefault();
			if (buttons.length) buttons[0][1](); else this.close();
		}}, el("h3", {}, title), ...fields, el("p", {class: "buttons"},
			...buttons.map(([words, act], i) => el("button", {type: i ? "button" : "submit", class: i ? "" : "main", onclick: i ? act : null}, words)),
			el("button", {type: "button", onclick: () => this.close()}, buttons.length ? t("cancel") : t("close"))));
		this.node.replaceChildren(form);
		this.node.setAttribute("aria-label", title);
		if (!this.open) this.node.showModal();
	}

	tell(title, error) {
		this.ask(title, [el("p", {class: "note bad", role: "alert"}, t("failed", {error: error.message}))], []);
	}
}
