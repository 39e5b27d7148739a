"""Run with: python3 -m unittest discover --start-directory training"""

import pathlib
import sys
import unittest

import numpy
import pandas
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "macro-effects"))

from series import (COLUMNS, HORIZON, INPUTS, inputs_of, outcome_of, read_series, regimes_of,  # noqa: E402
                    treatments_of)
from signals import SIGNALS, Signals  # noqa: E402


class Series(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.series = read_series()

    def test_the_inputs_of_a_month_know_nothing_of_it_or_of_later_ones(self):
        month = 300
        changed = self.series.copy()
        changed.iloc[month:] = changed.iloc[month:] * 2 + 1
        self.assertEqual(inputs_of(self.series)[month].tolist(), inputs_of(changed)[month].tolist())
        self.assertNotEqual(inputs_of(self.series)[month + 1].tolist(), inputs_of(changed)[month + 1].tolist())

    def test_an_outcome_begins_in_its_month(self):
        month = 300
        changed = self.series.copy()
        changed.iloc[:month] = changed.iloc[:month] * 2 + 1
        self.assertEqual(outcome_of(self.series)[month], outcome_of(changed)[month])
        self.assertEqual(numpy.isnan(outcome_of(self.series)).sum(), HORIZON)

    def test_a_treatment_is_what_changed_within_the_month(self):
        change = self.series["FEDFUNDS"].iloc[300] - self.series["FEDFUNDS"].iloc[299]
        self.assertEqual(treatments_of(self.series)[300, 0], change)

    def test_columns_are_named_as_their_lag(self):
        place = COLUMNS.index("fred_CPIAUCSL_lag_390d")
        self.assertEqual(inputs_of(self.series)[300, place], numpy.float32(self.series["CPIAUCSL"].iloc[287]))
        self.assertEqual(len(set(COLUMNS)), 20)

    def test_recovery_is_the_twelve_months_after_a_recession_unless_there_is_another(self):
        months = [0] * 3 + [1] * 2 + [0] * 14 + [1] + [0] * 3 + [1]
        told = regimes_of(pandas.DataFrame({"USREC": months}))
        self.assertEqual(told.tolist(), [0] * 3 + [1] * 2 + [2] * 12 + [0] * 2 + [1] + [2] * 3 + [1])


class States(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        features = inputs_of(read_series())
        cls.features = features[~numpy.isnan(features).any(axis=1)]
        cls.signals = Signals().fit(cls.features)

    def test_signals_are_centred_and_within_their_range(self):
        state = self.signals.state_of(self.features)
        self.assertEqual(state.shape, (len(self.features), len(SIGNALS)))
        self.assertLess(numpy.abs(state.mean(axis=0)).max(), 1e-4)
        self.assertLess(numpy.abs(state.std(axis=0) - 1).max(), 1e-2)

    def test_says_what_it_is_called(self):
        state = self.signals.raw(torch.from_numpy(self.features)).numpy()
        by_name = dict(zip(INPUTS, self.features.T.astype(numpy.float64)))
        expected = {"inflation_12": 100 * numpy.log(by_name["CPIAUCSL", 1] / by_name["CPIAUCSL", 13]),
                    "unemployment": by_name["UNRATE", 1],
                    "term_spread_year_ago": by_name["GS10", 13] - by_name["FEDFUNDS", 13],
                    "housing": numpy.log(by_name["HOUST", 1])}
        for name, values in expected.items():
            self.assertLess(numpy.abs(state[:, SIGNALS.index(name)] - values).max(), 1e-4)

    def test_a_signal_that_lacks_an_input_is_at_its_mean_and_the_others_stay(self):
        row = self.features[100:101].copy()
        before = self.signals.state_of(row)[0]
        row[0, COLUMNS.index("fred_CPIAUCSL_lag_390d")] = numpy.nan
        after = self.signals.state_of(row)[0]
        place = SIGNALS.index("inflation_12")
        self.assertEqual(after[place], 0)
        self.assertEqual(numpy.delete(after, place).tolist(), numpy.delete(before, place).tolist())
        self.assertEqual(self.signals.state_of(row * numpy.nan)[0].tolist(), [0] * len(SIGNALS))

    def test_a_signal_beyond_its_range_is_moved_to_its_end(self):
        row = self.features[100:101].copy()
        row[0, COLUMNS.index("fred_FEDFUNDS_lag_30d")] = 1e6
        place = SIGNALS.index("funds_rate")
        self.assertEqual(self.signals.state_of(row)[0, place], self.signals.state_of(self.features)[:, place].max())


if __name__ == "__main__":
    unittest.main()
