"""Double machine learning with a forest as its final stage (the R-learner of Nie and Wager 2021), for one treatment."""

import numpy

from .cross_fit import cross_fit


class ForestDML:
    """Finds effect(state) that minimises the mean of (left - moved · effect)², where `left` and `moved` are what the
    models of outcome and treatment leave: a forest of left / moved, with the weights moved².

    outcome_model, treatment_model: scikit-learn regressors. forest: a scikit-learn forest of regression trees.
    """

    def __init__(self, outcome_model, treatment_model, forest):
        self.outcome_model, self.treatment_model, self.forest = outcome_model, treatment_model, forest

    def fit(self, outcome, treatment, state, folds):
        """outcome [rows], treatment [rows], state [rows, columns]; folds as those of cross_fit."""
        left = cross_fit(self.outcome_model, state, outcome, folds)
        moved = cross_fit(self.treatment_model, state, treatment, folds)
        # A row whose treatment was foreseen says nothing of the effect, and its weight says so.
        kept = numpy.abs(moved) > 1e-6
        self.forest.fit(state[kept], left[kept] / moved[kept], sample_weight=moved[kept] ** 2)
        return self

    @property
    def estimators_(self):
        return self.forest.estimators_

    def const_marginal_effect(self, state):
        """The effect of the treatment, [rows, 1]."""
        return self.forest.predict(state).reshape(-1, 1)
