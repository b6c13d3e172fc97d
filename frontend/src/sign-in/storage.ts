/** What a sign-in leaves in the browser. Every method does nothing if the browser does not allow it. */

import type { Request } from "./issuer";

/** For this tab: it ends with the tab. */
const REFRESH_TOKEN = "calo-refresh-token";
const PENDING = "calo-sign-in";
/** For all tabs: whether someone is signed in, so that new tabs can sign in silently. */
export const MARKER = "calo-signed-in";

/** A sign-in that is in progress at the issuer's page. */
export interface Pending extends Request {
  /** Where the user was. */
  path: string;
  kept: Record<string, unknown>;
  /** Whose `kept` it is; null if no one was signed in. */
  subject: string | null;
}

export class SignInStorage {
  readonly #tab: Storage | null;
  readonly #browser: Storage | null;

  constructor(tab: Storage | null, browser: Storage | null) {
    this.#tab = tab;
    this.#browser = browser;
  }

  /** Return the sign-in in progress, once. */
  takePending(): Pending | null {
    const text = this.#tab?.getItem(PENDING);
    this.#tab?.removeItem(PENDING);
    return text ? JSON.parse(text) : null;
  }

  storePending(pending: Pending): void {
    this.#tab?.setItem(PENDING, JSON.stringify(pending));
  }

  get refreshToken(): string | null {
    return this.#tab?.getItem(REFRESH_TOKEN) ?? null;
  }

  get isSignedIn(): boolean {
    return this.#browser?.getItem(MARKER) != null;
  }

  storeSession(subject: string, refreshToken: string | null): void {
    if (refreshToken === null) this.#tab?.removeItem(REFRESH_TOKEN);
    else this.#tab?.setItem(REFRESH_TOKEN, refreshToken);
    this.#browser?.setItem(MARKER, subject);
  }

  /** Forget this tab's session. */
  endSession(): void {
    this.#tab?.removeItem(REFRESH_TOKEN);
  }

  /** Forget it in all tabs; those that are open receive the event `storage`. */
  signOut(): void {
    this.endSession();
    this.#tab?.removeItem(PENDING);
    this.#browser?.removeItem(MARKER);
  }
}

/** Return the browser's storage, which it may not allow a page to use. */
export function browserStorage(): SignInStorage {
  try {
    return new SignInStorage(sessionStorage, localStorage);
  } catch {
    return new SignInStorage(null, null);
  }
}
