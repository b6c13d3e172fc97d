/** An issuer for tests. The page does not check signatures: tokens come from the issuer itself, over TLS. */

import type { SignInConfig } from "../config";

export const CONFIG: SignInConfig = {
  issuer: "https://issuer.example/realm",
  clientId: "calo",
  scope: "openid email",
  hostedUrl: "",
  bearer: "id_token",
};
export const HOME = "https://calo.example/";

export class FakeIssuer {
  readonly requests: { path: string; form: URLSearchParams }[] = [];
  subject = "1";
  seconds = 3_600;
  givesRefreshTokens = true;
  /** What the token endpoint answers instead: a status, or null without a network. */
  failure: number | null | undefined;
  #count = 0;

  readonly fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
    const { pathname } = new URL(String(input));
    this.requests.push({ path: pathname, form: new URLSearchParams(String(init?.body ?? "")) });
    if (pathname.endsWith("/.well-known/openid-configuration")) return Response.json(this.#discovery());
    if (pathname.endsWith("/revoke")) return new Response();
    if (this.failure === null) throw new TypeError("no network");
    if (this.failure) return Response.json({ error: "invalid_grant" }, { status: this.failure });
    return Response.json(this.#tokens());
  };

  #discovery() {
    const { issuer } = CONFIG;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      revocation_endpoint: `${issuer}/revoke`,
      end_session_endpoint: `${issuer}/logout`,
    };
  }

  #tokens() {
    this.#count += 1;
    return {
      token_type: "Bearer",
      access_token: `access-${this.#count}`,
      id_token: this.#idToken(),
      expires_in: this.seconds,
      ...(this.givesRefreshTokens ? { refresh_token: `refresh-${this.#count}` } : {}),
    };
  }

  #idToken(): string {
    const now = Math.floor(Date.now() / 1000);
    const email = `user${this.subject}@example.com`;
    const times = { iat: now, exp: now + this.seconds };
    const claims = {
      iss: CONFIG.issuer,
      aud: CONFIG.clientId,
      sub: this.subject,
      email,
      ...times,
      n: this.#count,
    };
    return `${encode({ alg: "RS256" })}.${encode(claims)}.${encode("signature")}`;
  }
}

function encode(value: unknown): string {
  const text = btoa(JSON.stringify(value));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A browser's storage. */
export class FakeStorage implements Storage {
  readonly items = new Map<string, string>();
  [name: string]: unknown;

  get length(): number {
    return this.items.size;
  }
  clear(): void {
    this.items.clear();
  }
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }
}
