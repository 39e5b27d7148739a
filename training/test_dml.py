"""Run with: python3 -m unittest discover --start-directory training"""

import unittest

import numpy
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from dml.cross_fit import blocks_in_time, cross_fit
from dml.forest_dml import ForestDML
from dml.linear_dml import LinearDML


def confounded(rows=2000):
    """A treatment that follows the state, which moves the outcome too. Its effect is 2 - the second column."""
    random = numpy.random.default_rng(0)
    state = random.normal(size=(rows, 3))
    treatment = state[:, 0] + random.normal(size=rows)
    effect = 2 - state[:, 1]
    return state, treatment, effect, 3 * state[:, 0] + effect * treatment + random.normal(size=rows)


class CrossFitting(unittest.TestCase):
    def test_a_row_is_never_predicted_by_a_model_that_has_seen_it(self):
        target = numpy.arange(10.0)
        controls = numpy.arange(10.0).reshape(-1, 1)

        class Remembers(LinearRegression):
            def predict(self, rows):
                assert not set(rows[:, 0]) & set(self.seen)
                return numpy.zeros(len(rows))

            def fit(self, rows, _target):
                self.seen = rows[:, 0].tolist()
                return self

        left = cross_fit(Remembers(), controls, target, list(KFold(5).split(controls)))
        self.assertEqual(left.tolist(), target.tolist())

    def test_rows_that_no_fold_predicts_are_nan(self):
        left = cross_fit(LinearRegression(), numpy.ones((4, 1)), numpy.ones(4), [([0, 1], [2])])
        self.assertEqual(numpy.isnan(left).tolist(), [True, True, False, True])

    def test_blocks_leave_a_gap_on_both_sides_and_predict_every_row_once(self):
        folds = blocks_in_time(40, 4, 3)
        self.assertEqual(numpy.concatenate([block for _, block in folds]).tolist(), list(range(40)))
        for fitted, block in folds:
            nearest = numpy.abs(fitted[:, None] - block[None, :]).min()
            self.assertEqual(nearest, 4)


class LinearEffects(unittest.TestCase):
    def test_finds_an_effect_that_a_plain_regression_misses(self):
        state, treatment, effect, outcome = confounded()
        naive = LinearRegression().fit(treatment.reshape(-1, 1), outcome).coef_[0]
        folds = list(KFold(5).split(state))
        forest = RandomForestRegressor(50, min_samples_leaf=10, random_state=0)
        model = LinearDML(forest).fit(outcome, treatment.reshape(-1, 1), state, state, folds)
        self.assertGreater(abs(naive - effect.mean()), 1)
        self.assertLess(abs(model.average_[0] - effect.mean()), 0.2)
        self.assertLess(numpy.abs(model.coef_ - [[0, -1, 0]]).max(), 0.2)
        told = model.const_marginal_effect(state)
        self.assertEqual(told.shape, (len(state), 1))
        self.assertAlmostEqual(told.mean(), model.average_[0])

    def test_depends_on_the_modifiers_only(self):
        state, treatment, _, outcome = confounded(500)
        model = LinearDML(LinearRegression(), modifiers=[1]).fit(
            outcome, treatment.reshape(-1, 1), state, state, list(KFold(5).split(state)))
        self.assertEqual(model.coef_[0, [0, 2]].tolist(), [0.0, 0.0])
        self.assertLess(abs(model.coef_[0, 1] + 1), 0.2)

    def test_a_penalty_shortens_the_slopes_and_leaves_the_mean_effect(self):
        state, treatment, _, outcome = confounded(500)
        folds = list(KFold(5).split(state))
        free, held = (LinearDML(LinearRegression(), penalty=penalty).fit(
            outcome, treatment.reshape(-1, 1), state, state, folds) for penalty in (0, 1e6))
        self.assertLess(numpy.abs(held.coef_).max(), 0.01)
        self.assertLess(abs(held.average_[0] - free.average_[0]), 0.2)

    def test_overlap_widens_the_standard_errors_of_outcomes_that_share_months(self):
        random = numpy.random.default_rng(3)
        state = random.normal(size=(600, 1))
        treatment = numpy.convolve(random.normal(size=611), numpy.ones(12), "valid").reshape(-1, 1)
        outcome = numpy.convolve(random.normal(size=611), numpy.ones(12), "valid")
        folds = list(KFold(5).split(state))
        plain, aware = (LinearDML(LinearRegression(), overlap=overlap).fit(outcome, treatment, state, state, folds)
                        for overlap in (0, 12))
        self.assertGreater(aware.average_errors_[0], 1.5 * plain.average_errors_[0])


class ForestEffects(unittest.TestCase):
    def test_finds_where_the_effect_is_large(self):
        state, treatment, effect, outcome = confounded()
        model = ForestDML(RandomForestRegressor(50, min_samples_leaf=10, random_state=0), LinearRegression(),
                          RandomForestRegressor(50, min_samples_leaf=20, random_state=0))
        model.fit(outcome, treatment, state, list(KFold(5).split(state)))
        told = model.const_marginal_effect(state)
        self.assertEqual(told.shape, (len(state), 1))
        self.assertEqual(len(model.estimators_), 50)
        self.assertGreater(numpy.corrcoef(told[:, 0], effect)[0, 1], 0.8)


if __name__ == "__main__":
    unittest.main()
