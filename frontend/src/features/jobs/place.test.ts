import { expect, test } from "vitest";
import { aPage } from "../../testing";
import { addressOf, placeAfter, placeOf } from "./place";

const read = (text: string) => placeOf(new URLSearchParams(text));

test.each(["/", "/?status=error", "/?page=3", "/?status=pending&page=2", "/?cursor=abc"])(
  "%s is an address that reads as it was written",
  (address) => {
    expect(addressOf(read(address.slice(2)))).toBe(address);
  },
);

test.each(["status=done", "page=0", "page=-1", "page=x", "page=1.5", "page=1000"])(
  "%s is read as the beginning",
  (text) => {
    expect(read(text)).toEqual({ status: null, page: 1, cursor: null });
  },
);

test("pages have numbers as deep as the API counts, and go on by cursor", () => {
  const more = aPage([], { next_cursor: "next" });
  expect(placeAfter(read(""), more)).toEqual({ status: null, page: 2, cursor: null });
  expect(placeAfter(read("page=42"), more)).toEqual({ status: null, page: 42, cursor: "next" });
  expect(placeAfter(read("status=error&cursor=abc"), more)).toEqual({
    status: "error",
    page: 1,
    cursor: "next",
  });
  expect(placeAfter(read(""), aPage([]))).toBeNull();
});
