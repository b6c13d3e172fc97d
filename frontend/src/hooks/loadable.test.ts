import { FakeTimers } from "calo-client/testing";
import { expect, test } from "vitest";
import { Loadable } from "./loadable";

function makeLoadable(answers: (string | Error)[]) {
  const timers = new FakeTimers();
  let attempts = 0;
  const loadable = new Loadable(async () => {
    const answer = answers[attempts];
    attempts += 1;
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  }, timers);
  return { loadable, timers, attempts: () => attempts };
}

test("it is loaded once, however often it is needed", async () => {
  const { loadable, attempts } = makeLoadable(["code"]);
  expect(loadable.value()).toBeUndefined();
  await Promise.all([loadable.load(), loadable.load()]);
  await loadable.load();
  expect([loadable.value(), attempts()]).toEqual(["code", 1]);
});

test("after a failure it is tried again as long as a component needs it", async () => {
  const { loadable, timers, attempts } = makeLoadable([new TypeError(), new TypeError(), "code"]);
  const states: unknown[] = [];
  loadable.subscribe(() => states.push([loadable.value(), loadable.hasFailed()]));
  await loadable.load(); // does not reject
  for (let count = 2; count <= 3; count += 1) {
    timers.advance(10_000);
    await loadable.load(); // the attempt that the timer has started
    expect(attempts()).toBe(count);
  }
  expect(states).toEqual([
    [undefined, true],
    [undefined, true],
    ["code", false],
  ]);
  expect(timers.waits).toEqual([]);
});

test("it is not tried again when nothing needs it any more", async () => {
  const { loadable, timers, attempts } = makeLoadable([new TypeError(), "code"]);
  loadable.subscribe(() => {})();
  await loadable.load();
  timers.advance(10_000);
  expect(attempts()).toBe(1);
  await loadable.load();
  expect(loadable.value()).toBe("code");
});
