#!/usr/bin/env python3
"""Trains a model of the effect of a treatment for each replication of IHDP, where the true effect is known.

    apt-get install python3-torch python3-sklearn python3-onnx python3-pandas
    python3 training/ihdp/train.py --data DIR --out DIR     (some 6 s for each file)

Reads every ihdp_npci_*.csv of --data, without a header: treatment, y_factual, y_cfactual, mu0, mu1, x1 to x25. Writes
a bundle for each into --out and prints how far the effects are from the true ones, mu1 - mu0. Neither these nor
y_cfactual are used for anything else. The data have no licence and are not part of Presage; see CARD.md.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import warnings

os.environ["OMP_NUM_THREADS"] = "1"
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import numpy  # noqa: E402
import pandas  # noqa: E402
import torch  # noqa: E402
from sklearn.ensemble import RandomForestRegressor  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.gaussian_process import GaussianProcessRegressor  # noqa: E402
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.model_selection import KFold  # noqa: E402

from dml.forest_dml import ForestDML  # noqa: E402
from export.bundle import hybrid_causal_fields, hybrid_causal_golden, write_bundle  # noqa: E402
from export.columns import numeric_column  # noqa: E402
from export.gaussian_process import export_gaussian_process_effect, terms_of  # noqa: E402
from export.graph import STATE, join_parts  # noqa: E402
from export.torch_module import export_torch_module  # noqa: E402
from scaling import LogisticProbabilities, Scaling  # noqa: E402

VERSION = "1.0.0"
TRAINED_AT = "2026-11-21T00:00:00Z"
COLUMNS = [f"x{number}" for number in range(1, 26)]
# The normal quantile of 90 %, both tails cut.
LEVEL, Z = 0.9, 1.6448536269514722
GOLDEN_ROWS = 16
TOLERANCE = 1e-4


class Replication:
    """One file. What may be learned from, and apart from it the truth."""

    def __init__(self, path):
        table = pandas.read_csv(path, header=None).to_numpy(dtype=numpy.float64)
        self.treatment, self.outcome, self.inputs = table[:, 0], table[:, 1], table[:, 5:]
        self.true_effect = table[:, 4] - table[:, 3]


class EffectModel:
    """A T-learner: the difference of two Gaussian processes, one for each arm, with a smooth and a linear part."""

    def fit(self, inputs, treatment, outcome):
        self.scaling = Scaling(inputs)
        state = self.scaling.state_of(inputs)
        self.treated, self.control = (self.fit_arm(state[treatment == arm], outcome[treatment == arm])
                                      for arm in (1, 0))
        return self

    @staticmethod
    def fit_arm(state, outcome):
        # Rows are some 7 apart: what changes over much less than that is noise and must not be taken for an effect.
        kernel = ConstantKernel(1.0) * RBF(5.0, (2.0, 1e3)) + ConstantKernel(1.0) * DotProduct() \
            + WhiteKernel(0.5, (1e-4, 10.0))
        with warnings.catch_warnings():
            # A term that the data do not need ends at its bound.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return GaussianProcessRegressor(kernel, normalize_y=True, random_state=0).fit(state, outcome)

    def effects(self, inputs):
        """The effect of each row, and the standard deviation of what is not known of it; no noise of outcomes in it."""
        state = self.scaling.state_of(inputs)
        means, variances = [], []
        for process in (self.treated, self.control):
            mean, deviation = process.predict(state, return_std=True)
            noise = next(each for each in terms_of(process.kernel_) if isinstance(each, WhiteKernel)).noise_level
            means.append(mean)
            variances.append(deviation ** 2 - noise * process._y_train_std ** 2)
        return means[0] - means[1], numpy.sqrt(numpy.maximum(variances[0] + variances[1], 0.0))


def sqrt_pehe(effects, true):
    """The root of the mean squared error of single effects (precision in the estimation of heterogeneous effects)."""
    return float(numpy.sqrt(numpy.mean((effects - true) ** 2)))


def rival_effects(data):
    """What other estimators say, fitted on the same rows: effects by name."""
    treated, control = data.treatment == 1, data.treatment == 0
    constant = LinearRegression().fit(numpy.column_stack([data.treatment, data.inputs]), data.outcome).coef_[0]
    lines = [LinearRegression().fit(data.inputs[arm], data.outcome[arm]).predict(data.inputs)
             for arm in (treated, control)]
    folds = list(KFold(5, shuffle=True, random_state=0).split(data.inputs))
    forest = ForestDML(RandomForestRegressor(100, min_samples_leaf=3, max_features=0.5, random_state=0),
                       RandomForestRegressor(100, min_samples_leaf=10, max_features=0.5, random_state=1),
                       RandomForestRegressor(200, min_samples_leaf=10, max_features=0.5, random_state=2))
    forest.fit(data.outcome, data.treatment, data.inputs, folds)
    return {"ols": numpy.full(len(data.outcome), constant), "ols_with_interactions": lines[0] - lines[1],
            "forest_dml": forest.const_marginal_effect(data.inputs)[:, 0]}


def held_out_figures(data):
    """Of a fifth of the rows, by a model that has seen neither their outcome nor their treatment."""
    places = numpy.random.default_rng(0).permutation(len(data.outcome))
    rest, seen = numpy.split(places, [len(places) // 5])
    model = EffectModel().fit(data.inputs[seen], data.treatment[seen], data.outcome[seen])
    effects, deviations = model.effects(data.inputs[rest])
    true = data.true_effect[rest]
    return {"sqrt_pehe_held_out": sqrt_pehe(effects, true),
            "coverage": float(numpy.mean(numpy.abs(effects - true) < Z * deviations)), "rows_held_out": len(rest)}


def fit_terciles(state, effects):
    """Which third of the effects a row's is in: a segmentation, as the data have no regimes of their own."""
    third = numpy.digitize(effects, numpy.quantile(effects, [1 / 3, 2 / 3]))
    return LogisticRegression(C=0.1, max_iter=5000).fit(state, third)


def train(path, out):
    data = Replication(path)
    model = EffectModel().fit(data.inputs, data.treatment, data.outcome)
    effects, deviations = model.effects(data.inputs)
    state = model.scaling.state_of(data.inputs)
    terciles = fit_terciles(state, effects)
    held_out = held_out_figures(data)
    metrics = {"sqrt_pehe": sqrt_pehe(effects, data.true_effect),
               "ate_error": float(abs(effects.mean() - data.true_effect.mean())),
               **{f"sqrt_pehe_{name}": sqrt_pehe(values, data.true_effect)
                  for name, values in rival_effects(data).items()},
               "sqrt_pehe_held_out": held_out["sqrt_pehe_held_out"]}
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower())
    network = join_parts(name, export_torch_module(model.scaling, len(COLUMNS), STATE, source="features"), [
        export_gaussian_process_effect(model.treated, model.control, len(COLUMNS)),
        export_torch_module(LogisticProbabilities(terciles), len(COLUMNS), "regime_probabilities"),
    ]).SerializeToString()
    golden = numpy.linspace(0, len(data.inputs) - 1, GOLDEN_ROWS).astype(int)
    manifest = {
        "schema_version": 1, "model_id": name, "version": VERSION, "trained_at": TRAINED_AT,
        "description": "Effect of early care on the outcome of a semi-synthetic trial: a benchmark, not for use",
        **hybrid_causal_fields("model.onnx"),
        "feature_columns": [numeric_column(column, data.inputs[:, place], "mean", "clip")
                            for place, column in enumerate(COLUMNS)],
        "outputs": {
            "treatments": [{"name": "treatment", "description": "Early care instead of none"}],
            "regimes": [{"name": f"{size}_effect", "description": f"The estimated effect is in the {place} third"}
                        for size, place in (("small", "lowest"), ("medium", "middle"), ("large", "highest"))],
            "uncertainty": {"description": "Standard deviation in units of the outcome", "of": "the effect of the row",
                            "level": LEVEL, "realised_coverage": round(held_out["coverage"], 4),
                            "rows": held_out["rows_held_out"]}},
        "effects": {"estimator": "T-learner: the difference of two Gaussian processes",
                    "outcome": "The outcome of IHDP, in its units"},
        "golden": hybrid_causal_golden(
            [dict(zip(COLUMNS, map(float, data.inputs[row]))) for row in golden],
            {"causal_effects": effects[golden].reshape(-1, 1),
             "regime_probabilities": terciles.predict_proba(state[golden]),
             "uncertainty": deviations[golden].reshape(-1, 1)}, TOLERANCE),
        "files": {},
        "metrics": {key: round(value, 6) for key, value in metrics.items()},
        "data": {"name": f"IHDP, semi-synthetic, {path.stem}", "url": "https://doi.org/10.1198/jcgs.2010.08162",
                 "licence": "none stated: for evaluation only", "citation": "Hill 2011, doi:10.1198/jcgs.2010.08162",
                 "rows": len(data.outcome)}}
    write_bundle(out / name / VERSION, manifest, {"model.onnx": network})
    return {**metrics, "coverage": held_out["coverage"]}


def main():
    parser = argparse.ArgumentParser(description="Trains a model for each replication of IHDP.")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with ihdp_npci_*.csv")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the bundles")
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = sorted(options.data.glob("ihdp_npci_*.csv"), key=lambda path: (len(path.name), path.name))
    if not files:
        raise SystemExit(f"{options.data} holds no ihdp_npci_*.csv")
    figures = []
    for path in files:
        figures.append(train(path, options.out))
        rounded = {key: round(value, 4) for key, value in figures[-1].items()}
        print(json.dumps({"file": path.name, **rounded}), flush=True)
    mean = {key: round(float(numpy.mean([each[key] for each in figures])), 4) for key in figures[0]}
    print(json.dumps({"mean_of": len(figures), **mean}))


if __name__ == "__main__":
    main()
