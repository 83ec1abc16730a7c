"""Split the raw table into a training and a test table."""

import argparse
from pathlib import Path

from sklearn.model_selection import train_test_split

import dataset


def split(table, test_fraction, seed):
    """Two tables; the same seed gives the same rows."""
    x_train, x_test, y_train, y_test = train_test_split(table.x, table.y, test_size=test_fraction, random_state=seed)
    return dataset.Table(x_train, y_train), dataset.Table(x_test, y_test)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--raw", required=True)
    args.add_argument("--test-fraction", type=float, required=True)
    args.add_argument("--seed", type=int, required=True)
    args.add_argument("--out", type=Path, required=True)
    args = args.parse_args()

    train, test = split(dataset.read(args.raw), args.test_fraction, args.seed)
    dataset.write(args.out / "train.csv", train)
    dataset.write(args.out / "test.csv", test)
    print(f"{len(train)} rows to train with, {len(test)} to test with")


if __name__ == "__main__":
    main()
