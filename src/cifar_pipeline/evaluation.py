"""Evaluate the saved model on the test split, which nothing before this stage has looked at."""

from pathlib import Path

from cifar_pipeline.arrays import load_split
from cifar_pipeline.atomic import writing
from cifar_pipeline.error_printing import print_errors
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.reports import write_reports
from cifar_pipeline.saved_model import load_saved_model, predict_probabilities


def evaluate(model: Path, processed: Path, reports: Path, params: EvaluateParams) -> None:
    """Predict the test split with the model, write the reports and print the errors.

    Args:
        model: the .keras archive of train.
        processed: the folder of preprocess.
        reports: the folder for the files of `write_reports`.
        params: batch size and what to print.

    Raises:
        PipelineError: the arrays or the model cannot be used.
    """
    images, labels = load_split(processed, "test")
    probabilities = predict_probabilities(load_saved_model(model), images, params.batch_size)
    with writing(reports):
        write_reports(reports, probabilities, labels)
    print_errors(probabilities, labels, params.confused_pairs)
