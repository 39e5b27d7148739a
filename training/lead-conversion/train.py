#!/usr/bin/env python3
"""Trains the lead conversion model and writes its bundle.

    apt-get install python3-sklearn python3-onnx python3-pandas      (Debian 12: 1.2.1, 1.12.0, 1.5.3)
    python3 training/lead-conversion/train.py                        (from the root; a few seconds)

Data: UCI Bank Marketing, see models/lead-conversion/CARD.md. `duration` is left out: it is known only after the call.
The other 19 inputs are used as they are. Five gradient-boosted models, one per fold of a cross-validation, each trained
on the other four fifths; the model that is served averages their log-odds. The calibration is fitted on the log-odds of
rows that the fold's model has not seen. The same data and versions give the same bytes.
"""

import json
import pathlib
import sys

import numpy
import onnx
import pandas
from onnx import TensorProto, helper
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from export.bundle import write_bundle, write_compressed  # noqa: E402
from export.columns import categorical_column, numeric_column  # noqa: E402
from export.reliability import calibration_error, draw_reliability, reliability  # noqa: E402

MODEL_ID = "lead-conversion"
VERSION = "1.0.0"
BUNDLE = ROOT / "models" / MODEL_ID / VERSION
FOLDS = 5
GOLDEN_CASES = 24
TOLERANCE = 1e-5
# Fixed, so that training again gives the same manifest.
TRAINED_AT = "2026-11-21T00:00:00Z"

CATEGORICAL = {
    "job": ["admin.", "blue-collar", "entrepreneur", "housemaid", "management", "retired", "self-employed", "services",
            "student", "technician", "unemployed", "unknown"],
    "marital": ["divorced", "married", "single", "unknown"],
    "education": ["basic.4y", "basic.6y", "basic.9y", "high.school", "illiterate", "professional.course",
                  "university.degree", "unknown"],
    "default": ["no", "unknown", "yes"],
    "housing": ["no", "unknown", "yes"],
    "loan": ["no", "unknown", "yes"],
    "contact": ["cellular", "telephone"],
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "day_of_week": ["mon", "tue", "wed", "thu", "fri"],
    "poutcome": ["failure", "nonexistent", "success"],
}
COLUMNS = ["age", "job", "marital", "education", "default", "housing", "loan", "contact", "month", "day_of_week",
           "campaign", "pdays", "previous", "poutcome", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m",
           "nr.employed"]


def read_data():
    """The calls in the order of their dates: inputs as text and numbers, and whether each converted."""
    table = pandas.read_csv(HERE / "bank-marketing.csv.gz", sep=";")
    return table[COLUMNS], (table["y"] == "yes").to_numpy(dtype=numpy.int64)


def encode(table):
    """Numbers as they are, categories as their place in the vocabulary: one row of float32 per call."""
    encoded = numpy.empty((len(table), len(COLUMNS)), dtype=numpy.float32)
    for place, name in enumerate(COLUMNS):
        if name in CATEGORICAL:
            codes = {category: code for code, category in enumerate(CATEGORICAL[name])}
            encoded[:, place] = table[name].map(codes)
        else:
            encoded[:, place] = table[name]
    if numpy.isnan(encoded).any():
        raise SystemExit("the data hold a value that the vocabularies lack")
    return encoded


def new_model(seed):
    return HistGradientBoostingClassifier(max_iter=120, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=100,
                                          l2_regularization=5.0, early_stopping=False, random_state=seed)


def log_odds(model, rows):
    return model.decision_function(rows)


def sigmoid(values):
    return 1.0 / (1.0 + numpy.exp(-values))


def fit_calibration(scores, outcomes):
    """Platt's sigmoid: probability = 1 / (1 + exp(-(slope * score + intercept))), fitted without a penalty."""
    fitted = LogisticRegression(penalty=None, tol=1e-10, max_iter=1000).fit(scores.reshape(-1, 1), outcomes)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def tree_node(model, place):
    """One fold's trees as an ONNX node that answers their log-odds."""
    attributes = {key: [] for key in ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values",
                                      "nodes_modes", "nodes_truenodeids", "nodes_falsenodeids",
                                      "nodes_missing_value_tracks_true", "target_treeids", "target_nodeids",
                                      "target_ids", "target_weights")}
    for tree, (predictor,) in enumerate(model._predictors):
        for number, node in enumerate(predictor.nodes):
            is_leaf = bool(node["is_leaf"])
            attributes["nodes_treeids"].append(tree)
            attributes["nodes_nodeids"].append(number)
            attributes["nodes_featureids"].append(0 if is_leaf else int(node["feature_idx"]))
            attributes["nodes_values"].append(0.0 if is_leaf else float(node["num_threshold"]))
            attributes["nodes_modes"].append("LEAF" if is_leaf else "BRANCH_LEQ")
            attributes["nodes_truenodeids"].append(0 if is_leaf else int(node["left"]))
            attributes["nodes_falsenodeids"].append(0 if is_leaf else int(node["right"]))
            attributes["nodes_missing_value_tracks_true"].append(int(node["missing_go_to_left"]))
            if is_leaf:
                attributes["target_treeids"].append(tree)
                attributes["target_nodeids"].append(number)
                attributes["target_ids"].append(0)
                attributes["target_weights"].append(float(node["value"]))
    return helper.make_node("TreeEnsembleRegressor", ["features"], [f"fold_{place}"], domain="ai.onnx.ml", n_targets=1,
                            base_values=[float(model._baseline_prediction.ravel()[0])], **attributes)


def make_onnx(models):
    """features [rows, 19] → log_odds [rows, 5]: one column for each fold's model."""
    nodes = [tree_node(model, place) for place, model in enumerate(models)]
    names = [f"fold_{place}" for place in range(len(models))]
    nodes.append(helper.make_node("Concat", names, ["log_odds"], axis=1))
    graph = helper.make_graph(
        nodes, MODEL_ID,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(COLUMNS)])],
        [helper.make_tensor_value_info("log_odds", TensorProto.FLOAT, ["rows", len(models)])])
    model = helper.make_model(graph, producer_name="presage", opset_imports=[
        helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 3)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


def describe_column(table, name):
    """What preparation and the drift monitor need to know of one column."""
    values = table[name]
    if name not in CATEGORICAL:
        return numeric_column(name, values.to_numpy(dtype=numpy.float64), values.median(), "clip")
    vocabulary = CATEGORICAL[name]
    fallback = "unknown" if "unknown" in vocabulary else str(values.value_counts().idxmax())
    return categorical_column(name, values, vocabulary, fallback)


def plain(row):
    return {name: (value if isinstance(value, str) else float(value)) for name, value in row.items()}


def golden_cases(table, probabilities):
    """Rows across the whole range of the score, each with the probability that it must get."""
    order = numpy.argsort(probabilities)
    places = order[numpy.linspace(0, len(order) - 1, GOLDEN_CASES).astype(int)]
    return [{"input": plain(table.iloc[place].to_dict()), "expected": {"probability": float(probabilities[place])}}
            for place in places]


def main():
    table, outcomes = read_data()
    rows = encode(table)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
    models, unseen, areas = [], numpy.zeros(len(rows)), []
    for seed, (train, test) in enumerate(folds.split(rows, outcomes)):
        model = new_model(seed).fit(rows[train], outcomes[train])
        unseen[test] = log_odds(model, rows[test])
        areas.append(roc_auc_score(outcomes[test], unseen[test]))
        models.append(model)
    slope, intercept = fit_calibration(unseen, outcomes)

    # How well the calibration holds on rows that it was not fitted on.
    held_out = numpy.zeros(len(rows))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=2).split(rows, outcomes):
        part_slope, part_intercept = fit_calibration(unseen[train], outcomes[train])
        held_out[test] = sigmoid(part_slope * unseen[test] + part_intercept)
    error = calibration_error(held_out, outcomes)
    bins = reliability(held_out, outcomes)

    # Trained on the first 70 % of the calls by date, tested on the rest: what happens when the world changes.
    first = int(len(rows) * 0.7)
    early = new_model(0).fit(rows[:first], outcomes[:first])
    later_area = roc_auc_score(outcomes[first:], log_odds(early, rows[first:]))

    probabilities = sigmoid(slope * numpy.mean([log_odds(model, rows) for model in models], axis=0) + intercept)
    network = make_onnx(models)
    metrics = {
        "auc": round(float(numpy.mean(areas)), 4), "auc_standard_deviation": round(float(numpy.std(areas)), 4),
        "brier": round(float(brier_score_loss(outcomes, held_out)), 4), "calibration_error": round(error, 4),
        "base_rate": round(float(outcomes.mean()), 4), "rows": len(rows),
        "auc_trained_on_first_70_percent": round(float(later_area), 4)}
    score_edges = numpy.quantile(held_out, numpy.linspace(0, 1, 11))[1:-1]
    manifest = {
        "schema_version": 1, "model_id": MODEL_ID, "version": VERSION, "model_type": "binary_classifier",
        "trained_at": TRAINED_AT,
        "description": "Whether a lead converts when it is called: UCI Bank Marketing without the duration of the call",
        "feature_columns": [describe_column(table, name) for name in COLUMNS],
        "runtime": {"file": "model.onnx", "input": "features", "output": "log_odds",
                    "combine": "mean", "members": FOLDS},
        "outputs": [{"name": "probability", "description": "That the lead converts, calibrated", "min": 0, "max": 1}],
        "calibration": {"method": "sigmoid", "parameters": {"slope": slope, "intercept": intercept},
                        "fitted_at": TRAINED_AT, "calibration_error": metrics["calibration_error"]},
        "confidence": {"method": "class_probability"},
        "score_histogram": {
            "inner_edges": [round(float(edge), 6) for edge in score_edges],
            "counts": numpy.bincount(numpy.searchsorted(score_edges, held_out, side="right"), minlength=10).tolist()},
        "files": {},
        "golden": {"tolerance": TOLERANCE, "cases": golden_cases(table, probabilities)},
        "metrics": metrics, "reliability": bins,
        "data": {"name": "Bank Marketing (with social and economic context)", "url": "https://doi.org/10.24432/C5K306",
                 "licence": "CC BY 4.0", "citation": "Moro, Cortez, Rita 2014, doi:10.1016/j.dss.2014.03.001",
                 "rows": len(rows)},
    }
    picture = draw_reliability(bins, "share that converted, on rows that the model has not seen")
    write_bundle(BUNDLE, manifest, {"model.onnx": network, "reliability.svg": picture.encode()})
    # What the trainer itself says of every row: the fleet must say the same.
    write_compressed(HERE / "probabilities.txt.gz", "".join(f"{probability:.8f}\n" for probability in probabilities))
    print(json.dumps({**metrics, "slope": slope, "intercept": intercept, "bytes": len(network)}, indent=2))


if __name__ == "__main__":
    main()
