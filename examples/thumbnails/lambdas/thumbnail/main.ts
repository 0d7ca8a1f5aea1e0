// Packed when this is published, so that running it needs no network. Written in JavaScript all through: no native add-on.
import { Jimp } from "npm:jimp@1.6.0";

const { image, width = 200, format = "png" } = input as { image: string; width?: number; format?: "png" | "jpeg" };

/** An error that a stack passes on with this code and status, instead of LAMBDA_FAILED and 500. */
function refuse(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, status: 422 });
}

let bytes: Uint8Array<ArrayBuffer>;
try {
  bytes = Uint8Array.fromBase64(image.replace(/^data:[^,]*,/, ""));
} catch {
  throw refuse("NOT_BASE64", "The image is not base64.");
}
const picture = await Jimp.fromBuffer(bytes.buffer).catch(() => {
  throw refuse("NOT_AN_IMAGE", "This is not an image, or not of a kind that can be read.");
});
const before = { width: picture.width, height: picture.height };
// Smaller, never larger.
if (Math.max(before.width, before.height) > width) picture.scaleToFit({ w: width, h: width });

const type = format === "jpeg" ? "image/jpeg" : "image/png";
const made = new Uint8Array(await picture.getBuffer(type));
log(`${before.width} × ${before.height} became ${picture.width} × ${picture.height}, ${made.length} bytes`);
return { type, width: picture.width, height: picture.height, image: made.toBase64() };
