/** The protocol between the page and the issuer: authorization code with PKCE, without a client secret. */

import * as oauth from "oauth4webapi";
import type { SignInConfig } from "../config";

/** Seconds by which the issuer's clock and this one may differ. */
const CLOCK_TOLERANCE = 300;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

export interface User {
  /** The issuer's id of the user. */
  subject: string;
  /** What the issuer calls the user: an e-mail address or a name. */
  name: string;
}

export interface Tokens {
  /** The token for the API. */
  bearer: string;
  lifetimeMs: number;
  /** Not every issuer gives one. */
  refreshToken: string | null;
  idToken: string | null;
  user: User;
}

/** What the page must remember while the user is at the issuer's page. */
export interface Request {
  state: string;
  verifier: string;
}

/** The issuer does not renew the tokens any more: the user must sign in again. */
export class SessionEnded extends Error {}

export class Issuer {
  readonly #config: SignInConfig;
  /** The address to which the issuer returns. It is registered there. */
  readonly #home: string;
  readonly #client: oauth.Client;
  readonly #fetch: typeof fetch;
  #server: Promise<oauth.AuthorizationServer> | undefined;

  constructor(config: SignInConfig, home: string, fetch: typeof globalThis.fetch) {
    this.#config = config;
    this.#home = home;
    this.#client = { client_id: config.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE };
    this.#fetch = fetch;
  }

  /** Start a sign-in: return the page to go to. With `isSilent`, it does not ask the user for anything. */
  async begin(isSilent: boolean): Promise<Request & { url: URL }> {
    const server = await this.#findServer();
    const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
    const url = new URL(server.authorization_endpoint ?? "");
    const parameters = {
      client_id: this.#config.clientId,
      redirect_uri: this.#home,
      response_type: "code",
      scope: this.#config.scope,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...(isSilent ? { prompt: "none" } : {}),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { state, verifier, url };
  }

  /** Exchange the code in the URL to which the issuer has returned. Rejects if the sign-in has failed. */
  async finish(url: URL, { state, verifier }: Request): Promise<Tokens> {
    const server = await this.#findServer();
    const parameters = oauth.validateAuthResponse(server, this.#client, url, state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      this.#client,
      oauth.None(),
      parameters,
      this.#home,
      verifier,
      this.#options(server.token_endpoint),
    );
    const result = await oauth.processAuthorizationCodeResponse(server, this.#client, response, {
      requireIdToken: true,
    });
    const claims = oauth.getValidatedIdTokenClaims(result);
    if (!claims) throw new Error("the issuer sent no ID token");
    return this.#tokens(result, null, { subject: claims.sub, name: nameOf(claims) });
  }

  /** Return new tokens. Rejects with SessionEnded if the issuer refuses, otherwise it may succeed later. */
  async refresh(refreshToken: string, user: User | null): Promise<Tokens> {
    const server = await this.#findServer();
    const response = await oauth.refreshTokenGrantRequest(
      server,
      this.#client,
      oauth.None(),
      refreshToken,
      this.#options(server.token_endpoint),
    );
    try {
      const result = await oauth.processRefreshTokenResponse(server, this.#client, response);
      const claims = oauth.getValidatedIdTokenClaims(result);
      const current = claims ? { subject: claims.sub, name: nameOf(claims) } : user;
      if (current === null || (user !== null && current.subject !== user.subject)) {
        throw new SessionEnded("the tokens are another user's");
      }
      return this.#tokens(result, refreshToken, current);
    } catch (error) {
      // https://www.rfc-editor.org/rfc/rfc6749#section-5.2; others, such as 429, do not say that it has ended
      const isRefused = error instanceof oauth.ResponseBodyError && [400, 401].includes(error.status);
      if (isRefused) throw new SessionEnded(error.error);
      throw error;
    }
  }

  /** Let the issuer forget the refresh token, if it can. */
  async revoke(refreshToken: string): Promise<void> {
    const server = await this.#findServer();
    if (!server.revocation_endpoint) return;
    const options = this.#options(server.revocation_endpoint);
    await oauth.revocationRequest(server, this.#client, oauth.None(), refreshToken, options);
  }

  /** Return the page that ends the issuer's own session and returns here, if there is one. */
  async signOutUrl(idToken: string | null): Promise<string> {
    const server = await this.#findServer();
    if (!server.end_session_endpoint) return this.#home;
    const url = new URL(server.end_session_endpoint);
    const { clientId, hostedUrl } = this.#config;
    url.searchParams.set("client_id", clientId);
    url.searchParams.set(hostedUrl ? "logout_uri" : "post_logout_redirect_uri", this.#home);
    if (!hostedUrl && idToken) url.searchParams.set("id_token_hint", idToken);
    return url.href;
  }

  #tokens(result: oauth.TokenEndpointResponse, refreshToken: string | null, user: User): Tokens {
    const bearer = result[this.#config.bearer];
    if (typeof bearer !== "string") throw new SessionEnded(`there is no ${this.#config.bearer}`);
    const claims = oauth.getValidatedIdTokenClaims(result);
    const seconds =
      this.#config.bearer === "id_token" && claims ? claims.exp - claims.iat : result.expires_in;
    return {
      bearer,
      // measured from now, so that a wrong clock does not matter
      lifetimeMs: (seconds ?? 3_600) * 1_000,
      refreshToken: result.refresh_token ?? refreshToken,
      idToken: result.id_token ?? null,
      user,
    };
  }

  #findServer(): Promise<oauth.AuthorizationServer> {
    this.#server ??= this.#discover().catch((error: unknown) => {
      this.#server = undefined;
      throw error;
    });
    return this.#server;
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    const { issuer, hostedUrl } = this.#config;
    if (!hostedUrl) {
      const response = await oauth.discoveryRequest(new URL(issuer), this.#options(issuer));
      return oauth.processDiscoveryResponse(new URL(issuer), response);
    }
    const address = (path: string) => new URL(path, new URL(hostedUrl, this.#home)).href;
    return {
      issuer,
      authorization_endpoint: address("/oauth2/authorize"),
      token_endpoint: address("/oauth2/token"),
      revocation_endpoint: address("/oauth2/revoke"),
      end_session_endpoint: address("/logout"),
    };
  }

  /** Tokens are sent over plain HTTP only within this machine. */
  #options(url = "") {
    const { protocol, hostname } = new URL(url);
    const isLocal = protocol === "http:" && LOOPBACK.includes(hostname);
    return {
      [oauth.customFetch]: this.#fetch,
      [oauth.allowInsecureRequests]: isLocal,
      signal: () => AbortSignal.timeout(15_000),
    };
  }
}

function nameOf(claims: oauth.IDToken): string {
  const names = [claims.email, claims.preferred_username, claims.name];
  return names.find((name): name is string => typeof name === "string" && name !== "") ?? claims.sub;
}
