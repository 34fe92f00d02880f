"""Names that a trained model gives to the layers in which others look for something."""

FEATURES = "features"  # the layer before the last dense one
LOGITS = "scaled_logits"  # the layer before the softmax
