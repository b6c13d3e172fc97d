/**
 * Parses a stream of server-sent events, as the HTML standard defines it:
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

export interface ServerEvent {
  /** "message" unless the stream names it. */
  type: string;
  data: string;
  /** The last id that the stream has sent, or "". */
  lastEventId: string;
}

export class EventParser {
  /** Joins characters that are split between chunks. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #isAtStart = true;
  /** The start of a line whose end has not arrived. */
  #rest = "";
  #endedWithCr = false;
  #type = "";
  #data: string[] = [];
  #lastEventId = "";
  #retryMs: number | null = null;

  /** The reconnection time that the stream has requested last, or null. */
  get retryMs(): number | null {
    return this.#retryMs;
  }

  /** Take the next bytes. Return the events that they complete. */
  feed(bytes: Uint8Array): ServerEvent[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return [];
    if (this.#isAtStart && text.startsWith("\uFEFF")) text = text.slice(1);
    this.#isAtStart = false;
    // the line feed of a CRLF that is split between two chunks does not end a second line
    if (this.#endedWithCr && text.startsWith("\n")) text = text.slice(1);
    this.#endedWithCr = text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#parseLine(line));
  }

  #parseLine(line: string): ServerEvent[] {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return []; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    this.#setField(name, value);
    return [];
  }

  #setField(name: string, value: string): void {
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#lastEventId = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) this.#retryMs = Number(value);
  }

  #dispatch(): ServerEvent[] {
    const event = {
      type: this.#type || "message",
      data: this.#data.join("\n"),
      lastEventId: this.#lastEventId,
    };
    const hasData = this.#data.length > 0;
    this.#data = [];
    this.#type = "";
    return hasData ? [event] : [];
  }
}
