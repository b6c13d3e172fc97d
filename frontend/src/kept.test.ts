import { expect, test } from "vitest";
import { Kept } from "./kept";

test("what is registered is collected as it is then", () => {
  const kept = new Kept();
  let text = "a";
  const end = kept.register("form", () => text);
  text = "b";
  expect(kept.collect()).toEqual({ form: "b" });
  end();
  expect(kept.collect()).toEqual({});
});

test("what was kept is restored until its name is registered again", () => {
  const kept = new Kept({ form: "a", other: "b" });
  expect(kept.restored("form")).toBe("a");
  kept.register("form", () => "c");
  expect(kept.restored("form")).toBeUndefined();
  expect(kept.collect()).toEqual({ form: "c", other: "b" });
});
