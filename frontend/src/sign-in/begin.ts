/** How a visit to the page begins: with the session from before, on the way back from the issuer, or signed out. */

import { SessionEnded, type Tokens } from "./issuer";
import type { SessionOptions } from "./session";

export interface Place {
  /** The address of the page. */
  readonly href: string;
  /** Show another address for this page. */
  replace(path: string): void;
  /** Leave the page. It may still run for a moment. */
  leave(url: string): void;
}

export type Beginning =
  | { tokens: Tokens; kept: Record<string, unknown> }
  /** `reason`: why the user is not signed in, if that is unexpected. */
  | { tokens: null; reason: string | null; kept: Record<string, unknown>; subject: string | null }
  /** The page is being left. */
  | "leaving";

type Options = Pick<SessionOptions, "issuer" | "storage"> & { place: Place };

/** Rejects with an Error if the issuer cannot be reached; it can then be called again. */
export async function begin(options: Options): Promise<Beginning> {
  const { issuer, storage, place } = options;
  const url = new URL(place.href);
  if (url.searchParams.has("state") && (url.searchParams.has("code") || url.searchParams.has("error"))) {
    const beginning = await finishSignIn(options, url);
    if (beginning) return beginning;
  }
  const { refreshToken } = storage;
  if (refreshToken !== null) {
    try {
      return { tokens: await issuer.refresh(refreshToken, null), kept: {} };
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw error;
      storage.endSession();
    }
  }
  if (!storage.isSignedIn) return { tokens: null, reason: null, kept: {}, subject: null };
  await leaveToSignIn(options, { isSilent: true, kept: {}, subject: null });
  return "leaving";
}

interface Leaving {
  isSilent: boolean;
  kept: Record<string, unknown>;
  subject: string | null;
}

/** Go to the issuer's page. It returns to this one, with what is kept. */
export async function leaveToSignIn({ issuer, storage, place }: Options, leaving: Leaving): Promise<void> {
  const { isSilent, kept, subject } = leaving;
  const { url, ...request } = await issuer.begin(isSilent);
  const { pathname, search } = new URL(place.href);
  storage.storePending({ ...request, path: pathname + search, kept, subject });
  place.leave(url.href);
}

/** Return null if it is not the answer to a request of this tab, such as after going back. */
async function finishSignIn({ issuer, storage, place }: Options, url: URL): Promise<Beginning | null> {
  const pending = storage.takePending();
  if (pending?.state !== url.searchParams.get("state")) {
    place.replace("/");
    return null;
  }
  place.replace(pending.path);
  const { kept, subject } = pending;
  try {
    const tokens = await issuer.finish(url, pending);
    // what someone else has typed is not shown
    const isSame = subject === null || subject === tokens.user.subject;
    return { tokens, kept: isSame ? kept : {} };
  } catch {
    storage.signOut();
    const isExpected = SILENT_ERRORS.includes(url.searchParams.get("error") ?? "");
    const reason = isExpected ? null : "The sign-in was not completed.";
    return { tokens: null, reason, kept, subject };
  }
}

/** The issuer would have to ask the user for something. */
const SILENT_ERRORS = [
  "login_required",
  "interaction_required",
  "consent_required",
  "account_selection_required",
];
