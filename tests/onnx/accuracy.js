// accuracy.js - the accuracy of an ONNX file on images, by onnxruntime: node accuracy.js MODEL.onnx IMAGES.gz LABELS.gz
const fs = require("fs"), zlib = require("zlib"), ort = require("onnxruntime-node");
const [model, images, labels] = process.argv.slice(2);
const x = zlib.gunzipSync(fs.readFileSync(images)).subarray(16), t = zlib.gunzipSync(fs.readFileSync(labels)).subarray(8);

(async () => {
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
    const batch = 50;
    let hits = 0;
    for (let at = 0; at < t.length; at += batch) {
        const part = Float32Array.from(x.subarray(at * 784, (at + batch) * 784));
        const result = await session.run({ [session.inputNames[0]]: new ort.Tensor("float32", part, [batch, 1, 28, 28]) });
        const z = result[session.outputNames[0]].data;
        for (let i = 0; i < batch; i++) {
            const row = z.subarray(i * 10, i * 10 + 10);
            hits += row.indexOf(Math.max(...row)) === t[at + i];
        }
    }
    console.log((hits / t.length).toFixed(4));
})();
