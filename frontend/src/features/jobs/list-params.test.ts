import { makePage } from "calo-client/testing";
import { expect, test } from "vitest";
import { listUrl, nextPage, parseListParams } from "./list-params";

const parse = (query: string) => parseListParams(new URLSearchParams(query));

test.each(["/", "/?status=error", "/?page=3", "/?status=pending&page=2", "/?cursor=abc"])(
  "%s is parsed and written unchanged",
  (url) => {
    expect(listUrl(parse(url.slice(2)))).toBe(url);
  },
);

test.each(["status=done", "page=0", "page=-1", "page=x", "page=1.5", "page=1000"])(
  "%s is invalid and selects the first page",
  (query) => {
    expect(parse(query)).toEqual({ status: null, page: 1, cursor: null });
  },
);

test("the next page has a number up to the API's limit, and a cursor after that", () => {
  const page = makePage([], { next_cursor: "next" });
  expect(nextPage(parse(""), page)).toEqual({ status: null, page: 2, cursor: null });
  expect(nextPage(parse("page=42"), page)).toEqual({ status: null, page: 42, cursor: "next" });
  expect(nextPage(parse("status=error&cursor=abc"), page)).toEqual({
    status: "error",
    page: 1,
    cursor: "next",
  });
  expect(nextPage(parse(""), makePage([]))).toBeNull();
});
