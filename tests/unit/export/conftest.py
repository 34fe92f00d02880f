"""A network that stands for a trained one, its file and its exports, made once."""

import pytest

from cifar_pipeline.export.formats.registry import FORMATS
from exported_models import export, network_of_quick, patchy_images, save_with_classes


@pytest.fixture(scope="session")
def images():
    return patchy_images()


@pytest.fixture(scope="session")
def network(images):
    return network_of_quick(images)


@pytest.fixture(scope="session")
def model(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    save_with_classes(network, path)
    return path


@pytest.fixture(scope="session")
def exports(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    result = export("--model", model, "--output", folder)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        form.path for form in FORMATS.values()
    )
    return folder, result.stdout.splitlines()
