"""The Keras backend: its start, the device, and what needs TensorFlow or JAX itself."""
