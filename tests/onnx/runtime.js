// runtime.js - runs exported models by onnxruntime, and compares with what the interpreter of ngc computes.
//
//     node runtime.js FOLDER      for each NAME.onnx with NAME.json in it: "ok NAME", "no NAME: why not", "WRONG NAME: ..."
const fs = require("fs"), path = require("path"), ort = require("onnxruntime-node");

function tensor(t) {
    const data = t.type === "int64" ? BigInt64Array.from(t.data, BigInt) : Float32Array.from(t.data, (v) => v === null ? NaN : v);
    return new ort.Tensor(t.type, data, t.dims);
}

function differ(want, got) {
    if (!got) return want.name + " is missing";
    if (got.dims.join() !== want.dims.join()) return want.name + " has the shape " + got.dims;
    const most = want.data.reduce((m, v) => Math.max(m, Math.abs(v || 0)), 1e-3);
    for (let i = 0; i < want.data.length; i++)
        if (want.data[i] !== null && !(Math.abs(Number(got.data[i]) - want.data[i]) <= 1e-3 * most))
            return `${want.name}: element ${i} is ${got.data[i]}, not ${want.data[i]}`;
    return "";
}

async function run(folder, name) {
    const data = JSON.parse(fs.readFileSync(path.join(folder, name + ".json")));
    let session;
    try {
        session = await ort.InferenceSession.create(path.join(folder, name + ".onnx"), { logSeverityLevel: 4 });
    } catch (e) {
        return "no " + name + ": " + e.message.split("\n")[0];
    }
    const inputs = {};
    for (const t of data.inputs) if (session.inputNames.includes(t.name)) inputs[t.name] = tensor(t);
    const results = await session.run(inputs);
    const wrong = data.outputs.map((want) => differ(want, results[want.name])).find((w) => w);
    return wrong ? "WRONG " + name + ": " + wrong : "ok " + name;
}

(async () => {
    const folder = process.argv[2];
    for (const file of fs.readdirSync(folder).sort())
        if (file.endsWith(".onnx")) console.log(await run(folder, file.slice(0, -5)));
})();
