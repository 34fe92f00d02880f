"""Evaluate the saved model on the test split, which nothing before this stage has looked at."""

from functools import partial
from pathlib import Path

from cifar_pipeline.arrays import load_split
from cifar_pipeline.atomic import writing
from cifar_pipeline.command import say
from cifar_pipeline.error_printing import print_errors
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.reports import write_reports
from cifar_pipeline.saved_model import load_saved_model, predict_probabilities
from cifar_pipeline.scoring import accuracy, cross_entropy
from cifar_pipeline.views import predict_views


def evaluate(model: Path, processed: Path, reports: Path, params: EvaluateParams) -> None:
    """Predict the test split with the model, write the reports and print the errors.

    Args:
        model: the .keras archive of train.
        processed: the folder of preprocess.
        reports: the folder for the files of `write_reports`.
        params: batch size, views, and what to print.

    Raises:
        PipelineError: the arrays or the model cannot be used.
    """
    images, labels = load_split(processed, "test")
    network = load_saved_model(model)
    probabilities = predict_probabilities(network, images, params.batch_size)
    averaged = None
    if params.test_time_augmentation != "none":
        predict = partial(predict_probabilities, network, batch_size=params.batch_size)
        averaged = predict_views(predict, images, params.test_time_augmentation)
    with writing(reports):
        write_reports(reports, probabilities, labels, averaged)
    print_errors(probabilities, labels, params.confused_pairs)
    if averaged is not None:
        say(
            f"with test-time augmentation ({params.test_time_augmentation}): test accuracy "
            f"{accuracy(averaged, labels):.4f}, loss {cross_entropy(averaged, labels):.4f}"
        )
