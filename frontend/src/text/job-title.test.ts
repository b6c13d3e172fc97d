import { expect, test } from "vitest";
import { jobTitle } from "./job-title";

const kinds = [
  { name: "countdown", title: "Count down", description: "", label: "seconds", input: {}, output: {} },
  { name: "plain", title: "Plain", description: "", label: null, input: {}, output: {} },
];

test("the title has the kind's title and the label", () => {
  expect(jobTitle({ kind: "countdown", input: { seconds: 10 } }, kinds)).toBe("Count down: 10");
  expect(jobTitle({ kind: "plain", input: { seconds: 10 } }, kinds)).toBe("Plain");
});

test.each([{}, { seconds: null }, { seconds: { a: 1 } }, { seconds: " " }])(
  "a label without text is left out: %j",
  (input) => expect(jobTitle({ kind: "countdown", input }, kinds)).toBe("Count down"),
);

test("a long label is shortened, and no character is cut in two", () => {
  const title = jobTitle({ kind: "countdown", input: { seconds: "🍝".repeat(90) } }, kinds);
  expect(title).toBe(`Count down: ${"🍝".repeat(80)}…`);
});

test("a job of an unknown kind has the kind's name", () => {
  expect(jobTitle({ kind: "removed", input: { a: 1 } }, kinds)).toBe("removed");
  expect(jobTitle({ kind: "removed", input: {} }, undefined)).toBe("removed");
});
