"""The forest final stage of double machine learning as ONNX: the mean of its trees, or econml's causal forest."""

import numpy
from onnx import helper, numpy_helper

from .graph import STATE, make_part

OUTPUT = "causal_effects"


def export_forest_final_stage(estimator, columns):
    """Answers `causal_effects` [rows, treatments].

    estimator: fitted; a forest of regression trees such as scikit-learn's (`estimators_`, each with a `tree_`), whose
        answer is the mean of its trees; or econml's CausalForest or CausalForestDML of one outcome and one treatment,
        whose trees hold local moments (`jac`, `precond`) that are averaged before the effect is solved for.
    columns: how many columns the state has.
    """
    trees = [tree.tree_ for tree in trees_of(estimator)]
    if not hasattr(trees[0], "jac"):
        values = [numpy.asarray(tree.value, dtype=numpy.float64).reshape(len(tree.value), -1) for tree in trees]
        width = values[0].shape[1]
        return make_part([tree_node(trees, values, OUTPUT)], [], columns, {OUTPUT: width})
    return export_moments(trees, columns)


def trees_of(estimator):
    """The trees of a forest, of the forest that a double machine learning estimator ends in, or of econml's wrapper."""
    forest = getattr(estimator, "model_cate", estimator)
    if not isinstance(forest.estimators_, list):
        raise TypeError(f"{type(forest).__name__} is no forest: its answer is not the mean of its trees")
    members = forest.estimators_
    if hasattr(members[0], "estimators_"):
        if len(members) != 1:
            raise ValueError(f"the forest has {len(members)} outcomes: only one can be exported")
        members = members[0].estimators_
    return members


def export_moments(trees, columns):
    """effect = first element of J⁻¹ a, with J and a the means of the leaves' `jac` and `precond`."""
    parameters = numpy.asarray(trees[0].precond).reshape(len(trees[0].precond), -1).shape[1]
    if parameters > 2:
        raise ValueError(f"the causal forest solves for {parameters} parameters: only one treatment, with an intercept "
                         "or without, can be exported")
    moments = [numpy.hstack([numpy.asarray(part, dtype=numpy.float64).reshape(len(part), -1)
                             for part in (tree.precond, tree.jac)]) for tree in trees]
    nodes = [tree_node(trees, moments, "moments")]
    names = ["a", "j"] if parameters == 1 else ["a_0", "a_1", "j_00", "j_01", "j_10", "j_11"]
    constants = []
    for place, name in enumerate(names):
        constants.append(numpy_helper.from_array(numpy.array([place], dtype=numpy.int64), f"place_{name}"))
        nodes.append(helper.make_node("Gather", ["moments", f"place_{name}"], [name], axis=1))
    if parameters == 1:
        nodes.append(helper.make_node("Div", ["a", "j"], [OUTPUT]))
        return make_part(nodes, constants, columns, {OUTPUT: 1})
    # Cramer's rule for the first of two unknowns.
    for left, right, product in (("a_0", "j_11", "a_j"), ("a_1", "j_01", "j_a"),
                                 ("j_00", "j_11", "main"), ("j_01", "j_10", "side")):
        nodes.append(helper.make_node("Mul", [left, right], [product]))
    nodes += [helper.make_node("Sub", ["a_j", "j_a"], ["numerator"]),
              helper.make_node("Sub", ["main", "side"], ["determinant"]),
              helper.make_node("Div", ["numerator", "determinant"], [OUTPUT])]
    return make_part(nodes, constants, columns, {OUTPUT: 1})


def tree_node(trees, values, output):
    """The mean over the trees of the values [nodes, targets] of the leaf in which a row ends."""
    attributes = {key: [] for key in ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values",
                                      "nodes_modes", "nodes_truenodeids", "nodes_falsenodeids",
                                      "target_treeids", "target_nodeids", "target_ids", "target_weights")}
    for number, (tree, at_node) in enumerate(zip(trees, values)):
        is_leaf = tree.children_left == tree.children_right
        thresholds = largest_float32_not_above(tree.threshold)
        nodes = numpy.arange(len(is_leaf))
        attributes["nodes_treeids"] += [number] * len(nodes)
        attributes["nodes_nodeids"] += nodes.tolist()
        attributes["nodes_featureids"] += numpy.where(is_leaf, 0, tree.feature).tolist()
        attributes["nodes_values"] += numpy.where(is_leaf, 0.0, thresholds).tolist()
        attributes["nodes_modes"] += numpy.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist()
        attributes["nodes_truenodeids"] += numpy.where(is_leaf, 0, tree.children_left).tolist()
        attributes["nodes_falsenodeids"] += numpy.where(is_leaf, 0, tree.children_right).tolist()
        leaves, targets = nodes[is_leaf], at_node.shape[1]
        attributes["target_treeids"] += [number] * (len(leaves) * targets)
        attributes["target_nodeids"] += numpy.repeat(leaves, targets).tolist()
        attributes["target_ids"] += list(range(targets)) * len(leaves)
        attributes["target_weights"] += (at_node[is_leaf] / len(trees)).ravel().tolist()
    return helper.make_node("TreeEnsembleRegressor", [STATE], [output], domain="ai.onnx.ml",
                            n_targets=values[0].shape[1], **attributes)


def largest_float32_not_above(thresholds):
    """A threshold that sends every float32 the way that the float64 threshold does: x <= t for no other x."""
    rounded = thresholds.astype(numpy.float32)
    below = numpy.nextafter(rounded, numpy.float32(-numpy.inf))
    return numpy.where(rounded > thresholds, below, rounded).astype(numpy.float64)
