"""Ask a saved model more quickly: its convolutions by Fourier transforms."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def with_fourier_convolutions(model: "keras.Model") -> "keras.Model":
    """Return a model that answers as `model` does, but for float32's rounding, in less time.

    Its plain convolutions of square maps are done by Fourier transforms where that saves time; on a
    GPU it never does, and `model` itself is returned.
    """
    import keras

    from cifar_pipeline.backend.device import resolve_convolution
    from cifar_pipeline.fourier.convolution import BatchFirstFourierConv2D
    from cifar_pipeline.fourier.matrices import fourier_saves_time

    def replaced(layer: "keras.Layer") -> "keras.Layer":
        if not (_is_plain(layer) and fourier_saves_time(*_shape(layer))):
            return type(layer).from_config(layer.get_config())
        return BatchFirstFourierConv2D(
            layer.filters,
            layer.kernel_size[0],
            padding=layer.padding,
            use_bias=layer.use_bias,
            name=layer.name,
            dtype=layer.dtype_policy,
        )

    if resolve_convolution("auto") == "direct":
        return model
    copy = keras.models.clone_model(model, clone_function=replaced)
    copy.set_weights(model.get_weights())
    return copy


def _shape(layer: "keras.layers.Conv2D") -> tuple[int, int, str, int, int]:
    """Return side, kernel size, padding, channels and filters of a convolution of square maps."""
    _, side, _, channels = layer.input.shape
    return side, layer.kernel_size[0], layer.padding, channels, layer.filters


def _is_plain(layer: "keras.Layer") -> bool:
    """Say whether a layer is a convolution of square maps, kernel and nothing else."""
    import keras

    if type(layer) is not keras.layers.Conv2D:
        return False
    rows, columns = layer.input.shape[1:3]
    return (
        rows is not None
        and rows == columns
        and layer.kernel_size[0] == layer.kernel_size[1]
        and layer.strides == layer.dilation_rate == (1, 1)
        and layer.groups == 1
        and layer.padding in ("same", "valid")
        and layer.data_format == "channels_last"
        and layer.activation is keras.activations.linear
    )
