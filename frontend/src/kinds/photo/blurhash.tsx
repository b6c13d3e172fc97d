import { decode } from "blurhash";
import { useEffect, useRef } from "react";

/** A few pixels are enough for a blur, and the time to decode grows with their number. */
const WIDTH = 16;
const HEIGHT = 12;

/** A blurred preview of a photo (https://blurha.sh), stretched to its frame. Empty if the hash is invalid. */
export function Blurhash({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const pixels = decodePixels(hash);
    if (pixels) context.putImageData(new ImageData(pixels, WIDTH, HEIGHT), 0, 0);
  }, [hash]);
  return <canvas ref={canvas} className="blurhash" width={WIDTH} height={HEIGHT} />;
}

function decodePixels(hash: string): Uint8ClampedArray<ArrayBuffer> | null {
  try {
    return new Uint8ClampedArray(decode(hash, WIDTH, HEIGHT));
  } catch {
    return null; // the background colour remains visible
  }
}
