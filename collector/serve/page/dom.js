// SPDX-License-Identifier: MIT
// dom: small helpers. Data reaches the page as text nodes and properties only.

// el("p", {class: "x", title: "y", onclick: f}, "text", child, …)
export function el(tag, props, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(props || {})) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else if (name === "value" || name === "disabled" || name === "hidden") node[name] = value;
		else node.setAttribute(name, value === true ? "" : value);
	}
	for (const child of children.flat())
		if (child !== null && child !== undefined && child !== false)
			node.append(child); // a string becomes a text node
	return node;
}

// Change only what differs: an untouched node costs no layout.
export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

export function setAttr(node, name, value) {
	if (value === null || value === undefined) {
		if (node.hasAttribute(name)) node.removeAttribute(name);
	} else if (node.getAttribute(name) !== value) {
		node.setAttribute(name, value);
	}
}

export function setClass(node, name) {
	if (node.className !== name) node.className = name;
}

// Replace the children only when the words that made them have changed. What has the
// focus keeps it, found again by its data-focus.
export function fill(node, signature, make) {
	if (node.made === signature) return false;
	const held = node.contains(document.activeElement)
		? document.activeElement.dataset.focus : undefined;
	node.made = signature;
	node.replaceChildren(...[make()].flat().filter((c) => c));
	if (held !== undefined)
		for (const again of node.querySelectorAll("[data-focus]"))
			if (again.dataset.focus === held) again.focus();
	return true;
}

// Nothing in it, and nothing remembered of what was.
export function empty(node) {
	node.made = undefined;
	node.replaceChildren();
}

// A list of any length of which only what can be seen exists in the document.
// `make()` gives an empty row, `update(row, item, index)` fills it in.
export class Windowed {
	constructor(viewport, {height, key, make, update}) {
		Object.assign(this, {viewport, height, key, make, update});
		this.items = [];
		this.rows = new Map(); // key → row
		this.spacer = el("div", {class: "spacer", role: "presentation"});
		this.pinned = null; // key of the row that is kept even when out of sight
		viewport.append(this.spacer);
		viewport.addEventListener("scroll", () => this.later(), {passive: true});
		new ResizeObserver(() => this.later()).observe(viewport);
	}

	later() {
		if (this.waiting) return;
		this.waiting = requestAnimationFrame(() => {
			this.waiting = 0;
			this.draw();
		});
	}

	show(items) {
		this.items = items;
		this.draw();
	}

	draw() {
		const height = this.height();
		const view = this.viewport.clientHeight;
		const total = `${this.items.length * height}px`;
		if (this.spacer.style.height !== total) this.spacer.style.height = total;
		const top = this.viewport.scrollTop;
		const first = Math.max(0, Math.floor(top / height) - 4);
		const last = Math.min(this.items.length, Math.ceil((top + view) / height) + 4);
		const wanted = new Map();
		for (let i = first; i < last; i++) wanted.set(this.key(this.items[i]), i);
		if (this.pinned !== null && !wanted.has(this.pinned)) {
			const at = this.items.findIndex((item) => this.key(item) === this.pinned);
			if (at >= 0) wanted.set(this.pinned, at);
		}
		const spare = [];
		for (const [key, row] of this.rows)
			if (!wanted.has(key)) {
				spare.push(row);
				this.rows.delete(key);
			}
		for (const [key, i] of wanted) this.place(key, i, height, spare);
		for (const row of spare) row.remove();
	}

	place(key, i, height, spare) {
		let row = this.rows.get(key);
		if (!row) {
			row = spare.pop() || this.make();
			if (!row.parentNode) this.spacer.append(row);
			this.rows.set(key, row);
		}
		const y = `translateY(${i * height}px)`;
		if (row.style.transform !== y) row.style.transform = y;
		this.update(row, this.items[i], i);
	}

	reveal(i) {
		const height = this.height();
		const top = this.viewport.scrollTop;
		const view = this.viewport.clientHeight;
		if (i * height < top) this.viewport.scrollTop = i * height;
		else if ((i + 1) * height > top + view) this.viewport.scrollTop = (i + 1) * height - view;
		this.draw();
	}
}
