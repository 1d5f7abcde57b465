"""torch_there.py make|same|compare - a network in PyTorch: its weights and predictions, for ngc;
and ngc's weights, in PyTorch.

make     writes net.st, x.npy, want.npy from a network with layers of each kind
compare  reads back.st, which ngc trained on from net.st, into the same network, and compares its predictions with ngc's got.npy
"""
import sys

import numpy

import safetensors


def close(a, b):
    worst = abs(a - b).max()
    print(f"differs by {worst:.1e}")
    sys.exit(not worst <= 2e-6)


if sys.argv[1] == "same":
    close(numpy.load(sys.argv[2]), numpy.load(sys.argv[3]))

import torch  # takes a second

torch.manual_seed(3)
torch.set_num_threads(1)
net = torch.nn.Sequential(
    torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.Flatten(),
    torch.nn.Linear(48, 10), torch.nn.LayerNorm(10), torch.nn.Tanh(), torch.nn.Linear(10, 4))
x = torch.randn(7, 1, 6, 6)
t = torch.tensor([0, 1, 2, 3, 0, 1, 2])

if sys.argv[1] == "make":
    for _ in range(20):
        net.train()
        loss = torch.nn.functional.cross_entropy(net(x), t)
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
    net.eval()
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    safetensors.write("net.st", {n: (list(v.shape), v.flatten().tolist(), kinds[v.dtype])
                                 for n, v in net.state_dict().items()})
    numpy.save("x.npy", x.numpy())
    numpy.save("t.npy", t.numpy())
    numpy.save("want.npy", torch.softmax(net(x), -1).detach().numpy())
else:
    tensors, _ = safetensors.read("back.st")
    own = net.state_dict()
    weights = {n: torch.tensor(v).reshape(shape) for n, (shape, v) in tensors.items() if n in own}
    weights.update({n: v for n, v in own.items() if n.endswith("num_batches_tracked")})
    net.load_state_dict(weights)
    net.eval()
    close(torch.softmax(net(x), -1).detach().numpy(), numpy.load("got.npy"))
