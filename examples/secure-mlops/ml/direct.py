"""Do with scikit-learn alone what the pipeline and the endpoint do together, and
print what the endpoint should answer. It shares no code with them on purpose.

usage: direct.py TABLE REQUEST"""

import csv
import json
import sys

from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

ALPHA, TEST_FRACTION, SEED = 0.4, 0.2, 0

with open(sys.argv[1], newline="", encoding="utf-8") as file:
    table = [[float(cell) for cell in row] for row in list(csv.reader(file))[1:]]
with open(sys.argv[2], encoding="utf-8") as file:
    request = json.load(file)["data"]

x, _, y, _ = train_test_split([r[:-1] for r in table], [r[-1] for r in table], test_size=TEST_FRACTION, random_state=SEED)
scaler = StandardScaler().fit(x)
print(json.dumps({"result": Ridge(alpha=ALPHA).fit(scaler.transform(x), y).predict(scaler.transform(request)).tolist()}))
