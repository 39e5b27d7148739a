"""The difference of two Gaussian processes as ONNX: an effect, and how little is known of it."""

import numpy
from onnx import TensorProto, helper, numpy_helper
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Product, Sum, WhiteKernel

from .graph import STATE, make_part


def export_gaussian_process_effect(treated, control, columns):
    """Answers `causal_effects` [rows, 1], treated minus control, and `uncertainty` [rows, 1]: the standard
    deviation of what is not known of the effect, without the noise of outcomes.

    treated, control: fitted scikit-learn GaussianProcessRegressors of one outcome whose kernel is a sum of a constant
        times RBF, a constant times DotProduct, and white noise. The part holds the rows that they were fitted on.
    columns: how many columns the state has.

    It computes in float64: a variance is a small difference of large numbers.
    """
    nodes = [helper.make_node("Cast", [STATE], ["rows"], to=TensorProto.DOUBLE),
             helper.make_node("Mul", ["rows", "rows"], ["squares"]),
             helper.make_node("ReduceSum", ["squares", "last_axis"], ["row_norms"], keepdims=1)]
    constants = [numpy_helper.from_array(numpy.array([1], dtype=numpy.int64), "last_axis")]
    for name, process in (("treated", treated), ("control", control)):
        add_process(nodes, constants, name, process)
    nodes += [helper.make_node("Sub", ["treated_mean", "control_mean"], ["effect"]),
              helper.make_node("Add", ["treated_variance", "control_variance"], ["variance"]),
              # Rounding must not make it negative.
              helper.make_node("Relu", ["variance"], ["not_negative"]),
              helper.make_node("Sqrt", ["not_negative"], ["deviation"]),
              helper.make_node("Cast", ["effect"], ["causal_effects"], to=TensorProto.FLOAT),
              helper.make_node("Cast", ["deviation"], ["uncertainty"], to=TensorProto.FLOAT)]
    return make_part(nodes, constants, columns, {"causal_effects": 1, "uncertainty": 1})


def add_process(nodes, constants, name, process):
    """Adds `<name>_mean` and `<name>_variance`, float64 [rows, 1], of one process."""
    def constant(suffix, values):
        constants.append(numpy_helper.from_array(numpy.asarray(values, dtype=numpy.float64), f"{name}_{suffix}"))
        return f"{name}_{suffix}"

    def add(operation, inputs, suffix, **attributes):
        nodes.append(helper.make_node(operation, inputs, [f"{name}_{suffix}"], **attributes))
        return f"{name}_{suffix}"

    amplitude, length, slope, offset = read_kernel(process.kernel_)
    known = process.X_train_
    # K⁻¹ from its Cholesky factor: the variance is k(x, x) - k(x, known) K⁻¹ k(known, x).
    inverse_factor = numpy.linalg.inv(process.L_)
    scale, centre = numpy.ravel(process._y_train_std)[0], numpy.ravel(process._y_train_mean)[0]
    products = add("MatMul", ["rows", constant("known", known.T)], "products")
    twice = add("Mul", [products, constant("two", [2.0])], "twice")
    norms = add("Add", ["row_norms", constant("norms", numpy.sum(known ** 2, axis=1))], "both_norms")
    exponent = add("Mul", [add("Sub", [norms, twice], "distances"), constant("rate", [-0.5 / length ** 2])], "exponent")
    near = add("Mul", [add("Exp", [exponent], "decay"), constant("amplitude", [amplitude])], "near")
    lines = add("Mul", [add("Add", [products, constant("offset", [offset])], "shifted"),
                        constant("slope", [slope])], "lines")
    kernel = add("Add", [near, lines], "kernel")
    weights = constant("weights", scale * numpy.ravel(process.alpha_).reshape(-1, 1))
    add("Add", [add("MatMul", [kernel, weights], "above_centre"), constant("centre", [centre])], "mean")
    shift = constant("prior_shift", [offset + amplitude / slope])
    prior = add("Mul", [add("Add", ["row_norms", shift], "prior_shifted"), f"{name}_slope"], "prior")
    explained = add("MatMul", [kernel, constant("inverse_factor", inverse_factor.T)], "whitened")
    known_part = add("ReduceSum", [add("Mul", [explained, explained], "whitened_squares"), "last_axis"], "explained",
                     keepdims=1)
    add("Mul", [add("Sub", [prior, known_part], "unscaled"), constant("square", [scale ** 2])], "variance")


def read_kernel(kernel):
    """The amplitude and length of the RBF term, the slope and offset of the DotProduct term."""
    found = {}
    for term in terms_of(kernel):
        if isinstance(term, WhiteKernel):
            continue
        factor, shape = (term.k1, term.k2) if isinstance(term, Product) else (None, term)
        if not isinstance(factor, ConstantKernel) or type(shape) in found \
                or not isinstance(shape, (RBF, DotProduct)) or numpy.size(getattr(shape, "length_scale", 0.0)) != 1:
            raise TypeError(f"the kernel {kernel} cannot be exported: it must be a constant times RBF, plus a constant "
                            "times DotProduct, plus white noise")
        found[type(shape)] = (factor.constant_value, shape)
    amplitude, near = found[RBF]
    slope, lines = found[DotProduct]
    return amplitude, near.length_scale, slope, lines.sigma_0 ** 2


def terms_of(kernel):
    """The terms of a sum of kernels."""
    if isinstance(kernel, Sum):
        return [*terms_of(kernel.k1), *terms_of(kernel.k2)]
    return [kernel]
