/** The other tabs: what they need, and which of them no longer respond. */

import type { Need } from "./scope";

/** Tabs answer every few seconds. One that has not for this time has crashed. */
const LOST_MS = 20_000;

export class Tabs {
  readonly #tabs = new Map<string, { need: Need | undefined; seenAt: number }>();

  /** Store what a tab needs; undefined if it shows nothing live. Return whether that is new. */
  add(id: string, need: Need | undefined, now: number): boolean {
    const stored = this.#tabs.get(id);
    this.#tabs.set(id, { need, seenAt: now });
    return stored === undefined || stored.need !== need;
  }

  remove(id: string): void {
    this.#tabs.delete(id);
  }

  removeLost(now: number): void {
    for (const [id, { seenAt }] of this.#tabs) if (now - seenAt > LOST_MS) this.#tabs.delete(id);
  }

  get isEmpty(): boolean {
    return this.#tabs.size === 0;
  }

  needs(): Need[] {
    return [...this.#tabs.values()].flatMap(({ need }) => (need === undefined ? [] : [need]));
  }
}
