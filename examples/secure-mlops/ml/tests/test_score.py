import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import context
import joblib

import dataset
import monitor
import prepare
import score
import train


class Score(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        table, _ = prepare.split(dataset.read(context.ROOT / "data" / "diabetes.csv"), 0.2, 0)
        model = Path(folder.name) / "model"
        model.mkdir()
        joblib.dump(train.fit(table, 0.4), model / train.MODEL_FILE)
        os.environ["AZUREML_MODEL_DIR"] = folder.name
        score.init()

    def test_sample_request_has_the_answer_of_plain_scikit_learn(self):
        request = context.ROOT / "sample-request.json"
        direct = subprocess.run(
            [sys.executable, context.ROOT / "direct.py", context.ROOT / "data" / "diabetes.csv", request],
            check=True, capture_output=True, text=True,
        )
        for got, want in zip(score.run(request.read_text())["result"], json.loads(direct.stdout)["result"], strict=True):
            self.assertAlmostEqual(got, want, places=9)

    def test_wrong_requests_are_told_what_is_wrong(self):
        row = [1.0] * 10
        for request in ("", "[]", "{}", '{"data": 1}', '{"data": []}', '{"data": [[1, 2]]}', '{"data": [["a"]]}',
                        json.dumps({"data": [row, row[:9]]}), '{"data": [[NaN,1,1,1,1,1,1,1,1,1]]}'):
            with self.subTest(request):
                self.assertIn("error", score.run(request))

    def test_a_request_has_a_limit(self):
        self.assertIn("error", score.run(json.dumps({"data": [[1.0] * 10] * (score.MAX_ROWS + 1)})))


class Monitor(unittest.TestCase):
    def test_an_availability_result_has_the_shape_of_application_insights(self):
        item = monitor.availability("key", "diabetes", True, 3725.5)
        self.assertEqual(item["data"]["baseType"], "AvailabilityData")
        self.assertEqual(item["data"]["baseData"]["duration"], "01:02:05.500000")
        self.assertTrue(item["data"]["baseData"]["success"])


if __name__ == "__main__":
    unittest.main()
