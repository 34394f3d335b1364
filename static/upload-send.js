// Sends a file in pieces, over as many connections as it takes (tus 1.0): whatever happens, it asks how much has
// arrived and goes on from there. It shows nothing; `tell` hears what is going on.

const FIRST_WAIT = 1; // seconds
const LONGEST_WAIT = 30;
const QUIET = 30_000; // milliseconds in which nothing moved: the connection is given up, as after the machine has slept
const QUIET_AT_THE_END = 120_000; // a slow disk may take so long to keep what has arrived
const FINAL = { 413: "declined", 422: "refused" };

// Trying again helps.
class Lost extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

// Trying again does not help: what came of it.
class Ended extends Error {
  constructor(outcome, detail) {
    super(outcome);
    this.result = { outcome, detail };
  }
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// What a request has to carry that htmx does not send: the same as one of htmx's. In a frame that is who asks.
export const credentials = () => JSON.parse(document.body.getAttribute("hx-headers:inherited") ?? "{}");

export class Sending {
  #request = null;
  #wake = () => {};

  // `tell(what, detail)`: arrived (bytes), waiting ({reason, seconds}), paused, going (bytes that are there already).
  constructor({ file, address, token, mark, id = "", tell }) {
    Object.assign(this, { file, address, token, mark, id, tell });
    this.offset = 0;
    this.handed = 0;
    this.isPaused = false;
    this.end = null;
  }

  // To the last byte. What came of it: received, refused, declined, signed-out, unreadable, stopped, or left.
  async run() {
    for (let failures = 0; ;) {
      const before = this.offset;
      try {
        await this.#turn();
        return { outcome: "received" };
      } catch (error) {
        if (this.end) return { outcome: this.end };
        if (error instanceof Ended) return error.result;
        if (!(error instanceof Lost)) throw error;
        failures = this.isPaused ? 0 : this.offset > before ? 1 : failures + 1;
        await (this.isPaused ? this.#whilePaused() : this.#wait(error.reason, failures));
        if (this.end) return { outcome: this.end };
      }
    }
  }

  // What has arrived was handed in, and nobody answered: after a while, look whether it is still there.
  async again() {
    this.handed += 1;
    await this.#wait("gone", this.handed);
    return this.end ? { outcome: this.end } : this.run();
  }

  pause() {
    this.isPaused = true;
    this.#interrupt();
  }

  goOn() {
    this.isPaused = false;
    this.#wake();
  }

  // Whether the server knows that nothing is to be kept.
  async stop() {
    this.#finish("stopped");
    if (!this.id) return true;
    const request = { method: "DELETE", headers: this.#headers(), redirect: "manual" };
    const answer = await fetch(this.#url(), request).catch(() => null);
    return answer?.status === 204 || answer?.status === 404;
  }

  // What has arrived stays there.
  leave() {
    this.#finish("left");
  }

  #finish(how) {
    this.end = how;
    this.#interrupt();
  }

  #interrupt() {
    this.#request?.abort();
    this.#wake();
  }

  async #turn() {
    if (this.isPaused) throw new Lost("paused");
    await this.#ensureReadable();
    await (this.id ? this.#locate() : this.#create());
    this.tell("going", this.offset);
    while (this.offset < this.file.size) await this.#send();
  }

  // A file that was changed or removed since cannot be sent, however often that is tried.
  async #ensureReadable() {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      throw new Ended("unreadable");
    }
  }

  async #create() {
    const answer = await this.#ask("POST", this.address, {
      "Upload-Length": this.file.size,
      "Upload-Metadata": `filename ${base64(this.file.name)},mark ${base64(this.mark)}`,
    });
    if (answer.status in FINAL) throw new Ended("declined", answer.responseText);
    this.#ensure(answer, 201);
    this.id = answer.getResponseHeader("Location").replace(/\/$/, "").split("/").pop();
    this.offset = 0;
  }

  async #locate() {
    const answer = await this.#ask("HEAD", this.#url(), {});
    this.#ensureKept(answer);
    this.#ensure(answer, 200, 204);
    this.offset = Number(answer.getResponseHeader("Upload-Offset"));
  }

  async #send() {
    const from = this.offset;
    const answer = await this.#ask("PATCH", this.#url(), {
      "Upload-Offset": from,
      "Content-Type": "application/offset+octet-stream",
    }, from ? this.file.slice(from) : this.file);
    this.#ensureKept(answer);
    if (answer.status === 409) throw new Lost("gone");
    if (answer.status === 423) throw new Lost("busy");
    this.#ensure(answer, 204);
    this.offset = Number(answer.getResponseHeader("Upload-Offset"));
    this.tell("arrived", this.offset);
  }

  // One that is not there any more is begun anew.
  #ensureKept(answer) {
    if (answer.status in FINAL) throw new Ended(FINAL[answer.status], answer.responseText);
    if (answer.status !== 404 && answer.status !== 410) return;
    this.id = "";
    this.offset = 0;
    throw new Lost("anew");
  }

  // Any other answer than tus has is the sign-in page, or the one that tells of another session.
  #ensure(answer, ...wanted) {
    if (answer.status >= 500 || answer.status === 429) throw new Lost("trouble");
    if (!wanted.includes(answer.status) || !answer.getResponseHeader("Tus-Resumable")) throw new Ended("signed-out");
  }

  #url() {
    return `${this.address}${this.id}`;
  }

  #headers() {
    return { "Tus-Resumable": "1.0.0", "X-CSRFToken": this.token, ...credentials() };
  }

  #ask(method, url, headers, body = null) {
    return new Promise((resolve, reject) => {
      if (this.isPaused || this.end) return reject(new Lost("gone"));
      const request = new XMLHttpRequest();
      let moved = performance.now();
      let patience = QUIET;
      const watch = setInterval(() => {
        if (performance.now() - moved > patience) request.abort();
      }, 1000);
      const ends = (settle) => () => {
        clearInterval(watch);
        this.#request = null;
        settle();
      };
      if (body) {
        const from = this.offset;
        request.upload.onprogress = ({ loaded, total }) => {
          moved = performance.now();
          if (loaded === total) patience = QUIET_AT_THE_END;
          this.tell("arrived", from + loaded);
        };
      }
      request.onload = ends(() => resolve(request));
      request.onerror = request.onabort = ends(() => reject(new Lost("gone")));
      request.open(method, url);
      const all = { ...this.#headers(), ...headers };
      for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
      this.#request = request;
      return request.send(body);
    });
  }

  // Until it is time, the browser is online again, or somebody presses a button.
  async #wait(reason, failures) {
    const seconds = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1));
    const until = performance.now() + seconds * 1000;
    const woken = new Promise((resolve) => { this.#wake = resolve; });
    const left = () => Math.max(1, Math.ceil((until - performance.now()) / 1000));
    const count = () => this.tell("waiting", { reason, seconds: left() });
    count();
    const counting = setInterval(count, 500);
    const over = setTimeout(this.#wake, seconds * 1000);
    window.addEventListener("online", this.#wake);
    await woken;
    window.removeEventListener("online", this.#wake);
    clearInterval(counting);
    clearTimeout(over);
  }

  #whilePaused() {
    this.tell("paused", this.offset);
    return new Promise((resolve) => { this.#wake = resolve; });
  }
}
