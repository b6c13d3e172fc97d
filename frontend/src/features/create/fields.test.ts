import type { JsonSchema } from "calo-client/api/types";
import { describe, expect, test } from "vitest";
import { errorsByField, excessText, fieldsOf, initialValues, parseValues, valuesOf } from "./fields";

const fields = (properties: Record<string, JsonSchema>, more: JsonSchema = {}) =>
  fieldsOf({
    name: "test",
    title: "Test",
    description: "",
    label: null,
    input: { type: "object", properties, ...more },
    output: {},
  });

const NULL = { type: "null" };
const DEFINITIONS: JsonSchema = {
  $defs: { Color: { enum: ["blue", "red"], description: "A color" }, Node: { type: "object" } },
};

describe("the control of a field", () => {
  test.each<[JsonSchema, string, string]>([
    [{ type: "string" }, "text", ""],
    [{ type: "string", maxLength: 200, default: "food" }, "text", ""],
    [{ type: "string", maxLength: 10_000 }, "long", ""],
    [{ type: "integer", default: 10 }, "number", "10"],
    [{ type: "number", default: 0 }, "number", "0"],
    [{ type: "boolean", default: true }, "switch", "true"],
    [{ type: "boolean", default: false }, "switch", ""],
    [{ enum: ["a", 3, null], default: 3 }, "choice", "1"],
    [{ enum: ["a", "b"] }, "choice", ""],
    [{ $ref: "#/$defs/Color", default: "red" }, "choice", "1"],
    [{ anyOf: [{ $ref: "#/$defs/Color" }, NULL], default: null }, "choice", ""],
    [{ anyOf: [{ type: "integer", minimum: 1 }, NULL], default: 5 }, "number", "5"],
    [{ anyOf: [{ type: "integer" }, { type: "string" }] }, "json", ""],
    [{ type: "array", items: { type: "string" }, default: [] }, "json", "[]"],
    [{ $ref: "#/$defs/Node" }, "json", ""],
    [{}, "json", ""],
  ])("%j is %s", (schema, control, initial) => {
    expect(fields({ field: schema }, DEFINITIONS)[0]).toMatchObject({ control, initial });
  });

  test("has the title and the description of the schema, or its name", () => {
    const [color, other] = fields(
      { color: { $ref: "#/$defs/Color", title: "Which color" }, max_words: { type: "integer" } },
      { ...DEFINITIONS, required: ["color"] },
    );
    expect(color).toMatchObject({ title: "Which color", description: "A color", isRequired: true });
    expect(other).toMatchObject({ title: "Max words", isRequired: false });
  });

  test("is that of a nullable variant, with its bounds", () => {
    const [field] = fields({ a: { anyOf: [{ type: "integer", minimum: 1 }, NULL], title: "A" } });
    expect(field).toMatchObject({ isNullable: true, title: "A", schema: { minimum: 1 } });
  });
});

describe("the input to send", () => {
  const all = fields(
    {
      query: { type: "string", default: "food" },
      text: { type: "string", maxLength: 1_000 },
      note: { anyOf: [{ type: "string" }, NULL], default: null },
      seconds: { type: "integer", default: 10 },
      size: { enum: ["small", 3] },
      loud: { type: "boolean", default: true },
      tags: { type: "array" },
    },
    { required: ["text", "size"] },
  );

  test("has the default of empty texts, and leaves out what is optional", () => {
    const { input, errors } = parseValues(all, { ...initialValues(all), size: "1" });
    expect(errors).toEqual({});
    expect(input).toEqual({ query: "food", text: "", note: null, seconds: 10, size: 3, loud: true });
  });

  test("has the types of the schema", () => {
    const values = {
      query: "  tea ",
      text: " kept\n",
      note: "x",
      seconds: "2.5",
      size: "0",
      loud: "",
      tags: '[1, {"a": null}]',
    };
    expect(parseValues(all, values).input).toEqual({
      query: "tea",
      text: " kept\n",
      note: "x",
      seconds: 2.5,
      size: "small",
      loud: false,
      tags: [1, { a: null }],
    });
  });

  test("has an error for text that is not JSON, or is too long", () => {
    const { errors } = parseValues(all, { ...initialValues(all), tags: "[1", text: "a".repeat(1_001) });
    expect(errors.tags).toMatch(/^Must be JSON/);
    expect(errors.text).toBe("Too long. Remove 1 character: at most 1000 are allowed.");
  });

  test("of a kind without fields is empty", () => {
    expect(parseValues(fields({}), {})).toEqual({ input: {}, errors: {} });
  });
});

test("characters are counted as the API counts them, without the spaces around them", () => {
  const [field] = fields({ query: { type: "string", maxLength: 3 } });
  if (!field) throw new Error("the field is missing");
  expect(excessText(field, "  🍝🍝🍝 ")).toBeUndefined();
  expect(excessText(field, "🍝🍝🍝🍝🍝")).toBe("Too long. Remove 2 characters: at most 3 are allowed.");
});

test("errors of the API are shown at their fields", () => {
  const all = fields({ a: { type: "string" }, ab: { type: "array" }, "a-b": { type: "string" } });
  const refused = [
    { field: "input.a", message: "must be a text" },
    { field: "input.ab[1].x", message: "is required" },
    { field: "input.a-b.c", message: "is wrong." },
    { field: "input.a", message: "second" },
    { field: "input.abc", message: "is not a field" },
    { field: "delay_seconds", message: "is too large" },
  ];
  expect(errorsByField(all, refused)).toEqual({
    a: "Must be a text.",
    ab: "[1].x is required.",
    "a-b": "c is wrong.",
  });
});

test("an input becomes the texts of the controls that lead to the same input", () => {
  const schema: JsonSchema = {
    properties: {
      text: { type: "string" },
      style: { enum: ["fancy", "plain"] },
      exact: { type: "boolean" },
      factor: { type: "number" },
      tags: { type: "array" },
      limit: { anyOf: [{ type: "integer" }, { type: "null" }] },
    },
  };
  const fields = fieldsOf({ name: "a", title: "A", description: "", label: null, input: schema, output: {} });
  const input = { text: "tea", style: "plain", exact: true, factor: 1.5, tags: ["x"] };
  const values = valuesOf(fields, { ...input, limit: null, removed: 1 });
  expect(values).toEqual({ text: "tea", style: "1", exact: "true", factor: "1.5", tags: '["x"]', limit: "" });
  expect(parseValues(fields, values).input).toEqual(input);
});
