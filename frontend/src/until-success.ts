import { retryDelayMs } from "calo-client/api/retry-policy";

/** Attempt something until it succeeds. `onFailure` is called with an Error that says what is wrong. */
export async function untilSuccess<T>(
  attempt: () => Promise<T>,
  onFailure: (error: Error) => void,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs(failures, error)));
    }
  }
}
