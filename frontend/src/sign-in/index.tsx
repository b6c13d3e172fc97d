/** Everything that only a deployment with sign-in needs. The page loads this file only then. */

import { browserTimers } from "calo-client/live/timers";
import { type ReactNode, useSyncExternalStore } from "react";
import type { SignInConfig } from "../config";
import { Kept, takeKept } from "../kept";
import { Account } from "./account";
import { begin, leaveToSignIn, type Place } from "./begin";
import { Issuer } from "./issuer";
import { Session } from "./session";
import { SessionNotice } from "./session-notice";
import { SignedOut } from "./signed-out";
import { browserStorage, MARKER } from "./storage";

export interface SignedIn {
  fetch: typeof fetch;
  /** Distinguishes users, also of different issuers. */
  owner: string;
  kept: Kept;
  /** Who is signed in, for the page's header. */
  account: ReactNode;
  notice: ReactNode;
}

/**
 * Return the user's session, or what to show instead: null while the page is being left. Rejects with an Error if
 * the issuer cannot be reached; it can then be called again.
 */
export async function startSession(
  config: SignInConfig,
): Promise<SignedIn | { signedOut: ReactNode } | null> {
  const send: typeof fetch = (input, init) => fetch(input, init);
  const issuer = new Issuer(config, `${location.origin}/`, send);
  const storage = browserStorage();
  const options = { issuer, storage, place };
  const beginning = await begin(options);
  if (beginning === "leaving") return null;
  if (beginning.tokens === null) {
    const { reason, kept, subject } = beginning;
    const signIn = () => leaveToSignIn(options, { isSilent: false, kept, subject });
    return { signedOut: <SignedOut reason={reason} signIn={signIn} /> };
  }
  const owner = `${config.issuer} ${beginning.tokens.user.subject}`;
  const kept = new Kept({ ...takeKept(owner), ...beginning.kept });
  const now = () => performance.now();
  const session = new Session(beginning.tokens, { issuer, storage, fetch: send, timers: browserTimers, now });
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key !== MARKER || newValue !== null) return; // someone has signed out in another tab
    storage.signOut();
    kept.forget();
    location.reload();
  });
  const { user } = session;
  const signIn = () =>
    leaveToSignIn(options, { isSilent: false, kept: kept.collect(), subject: user.subject });
  const signOut = async () => {
    const url = await session.signOut();
    kept.forget();
    place.leave(url);
  };
  return {
    fetch: session.fetch,
    owner,
    kept,
    account: <Account name={user.name} signOut={signOut} />,
    notice: <SessionEnd session={session} signIn={signIn} />,
  };
}

function SessionEnd({ session, signIn }: { session: Session; signIn: () => Promise<void> }) {
  const hasEnded = useSyncExternalStore(session.subscribe, session.hasEnded);
  return <SessionNotice isShown={hasEnded} signIn={signIn} />;
}

const place: Place = {
  get href() {
    return location.href;
  },
  replace: (path) => history.replaceState(null, "", path),
  leave: (url) => location.assign(url),
};
