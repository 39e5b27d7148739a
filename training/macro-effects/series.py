"""The data, and what of them is an input, a treatment, an outcome or a regime. One month is counted as 30 days."""

import pathlib

import numpy
import pandas

HERE = pathlib.Path(__file__).resolve().parent

# Inputs of month t: a series and how many months before t.
INPUTS = [("CPIAUCSL", 1), ("CPIAUCSL", 13), ("INDPRO", 1), ("INDPRO", 4), ("INDPRO", 13), ("PAYEMS", 1), ("PAYEMS", 4),
          ("PAYEMS", 13), ("UNRATE", 1), ("UNRATE", 4), ("UNRATE", 13), ("FEDFUNDS", 1), ("FEDFUNDS", 13), ("GS10", 1),
          ("GS10", 13), ("TB3MS", 1), ("CP3Mx", 1), ("CLAIMSx", 1), ("CLAIMSx", 4), ("HOUST", 1)]
COLUMNS = [f"fred_{series}_lag_{30 * months}d" for series, months in INPUTS]
HORIZON = 12
RECOVERY = 12
REGIMES = ["expansion", "recession", "recovery"]


def read_series():
    """One row per month, as FRED-MD publishes it, and the recession indicator."""
    return pandas.read_csv(HERE / "fred-md.csv.gz", parse_dates=["date"]).set_index("date")


def inputs_of(series):
    """[months, 20], float32: the model sees no more. Months without all lags hold NaN."""
    return numpy.column_stack([series[name].shift(months) for name, months in INPUTS]).astype(numpy.float32)


def treatments_of(series):
    """[months, 3]: changes within the month, in percentage points."""
    term, credit = series["GS10"] - series["FEDFUNDS"], series["CP3Mx"] - series["TB3MS"]
    return numpy.column_stack([each.diff() for each in (series["FEDFUNDS"], term, credit)])


def outcome_of(series):
    """[months]: growth of industrial production from month t to t + 12, in log points times 100; NaN at the end."""
    logs = 100 * numpy.log(series["INDPRO"])
    return (logs.shift(-HORIZON) - logs).to_numpy()


def regimes_of(series):
    """[months]: 0 expansion, 1 recession (NBER), 2 recovery: the first 12 months after a recession."""
    recession = series["USREC"].to_numpy()
    regimes = recession.copy()
    for month in range(1, len(recession)):
        since = recession[max(0, month - RECOVERY):month]
        if recession[month] == 0 and since.any():
            regimes[month] = 2
    return regimes
