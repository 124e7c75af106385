"""This holds the devices of a fit: which they are, and how a batch is divided over them.

All of it is data parallelism of one program (SPMD) on Keras's JAX backend: to the network, its
losses, batch norm and the optimizer a batch is one batch, wherever its images lie.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from tfptx.training.processes import ALONE, Processes

Tensor = Any  # keras ships no types; an array of the backend in use
Kind = Literal["auto", "cpu", "gpu", "tpu"]


@dataclass(frozen=True)
class Devices:
    """The devices of all processes by Keras's names; none are named where Keras takes its first."""

    names: tuple[str, ...] = ()
    processes: Processes = ALONE

    def facts(self) -> dict[str, str | int]:
        """What a fit notes of them, by name."""
        return {
            "backend": keras.config.backend(),
            "devices": max(1, len(self.names)),
            "processes": self.processes.count,
        }

    def check(self, batch_size: int, stage: str) -> None:
        """Raise ValueError where a batch can't be divided."""
        if self.names and batch_size % len(self.names):
            raise ValueError(
                f"stage.{stage}.batch_size is {batch_size}, which {len(self.names)} devices can't "
                f"share; set it to a multiple of {len(self.names)}, or take fewer devices"
            )

    def scope(self) -> AbstractContextManager[None]:
        """Where variables that are made lie on all devices, and batches are divided over them."""
        if not self.names:
            return contextlib.nullcontext()
        # Each process loads its part of a batch itself.
        scope: AbstractContextManager[None] = keras.distribution.DataParallel(
            devices=list(self.names), auto_shard_dataset=False
        ).scope()
        return scope

    def here(self, variables: Iterable[keras.Variable]) -> AbstractContextManager[Any]:
        """Where these variables lie in this process alone, for what it computes by itself."""
        if not self.names:
            return contextlib.nullcontext()
        values = [(each, keras.ops.convert_to_tensor(np.asarray(each))) for each in variables]
        local: AbstractContextManager[Any] = keras.StatelessScope(state_mapping=values)
        return local

    def predicting(self, network: keras.Model, batch_size: int) -> Callable[[Tensor], Any]:
        """Make the function that gives what a network says of a batch of at most `batch_size`."""
        if keras.config.backend() != "jax":
            return network.predict_on_batch  # type: ignore[no-any-return]
        return _compiled(network, batch_size)


ONE = Devices()


def found(kind: Kind, processes: Processes = ALONE) -> Devices:
    """The devices of a kind, of "auto" what Keras's backend takes: on TensorFlow one, on JAX all.

    Raises ValueError where there are none, where one process has more than another, or where the
    backend is not JAX.
    """
    backend = keras.config.backend()
    if backend != "jax":
        if kind == "auto" and processes.count == 1:
            return ONE
        raise ValueError(
            f"on Keras's {backend} backend a fit has one device, which --devices auto takes; "
            "for others run it with KERAS_BACKEND=jax"
        )
    import jax  # noqa: PLC0415 - not all have it

    # TensorFlow reads the records; it would else take the memory of the GPUs for itself.
    tf.config.set_visible_devices([], "GPU")
    if kind == "cpu":
        jax.config.update("jax_platforms", kind)  # type: ignore[no-untyped-call]
    try:
        names = keras.distribution.list_devices(None if kind == "auto" else kind)
    except RuntimeError as error:
        raise ValueError(
            f"JAX finds no {kind} here; install JAX for it, as pip install 'tfptx[jax-cuda]' or "
            f"'tfptx[jax-tpu]', or take other --devices: {error}"
        ) from error
    of_each = Counter(device.process_index for device in jax.devices())
    if len(set(of_each.values())) > 1:
        numbers = ", ".join(str(of_each[index]) for index in sorted(of_each))
        raise ValueError(
            f"the processes of this fit have {numbers} devices; give each as many, for they load "
            "equal parts of a batch"
        )
    return Devices(tuple(names) if len(names) > 1 else (), processes)


def _compiled(network: keras.Model, batch_size: int) -> Callable[[Tensor], Any]:
    """Do as `predict_on_batch`, divided over devices of several processes too.

    A smaller batch is filled up with its last image, for it must be shared out, and compiled, as
    any other. The outputs are NumPy's, whole in each process.
    """
    import jax  # noqa: PLC0415 - not all have it

    variables = network.variables
    distribution = keras.distribution.distribution()

    def say(values: list[Tensor], images: Tensor) -> Any:
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            return network(images, training=False)

    if distribution is None:
        compiled, over_all = jax.jit(say), None
    else:
        mesh = distribution.device_mesh
        everywhere = keras.distribution.TensorLayout([], mesh).backend_layout
        over_all = distribution.get_data_layout(network.input_shape).backend_layout
        compiled = jax.jit(say, out_shardings=everywhere)

    def predict(images: Tensor) -> Any:
        images = np.asarray(images)
        filled: Tensor = np.concatenate(
            [images, images[-1:].repeat(batch_size - len(images), axis=0)]
        )
        placed = filled
        if over_all is not None:
            placed = jax.make_array_from_callback(filled.shape, over_all, filled.__getitem__)
        outputs = compiled([each.value for each in variables], placed)
        return keras.tree.map_structure(lambda each: np.asarray(each)[: len(images)], outputs)

    return predict
