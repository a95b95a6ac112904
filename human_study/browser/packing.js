// Texts and files as gzip in base64, and back.

import { bytes } from "./plays.js";

/** @param {string} content */
export async function packed(content) {
  return base64(await piped(new Blob([content]).stream(), new CompressionStream("gzip")));
}

/** @param {string} content  as gzip in base64 @returns {Promise<Blob>} */
export const unpacked = (content) => piped(new Blob([bytes(content)]).stream(), new DecompressionStream("gzip"));

/** @param {ReadableStream} stream @param {GenericTransformStream} change @returns {Promise<Blob>} */
export const piped = (stream, change) => new Response(stream.pipeThrough(change)).blob();

/** @param {Blob} blob @returns {Promise<string>} */
export function base64(blob) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.readAsDataURL(blob);
  });
}
