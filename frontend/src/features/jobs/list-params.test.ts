import { makePage } from "calo-client/testing";
import { expect, test } from "vitest";
import { firstPage, isFiltered, listUrl, parseListParams } from "./list-params";
import { nextPage } from "./next-page";

const parse = (query: string) => parseListParams(new URLSearchParams(query));

test.each(["/", "/?status=error", "/?page=3", "/?page=1000", "/?status=pending&page=2", "/?cursor=abc"])(
  "%s is parsed and written unchanged",
  (url) => {
    expect(listUrl(parse(url.slice(2)))).toBe(url);
  },
);

test.each([
  "/?status=error&kind=photo&code=no_photo&owner=public",
  "/?status=pending&kind=photo&page=2",
  "/?status=resolved&owner=*",
  "/?since=1800000000000&until=1800000060000&cursor=abc",
])("the filter in %s is parsed and written unchanged", (url) => {
  const params = parse(url.slice(2));
  expect(decodeURIComponent(listUrl(params))).toBe(url);
  expect(isFiltered(params)).toBe(true);
});

test("a code selects failed jobs, invalid times are ignored, and only counted lists have numbered pages", () => {
  expect(parse("status=pending&code=lost").status).toBe("error");
  expect(isFiltered(parse("since=yesterday&until=-1&kind="))).toBe(false);
  for (const query of ["code=lost", "since=1", "until=9", "owner=*"]) {
    expect(parse(`${query}&page=3`).page).toBe(1);
    const next = nextPage(parse(query), makePage([], { next_cursor: "next" }));
    expect(next?.cursor).toBe("next");
  }
  expect(firstPage(parse("kind=photo&page=3"))).toEqual({
    status: null,
    kind: "photo",
    page: 1,
    cursor: null,
  });
});

test.each(["status=done", "page=0", "page=-1", "page=x", "page=1.5"])(
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
