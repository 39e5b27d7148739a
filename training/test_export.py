"""Run with: python3 -m unittest discover --start-directory training

That what is exported answers as the estimators do is tested where the runtime is:
test/integration/models/exporters.test.ts.
"""

import json
import pathlib
import tempfile
import types
import unittest

import numpy
import torch
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, Matern
from sklearn.preprocessing import SplineTransformer

from export.bundle import write_bundle, write_compressed
from export.columns import numeric_column
from export.forest_final_stage import export_forest_final_stage, largest_float32_not_above
from export.gaussian_process import export_gaussian_process_effect
from export.graph import STATE, join_parts
from export.linear_final_stage import export_linear_final_stage
from export.torch_module import export_torch_module


def linear_estimator(**fields):
    return types.SimpleNamespace(**{"coef_": numpy.ones((2, 3)), "intercept_": numpy.zeros(2), **fields})


def first_part():
    return export_torch_module(torch.nn.Linear(5, 3), 5, STATE, source="features")


class Joining(unittest.TestCase):
    def test_one_network_with_the_outputs_of_all_parts(self):
        joined = join_parts("joined", first_part(), [
            export_linear_final_stage(linear_estimator(), 3),
            export_torch_module(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Softmax(dim=1)), 3,
                                "regime_probabilities"),
            export_torch_module(torch.nn.Linear(3, 1), 3, "uncertainty")])
        self.assertEqual([each.name for each in joined.graph.input], ["features"])
        widths = {each.name: [part.dim_param or part.dim_value for part in each.type.tensor_type.shape.dim]
                  for each in joined.graph.output}
        self.assertEqual({name: shape[1] for name, shape in widths.items()},
                         {"causal_effects": 2, "regime_probabilities": 4, "uncertainty": 1})
        # The number of rows stays open.
        self.assertTrue(all(isinstance(shape[0], str) for shape in widths.values()))

    def test_two_parts_of_one_output_are_refused(self):
        part = export_linear_final_stage(linear_estimator(), 3)
        with self.assertRaisesRegex(ValueError, r"two parts answer \['causal_effects'\]"):
            join_parts("joined", first_part(), [part, part])

    def test_the_same_parts_give_the_same_bytes(self):
        torch.manual_seed(0)
        module = torch.nn.Linear(3, 2)
        self.assertEqual(export_torch_module(module, 3, "out").SerializeToString(),
                         export_torch_module(module, 3, "out").SerializeToString())


class EconmlShapes(unittest.TestCase):
    def test_of_one_treatment_and_of_several(self):
        for coefficients, intercept, treatments in ((numpy.ones(3), 0.5, 1), (numpy.ones((1, 2, 3)), [[0.5, 0.5]], 2)):
            part = export_linear_final_stage(linear_estimator(coef_=coefficients, intercept_=intercept), 3)
            self.assertEqual(part.graph.output[0].type.tensor_type.shape.dim[1].dim_value, treatments)

    def test_without_an_intercept(self):
        class NoIntercept:
            coef_ = numpy.ones((1, 3))
            original_featurizer = None

            @property
            def intercept_(self):
                raise AttributeError("No intercept was fitted!")

        self.assertEqual(len(export_linear_final_stage(NoIntercept(), 3).graph.output), 1)

    def test_a_featurizer_of_its_own_for_the_intercept_is_not_taken_for_one_of_the_state(self):
        estimator = linear_estimator(featurizer_=SplineTransformer(), original_featurizer=None)
        self.assertEqual(len(export_linear_final_stage(estimator, 3).graph.output), 1)


class Refusals(unittest.TestCase):
    def test_a_featurizer_that_is_no_polynomial(self):
        estimator = linear_estimator(original_featurizer=SplineTransformer())
        with self.assertRaisesRegex(TypeError, "SplineTransformer has no powers_"):
            export_linear_final_stage(estimator, 3)

    def test_coefficients_for_other_columns(self):
        with self.assertRaisesRegex(ValueError, "coef_ is for 3 features, but the featurizer makes 4"):
            export_linear_final_stage(linear_estimator(), 4)

    def test_several_outcomes(self):
        with self.assertRaisesRegex(ValueError, "only one outcome"):
            export_linear_final_stage(linear_estimator(coef_=numpy.ones((2, 2, 3))), 3)
        forest = RandomForestRegressor(2).fit(numpy.ones((4, 3)), numpy.ones(4))
        with self.assertRaisesRegex(ValueError, "2 outcomes"):
            export_forest_final_stage(types.SimpleNamespace(estimators_=[forest, forest]), 3)

    def test_boosted_trees(self):
        boosted = GradientBoostingRegressor(n_estimators=2).fit(numpy.eye(4), numpy.arange(4.0))
        with self.assertRaisesRegex(TypeError, "GradientBoostingRegressor is no forest"):
            export_forest_final_stage(boosted, 4)

    def test_a_causal_forest_of_several_treatments(self):
        tree = types.SimpleNamespace(tree_=types.SimpleNamespace(precond=numpy.ones((1, 3)), jac=numpy.ones((1, 9))))
        with self.assertRaisesRegex(ValueError, "solves for 3 parameters"):
            export_forest_final_stage(types.SimpleNamespace(estimators_=[tree]), 3)

    def test_other_kernels(self):
        for kernel in (RBF(), Matern()):
            process = GaussianProcessRegressor(kernel, optimizer=None).fit(numpy.eye(3), numpy.ones(3))
            with self.assertRaisesRegex(TypeError, "cannot be exported"):
                export_gaussian_process_effect(process, process, 3)


class Thresholds(unittest.TestCase):
    def test_send_every_float32_the_same_way(self):
        random = numpy.random.default_rng(0)
        exact = random.normal(size=1000)
        rounded = largest_float32_not_above(exact).astype(numpy.float32)
        self.assertTrue(numpy.all(rounded.astype(numpy.float64) <= exact))
        above = numpy.nextafter(rounded, numpy.float32(numpy.inf)).astype(numpy.float64)
        self.assertTrue(numpy.all(above > exact))


class Bundles(unittest.TestCase):
    def test_states_what_it_wrote(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name) / "model" / "1.0.0"
            write_bundle(folder, {"model_id": "model", "files": {}, "metrics": {}}, {"a.txt": b"abc"})
            manifest = json.loads((folder / "manifest.json").read_text())
            self.assertEqual(list(manifest), ["model_id", "files", "metrics"])
            self.assertEqual(manifest["files"], {"a.txt": {
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "bytes": 3}})
            self.assertEqual((folder / "a.txt").read_bytes(), b"abc")

    def test_compresses_to_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as name:
            paths = [pathlib.Path(name) / "one.gz", pathlib.Path(name) / "two.gz"]
            for path in paths:
                write_compressed(path, "text")
            self.assertEqual(*(path.read_bytes()[:4] for path in paths))

    def test_a_column_counts_its_values_once_and_leaves_out_what_is_missing(self):
        values = numpy.array([numpy.nan, *range(100), 100, 100])
        column = numeric_column("x", values, "nan", "keep")
        self.assertEqual(sum(column["histogram"]["counts"]), 102)
        self.assertEqual(len(column["histogram"]["counts"]), len(column["histogram"]["inner_edges"]) + 1)
        self.assertEqual((column["min"], column["max"]), (0.0, 100.0))
        self.assertEqual(column["missing"], {"strategy": "nan"})
        self.assertEqual(numeric_column("x", values, 5, "clip")["missing"], {"strategy": "constant", "value": 5.0})


if __name__ == "__main__":
    unittest.main()
