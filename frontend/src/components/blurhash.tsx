import { decode } from "blurhash";
import { useEffect, useRef } from "react";

/** Few pixels are enough for a blur, and decoding takes time by the pixel. */
const WIDTH = 16;
const HEIGHT = 12;

/** A photo's blurred likeness (https://blurha.sh), stretched over its frame. An unreadable hash shows nothing. */
export function Blurhash({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const pixels = pixelsOf(hash);
    if (pixels) context.putImageData(new ImageData(pixels, WIDTH, HEIGHT), 0, 0);
  }, [hash]);
  return <canvas ref={canvas} className="blurhash" width={WIDTH} height={HEIGHT} />;
}

function pixelsOf(hash: string): Uint8ClampedArray<ArrayBuffer> | null {
  try {
    return new Uint8ClampedArray(decode(hash, WIDTH, HEIGHT));
  } catch {
    return null; // the colour behind it stands in
  }
}
