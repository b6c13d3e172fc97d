import { Loadable, useLoadedWhenIdle } from "../../hooks/loadable";

const background = new Loadable(async () => (await import("./background")).Background);

export function LazyBackground() {
  const Background = useLoadedWhenIdle(background);
  return Background ? <Background /> : null;
}
