import { expect, test } from "vitest";
import { combineNeeds, covers, isSameScope } from "./scope";

const ids = (count: number) => Array.from({ length: count }, (_, number) => `${1000 + number}`);

test.each([
  [[], null],
  [
    ["b", "a", "b"],
    ["a", "b"],
  ],
  [["a", null], "all"],
  [
    ["b,a", "c,a"],
    ["a", "b", "c"],
  ],
  [ids(100), ids(100)],
  [ids(101), "all"],
])("the needs %j require the scope %j", (needs, scope) => {
  expect(combineNeeds(needs)).toEqual(scope);
});

test("the stream of all jobs covers everything, a stream of jobs only these", () => {
  expect([covers("all", null), covers("all", "a")]).toEqual([true, true]);
  expect([covers(["a", "b"], "b,a"), covers(["a"], "a,b")]).toEqual([true, false]);
  expect([covers(["a"], "a"), covers(["a"], "b"), covers(["a"], null)]).toEqual([true, false, false]);
});

test("scopes are the same if they contain the same jobs", () => {
  expect([isSameScope("all", "all"), isSameScope(["a"], ["a"]), isSameScope(null, null)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([isSameScope("all", ["a"]), isSameScope(["a"], ["b"]), isSameScope(null, "all")]).toEqual([
    false,
    false,
    false,
  ]);
});
