/** Shows any JSON value readably. */

import type { JsonSchema } from "calo-client/api/types";
import { useState } from "react";
import { fieldTitle, resolve, withoutNull } from "../text/schema";
import { LOCALE } from "../text/time";

/** Values deeper than this are shown as JSON. */
const MAX_DEPTH = 5;
const IMAGE = /\.(?:avif|gif|jpe?g|png|svg|webp)$/i;

interface Props {
  value: unknown;
  schema: JsonSchema | undefined;
  /** Contains the definitions. */
  root: JsonSchema | undefined;
  name?: string;
  depth?: number;
}

export function Value({ value, schema, root, name = "", depth = 0 }: Props) {
  if (value === null || value === undefined) return <span className="none">none</span>;
  if (typeof value === "string") return <TextValue text={value} name={name} />;
  if (typeof value === "number") return value.toLocaleString(LOCALE, { maximumFractionDigits: 20 });
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (depth >= MAX_DEPTH) return <code>{toJson(value)}</code>;
  const own = withoutNull(resolve(schema, root), root ?? {}).schema;
  if (Array.isArray(value)) {
    if (value.length === 0) return <span className="none">none</span>;
    return (
      <ul>
        {value.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the items of an output never change
          <li key={index}>
            <Value value={item} schema={own.items || undefined} root={root} name={name} depth={depth + 1} />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <dl>
      {Object.entries(value).map(([key, item]) => {
        const field = resolve(own.properties?.[key], root);
        const title = fieldTitle(key, field);
        return (
          <div key={key}>
            <dt title={field.description}>{title}</dt>
            <dd>
              <Value value={item} schema={field} root={root} name={title} depth={depth + 1} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function TextValue({ text, name }: { text: string; name: string }) {
  const [isBroken, setIsBroken] = useState(false);
  const url = webAddress(text);
  if (!url) return <span className="text">{text || "empty"}</span>;
  const isImage = IMAGE.test(url.pathname) && !isBroken;
  return (
    <a href={url.href}>
      {isImage ? <img src={url.href} alt={name} loading="lazy" onError={() => setIsBroken(true)} /> : text}
    </a>
  );
}

/** Return the URL that a text consists of: of a page or a stored file, never of a script. */
function webAddress(text: string): URL | null {
  if (!/^(?:https?:\/\/|\/images\/)\S+$/i.test(text)) return null;
  return URL.canParse(text, location.origin) ? new URL(text, location.origin) : null;
}

/** Values that are nested too deeply for JSON are not shown. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "…";
  }
}
