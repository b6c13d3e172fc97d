/** What was typed and not sent, so that it survives a reload, and the way to the sign-in page and back. */

const KEY = "calo-kept ";

export class Kept {
  readonly #sources = new Map<string, () => unknown>();
  readonly #restored: Map<string, unknown>;

  /** `restored` is what `collect` returned before the page was left. */
  constructor(restored: Record<string, unknown> = {}) {
    this.#restored = new Map(Object.entries(restored));
  }

  /** Keep what `read` returns, if the page is left. Return a function that ends this. */
  register(name: string, read: () => unknown): () => void {
    this.#restored.delete(name); // the component that needed it has it
    this.#sources.set(name, read);
    return () => this.#sources.delete(name);
  }

  /** Return what was kept under this name before the page was left, until the name is registered again. */
  restored(name: string): unknown {
    return this.#restored.get(name);
  }

  /** Keep nothing any more: the user has signed out. */
  forget(): void {
    this.#sources.clear();
    this.#restored.clear();
  }

  collect(): Record<string, unknown> {
    const read = [...this.#sources].map(([name, source]) => [name, source()]);
    // what no component has asked for yet, such as the form of another kind
    return { ...Object.fromEntries(this.#restored), ...Object.fromEntries(read) };
  }
}

/** Store for this tab what a user (empty without sign-in) has not sent. The browser may not allow it. */
export function storeKept(owner: string, kept: Kept): void {
  const collected = kept.collect();
  if (Object.keys(collected).length === 0) return;
  try {
    sessionStorage.setItem(KEY + owner, JSON.stringify(collected));
  } catch {
    // it is lost with the page
  }
}

/** Return what `storeKept` has stored, once. */
export function takeKept(owner: string): Record<string, unknown> {
  try {
    const text = sessionStorage.getItem(KEY + owner);
    sessionStorage.removeItem(KEY + owner);
    return text ? JSON.parse(text) : {};
  } catch {
    return {};
  }
}
