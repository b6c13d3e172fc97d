import { useLeaving } from "./use-leaving";

interface Props {
  /** Why no one is signed in, if that is unexpected. */
  reason: string | null;
  signIn: () => Promise<void>;
}

/** The whole page while no one is signed in. */
export function SignedOut({ reason, signIn }: Props) {
  const { leave, problem } = useLeaving(signIn);
  const message = problem ?? reason;
  return (
    <>
      <header className="site-header">
        <span className="brand">
          <img src="/favicon.svg" width="28" height="28" alt="" />
          Calo
        </span>
      </header>
      <main className="page">
        <section className="empty-state">
          <title>Sign in · Calo</title>
          <h1>Sign in to Calo</h1>
          <p>Only you and operators see your jobs.</p>
          <button type="button" className="button primary" onClick={leave}>
            Sign in
          </button>
          <div role="alert">{message && <p className="error">{message}</p>}</div>
        </section>
      </main>
    </>
  );
}
