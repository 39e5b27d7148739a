"""Double machine learning with a linear final stage (Chernozhukov and others 2018), shaped like econml's LinearDML."""

import numpy

from .cross_fit import cross_fit


class LinearDML:
    """outcome - E[outcome | controls] = (treatment - E[treatment | controls]) · (intercept + coefficients · state).

    model: a scikit-learn regressor, cloned for each expectation and fold.
    penalty: ridge penalty on the coefficients of the standardised state; the intercept has none.
    modifiers: the columns of the state on which the effect may depend; None: all.
    overlap: how many neighbouring rows share a part of their outcome; the standard errors allow for it (Newey, West).

    Fitted: `coef_` [treatments, columns], `intercept_` [treatments], `average_` [treatments], the mean effect over the
    rows, and its `average_errors_`.
    """

    original_featurizer = None

    def __init__(self, model, penalty=0.0, modifiers=None, overlap=0):
        self.model, self.penalty, self.modifiers, self.overlap = model, penalty, modifiers, overlap

    def fit(self, outcome, treatments, state, controls, folds):
        """outcome [rows], treatments [rows, treatments], state [rows, columns], controls [rows, any]; see cross_fit."""
        left = cross_fit(self.model, controls, outcome, folds)
        moved = numpy.column_stack([cross_fit(self.model, controls, each, folds) for each in treatments.T])
        self.solve(left, moved, state)
        return self

    def solve(self, left, moved, state):
        """The final stage, from the residuals of the outcome and of the treatments."""
        chosen = numpy.arange(state.shape[1]) if self.modifiers is None else numpy.asarray(self.modifiers)
        used = state[:, chosen]
        (rows, columns), count = used.shape, moved.shape[1]
        centre, spread = used.mean(axis=0), used.std(axis=0)
        scaled = numpy.column_stack([numpy.ones(rows), (used - centre) / spread])
        design = (moved[:, :, None] * scaled[:, None, :]).reshape(rows, -1)
        penalties = self.penalty * numpy.tile([0.0] + [1.0] * columns, count)
        bread = numpy.linalg.inv(design.T @ design + numpy.diag(penalties))
        solution = bread @ design.T @ left
        scores = design * (left - design @ solution)[:, None]
        meat = scores.T @ scores
        for lag in range(1, self.overlap + 1):
            shared = scores[lag:].T @ scores[:-lag]
            meat += (1 - lag / (self.overlap + 1)) * (shared + shared.T)
        covariance = (bread @ meat @ bread).reshape(count, columns + 1, count, columns + 1)
        by_treatment = solution.reshape(count, columns + 1)
        # The modifiers are centred: their part of the mean effect is zero.
        self.average_ = by_treatment[:, 0]
        self.average_errors_ = numpy.sqrt([covariance[each, 0, each, 0] for each in range(count)])
        slopes = by_treatment[:, 1:] / spread
        self.coef_ = numpy.zeros((count, state.shape[1]))
        self.coef_[:, chosen] = slopes
        self.intercept_ = by_treatment[:, 0] - slopes @ centre

    def const_marginal_effect(self, state):
        """The effect of one unit more of each treatment, [rows, treatments]."""
        return state @ self.coef_.T + self.intercept_
