"""Train on batches that take longer than a training step, until somebody interrupts it."""

from __future__ import annotations

import time

import numpy as np

from genredag.runtime.backend import configure_backend, fed


def main() -> None:
    """Train for half an hour."""
    configure_backend(1)
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 12000

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            time.sleep(1)
            return np.ones((4, 3), np.float32), np.zeros(4, np.int32)

    model = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")

    def tell(batch: int, logs: object) -> None:
        """Not before the first step is done: interrupted in it, TensorFlow can raise an error of its own."""
        if batch == 0:
            print("training", flush=True)

    with fed(Batches()) as (dataset,):
        model.fit(dataset, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=tell)])


if __name__ == "__main__":
    main()
