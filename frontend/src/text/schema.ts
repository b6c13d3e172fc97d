/** Reads the JSON Schemas of a kind's declaration. */

import type { JsonSchema } from "calo-client/api/types";

const DEFINITIONS = "#/$defs/";

/** Return the schema that a schema refers to, with its own title, description and default. */
export function resolve(schema: JsonSchema | undefined, root: JsonSchema | undefined): JsonSchema {
  if (!schema) return {};
  if (schema.$ref === "#") return root ?? {};
  const { $ref, ...own } = schema;
  const target = $ref?.startsWith(DEFINITIONS) ? root?.$defs?.[$ref.slice(DEFINITIONS.length)] : undefined;
  return target ? { ...target, ...own } : schema;
}

/** Return what a value may be besides null, and whether it may be null. */
export function withoutNull(
  schema: JsonSchema,
  root: JsonSchema,
): { schema: JsonSchema; isNullable: boolean } {
  const variants = schema.anyOf?.filter(({ type }) => type !== "null");
  const isNullable = variants !== undefined && variants.length < (schema.anyOf?.length ?? 0);
  if (!isNullable || variants?.length !== 1) return { schema, isNullable };
  const { anyOf, ...own } = schema;
  return { schema: { ...resolve(variants[0], root), ...own }, isNullable };
}

/** Return the title of a field: that of its schema, or its name as words. */
export function fieldTitle(name: string, schema: JsonSchema): string {
  if (schema.title) return schema.title;
  const words = name.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
