"""What a manifest says of each input: its range, its spread in training, and what stands in for what is missing."""

import numpy


def numeric_column(name, values, missing, out_of_range):
    """values: those of the training rows, NaN where a row has none.

    missing: a number, which stands in for what is missing; or a strategy of the manifest that needs no value.
    out_of_range: clip, keep or missing.
    """
    values = values[~numpy.isnan(values)]
    # The first and the last bin are open: what lies beyond the range is counted there. A value that most rows have,
    # such as the 999 of pdays, gets a bin of its own.
    inner = numpy.unique(numpy.quantile(values, numpy.linspace(0, 1, 11)[1:-1]))
    inner = inner[inner > values.min()]
    counts = numpy.bincount(numpy.searchsorted(inner, values, side="right"), minlength=len(inner) + 1)
    strategy = {"strategy": missing} if isinstance(missing, str) else \
        {"strategy": "constant", "value": round(float(missing), 6)}
    return {"name": name, "type": "numeric", "min": float(values.min()), "max": float(values.max()),
            "mean": round(float(values.mean()), 6),
            "missing": strategy,
            "out_of_range": {"strategy": out_of_range},
            "histogram": {"inner_edges": [round(float(edge), 6) for edge in inner], "counts": counts.tolist()}}


def categorical_column(name, values, vocabulary, fallback):
    """values: a pandas Series of categories. fallback: the one that stands in for what is missing or unknown."""
    counts = values.value_counts()
    return {"name": name, "type": "categorical", "vocabulary": vocabulary,
            "missing": {"strategy": "constant", "value": fallback},
            "unknown_category": {"strategy": "constant", "value": fallback},
            "histogram": {"counts": [int(counts.get(category, 0)) for category in vocabulary]}}
