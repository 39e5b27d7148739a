#!/usr/bin/env python3
"""Records, for each exporter, a small network and what the estimator itself answers: test/fixtures/exporters/*.json.

    python3 training/record_parity.py

The fleet's runtime has to answer the same (test/integration/models/exporters.test.ts). The same versions give the same
bytes.
"""

import base64
import json
import os
import pathlib
import types

os.environ["OMP_NUM_THREADS"] = "1"

import numpy
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import PolynomialFeatures

from dml.forest_dml import ForestDML
from dml.linear_dml import LinearDML
from export.forest_final_stage import export_forest_final_stage
from export.gaussian_process import export_gaussian_process_effect
from export.linear_final_stage import export_linear_final_stage
from export.torch_module import export_torch_module

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "test" / "fixtures" / "exporters"
ROWS, COLUMNS = 300, 4


def sample():
    """State, two treatments, and an outcome on which their effects depend on the state."""
    random = numpy.random.default_rng(1)
    state = random.normal(size=(ROWS, COLUMNS)).astype(numpy.float32).astype(numpy.float64)
    treatments = random.normal(size=(ROWS, 2)) + 0.5 * state[:, :1]
    effects = numpy.column_stack([1 + state[:, 1], 0.5 - 2 * state[:, 2]])
    return state, treatments, state[:, 0] + (effects * treatments).sum(axis=1) + 0.1 * random.normal(size=ROWS)


def linear_case(state, treatments, outcome):
    folds = list(KFold(3).split(state))
    estimator = LinearDML(Ridge(), penalty=1.0).fit(outcome, treatments, state, state, folds)
    return export_linear_final_stage(estimator, COLUMNS), state, {
        "causal_effects": estimator.const_marginal_effect(state)}


def polynomial_case(state, treatments, _outcome):
    """The shape of econml's LinearDML with a featurizer and without an intercept."""
    featurizer = PolynomialFeatures(3).fit(state)
    coefficients = numpy.random.default_rng(2).normal(size=(1, treatments.shape[1], featurizer.n_output_features_))
    estimator = types.SimpleNamespace(coef_=coefficients, original_featurizer=featurizer)
    return export_linear_final_stage(estimator, COLUMNS), state, {
        "causal_effects": featurizer.transform(state) @ coefficients[0].T}


def new_forest(seed):
    return RandomForestRegressor(20, max_depth=5, min_samples_leaf=5, random_state=seed)


def at_the_splits(state, model):
    """Rows that lie exactly on a split of a forest, and one float32 on either side of it."""
    values = {each.name: each for each in model.graph.node[0].attribute}
    rows = []
    for column, split, mode in zip(values["nodes_featureids"].ints, values["nodes_values"].floats,
                                   values["nodes_modes"].strings):
        if mode == b"LEAF" or len(rows) >= ROWS:
            continue
        at = numpy.float32(split)
        for near in (numpy.nextafter(at, numpy.float32(-numpy.inf)), at, numpy.nextafter(at, numpy.float32(numpy.inf))):
            rows.append(numpy.where(numpy.arange(COLUMNS) == column, near, state[len(rows) % ROWS]))
    return numpy.array(rows)


def forest_case(state, treatments, outcome):
    estimator = ForestDML(Ridge(), Ridge(), new_forest(0))
    estimator.fit(outcome, treatments[:, 0], state, list(KFold(3).split(state)))
    model = export_forest_final_stage(estimator, COLUMNS)
    rows = numpy.vstack([state, at_the_splits(state, model)])
    return model, rows, {"causal_effects": estimator.const_marginal_effect(rows)}


def causal_forest_case(parameters):
    """The shape of econml's CausalForestDML: `model_cate` holds one forest, whose trees hold moments for every node."""
    def case(state, treatments, outcome):
        forest = new_forest(3).fit(state, outcome)
        moved = numpy.column_stack([treatments[:, 0], numpy.ones(ROWS)])[:, :parameters]
        alpha, jacobian = moved * outcome[:, None], (moved[:, :, None] * moved[:, None, :]).reshape(ROWS, -1)
        trees, sums = [], [0, 0]
        for fitted in forest.estimators_:
            paths = fitted.decision_path(state.astype(numpy.float32)).toarray()
            means = [paths.T @ part / paths.sum(axis=0)[:, None] for part in (alpha, jacobian)]
            leaves = fitted.apply(state.astype(numpy.float32))
            sums = [total + mean[leaves] for total, mean in zip(sums, means)]
            trees.append(types.SimpleNamespace(tree_=types.SimpleNamespace(
                children_left=fitted.tree_.children_left, children_right=fitted.tree_.children_right,
                feature=fitted.tree_.feature, threshold=fitted.tree_.threshold, precond=means[0], jac=means[1])))
        estimator = types.SimpleNamespace(model_cate=types.SimpleNamespace(
            estimators_=[types.SimpleNamespace(estimators_=trees)]))
        solved = numpy.linalg.solve(sums[1].reshape(ROWS, parameters, parameters), sums[0][:, :, None])
        return export_forest_final_stage(estimator, COLUMNS), state, {"causal_effects": solved[:, :1, 0]}
    return case


def gaussian_process_case(state, _treatments, outcome):
    kernel = ConstantKernel(2.0) * RBF(1.5) + ConstantKernel(0.5) * DotProduct(0.7) + WhiteKernel(0.1)
    arms = [GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True).fit(state[part], outcome[part])
            for part in (slice(0, 60), slice(60, 150))]
    means, variances = zip(*((mean, deviation ** 2 - 0.1 * arm._y_train_std ** 2) for arm in arms
                             for mean, deviation in [arm.predict(state, return_std=True)]))
    return export_gaussian_process_effect(*arms, COLUMNS), state, {
        "causal_effects": (means[0] - means[1]).reshape(-1, 1),
        "uncertainty": numpy.sqrt(sum(variances)).reshape(-1, 1)}


def torch_case(state, _treatments, _outcome):
    torch.manual_seed(4)
    module = torch.nn.Sequential(torch.nn.Linear(COLUMNS, 8), torch.nn.LayerNorm(8), torch.nn.GELU(),
                                 torch.nn.Dropout(0.5), torch.nn.Linear(8, 3), torch.nn.Softmax(dim=1))
    part = export_torch_module(module, COLUMNS, "regime_probabilities")
    with torch.no_grad():
        return part, state, {"regime_probabilities": module(torch.from_numpy(state).float()).double().numpy()}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cases = {"linear": linear_case, "polynomial": polynomial_case, "forest": forest_case,
             "causal-forest": causal_forest_case(1), "causal-forest-with-intercept": causal_forest_case(2),
             "gaussian-process": gaussian_process_case, "torch": torch_case}
    for name, case in cases.items():
        model, rows, answers = case(*sample())
        content = {"columns": COLUMNS,
                   "outputs": [{"name": key, "width": values.shape[1]} for key, values in answers.items()],
                   "rows": rows.tolist(), "answers": {key: values.tolist() for key, values in answers.items()},
                   "network": base64.b64encode(model.SerializeToString()).decode()}
        (FOLDER / f"{name}.json").write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
