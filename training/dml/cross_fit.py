"""What is left of a value when a model that has not seen it has said its part."""

import numpy
from sklearn.base import clone


def cross_fit(model, controls, target, folds):
    """`target` minus what clones of `model` predict of it, each fitted on the other folds' rows.

    folds: pairs of the places to fit on and the places to predict. Rows that no fold predicts are NaN.
    """
    residuals = numpy.full(len(target), numpy.nan)
    for fitted, predicted in folds:
        residuals[predicted] = target[predicted] - clone(model).fit(controls[fitted], target[fitted]).predict(
            controls[predicted])
    return residuals


def blocks_in_time(rows, blocks, gap):
    """Folds of neighbouring rows. The `gap` rows on either side of a block are not fitted on: where an outcome reaches
    into the future, they know something of the block."""
    places = numpy.arange(rows)
    folds = []
    for block in numpy.array_split(places, blocks):
        apart = (places < block[0] - gap) | (places > block[-1] + gap)
        folds.append((places[apart], block))
    return folds
