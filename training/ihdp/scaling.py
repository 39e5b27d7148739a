"""The two simple parts of a network of IHDP: what scales the inputs, and a logistic regression."""

import numpy
import torch


class Scaling(torch.nn.Module):
    """features [rows, columns] → state [rows, columns], each with mean 0 and standard deviation 1 in training."""

    def __init__(self, inputs):
        super().__init__()
        # A column that is the same in all rows says nothing: it stays as it is, at 0.
        spread = numpy.where(inputs.std(axis=0) > 0, inputs.std(axis=0), 1.0)
        self.register_buffer("mean", torch.from_numpy(inputs.mean(axis=0).astype(numpy.float32)))
        self.register_buffer("spread", torch.from_numpy(spread.astype(numpy.float32)))

    def forward(self, features):
        return (features - self.mean) / self.spread

    def state_of(self, inputs):
        """The state as the network sees it, float32, in float64."""
        with torch.no_grad():
            return self(torch.from_numpy(inputs.astype(numpy.float32))).numpy().astype(numpy.float64)


class LogisticProbabilities(torch.nn.Module):
    """A fitted multinomial LogisticRegression: state [rows, columns] → probabilities [rows, classes]."""

    def __init__(self, fitted):
        super().__init__()
        classes, columns = fitted.coef_.shape
        self.linear = torch.nn.Linear(columns, classes)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(fitted.coef_))
            self.linear.bias.copy_(torch.from_numpy(fitted.intercept_))

    def forward(self, state):
        return torch.softmax(self.linear(state), dim=1)
