import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

import context
import numpy as np

import dataset
import evaluate
import prepare
import train

TABLE = context.ROOT / "data" / "diabetes.csv"


class Dataset(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "table.csv"

    def test_the_table_of_the_example(self):
        table = dataset.read(TABLE)
        self.assertEqual(table.x.shape, (442, 10))
        self.assertEqual((table.y.min(), table.y.max()), (25.0, 346.0))

    def test_what_is_written_is_read(self):
        table = dataset.Table(np.random.default_rng(0).normal(size=(5, 10)), np.arange(5.0))
        dataset.write(self.path, table)
        again = dataset.read(self.path)
        np.testing.assert_array_equal(again.x, table.x)
        np.testing.assert_array_equal(again.y, table.y)

    def test_errors_name_the_place(self):
        header = ",".join((*dataset.FEATURES, dataset.TARGET))
        for text, message in {
            "age,sex\n1,2\n": "column bmi is missing",
            header + "\n": "no rows",
            header + "\n" + ",".join(["1"] * 10 + ["x"]) + "\n": ":2: progression is 'x', not a number",
            header + "\n" + ",".join(["inf"] + ["1"] * 10) + "\n": ":2: age is inf, not a finite number",
            header + "\n1,2\n": ":2: bmi is None, not a number",
        }.items():
            with self.subTest(message):
                self.path.write_text(text)
                with self.assertRaisesRegex(ValueError, message):
                    dataset.read(self.path)


class Steps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.train, cls.test = prepare.split(dataset.read(TABLE), 0.2, 0)

    def test_split_takes_each_row_once_and_always_the_same(self):
        self.assertEqual((len(self.train), len(self.test)), (353, 89))
        rows = sorted(map(tuple, np.vstack([self.train.x, self.test.x])))
        self.assertEqual(rows, sorted(map(tuple, dataset.read(TABLE).x)))
        np.testing.assert_array_equal(prepare.split(dataset.read(TABLE), 0.2, 0)[1].y, self.test.y)

    def test_model_is_the_ridge_of_the_closed_form(self):
        alpha = 0.4
        x = (self.train.x - self.train.x.mean(0)) / self.train.x.std(0)
        y = self.train.y - self.train.y.mean()
        weights = np.linalg.solve(x.T @ x + alpha * np.eye(10), x.T @ y)
        np.testing.assert_allclose(train.fit(self.train, alpha)[-1].coef_, weights, rtol=1e-9)

    def test_model_beats_the_mean(self):
        metrics = evaluate.measure(train.fit(self.train, 0.4), self.test)
        self.assertLess(metrics["mse"], self.test.y.var())
        self.assertGreater(metrics["r2"], 0)

    def test_negative_penalty_is_refused(self):
        with self.assertRaises(ValueError):
            train.fit(self.train, -1)


class Gate(unittest.TestCase):
    def test_first_model_passes_and_then_only_a_smaller_error(self):
        self.assertTrue(evaluate.better(10.0, None))
        self.assertTrue(evaluate.better(9.9, 10.0))
        self.assertFalse(evaluate.better(10.0, 10.0))
        self.assertFalse(evaluate.better(10.1, 10.0))

    def test_newest_version_counts(self):
        versions = [SimpleNamespace(version=v, tags={"mse": m}) for v, m in (("2", "30.0"), ("10", "20.0"), ("9", "10.0"))]
        client = SimpleNamespace(search_model_versions=lambda _: versions)
        self.assertEqual(evaluate.registered_metric(client, "diabetes"), 20.0)

    def test_nothing_registered(self):
        self.assertIsNone(evaluate.registered_metric(SimpleNamespace(search_model_versions=lambda _: []), "diabetes"))

    def test_a_version_without_metric_is_an_error(self):
        client = SimpleNamespace(search_model_versions=lambda _: [SimpleNamespace(version="1", tags={})])
        with self.assertRaisesRegex(ValueError, "version 1 of diabetes has no tag mse"):
            evaluate.registered_metric(client, "diabetes")


if __name__ == "__main__":
    unittest.main()
