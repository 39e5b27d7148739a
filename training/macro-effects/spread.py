"""How far the outcome lies from its forecast: a standard deviation for each month."""

from statistics import NormalDist

import numpy
import torch
from sklearn.linear_model import Ridge

from dml.cross_fit import blocks_in_time, cross_fit

LEVEL = 0.9
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
# Twelve months that overlap leave few independent outcomes: the forecast stays near the mean.
PENALTY = 3000.0


class OutcomeDeviation(torch.nn.Module):
    """state [rows, signals] → standard deviation [rows, 1]: the exponential of something linear in the state."""

    def __init__(self, signals):
        super().__init__()
        self.log_deviation = torch.nn.Linear(signals, 1)

    def forward(self, state):
        return torch.exp(self.log_deviation(state))


def new_forecast():
    return Ridge(alpha=PENALTY)


def fit_deviation(state, outcome, gap):
    """Fitted by likelihood to what forecasts are wrong by in blocks of time that they have not seen, then scaled so
    that LEVEL of those errors lie within Z standard deviations."""
    errors = cross_fit(new_forecast(), state, outcome, blocks_in_time(len(state), 8, gap))
    torch.manual_seed(0)
    model = OutcomeDeviation(state.shape[1])
    torch.nn.init.zeros_(model.log_deviation.weight)
    torch.nn.init.constant_(model.log_deviation.bias, float(numpy.log(errors.std())))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    rows, wrong = torch.from_numpy(state), torch.from_numpy(errors.astype(numpy.float32)).reshape(-1, 1)
    for _ in range(300):
        optimiser.zero_grad()
        logs = model.log_deviation(rows)
        likelihood = (logs + 0.5 * (wrong / torch.exp(logs)) ** 2).mean()
        (likelihood + 0.3 * model.log_deviation.weight.pow(2).sum()).backward()
        optimiser.step()
    with torch.no_grad():
        ratio = numpy.quantile(numpy.abs(errors) / model(rows).numpy().ravel(), LEVEL)
        model.log_deviation.bias += float(numpy.log(ratio / Z))
    return model.eval()


def deviations_of(model, state):
    with torch.no_grad():
        return model(torch.from_numpy(state)).numpy().ravel()
