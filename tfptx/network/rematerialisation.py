"""This holds rematerialisation: a network that computes its activations again for the gradient.

Only what passes from one block to the next is kept between the forward and the backward pass
(Chen et al. 2016, arXiv:1604.06174).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import keras
from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use

CONVOLUTIONS = 2  # of a block at least: a decoder's block has two, a residual unit two or more
_CONVOLUTION = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
)


class Block(keras.layers.Layer):  # type: ignore[misc]
    """A part of a network, of which training keeps the inputs and no activation within."""

    def __init__(self, part: keras.Model) -> None:
        super().__init__(autocast=False)
        self.part = part

    def call(self, inputs: list[Tensor], training: bool = False) -> list[Tensor]:
        """Give the part's outputs; its statistics and its noise move once a step."""
        if not training:
            return _list(self.part(inputs, training=False))
        trained = self.part.trainable_variables
        # Copied now: when the part is computed again, statistics and seeds have moved.
        states = [(each, ops.copy(each)) for each in self.part.non_trainable_variables]
        moved: list[keras.Variable] = []

        def forward(
            inputs: list[Tensor], values: list[Tensor]
        ) -> tuple[list[Tensor], list[Tensor]]:
            # Assigns nothing, as a function must not that is computed twice.
            mapping = [*states, *zip(trained, values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                outputs = _list(self.part(inputs, training=True))
            moved[:] = [each for each, old in states if scope.get_current_value(each) is not old]
            return outputs, [scope.get_current_value(each) for each in moved]

        values = [ops.copy(each) for each in trained]
        outputs, news = keras.remat(forward)(inputs, values)
        for variable, new in zip(moved, news, strict=True):
            variable.assign(new)
        return _list(outputs)

    def compute_output_spec(self, inputs: list[Tensor], training: bool = False) -> list[Tensor]:
        """Give the shapes and dtypes of the part's outputs."""
        return _list(self.part.compute_output_spec(inputs))


def rematerialised(network: keras.Model) -> keras.Model:
    """Give a model that shares the layers of a U-Net and keeps fewer activations for its gradient.

    Its outputs, its gradients and what moves in a step are those of the network itself.
    """
    encoder = network.get_layer("encoder")
    place = network.layers.index(encoder)
    scaled, decoder = network.layers[place - 1].output, network.layers[place + 1 :]
    within = keras.tree.flatten(encoder.output)
    features = _through(encoder.layers[1:], {id(encoder.input): scaled}, within)
    # The encoder's outputs where it is called, which are others than those within it.
    called = {
        id(tensor): features[id(within[tensor._keras_history.tensor_index])]
        for layer in decoder
        for tensor in _inputs(layer)
        if tensor._keras_history.operation is encoder
    }
    found = _through(decoder, called, keras.tree.flatten(network.output))
    outputs = keras.tree.map_structure(lambda tensor: found[id(tensor)], network.output)
    return keras.Model(network.input, outputs, name=network.name)


def _through(
    layers: Sequence[keras.layers.Layer], given: dict[int, Tensor], wanted: Sequence[Tensor]
) -> dict[int, Tensor]:
    """Go through layers, in their order, block by block.

    `given` has for the id of each tensor that comes in from elsewhere what stands for it; the
    result has that for each tensor that leaves a block, those of `wanted` among them.
    """
    found = dict(given)
    for inputs, outputs in _parts(layers, given.keys(), {id(tensor) for tensor in wanted}):
        block = Block(keras.Model(inputs, outputs))
        passed = block([found[id(tensor)] for tensor in inputs])
        found |= {id(tensor): new for tensor, new in zip(outputs, passed, strict=True)}
    return found


def _parts(
    layers: Sequence[keras.layers.Layer], given: Collection[int], wanted: Collection[int]
) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Cut layers, in their order, into blocks; give the inputs and outputs of each.

    A block ends where all that later layers need of it, but for what is `given` or `wanted`
    anyway, is its last output.
    """
    last_use = {id(tensor): i for i, layer in enumerate(layers) for tensor in _inputs(layer)}
    inputs: dict[int, Tensor] = {}
    made: dict[int, Tensor] = {}
    num_convolutions = 0
    for i, layer in enumerate(layers):
        inputs |= {id(tensor): tensor for tensor in _inputs(layer) if id(tensor) not in made}
        made[id(layer.output)] = layer.output
        num_convolutions += isinstance(layer, _CONVOLUTION)
        needed = {name for name in made if last_use.get(name, -1) > i} - set(wanted)
        is_end = num_convolutions >= CONVOLUTIONS and needed <= {id(layer.output)}
        if is_end or i == len(layers) - 1:
            leaving = needed | (set(wanted) & made.keys()) | {id(layer.output)}
            yield list(inputs.values()), [made[name] for name in made if name in leaving]
            inputs, made, num_convolutions = {}, {}, 0


def _inputs(layer: keras.layers.Layer) -> list[Tensor]:
    return _list(layer.input)


def _list(tensors: Any) -> list[Tensor]:
    """Tensors as a list: Keras unwraps the only one of a list."""
    return list(keras.tree.flatten(tensors))
