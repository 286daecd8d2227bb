// SPDX-License-Identifier: MIT
// api: questions to the daemon. Answers are kept by their ETag; the server's clock is
// read from Date. The token stands in this tab's session storage and nowhere else.
const KEY = "mmlag.token";
const TIMEOUT_MS = 10000;
const HERE = location.origin + location.pathname; // no name and password, which fetch refuses

async function refusal(answer) {
	let words = `HTTP ${answer.status}`;
	try {
		words = (await answer.json()).error || words;
	} catch { /* no JSON: the number says it */ }
	return Object.assign(new Error(words), {status: answer.status, isAnswer: true});
}

export class Api {
	constructor() {
		this.kept = new Map(); // url → {etag, body}
		this.skew = 0;
	}

	now() {
		return Date.now() + this.skew;
	}

	get token() {
		return sessionStorage.getItem(KEY) || "";
	}

	set token(value) {
		if (value) sessionStorage.setItem(KEY, value);
		else sessionStorage.removeItem(KEY);
	}

	headers(more) {
		return this.token ? {...more, Authorization: `Bearer ${this.token}`} : more;
	}

	// fetch, with its failures told from mistakes of the page.
	// With a token of ours the browser is not to ask for a password when it is wrong.
	async ask(url, options) {
		try {
			return await fetch(new URL(url, HERE), {cache: "no-store", credentials: this.token ? "omit" : "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS), ...options});
		} catch (error) {
			throw Object.assign(new Error(error.message), {isNetwork: true});
		}
	}

	// Date has whole seconds: the offset moves only when it is wrong by more.
	readClock(answer) {
		const date = Date.parse(answer.headers.get("Date") || "");
		if (Number.isNaN(date)) return;
		const off = date + 500 - this.now();
		if (Math.abs(off) > 1000) this.skew += off;
	}

	// {body, fresh}: fresh is false when nothing changed since it was asked last.
	async get(url, keep = true) {
		const old = keep ? this.kept.get(url) : undefined;
		const answer = await this.ask(url, {headers: this.headers(old && old.etag ? {"If-None-Match": old.etag} : {})});
		this.readClock(answer);
		if (answer.status === 304 && old) return {body: old.body, fresh: false};
		if (!answer.ok) throw await refusal(answer);
		const body = await answer.json();
		if (keep) this.kept.set(url, {etag: answer.headers.get("ETag"), body});
		return {body, fresh: true};
	}

	async post(url, body) {
		const answer = await this.ask(url, {method: "POST",
			headers: this.headers({"Content-Type": "application/json"}), body: JSON.stringify(body)});
		if (!answer.ok) throw await refusal(answer);
		return answer.json();
	}
}
