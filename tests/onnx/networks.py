# networks.py - writes networks of PyTorch in the ONNX format, with inputs, outputs and gradients in
# double precision:
#
#     networks.py FOLDER [NAME ...]        FOLDER/NAME/model.onnx and test_data_set_0/{input,output,target,gradient}_N.pb
#
# All weights are random, so that no two of them are equal. The loss is mean((output - target)^2),
# of the network as it is trained. Gradients have the names and the shapes of the initializers.
import os
import sys
import warnings

import numpy
import onnx
import torch
import torch.nn as nn
import torchvision
from onnx import numpy_helper

warnings.filterwarnings("ignore")


class MnistCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 16, 3)
        self.dropout = nn.Dropout(0.5)
        self.fc1, self.fc2 = nn.Linear(16 * 25, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        x = torch.flatten(torch.max_pool2d(x, 2), 1)
        return torch.log_softmax(self.fc2(self.dropout(torch.relu(self.fc1(x)))), 1)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
                                      nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84),
                                        nn.Tanh(), nn.Linear(84, 10))

    def forward(self, x):
        return self.classifier(self.features(x).view(x.size(0), -1))


class Again(nn.Module):
    """Modules that are called three times: their weights are shared."""
    def __init__(self):
        super().__init__()
        self.fc, self.norm, self.out = nn.Linear(6, 6), nn.LayerNorm(6), nn.Linear(6, 3)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.norm(self.fc(x)))
        return self.out(x)


class Looped(nn.Module):
    """A loop and a condition in the file: scripted, not traced."""
    def __init__(self):
        super().__init__()
        self.fc, self.out = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        h = torch.zeros_like(x[:, 0])
        for i in range(x.size(1)):
            h = torch.tanh(self.fc(h) + x[:, i])
        if bool(h.sum() > 0):
            y = self.out(h)
        else:
            y = -self.out(h)
        return y


class Grouped(nn.Module):
    """Normalisations that an export writes as several nodes, with slopes for each channel."""
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.prelu = nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.PReLU(8)
        self.depth, self.each, self.fc = nn.Conv2d(8, 8, 3, groups=8), nn.InstanceNorm2d(8, affine=True), nn.Linear(8, 3)

    def forward(self, x):
        x = self.prelu(self.norm(self.conv(x)))
        x = nn.functional.hardswish(self.each(self.depth(x)))
        return self.fc(nn.functional.adaptive_max_pool2d(x, 1).flatten(1))


class MeanSquare(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class LlamaBlock(nn.Module):
    """Norms by mean squares, turned queries and keys, a causal mask that is added, and a gated
    layer."""
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(d, 12, bias=False), nn.Linear(d, 12, bias=False), nn.Linear(12, d, bias=False)
        self.norm1, self.norm2 = MeanSquare(d), MeanSquare(d)

    def turn(self, x, cos, sin):
        a, b = x.chunk(2, -1)
        return x * cos + torch.cat([-b, a], -1) * sin

    def forward(self, x, cos, sin, mask):
        h = self.norm1(x)
        q, k, v = (f(h).view(x.size(0), 6, self.heads, -1).transpose(1, 2)
                   for f in (self.q, self.k, self.v))
        w = self.turn(q, cos, sin) @ self.turn(k, cos, sin).transpose(2, 3) / 2 + mask
        x = x + self.o((torch.softmax(w, -1) @ v).transpose(1, 2).reshape(x.size()))
        h = self.norm2(x)
        return x + self.down(nn.functional.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    """The mask and the tables of angles are buffers: the file has them as it has weights."""
    def __init__(self, d=8, heads=2):
        super().__init__()
        self.layers = nn.ModuleList(LlamaBlock(d, heads) for _ in range(2))
        self.norm, self.head = MeanSquare(d), nn.Linear(d, 5, bias=False)
        angles = torch.outer(torch.arange(12.0),
                             100.0 ** -torch.arange(0, 1, 2 * heads / d)).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.register_buffer("mask", torch.full((12, 12), -1e4).triu(1))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x, self.cos[:6], self.sin[:6], self.mask[:6, :6])
        return self.head(self.norm(x))


class Resized(nn.Module):
    """Resizing before opset 11: by half pixels if linear, and by quotients of sizes as floats, such
    as 7/3."""
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 3, 3), nn.Conv2d(3, 2, 1)

    def forward(self, x):
        x = nn.functional.interpolate(self.conv1(x), size=(7, 11), mode="bilinear")
        x = nn.functional.interpolate(self.conv2(x), scale_factor=2, mode="bilinear")
        return nn.functional.interpolate(self.conv3(x), scale_factor=1.5, mode="nearest")


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        def double(a, b):
            return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(),
                                 nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())
        self.down1, self.down2, self.bottom = double(2, 4), double(4, 8), double(8, 16)
        self.up2, self.up1 = nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 4, 2, 2)
        self.merge2, self.merge1 = double(16, 8), double(8, 4)
        self.out = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(torch.max_pool2d(a, 2))
        c = self.bottom(torch.max_pool2d(b, 2))
        d = self.merge2(torch.cat([self.up2(c), b], 1))
        return self.out(self.merge1(torch.cat([self.up1(d), a], 1)))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.rnn = kind(6, 5, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(10, 3)

    def forward(self, ids):
        y, _ = self.rnn(self.embedding(ids))
        return self.head(y[:, -1])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(12, 3, 24, dropout=0, batch_first=True,
                                           activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        return self.head(self.encoder(x).mean(1))


class SelfAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, -1).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        s = torch.matmul(q, k.transpose(-1, -2)) / (q.size(-1) ** 0.5) + mask
        y = torch.matmul(torch.softmax(s, -1), v).permute(0, 2, 1, 3).contiguous()
        return y.view(x.size())


class BertLayer(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.attention = SelfAttention(d, heads)
        self.output, self.LayerNorm1 = nn.Linear(d, d), nn.LayerNorm(d, eps=1e-12)
        self.intermediate, self.down, self.LayerNorm2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d), nn.LayerNorm(d, eps=1e-12)

    def forward(self, x, mask):
        x = self.LayerNorm1(self.output(self.attention(x, mask)) + x)
        h = self.intermediate(x)
        h = h * 0.5 * (1.0 + torch.erf(h / 2.0 ** 0.5))
        return self.LayerNorm2(self.down(h) + x)


class Bert(nn.Module):
    def __init__(self, d=12, heads=3, layers=2, length=7):
        super().__init__()
        self.word_embeddings, self.position_embeddings, self.token_type_embeddings = nn.Embedding(30, d), nn.Embedding(16, d), nn.Embedding(2, d)
        self.LayerNorm = nn.LayerNorm(d, eps=1e-12)
        self.layer = nn.ModuleList(BertLayer(d, heads) for _ in range(layers))
        self.pooler, self.classifier = nn.Linear(d, d), nn.Linear(d, 2)
        self.register_buffer("position_ids", torch.arange(16)[None])

    def forward(self, input_ids, attention_mask, token_type_ids):
        p = self.position_ids[:, : input_ids.size(1)]
        x = self.LayerNorm(self.word_embeddings(input_ids) +
                           self.token_type_embeddings(token_type_ids) + self.position_embeddings(p))
        mask = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
        for layer in self.layer:
            x = layer(x, mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class GptBlock(nn.Module):
    def __init__(self, d, heads, length):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.c_attn, self.c_proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.c_fc, self.c_out = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        self.register_buffer("bias",
                             torch.tril(torch.ones(length, length, dtype=torch.bool))[None, None])

    def attention(self, x):
        m, s, d = x.size()
        q, k, v = self.c_attn(x).split(d, dim=2)
        q, k, v = (t.view(m, s, self.heads, d // self.heads).transpose(1, 2) for t in (q, k, v))
        w = q @ k.transpose(-1, -2) / (d // self.heads) ** 0.5
        w = torch.where(self.bias[:, :, :s, :s], w,
                        torch.tensor(torch.finfo(w.dtype).min, dtype=w.dtype))
        y = torch.softmax(w, -1) @ v
        return self.c_proj(y.transpose(1, 2).contiguous().view(m, s, d))

    def forward(self, x):
        x = x + self.attention(self.ln_1(x))
        h = self.c_fc(self.ln_2(x))
        h = 0.5 * h * (1.0 + torch.tanh(0.7978845608028654 * (h + 0.044715 * torch.pow(h, 3.0))))
        return x + self.c_out(h)


class Gpt2(nn.Module):
    def __init__(self, d=12, heads=3, layers=2, length=8, words=20):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(words, d), nn.Embedding(length, d)
        self.h = nn.ModuleList(GptBlock(d, heads, length) for _ in range(layers))
        self.ln_f, self.lm_head = nn.LayerNorm(d), nn.Linear(d, words, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(ids.size(1), device=ids.device))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


def image(channels, size, batch=2):
    return lambda: (torch.randn(batch, channels, size, size),)


def words(length, top, *more):
    return lambda: (torch.randint(0, top, (2, length)),) + tuple(f((2, length)) for f in more)


def vision(name, **options):
    return lambda: getattr(torchvision.models, name)(weights=None, num_classes=10, **options)


def small_vgg():
    model = torchvision.models.vgg11_bn(weights=None, num_classes=10)
    model.avgpool, model.classifier = nn.Identity(), nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 10))
    return model


ones = lambda shape: (torch.rand(shape) < 0.8).long()
kinds = lambda shape: torch.randint(0, 2, shape)

NETWORKS = {
    "mnist_cnn": (MnistCnn, image(1, 14)),
    "lenet": (LeNet, image(1, 28)),
    "unet": (UNet, image(2, 16)),
    "again": (Again, lambda: (torch.randn(4, 6),)),
    "looped": (lambda: torch.jit.script(Looped()), lambda: (torch.randn(2, 3, 4),)),
    "grouped": (Grouped, image(3, 10)),
    "resized": (Resized, lambda: (torch.randn(2, 2, 3, 6),),
                {"opset_version": 9, "dynamic_axes": None}),
    "llama": (Llama, lambda: (torch.randn(2, 6, 8),)),
    "lstm": (lambda: Recurrent(nn.LSTM), words(5, 20)),
    "gru": (lambda: Recurrent(nn.GRU), words(5, 20)),
    "encoder": (Encoder, lambda: (torch.randn(2, 5, 12),)),
    "bert": (Bert, words(7, 30, ones, kinds)),
    "gpt2": (Gpt2, words(8, 20)),
    "gpt2_any": (lambda: Gpt2(length=64), words(8, 20),
                 {"dynamic_axes": {"input_ids": {0: "batch", 1: "length"}}}),
    "resnet18": (vision("resnet18"), image(3, 32)),
    "resnet50": (vision("resnet50"), image(3, 64, 3)),
    "vgg11_bn": (small_vgg, image(3, 32)),
    "mobilenet_v2": (vision("mobilenet_v2"), image(3, 64, 3)),
    "squeezenet": (vision("squeezenet1_1"), image(3, 48)),
    "densenet": (lambda: torchvision.models.DenseNet(8, (2, 3, 2, 2), 16, num_classes=10),
                 image(3, 32)),
    "efficientnet_b0": (vision("efficientnet_b0"), image(3, 64, 3)),
}


def quiet(model):
    """Nothing random, and weights that are all different."""
    for m in model.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
        if type(m).__name__ == "StochasticDepth":
            m.p = 0.0
        if hasattr(m, "dropout") and isinstance(m.dropout, float):
            m.dropout = 0.0
        if isinstance(m, (nn.ReLU, nn.ReLU6, nn.SiLU)):
            m.inplace = False
    for p in model.parameters():
        if p.dim() < 2:
            p.data = 0.5 + torch.rand_like(p)
        else:
            p.data += 1e-3 * torch.randn_like(p)
    for name, b in model.named_buffers():
        if name.endswith("running_mean"):
            b.data = 0.2 * torch.randn_like(b)
        if name.endswith("running_var"):
            b.data = 0.5 + torch.rand_like(b)


def write(path, value, name=""):
    with open(path, "wb") as f:
        f.write(numpy_helper.from_array(numpy.ascontiguousarray(value), name).SerializeToString())


def recurrent(model):
    """The weights of LSTM and GRU as ONNX has them, with its order of gates, and their gradients in
    the same form."""
    for m in model.modules():
        if not isinstance(m, nn.RNNBase):
            continue
        order = [0, 3, 1, 2] if isinstance(m, nn.LSTM) else [1, 0, 2]
        gates = lambda x: numpy.concatenate([numpy.split(x, len(order))[k] for k in order])
        for layer in range(m.num_layers):
            ends = ["_l%d%s" % (layer, end)
                    for end in (["", "_reverse"] if m.bidirectional else [""])]
            for kinds in ["weight_ih"], ["weight_hh"], ["bias_ih", "bias_hh"]:
                both = []
                for part in lambda p: p.detach().numpy(), lambda p: p.grad.numpy():
                    both.append(numpy.stack([numpy.concatenate([gates(part(getattr(m, k + end))) for k in kinds]) for end in ends]))
                yield both


def gradients(model, network):
    """By the names of the initializers: a parameter is found by its elements, perhaps transposed,
    or with other axes."""
    pairs = [(p.detach().numpy(), p.grad.numpy()) for p in network.parameters()
             if p.grad is not None] + list(recurrent(network))
    for t in model.graph.initializer:
        x = numpy_helper.to_array(t)
        for w, g in pairs:
            if x.shape == w.shape and (x == w).all():
                yield t.name, g
            elif x.ndim == 2 and x.shape == w.T.shape and (x == w.T).all():
                yield t.name, g.T
            elif x.size == w.size > 1 and (x.ravel() == w.ravel()).all():
                yield t.name, g.reshape(x.shape)


def make(folder, name):
    torch.manual_seed(len(name))
    torch.set_default_dtype(torch.float64)
    build, data, *more = NETWORKS[name]
    model, inputs = build(), data()
    quiet(model)
    model.eval()
    out = os.path.join(folder, name)
    os.makedirs(os.path.join(out, "test_data_set_0"), exist_ok=True)
    path = os.path.join(out, "model.onnx")
    names = ["input"]
    if inputs[0].dtype == torch.int64:
        names = ["input_ids", "attention_mask", "token_type_ids"][: len(inputs)]
    options = {"opset_version": int(os.environ.get("OPSET", 14)),
               "dynamic_axes": {n: {0: "batch"} for n in names}}
    options.update(*more)
    torch.onnx.export(model, inputs, path, training=torch.onnx.TrainingMode.PRESERVE,
                      do_constant_folding=True, input_names=names, output_names=["output"],
                      **options)
    data = os.path.join(out, "test_data_set_0", "%s_%d.pb")
    y = model(*inputs)
    target = torch.randn_like(y)
    for i, x in enumerate(inputs):
        write(data % ("input", i), x.numpy())
    write(data % ("output", 0), y.detach().numpy())
    write(data % ("target", 0), target.numpy())

    model.train()
    ((model(*inputs) - target) ** 2).mean().backward()
    for i, (n, g) in enumerate(gradients(onnx.load(path), model)):
        write(data % ("gradient", i), g, n)


if __name__ == "__main__":
    for name in sys.argv[2:] or NETWORKS:
        make(sys.argv[1], name)
