import { FakeTimers } from "calo-client/testing";
import { beforeEach, expect, test, vi } from "vitest";
import { CONFIG, FakeIssuer, FakeStorage, HOME } from "./fake-issuer";
import { Issuer } from "./issuer";
import { Session } from "./session";
import { SignInStorage } from "./storage";

let fake: FakeIssuer;
let timers: FakeTimers;
let tab: FakeStorage;
let browser: FakeStorage;
let session: Session;
/** The tokens of the requests that the API received, and what it answers to the next ones. */
let bearers: (string | null)[];
let statuses: number[];
/** What the API does instead. */
let send: (() => Promise<Response>) | undefined;

beforeEach(async () => {
  fake = new FakeIssuer();
  timers = new FakeTimers();
  [tab, browser] = [new FakeStorage(), new FakeStorage()];
  [bearers, statuses] = [[], []];
  send = undefined;
});

async function start(bearer: "access_token" | "id_token" = "access_token"): Promise<void> {
  const issuer = new Issuer({ ...CONFIG, bearer }, HOME, fake.fetch);
  const tokens = await issuer.refresh("stored", null);
  fake.requests.length = 0;
  session = new Session(tokens, {
    issuer,
    storage: new SignInStorage(tab, browser),
    fetch: async (_, init) => {
      bearers.push(new Headers(init?.headers).get("Authorization"));
      return send ? send() : new Response(null, { status: statuses.shift() ?? 200 });
    },
    timers,
    now: () => timers.now,
  });
}

const statusOf = async () => (await session.fetch("/api/jobs", { headers: { Accept: "x" } })).status;
const settle = () => vi.waitFor(() => expect(fake.requests.length).toBeGreaterThan(0));

test("requests carry the access token, or the ID token of other issuers", async () => {
  await start();
  expect(await statusOf()).toBe(200);
  await start("id_token");
  expect(await statusOf()).toBe(200);
  expect(bearers[0]).toBe("Bearer access-1");
  expect(bearers[1]).toMatch(/^Bearer ey/);
});

test("only the refresh token is stored, in this tab", async () => {
  await start();
  expect([...tab.items]).toEqual([["calo-refresh-token", "refresh-1"]]);
  expect([...browser.items]).toEqual([["calo-signed-in", "1"]]);
});

test("tokens are renewed before they expire, without a request", async () => {
  await start();
  timers.advance(3_600_000 - 120_000 - 1);
  expect(fake.requests).toEqual([]);
  timers.advance(1);
  await settle();
  await vi.waitFor(async () => {
    await statusOf();
    expect(bearers.at(-1)).toBe("Bearer access-2");
  });
  expect(tab.getItem("calo-refresh-token")).toBe("refresh-2");
  expect(fake.requests[0]?.form.get("refresh_token")).toBe("refresh-1");
});

test("after a machine slept, the first requests share one renewal", async () => {
  await start();
  const now = vi.spyOn(timers, "now", "get").mockReturnValue(9_999_999); // no timer has run
  expect(await Promise.all([statusOf(), statusOf(), statusOf()])).toEqual([200, 200, 200]);
  now.mockRestore();
  expect(bearers).toEqual(Array(3).fill("Bearer access-2"));
  expect(fake.requests).toHaveLength(1);
});

test("a token that the API refuses is renewed once", async () => {
  await start();
  statuses = [401, 200];
  expect(await statusOf()).toBe(200);
  expect(bearers).toEqual(["Bearer access-1", "Bearer access-2"]);
  expect(session.hasEnded()).toBe(false);
});

test("concurrent refusals renew the token once", async () => {
  await start();
  statuses = [401, 401, 200, 200];
  expect(await Promise.all([statusOf(), statusOf()])).toEqual([200, 200]);
  expect(fake.requests).toHaveLength(1);
});

test("a refusal that arrives after the renewal does not renew again", async () => {
  await start();
  let refuse = () => {};
  send = () =>
    new Promise((resolve) => {
      refuse = () => resolve(new Response(null, { status: 401 }));
    });
  const late = session.fetch("/api/live");
  await Promise.resolve();
  send = undefined;
  statuses = [401, 200, 200];
  expect(await statusOf()).toBe(200);
  refuse();
  expect((await late).status).toBe(200);
  expect(fake.requests).toHaveLength(1);
  expect(bearers.at(-1)).toBe("Bearer access-2");
});

test("a new token that the API refuses too ends the session", async () => {
  await start();
  statuses = [401, 401];
  const listener = vi.fn();
  session.subscribe(listener);
  expect(await statusOf()).toBe(401);
  expect(session.hasEnded()).toBe(true);
  expect(listener).toHaveBeenCalledOnce();
  expect(await statusOf()).toBe(401);
  expect(bearers).toHaveLength(2); // the last request was not sent
});

test("a session that the issuer does not renew ends, and its refresh token is forgotten", async () => {
  await start();
  fake.failure = 400;
  timers.advance(3_600_000);
  await vi.waitFor(() => expect(session.hasEnded()).toBe(true));
  expect(tab.items.size).toBe(0);
  const response = await session.fetch("/api/jobs");
  expect([response.status, await response.json()]).toEqual([401, { detail: "You are no longer signed in." }]);
  expect(bearers).toEqual([]);
});

test("another user's tokens end the session", async () => {
  await start();
  fake.subject = "2";
  statuses = [401];
  expect(await statusOf()).toBe(401);
  expect([session.hasEnded(), bearers.length]).toEqual([true, 1]);
});

test.each([null, 429, 500, 503])(
  "without the issuer (%s) a request fails, and may succeed later",
  async (failure) => {
    await start();
    fake.failure = failure;
    statuses = [401];
    expect(await statusOf()).toBe(503);
    expect(session.hasEnded()).toBe(false);
    fake.failure = undefined;
    statuses = [401];
    expect(await statusOf()).toBe(200);
  },
);

test("without a refresh token, the session ends when its token does", async () => {
  fake.givesRefreshTokens = false;
  const issuer = new Issuer(CONFIG, HOME, fake.fetch);
  const { url, ...request } = await issuer.begin(false);
  const tokens = await issuer.finish(new URL(`${HOME}?code=c&state=${request.state}`), request);
  const storage = new SignInStorage(tab, browser);
  const options = { issuer, storage, fetch: fake.fetch, timers, now: () => timers.now };
  session = new Session(tokens, options);
  expect(tab.items.size).toBe(0);
  timers.advance(3_599_999);
  expect(session.hasEnded()).toBe(false);
  timers.advance(1);
  await vi.waitFor(() => expect(session.hasEnded()).toBe(true));
});

test("signing out forgets the tokens here and at the issuer, and ends the issuer's session", async () => {
  await start("id_token");
  const url = new URL(await session.signOut());
  expect(fake.requests.map(({ path, form }) => [path, form.get("token")])).toEqual([
    ["/realm/revoke", "refresh-1"],
  ]);
  expect([tab.items.size, browser.items.size]).toEqual([0, 0]);
  expect(`${url.origin}${url.pathname}`).toBe(`${CONFIG.issuer}/logout`);
  expect(url.searchParams.get("post_logout_redirect_uri")).toBe(HOME);
  expect(url.searchParams.get("id_token_hint")).toMatch(/^ey/);
  expect(await statusOf()).toBe(401);
  expect(bearers).toEqual([]);
});
