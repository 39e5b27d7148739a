#!/usr/bin/env python3
"""Trains the lead conversion model and writes its bundle.

    apt-get install python3-sklearn python3-onnx python3-pandas      (Debian 12: 1.2.1, 1.12.0, 1.5.3)
    python3 training/lead-conversion/train.py                        (from the root; a few seconds)

Data: UCI Bank Marketing, see models/lead-conversion/CARD.md. `duration` is left out: it is known only after the call.
The other 19 inputs are used as they are. Five gradient-boosted models, one per fold of a cross-validation, each trained on the other four
fifths; the model that is served averages their log-odds. The calibration is fitted on the log-odds of rows that the
fold's model has not seen. The same data and versions give the same bytes.
"""

import gzip
import hashlib
import json
import pathlib

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


def calibration_error(probabilities, outcomes, bins=10):
    """Expected calibration error over bins of equal width: the mean gap of stated and realised, weighted by rows."""
    place = numpy.minimum((probabilities * bins).astype(int), bins - 1)
    return float(sum(abs(probabilities[place == each].mean() - outcomes[place == each].mean()) * (place == each).mean()
                     for each in range(bins) if (place == each).any()))


def reliability(probabilities, outcomes, bins=10):
    place = numpy.minimum((probabilities * bins).astype(int), bins - 1)
    return [{"lower": each / bins, "upper": (each + 1) / bins, "count": int((place == each).sum()),
             "mean_stated": round(float(probabilities[place == each].mean()), 4),
             "realised": round(float(outcomes[place == each].mean()), 4)}
            for each in range(bins) if (place == each).any()]


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
    if name in CATEGORICAL:
        vocabulary = CATEGORICAL[name]
        counts = values.value_counts()
        fallback = "unknown" if "unknown" in vocabulary else str(counts.idxmax())
        return {"name": name, "type": "categorical", "vocabulary": vocabulary,
                "missing": {"strategy": "constant", "value": fallback},
                "unknown_category": {"strategy": "constant", "value": fallback},
                "histogram": {"counts": [int(counts.get(category, 0)) for category in vocabulary]}}
    # The first and the last bin are open: what lies beyond the range is counted there. A value that most rows have,
    # such as the 999 of pdays, gets a bin of its own.
    inner = numpy.unique(numpy.quantile(values, numpy.linspace(0, 1, 11)[1:-1]))
    inner = inner[inner > values.min()]
    counts = numpy.bincount(numpy.searchsorted(inner, values, side="right"), minlength=len(inner) + 1)
    return {"name": name, "type": "numeric", "min": float(values.min()), "max": float(values.max()),
            "mean": round(float(values.mean()), 6),
            "missing": {"strategy": "constant", "value": round(float(values.median()), 6)},
            "out_of_range": {"strategy": "clip"},
            "histogram": {"inner_edges": [round(float(edge), 6) for edge in inner], "counts": counts.tolist()}}


def plain(row):
    return {name: (value if isinstance(value, str) else float(value)) for name, value in row.items()}


def golden_cases(table, probabilities):
    """Rows across the whole range of the score, each with the probability that it must get."""
    order = numpy.argsort(probabilities)
    places = order[numpy.linspace(0, len(order) - 1, GOLDEN_CASES).astype(int)]
    return [{"input": plain(table.iloc[place].to_dict()), "expected": {"probability": float(probabilities[place])}}
            for place in places]


def draw_reliability(bins):
    """Stated against realised as a small picture; the area of a dot grows with its rows."""
    most = max(each["count"] for each in bins)
    dots = "".join(
        f'<circle cx="{40 + 300 * each["mean_stated"]:.1f}" cy="{340 - 300 * each["realised"]:.1f}" '
        f'r="{3 + 9 * (each["count"] / most) ** 0.5:.1f}" fill="#2563eb" fill-opacity="0.75"/>' for each in bins)
    ticks = "".join(
        f'<text x="{40 + 60 * tick}" y="358" text-anchor="middle">{tick / 5:.1f}</text>'
        f'<text x="34" y="{344 - 60 * tick}" text-anchor="end">{tick / 5:.1f}</text>' for tick in range(6))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 390" font-family="sans-serif" font-size="11">'
        '<rect width="360" height="390" fill="white"/><rect x="40" y="40" width="300" height="300" fill="none" '
        'stroke="#9ca3af"/><path d="M40 340L340 40" stroke="#9ca3af" stroke-dasharray="4 4"/>'
        f'{ticks}{dots}<text x="190" y="380" text-anchor="middle">stated probability</text>'
        '<text x="40" y="28">share that converted, on rows that the model has not seen</text></svg>\n')


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
    BUNDLE.mkdir(parents=True, exist_ok=True)
    network = make_onnx(models)
    (BUNDLE / "model.onnx").write_bytes(network)
    (BUNDLE / "reliability.svg").write_text(draw_reliability(bins))
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
        "files": {name: {"sha256": hashlib.sha256((BUNDLE / name).read_bytes()).hexdigest(),
                         "bytes": (BUNDLE / name).stat().st_size} for name in ("model.onnx", "reliability.svg")},
        "golden": {"tolerance": TOLERANCE, "cases": golden_cases(table, probabilities)},
        "metrics": metrics, "reliability": bins,
        "data": {"name": "Bank Marketing (with social and economic context)", "url": "https://doi.org/10.24432/C5K306",
                 "licence": "CC BY 4.0", "citation": "Moro, Cortez, Rita 2014, doi:10.1016/j.dss.2014.03.001",
                 "rows": len(rows)},
    }
    (BUNDLE / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    # What the trainer itself says of every row: the fleet must say the same.
    with gzip.GzipFile(HERE / "probabilities.txt.gz", "wb", mtime=0) as file:
        file.write("".join(f"{probability:.8f}\n" for probability in probabilities).encode())
    print(json.dumps({**metrics, "slope": slope, "intercept": intercept, "bytes": len(network)}, indent=2))


if __name__ == "__main__":
    main()
