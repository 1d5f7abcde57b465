# fashion.py - writes a small network for images of 28 x 28 as an ONNX file, before it is trained:
# fashion.py FILE
import sys
import warnings

import torch
import torch.nn as nn

warnings.filterwarnings("ignore")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 5, stride=2), nn.Conv2d(8, 16, 3)
        self.fc1, self.fc2 = nn.Linear(16 * 25, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv2(torch.relu(self.conv1(x / 255)))), 2)
        return self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))


torch.manual_seed(1)
torch.onnx.export(Net(), torch.randn(2, 1, 28, 28), sys.argv[1], input_names=["image"],
                  output_names=["scores"],
                  dynamic_axes={"image": {0: "batch"}}, training=torch.onnx.TrainingMode.PRESERVE)
