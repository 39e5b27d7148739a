"""From the inputs to the state that every part of the model sees: growth rates and spreads, in their known range."""

import numpy
import torch

from series import INPUTS

PLACES = {each: place for place, each in enumerate(INPUTS)}
# 100 · log of one input over another. Levels that grow for ever enter in this way only.
RATIOS = {"inflation_12": (("CPIAUCSL", 1), ("CPIAUCSL", 13)),
          "production_3": (("INDPRO", 1), ("INDPRO", 4)),
          "production_12": (("INDPRO", 1), ("INDPRO", 13)),
          "employment_3": (("PAYEMS", 1), ("PAYEMS", 4)),
          "employment_12": (("PAYEMS", 1), ("PAYEMS", 13)),
          "claims_3": (("CLAIMSx", 1), ("CLAIMSx", 4))}
# One input, or one minus another, in percentage points.
DIFFERENCES = {"unemployment": (("UNRATE", 1), None),
               "unemployment_rise_3": (("UNRATE", 1), ("UNRATE", 4)),
               "unemployment_rise_12": (("UNRATE", 1), ("UNRATE", 13)),
               "funds_rate": (("FEDFUNDS", 1), None),
               "funds_rise_12": (("FEDFUNDS", 1), ("FEDFUNDS", 13)),
               "term_spread": (("GS10", 1), ("FEDFUNDS", 1)),
               "term_spread_year_ago": (("GS10", 13), ("FEDFUNDS", 13)),
               "paper_spread": (("CP3Mx", 1), ("TB3MS", 1))}
LOGS = {"housing": ("HOUST", 1)}
SIGNALS = [*RATIOS, *DIFFERENCES, *LOGS]


class Signals(torch.nn.Module):
    """features [rows, 20] → state [rows, 15], each signal with mean 0 and standard deviation 1 in training.

    A signal beyond its training range is moved to its end. One that lacks an input (NaN) is 0, its mean: half of a
    growth rate says nothing.
    """

    def __init__(self):
        super().__init__()
        def places(pairs, side):
            return torch.tensor([PLACES[pair[side]] for pair in pairs])
        self.register_buffer("above", places(RATIOS.values(), 0))
        self.register_buffer("below", places(RATIOS.values(), 1))
        self.register_buffer("logs", torch.tensor([PLACES[each] for each in LOGS.values()]))
        self.register_buffer("plus", torch.tensor([PLACES[plus] for plus, _ in DIFFERENCES.values()]))
        # What is subtracted from a level is the level times zero: it keeps NaN as NaN.
        self.register_buffer("minus", torch.tensor([PLACES[minus or plus] for plus, minus in DIFFERENCES.values()]))
        self.register_buffer("share", torch.tensor([float(minus is not None) for _, minus in DIFFERENCES.values()]))
        for name in ("mean", "spread", "least", "greatest"):
            self.register_buffer(name, torch.zeros(len(SIGNALS)))

    def raw(self, features):
        ratios = 100.0 * torch.log(features[:, self.above] / features[:, self.below])
        differences = features[:, self.plus] - self.share * features[:, self.minus]
        return torch.cat([ratios, differences, torch.log(features[:, self.logs])], dim=1)

    def fit(self, features):
        """features: training rows without NaN."""
        raw = self.raw(torch.from_numpy(features)).double()
        self.mean.copy_(raw.mean(dim=0))
        self.spread.copy_(raw.std(dim=0))
        scaled = (self.raw(torch.from_numpy(features)) - self.mean) / self.spread
        self.least.copy_(scaled.min(dim=0).values)
        self.greatest.copy_(scaled.max(dim=0).values)
        return self

    def forward(self, features):
        scaled = (self.raw(features) - self.mean) / self.spread
        known = torch.where(torch.isnan(scaled), torch.zeros_like(scaled), scaled)
        return torch.minimum(torch.maximum(known, self.least), self.greatest)

    def state_of(self, features):
        """[rows, 15], float32, as a network sees it."""
        with torch.no_grad():
            return self(torch.from_numpy(numpy.ascontiguousarray(features))).numpy()
