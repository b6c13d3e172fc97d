/** A user's session: the tokens, in memory only, and the requests that carry them. */

import type { Timers } from "calo-client/live/timers";
import { type Issuer, SessionEnded, type Tokens, type User } from "./issuer";
import type { SignInStorage } from "./storage";

/** How long before its end a token is renewed. A short one is renewed after three quarters of its life. */
const MARGIN_MS = 120_000;
/** Browsers run timers of more than 24.8 days at once. */
const LONGEST_TIMER_MS = 2_000_000_000;

export interface SessionOptions {
  issuer: Issuer;
  storage: SignInStorage;
  fetch: typeof fetch;
  timers: Timers;
  /** Milliseconds that never go back. */
  now(): number;
}

export class Session {
  readonly user: User;
  readonly #options: SessionOptions;
  readonly #listeners = new Set<() => void>();
  #tokens: Tokens | null;
  #renewAt = 0;
  #renewal: Promise<Tokens> | undefined;
  #timer: number | undefined;

  constructor(tokens: Tokens, options: SessionOptions) {
    this.user = tokens.user;
    this.#options = options;
    this.#tokens = tokens;
    this.#store(tokens);
  }

  /** Whether the user must sign in again; a snapshot for useSyncExternalStore. */
  readonly hasEnded = (): boolean => this.#tokens === null;

  /** Call the listener when the session ends. Return a function that unsubscribes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /**
   * Send a request with the token, which is renewed first if it is about to expire, and once if the API refuses
   * it. After the end of the session nothing is sent, and the response is 401.
   */
  readonly fetch: typeof fetch = async (input, init) => {
    try {
      const tokens = await this.#current();
      const response = await this.#send(tokens, input, init);
      if (response.status !== 401) return response;
      const renewed = await this.#renew(tokens);
      const second = await this.#send(renewed, input, init);
      if (second.status === 401) this.#end();
      return second;
    } catch (error) {
      if (error instanceof SessionEnded) return problem(401, "You are no longer signed in.");
      if (error instanceof RenewalFailed) return problem(503, "Your sign-in could not be renewed.");
      throw error;
    }
  };

  /** Forget the tokens, here and at the issuer. Return the page to go to. */
  async signOut(): Promise<string> {
    const { issuer, storage, timers } = this.#options;
    const tokens = this.#tokens;
    if (this.#timer !== undefined) timers.clear(this.#timer);
    this.#tokens = null;
    storage.signOut();
    if (tokens?.refreshToken) await issuer.revoke(tokens.refreshToken).catch(() => {}); // it expires anyway
    return issuer.signOutUrl(tokens?.idToken ?? null);
  }

  /** Rejects with SessionEnded or RenewalFailed. */
  async #current(): Promise<Tokens> {
    if (this.#tokens === null) throw new SessionEnded();
    return this.#options.now() < this.#renewAt ? this.#tokens : this.#renew(this.#tokens);
  }

  /** Return tokens that replace these. Concurrent requests share the renewal. */
  #renew(tokens: Tokens): Promise<Tokens> {
    if (this.#tokens !== null && this.#tokens !== tokens) return Promise.resolve(this.#tokens);
    this.#renewal ??= this.#askForTokens(tokens).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #askForTokens({ refreshToken, user }: Tokens): Promise<Tokens> {
    try {
      if (this.#tokens === null || refreshToken === null) throw new SessionEnded();
      const tokens = await this.#options.issuer.refresh(refreshToken, user);
      if (this.#tokens === null) throw new SessionEnded(); // signed out in the meantime
      this.#tokens = tokens;
      this.#store(tokens);
      return tokens;
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw new RenewalFailed();
      this.#end();
      throw error;
    }
  }

  #store({ user, refreshToken, lifetimeMs }: Tokens): void {
    const { storage, timers, now } = this.#options;
    storage.storeSession(user.subject, refreshToken);
    // without a refresh token, the session lasts as long as the token
    const margin = refreshToken === null ? 0 : Math.min(MARGIN_MS, lifetimeMs / 4);
    this.#renewAt = now() + lifetimeMs - margin;
    if (this.#timer !== undefined) timers.clear(this.#timer);
    const wait = Math.min(lifetimeMs - margin, LONGEST_TIMER_MS);
    this.#timer = timers.set(() => void this.#current().catch(() => {}), wait);
  }

  #send({ bearer }: Tokens, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const headers = new Headers(init?.headers);
    headers.set("Authorization", `Bearer ${bearer}`);
    return this.#options.fetch(input, { ...init, headers });
  }

  #end(): void {
    if (this.#tokens === null) return;
    this.#tokens = null;
    this.#options.storage.endSession();
    for (const listener of this.#listeners) listener();
  }
}

/** The issuer could not be asked. */
class RenewalFailed extends Error {}

function problem(status: number, detail: string): Response {
  return Response.json({ detail }, { status });
}
