"""The formats that `cifar-pipeline export` writes."""

from cifar_pipeline.export.formats.base import ExportFormat
from cifar_pipeline.export.formats.litert import LITERT
from cifar_pipeline.export.formats.onnx import ONNX
from cifar_pipeline.export.formats.saved_model import SAVED_MODEL

# By name, in the order in which a process writes them. A new one belongs at the end: TensorFlow
# numbers the functions that a process traces, and a SavedModel contains those numbers.
FORMATS: dict[str, ExportFormat] = {form.name: form for form in (SAVED_MODEL, LITERT, ONNX)}
