import { useState } from "react";

/** Return a function that goes to the issuer's page, and what to say if that is not possible. */
export function useLeaving(signIn: () => Promise<void>): { leave: () => void; problem: string | null } {
  const [problem, setProblem] = useState<string | null>(null);
  const leave = () => {
    setProblem(null);
    signIn().catch(() => setProblem("The sign-in page cannot be reached. Try again."));
  };
  return { leave, problem };
}
