"""Seconds an epoch of Med-VAE training in Keras, as the paper's code trains, and in this project.

    python benchmarks/med_vae_epoch.py torch
    python benchmarks/med_vae_epoch.py keras      # in an environment with tensorflow-cpu==2.15.1

Both train the same network (embeddings of 3 dimensions, 88, 60, 32, batch normalisation, leaky ReLU) on 55,976 random
rows of diabetes130's shape (8 numeric, 4 binary, 19 categorical columns) in batches of 32, Adam, one thread, and
print the median over three epochs after a first one that warms up. The Keras side is written from the paper's text
and from what is known of its code: inputs column by column, ``Model.fit`` with an accuracy an output, gradients
clipped by value.
"""

import statistics
import sys
import time

import numpy as np

ROWS, NUMBERS, FLAGS, BATCH, EPOCHS = 55_976, 8, 4, 32, 4
CATEGORIES = [6, 7, 12, 8, 12, 10, 10, 10, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3]


def random_rows():
    """Draw numbers in [0, 1], flags and category numbers."""
    rng = np.random.default_rng(1)
    numbers = rng.random((ROWS, NUMBERS)).astype("float32")
    flags = rng.integers(0, 2, (ROWS, FLAGS)).astype("float32")
    return numbers, flags, np.stack([rng.integers(0, size, ROWS) for size in CATEGORIES], 1)


def seconds_in_torch():
    """Train with the project's class."""
    import pandas as pd
    import torch

    from medsynth.codebook import Codebook, Column, RawFile
    from medsynth.generators import MedVAE

    torch.set_num_threads(1)
    numbers, flags, codes = random_rows()
    columns, table = {}, {}
    for i in range(NUMBERS):
        columns[f"n{i}"], table[f"n{i}"] = Column(type="continuous", range=(0, 1)), numbers[:, i].astype("float64")
    for prefix, values, sizes in (("f", flags.astype(int), [2] * FLAGS), ("c", codes, CATEGORIES)):
        for i, size in enumerate(sizes):
            categories = [str(category) for category in range(size)]
            columns[f"{prefix}{i}"] = Column(type="categorical", categories=categories)
            table[f"{prefix}{i}"] = pd.Categorical.from_codes(values[:, i], categories)
    raw = RawFile(file="none.csv", obtain="random")
    codebook = Codebook(name="random", title="random", publisher="nobody", licence="none", raw=raw, columns=columns)
    marks = []
    model = MedVAE(
        kl_gradient=False, clip_value=1.0, binary_weight=1.0, numeric_output="sigmoid", validation_share=1e-9
    )
    for _ in model.fit_checkpoints(pd.DataFrame(table), codebook, epochs=range(1, EPOCHS + 1), seed=1):
        marks.append(time.perf_counter())
    return np.diff(marks)


def seconds_in_keras():
    """Train a Keras model of the same layers."""
    import tensorflow as tf
    from tensorflow import keras
    from tensorflow.keras import layers

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    numbers, flags, codes = random_rows()
    x_numbers, x_flags = keras.Input((NUMBERS,)), keras.Input((FLAGS,))
    x_codes = [keras.Input((1,), dtype="int32") for _ in CATEGORIES]
    table = layers.Embedding(sum(CATEGORIES), 3)
    starts = np.concatenate([[0], np.cumsum(CATEGORIES)[:-1]])
    embedded = [table(code + int(start)) for code, start in zip(x_codes, starts, strict=True)]
    h = layers.concatenate([x_flags, x_numbers, layers.Flatten()(layers.Concatenate(axis=1)(embedded))])

    def block(h, size):
        return layers.LeakyReLU()(layers.BatchNormalization()(layers.Dense(size)(h)))

    h = block(block(h, 88), 60)
    mean, log_variance = layers.Dense(32)(h), layers.Dense(32)(h)

    def draw(parts):
        return parts[0] + keras.backend.exp(parts[1] / 2) * keras.backend.random_normal(tf.shape(parts[0]))

    h = block(block(layers.Lambda(draw)([mean, log_variance]), 60), 88)
    outputs = [layers.Dense(NUMBERS, activation="sigmoid")(h), layers.Dense(FLAGS, activation="sigmoid")(h)]
    outputs += [layers.Dense(size, activation="softmax")(h) for size in CATEGORIES]
    model = keras.Model([x_numbers, x_flags, *x_codes], outputs)
    losses = ["mse", "binary_crossentropy"] + ["sparse_categorical_crossentropy"] * len(CATEGORIES)
    optimiser = keras.optimizers.Adam(0.001, clipvalue=1.0)
    weights = [100.0] + [1.0] * (len(CATEGORIES) + 1)
    model.compile(optimiser, loss=losses, loss_weights=weights, metrics=["accuracy"])
    data = [numbers, flags, *codes.T]
    marks = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: marks.append(time.perf_counter()))
    model.fit(data, data, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[clock])
    return np.diff(marks)


if __name__ == "__main__":
    measured = {"torch": seconds_in_torch, "keras": seconds_in_keras}[sys.argv[1]]()
    print(f"{sys.argv[1]}: {statistics.median(measured):.2f} s an epoch (of {', '.join(f'{s:.2f}' for s in measured)})")
