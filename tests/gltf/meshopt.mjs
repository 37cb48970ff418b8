// node meshopt.mjs JOBS.json  ->  for each job {mode, filter, bits, count, stride, data}: packed, and decoded again
import { MeshoptEncoder } from "meshoptimizer";
import { MeshoptDecoder } from "meshoptimizer";
import fs from "fs";
await MeshoptEncoder.ready; await MeshoptDecoder.ready;
const out = [];
for (const job of JSON.parse(fs.readFileSync(process.argv[2]))) {
  const raw = new Uint8Array(Buffer.from(job.data, "base64"));
  let source = raw;
  if (job.filter === "OCTAHEDRAL") source = MeshoptEncoder.encodeFilterOct(new Float32Array(raw.buffer), job.count, job.stride, job.bits);
  if (job.filter === "QUATERNION") source = MeshoptEncoder.encodeFilterQuat(new Float32Array(raw.buffer), job.count, job.stride, job.bits);
  if (job.filter === "EXPONENTIAL") source = MeshoptEncoder.encodeFilterExp(new Float32Array(raw.buffer), job.count, job.stride, job.bits);
  const packed = MeshoptEncoder.encodeGltfBuffer(source, job.count, job.stride, job.mode, 0);
  const back = new Uint8Array(job.count * job.stride);
  MeshoptDecoder.decodeGltfBuffer(back, job.count, job.stride, packed, job.mode, job.filter);
  out.push({ packed: Buffer.from(packed).toString("base64"), expected: Buffer.from(back).toString("base64") });
}
console.log(JSON.stringify(out));
