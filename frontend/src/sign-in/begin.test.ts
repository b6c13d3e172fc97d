import { beforeEach, expect, test } from "vitest";
import { begin, leaveToSignIn } from "./begin";
import { CONFIG, FakeIssuer, FakeStorage, HOME } from "./fake-issuer";
import { Issuer } from "./issuer";
import { SignInStorage } from "./storage";

class FakePlace {
  href = HOME;
  left: URL[] = [];

  replace(path: string): void {
    this.href = new URL(path, HOME).href;
  }
  leave(url: string): void {
    this.left.push(new URL(url));
  }
  /** Be at the issuer's page, and return from it. */
  comeBack(answer: Record<string, string>): void {
    const state = this.left.at(-1)?.searchParams.get("state") ?? "";
    this.href = `${HOME}?${new URLSearchParams({ ...answer, state })}`;
  }
}

let fake: FakeIssuer;
let place: FakePlace;
let tab: FakeStorage;
let browser: FakeStorage;
let options: Parameters<typeof begin>[0];

beforeEach(() => {
  fake = new FakeIssuer();
  place = new FakePlace();
  [tab, browser] = [new FakeStorage(), new FakeStorage()];
  options = { issuer: new Issuer(CONFIG, HOME, fake.fetch), storage: new SignInStorage(tab, browser), place };
});

const kept = { form: "pasta" };
const leave = (subject: string | null = null) => leaveToSignIn(options, { isSilent: false, kept, subject });

test("a first visit is signed out", async () => {
  expect(await begin(options)).toEqual({ tokens: null, reason: null, kept: {}, subject: null });
  expect(place.left).toEqual([]);
});

test("the request is that of the authorization code flow with PKCE", async () => {
  await leave();
  const query = Object.fromEntries(place.left[0]?.searchParams ?? []);
  expect(query).toEqual({
    client_id: "calo",
    redirect_uri: HOME,
    response_type: "code",
    scope: "openid email",
    state: expect.stringMatching(/.{40}/),
    code_challenge: expect.stringMatching(/.{43}/),
    code_challenge_method: "S256",
  });
});

test("coming back signs in at the place that was left, with what was typed", async () => {
  place.href = `${HOME}jobs/1?a=b`;
  await leave();
  const verifier = JSON.parse(tab.getItem("calo-sign-in") ?? "").verifier;
  place.comeBack({ code: "c" });
  expect(await begin(options)).toMatchObject({ tokens: { user: { name: "user1@example.com" } }, kept });
  expect(place.href).toBe(`${HOME}jobs/1?a=b`);
  const form = fake.requests.at(-1)?.form;
  expect([form?.get("code"), form?.get("code_verifier")]).toEqual(["c", verifier]);
  expect(tab.items.size).toBe(0);
});

test("what one user typed is not given to another", async () => {
  await leave("1");
  place.comeBack({ code: "c" });
  expect(await begin(options)).toMatchObject({ kept });
  await leave("2");
  place.comeBack({ code: "c" });
  expect(await begin(options)).toEqual({ tokens: expect.anything(), kept: {} });
});

test.each([{ code: "c", iss: "https://other.example" }, { error: "access_denied" }])(
  "a refused sign-in says so, and keeps what was typed: %j",
  async (answer) => {
    await leave("1");
    place.comeBack(answer as unknown as Record<string, string>);
    const reason = "The sign-in was not completed.";
    expect(await begin(options)).toEqual({ tokens: null, reason, kept, subject: "1" });
    expect(place.href).toBe(HOME);
  },
);

test("an answer that this tab has not asked for is ignored", async () => {
  await leave();
  place.href = `${HOME}?code=c&state=invented`;
  expect(await begin(options)).toMatchObject({ tokens: null, reason: null });
  expect(place.href).toBe(HOME);
  expect(fake.requests.some(({ path }) => path.endsWith("/token"))).toBe(false);
});

test("an answer is used once", async () => {
  await leave();
  place.comeBack({ code: "c" });
  const { href } = place;
  await begin(options);
  place.href = href;
  expect(await begin(options)).toMatchObject({ tokens: null });
});

test("a reload renews the tokens of this tab", async () => {
  tab.setItem("calo-refresh-token", "stored");
  expect(await begin(options)).toMatchObject({ tokens: { refreshToken: "refresh-1" } });
  expect(fake.requests.at(-1)?.form.get("refresh_token")).toBe("stored");
});

test("a reload without a network can be repeated", async () => {
  tab.setItem("calo-refresh-token", "stored");
  fake.failure = null;
  await expect(begin(options)).rejects.toThrow("no network");
  fake.failure = undefined;
  expect(await begin(options)).toMatchObject({ tokens: {} });
});

test("a new tab of someone who is signed in asks the issuer silently, once", async () => {
  browser.setItem("calo-signed-in", "1");
  expect(await begin(options)).toBe("leaving");
  expect(place.left[0]?.searchParams.get("prompt")).toBe("none");
  place.comeBack({ error: "login_required" });
  expect(await begin(options)).toEqual({ tokens: null, reason: null, kept: {}, subject: null });
  expect(await begin(options)).toMatchObject({ tokens: null });
  expect(place.left).toHaveLength(1);
});

test("a refresh token that is too old leads to the issuer", async () => {
  tab.setItem("calo-refresh-token", "old");
  browser.setItem("calo-signed-in", "1");
  fake.failure = 400;
  expect(await begin(options)).toBe("leaving");
  expect(tab.getItem("calo-refresh-token")).toBeNull();
});

test("Cognito's addresses are not discovered", async () => {
  const config = { ...CONFIG, hostedUrl: "https://calo.auth.example" };
  const issuer = new Issuer(config, HOME, fake.fetch);
  const { url } = await issuer.begin(false);
  expect(`${url.origin}${url.pathname}`).toBe("https://calo.auth.example/oauth2/authorize");
  expect(await issuer.signOutUrl("token")).toBe(
    `https://calo.auth.example/logout?client_id=calo&logout_uri=${encodeURIComponent(HOME)}`,
  );
  expect(fake.requests).toEqual([]);
});

test.each([
  ["http://127.0.0.1:9000", true],
  ["http://localhost:9000/realm", true],
  ["http://issuer.example", false],
])("tokens are sent over plain HTTP only within this machine: %s", async (issuer, isAllowed) => {
  const server = { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` };
  const found = new Issuer({ ...CONFIG, issuer }, HOME, async () => Response.json(server)).begin(false);
  if (isAllowed) expect((await found).url.href).toContain(`${issuer}/authorize?`);
  else await expect(found).rejects.toThrow();
});

test("a browser without storage stays signed out", async () => {
  options = { ...options, storage: new SignInStorage(null, null) };
  await leave();
  place.comeBack({ code: "c" });
  expect(await begin(options)).toMatchObject({ tokens: null });
});
