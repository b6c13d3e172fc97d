import { expect, test } from "vitest";
import { fieldTime, fromFieldTime, jobIdIn } from "./find-texts";

const ID = "3f2b8c1e-9d4a-4e7b-8a53-0c6f1d2e7b90";

test.each([ID, ` ${ID}\n`, ID.toUpperCase(), `https://calo.test/jobs/${ID}?x=1`, `Job ${ID}, version 3`])(
  "the id is found in %j",
  (text) => {
    expect(jobIdIn(text)).toBe(ID);
  },
);

test.each(["", "pasta", ID.slice(1), "3f2b8c1e9d4a4e7b8a530c6f1d2e7b90"])("%j has no id", (text) => {
  expect(jobIdIn(text)).toBeNull();
});

test.each([0, 1_800_000_000_000, 1_785_000_001_000])("%d survives the field", (time) => {
  expect(fromFieldTime(fieldTime(time))).toBe(time);
});

test("an empty field has no time", () => {
  expect([fieldTime(undefined), fromFieldTime(""), fromFieldTime(undefined), fromFieldTime("x")]).toEqual(
    Array(4).fill(undefined),
  );
});
