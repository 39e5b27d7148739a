"""The linear final stage of double machine learning as ONNX: effect = intercept + features(state) · coefficients."""

import numpy
from onnx import helper, numpy_helper

from .graph import STATE, make_part

OUTPUT = "causal_effects"


def export_linear_final_stage(estimator, columns):
    """Answers `causal_effects` [rows, treatments] for an estimator of the shape of econml's LinearDML.

    estimator: fitted, of one outcome. `coef_` [treatments, features] or [features]; `intercept_` [treatments] or a
        number, taken as 0 where there is none; `original_featurizer`, fitted: None, or something with the `powers_`
        [features, columns] of scikit-learn's PolynomialFeatures.
    columns: how many columns the state has.
    """
    coefficients = as_rows(numpy.asarray(estimator.coef_, dtype=numpy.float64))
    intercept = numpy.zeros(len(coefficients)) + numpy.ravel(getattr(estimator, "intercept_", 0.0))
    powers = read_powers(estimator, columns)
    if coefficients.shape[1] != len(powers):
        raise ValueError(f"coef_ is for {coefficients.shape[1]} features, but the featurizer makes {len(powers)}")
    # A feature is a product of columns: column i as often as its power says, and a column of ones for the rest.
    degree = max(1, int(powers.sum(axis=1).max(initial=0)))
    factors = numpy.full((degree, len(powers)), columns, dtype=numpy.int64)
    for feature, row in enumerate(powers):
        used = numpy.repeat(numpy.arange(columns), row)
        factors[:len(used), feature] = used
    constants = [
        numpy_helper.from_array(numpy.ones(1, dtype=numpy.float32), "one"),
        numpy_helper.from_array(numpy.zeros(1, dtype=numpy.int64), "first_column"),
        numpy_helper.from_array(coefficients.T.astype(numpy.float32), "coefficients"),
        numpy_helper.from_array(intercept.astype(numpy.float32), "intercept")]
    nodes = [helper.make_node("Gather", [STATE, "first_column"], ["any_column"], axis=1),
             helper.make_node("Sub", ["any_column", "any_column"], ["zeros"]),
             helper.make_node("Add", ["zeros", "one"], ["ones"]),
             helper.make_node("Concat", [STATE, "ones"], ["with_ones"], axis=1)]
    for place, columns_used in enumerate(factors):
        constants.append(numpy_helper.from_array(columns_used, f"columns_{place}"))
        nodes.append(helper.make_node("Gather", ["with_ones", f"columns_{place}"], [f"factor_{place}"], axis=1))
    product = "factor_0"
    for place in range(1, degree):
        nodes.append(helper.make_node("Mul", [product, f"factor_{place}"], [f"product_{place}"]))
        product = f"product_{place}"
    nodes.append(helper.make_node("Gemm", [product, "coefficients", "intercept"], [OUTPUT]))
    return make_part(nodes, constants, columns, {OUTPUT: len(coefficients)})


def as_rows(coefficients):
    """[treatments, features] of what econml answers for one outcome, whichever of its shapes that is."""
    if coefficients.ndim == 3 and len(coefficients) == 1:
        return coefficients[0]
    if coefficients.ndim > 2:
        raise ValueError(f"coef_ has the shape {coefficients.shape}: only one outcome can be exported")
    return numpy.atleast_2d(coefficients)


def read_powers(estimator, columns):
    # Not `featurizer_`: econml's puts a column of ones for the intercept before the features.
    featurizer = getattr(estimator, "original_featurizer", None)
    if featurizer is None:
        return numpy.eye(columns, dtype=numpy.int64)
    if not hasattr(featurizer, "powers_"):
        raise TypeError(f"the featurizer {type(featurizer).__name__} has no powers_: only polynomials can be exported")
    if featurizer.powers_.shape[1] != columns:
        raise ValueError(f"the featurizer takes {featurizer.powers_.shape[1]} columns, but the state has {columns}")
    return featurizer.powers_
