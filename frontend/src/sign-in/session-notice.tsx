import { useLeaving } from "./use-leaving";

interface Props {
  isShown: boolean;
  signIn: () => Promise<void>;
}

/** Says that the session has ended. It covers the bottom of the screen, so that nothing moves. */
export function SessionNotice({ isShown, signIn }: Props) {
  const { leave, problem } = useLeaving(signIn);
  return (
    <div className="session-notice" role="alert">
      {isShown && (
        <div>
          <p>{problem ?? "You are no longer signed in. What you have typed is kept."}</p>
          <button type="button" className="button primary" onClick={leave}>
            Sign in
          </button>
        </div>
      )}
    </div>
  );
}
