import type { Changed } from "calo-client/api/types";

/** Repeat a call that changes some jobs until no more match. Report the number of changed jobs after each call. */
export async function changeAll(
  call: () => Promise<Changed>,
  onProgress: (changed: number) => void,
): Promise<void> {
  let total = 0;
  for (let isComplete = false; !isComplete; ) {
    const { changed, more } = await call();
    total += changed;
    onProgress(total);
    isComplete = !more;
  }
}
