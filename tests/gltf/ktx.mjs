// node ktx.mjs FILE...  ->  one line of JSON for each KTX2 file, as ktx-parse and zstddec read it
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { read } from "ktx-parse";
import { ZSTDDecoder } from "zstddec";

const text = (value) => (typeof value === "string" ? value : Buffer.from(value).toString());
const zstd = new ZSTDDecoder();
await zstd.init();
for (const file of process.argv.slice(2)) {
  const found = read(new Uint8Array(readFileSync(file)));
  const levels = found.levels.map(({ levelData, uncompressedByteLength }) => {
    const plain = found.supercompressionScheme === 2 ? zstd.decode(levelData, uncompressedByteLength) : levelData;
    const sum = createHash("sha256").update(plain).digest("hex");
    return { stored: levelData.byteLength, length: uncompressedByteLength, sum };
  });
  const words = Object.fromEntries(Object.entries(found.keyValue).map(([key, value]) => [key, text(value)]));
  const { vkFormat, typeSize, pixelWidth, pixelHeight, pixelDepth, layerCount, faceCount } = found;
  const size = [pixelWidth, pixelHeight, pixelDepth, layerCount, faceCount];
  const scheme = found.supercompressionScheme;
  console.log(JSON.stringify({ vkFormat, typeSize, size, scheme, levels, words, descriptors: found.dataFormatDescriptor }));
}
