#!/usr/bin/env python3
"""Trains the macro effects model and writes its bundle.

    apt-get install python3-torch python3-sklearn python3-onnx python3-pandas  (Debian 12: 1.13.0, 1.2.1, 1.12.0, 1.5.3)
    python3 training/macro-effects/train.py                                    (from the root; half a minute)

Data: FRED-MD and the NBER's recession dates, see models/macro-effects/CARD.md. The same data and versions give the same
bytes.
"""

import json
import os
import pathlib
import sys

os.environ["OMP_NUM_THREADS"] = "1"
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

import numpy  # noqa: E402
import torch  # noqa: E402
from sklearn.ensemble import RandomForestRegressor  # noqa: E402

from dml.cross_fit import blocks_in_time  # noqa: E402
from dml.linear_dml import LinearDML  # noqa: E402
from export.bundle import hybrid_causal_fields, hybrid_causal_golden, write_bundle, write_compressed  # noqa: E402
from export.columns import numeric_column  # noqa: E402
from export.graph import STATE, join_parts  # noqa: E402
from export.linear_final_stage import export_linear_final_stage  # noqa: E402
from export.reliability import calibration_error, draw_reliability, reliability  # noqa: E402
from export.torch_module import export_torch_module  # noqa: E402
from regimes import controls, fit_regimes, judge, probabilities_of  # noqa: E402
from series import (COLUMNS, HORIZON, INPUTS, REGIMES, inputs_of, outcome_of, read_series, regimes_of,  # noqa: E402
                    treatments_of)
from signals import SIGNALS, Signals  # noqa: E402
from spread import LEVEL, Z, deviations_of, fit_deviation, new_forecast  # noqa: E402

MODEL_ID = "macro-effects"
VERSION = "1.0.0"
BUNDLE = ROOT / "models" / MODEL_ID / VERSION
# Fixed, so that training again gives the same manifest.
TRAINED_AT = "2026-11-21T00:00:00Z"
TOLERANCE = 1e-5
GOLDEN_MONTHS = 20
# Each part is trained on the months before the first year and judged on those from it to the year before the second.
HELD_OUT = [(1985, 1995), (1995, 2005), (2005, 2015)]
BLOCKS = 8
MODIFIERS = ["inflation_12", "unemployment", "funds_rate", "term_spread"]
TREATMENTS = [
    ("federal_funds_rate", "The federal funds rate one percentage point higher than it was a month ago"),
    ("term_spread", "Ten-year Treasury yield minus federal funds rate one percentage point wider than a month ago"),
    ("paper_spread",
     "Three-month commercial paper minus Treasury bill rate one percentage point wider than a month ago")]
REGIME_TEXTS = ["Neither recession nor recovery", "A recession as the NBER dates them",
                "One of the first 12 months after a recession"]


class Months:
    """The months that have all inputs."""

    def __init__(self):
        series = read_series()
        features, treatments = inputs_of(series), treatments_of(series)
        kept = ~(numpy.isnan(features).any(axis=1) | numpy.isnan(treatments).any(axis=1))
        self.dates = series.index[kept]
        self.features, self.treatments = features[kept], treatments[kept]
        self.outcome, self.regimes = outcome_of(series)[kept], regimes_of(series)[kept]
        # As published, before they are rounded to float32.
        self.published = numpy.column_stack([series[name].shift(lag) for name, lag in INPUTS])[kept]
        self.known = ~numpy.isnan(self.outcome)


def new_nuisance():
    return RandomForestRegressor(100, min_samples_leaf=10, max_features=0.5, random_state=0)


def fit_effects(state, outcome, treatments):
    """Cross-fitted over blocks of time: an outcome overlaps with those of the next twelve months."""
    model = LinearDML(new_nuisance(), penalty=30.0, modifiers=[SIGNALS.index(name) for name in MODIFIERS],
                      overlap=HORIZON)
    return model.fit(outcome, treatments, state, state, blocks_in_time(len(state), BLOCKS, HORIZON))


def judge_later_years(months):
    """What each part, trained on earlier months only, says of later ones: figures by name, and regimes as stated."""
    stated, true, others, covered = [], [], {}, []
    losses = {"varying": [], "constant": [], "none": []}
    for first, end in HELD_OUT:
        earlier, later = months.dates.year < first, (months.dates.year >= first) & (months.dates.year < end)
        signals = Signals().fit(months.features[earlier])
        state, ahead = signals.state_of(months.features[earlier]), signals.state_of(months.features[later])
        stated.append(probabilities_of(fit_regimes(state, months.regimes[earlier], len(REGIMES)), ahead))
        true.append(months.regimes[later])
        for name, values in controls(state, months.regimes[earlier], ahead, len(REGIMES)).items():
            others.setdefault(name, []).append(values)

        # A month is learned from when its outcome was known before the first of the later months.
        past = numpy.flatnonzero(earlier)[:-HORIZON]
        seen, outcome, moved = state[:len(past)], months.outcome[past], months.treatments[past]
        scored = later & months.known
        ahead, truth = signals.state_of(months.features[scored]), months.outcome[scored]
        error = truth - new_forecast().fit(seen, outcome).predict(ahead)
        covered.append(numpy.abs(error) < Z * deviations_of(fit_deviation(seen, outcome, HORIZON), ahead))

        effects = fit_effects(seen, outcome, moved)
        left = truth - new_nuisance().fit(seen, outcome).predict(ahead)
        change = numpy.column_stack([
            months.treatments[scored, each] - new_nuisance().fit(seen, moved[:, each]).predict(ahead)
            for each in range(len(TREATMENTS))])
        losses["varying"].append(left - (change * effects.const_marginal_effect(ahead)).sum(axis=1))
        losses["constant"].append(left - change @ effects.average_)
        losses["none"].append(left)
    probabilities, regimes = numpy.vstack(stated), numpy.hstack(true)
    figures = judge("regime", probabilities, regimes, len(REGIMES))
    for name, values in others.items():
        figures |= judge(f"regime_{name}", numpy.vstack(values), regimes, len(REGIMES))
    recession = (probabilities[:, 1], (regimes == 1).astype(float))
    figures |= {"recession_calibration_error": calibration_error(*recession), "regime_rows": len(regimes)}
    for name, values in losses.items():
        figures[f"outcome_error_effects_{name}"] = numpy.sqrt(numpy.mean(numpy.hstack(values) ** 2))
    return figures, numpy.hstack(covered), reliability(*recession)


def answers_of(signals, effects, regimes, deviation, features):
    """What the trained parts themselves say, [rows, width] by output."""
    state = signals.state_of(features)
    return {"causal_effects": effects.const_marginal_effect(state.astype(numpy.float64)),
            "regime_probabilities": probabilities_of(regimes, state),
            "uncertainty": deviations_of(deviation, state).reshape(-1, 1)}


def golden_rows(months):
    """Months from first to last; one of which only the last price level and the funds rate are known; an empty one."""
    places = numpy.linspace(0, len(months.dates) - 1, GOLDEN_MONTHS).astype(int)
    rows = [dict(zip(COLUMNS, map(float, months.published[place]))) for place in places]
    few = {"fred_CPIAUCSL_lag_30d": 105.2, "fred_FEDFUNDS_lag_30d": 2.5}
    return [*rows, {name: few.get(name) for name in COLUMNS}, dict.fromkeys(COLUMNS)]


def write_answers(months, answers):
    """Every month's inputs and answers: the fleet must say the same."""
    names = [*COLUMNS, *(f"effect_{name}" for name, _ in TREATMENTS), *REGIMES, "uncertainty"]
    lines = [",".join(names)]
    for row in numpy.column_stack([months.published, *answers.values()]):
        lines.append(",".join([*(repr(float(value)) for value in row[:len(COLUMNS)]),
                               *(f"{value:.8f}" for value in row[len(COLUMNS):])]))
    write_compressed(HERE / "answers.csv.gz", "\n".join(lines) + "\n")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    months = Months()
    figures, covered, bins = judge_later_years(months)

    signals = Signals().fit(months.features)
    state = signals.state_of(months.features)
    known = months.known
    effects = fit_effects(state[known], months.outcome[known], months.treatments[known])
    regimes = fit_regimes(state, months.regimes, len(REGIMES))
    deviation = fit_deviation(state[known], months.outcome[known], HORIZON)
    network = join_parts(MODEL_ID, export_torch_module(signals, len(COLUMNS), STATE, source="features"), [
        export_linear_final_stage(effects, len(SIGNALS)),
        export_torch_module(regimes, len(SIGNALS), "regime_probabilities"),
        export_torch_module(deviation, len(SIGNALS), "uncertainty")]).SerializeToString()

    for (name, _), average, error in zip(TREATMENTS, effects.average_, effects.average_errors_):
        figures |= {f"average_effect_{name}": average, f"average_effect_{name}_standard_error": error}
    golden = golden_rows(months)
    inputs = numpy.array([[numpy.nan if value is None else value for value in row.values()] for row in golden])
    manifest = {
        "schema_version": 1, "model_id": MODEL_ID, "version": VERSION, "trained_at": TRAINED_AT,
        "description": "What monetary and market changes do to industrial production, and the business cycle's regime: "
                       "FRED-MD, 1960 to 2014. A sample, not for decisions",
        **hybrid_causal_fields("model.onnx"),
        # Half of a growth rate says nothing, so the network itself knows what to do without a value.
        "feature_columns": [numeric_column(name, months.published[:, place], "nan", "keep")
                            for place, name in enumerate(COLUMNS)],
        "outputs": {
            "treatments": [{"name": name, "description": text} for name, text in TREATMENTS],
            "regimes": [{"name": name, "description": text} for name, text in zip(REGIMES, REGIME_TEXTS)],
            "uncertainty": {
                "description": "Standard deviation in percentage points; it depends on the state of the economy",
                "of": "growth of industrial production over the next 12 months around its forecast from the same "
                      "inputs",
                "level": LEVEL, "realised_coverage": round(float(covered.mean()), 4), "rows": len(covered)}},
        "effects": {
            "estimator": "Double machine learning: random forests cross-fitted over blocks of time, linear final stage",
            "outcome": "Growth of industrial production over the next 12 months, percentage points per percentage "
                       "point"},
        "golden": hybrid_causal_golden(golden, answers_of(signals, effects, regimes, deviation,
                                                          inputs.astype(numpy.float32)), TOLERANCE),
        "files": {},
        "metrics": {name: value if isinstance(value, int) else round(float(value), 4)
                    for name, value in figures.items()},
        "data": {"name": "FRED-MD (series of the Federal Reserve Bank of St. Louis) and NBER recession dates",
                 "url": "https://www.stlouisfed.org/research/economists/mccracken/fred-databases",
                 "licence": "FRED terms of use; ODC-BY with attribution",
                 "citation": "McCracken, Ng 2016, doi:10.1080/07350015.2015.1086655; Federal Reserve Bank of St. "
                             "Louis; NBER Business Cycle Dating Committee", "rows": len(months.dates)},
    }
    picture = draw_reliability(bins, "share of months in recession, 1985 to 2014, by what earlier years taught")
    write_bundle(BUNDLE, manifest, {"model.onnx": network, "reliability.svg": picture.encode()})
    write_answers(months, answers_of(signals, effects, regimes, deviation, months.features))
    print(json.dumps({**manifest["metrics"], "coverage": manifest["outputs"]["uncertainty"], "bytes": len(network)},
                     indent=2))


if __name__ == "__main__":
    main()
