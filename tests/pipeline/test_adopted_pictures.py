"""A folder of pictures inside of the project: experiments elsewhere, and a folder that moved."""

from picture_folders import write_pictures
from workspace import Workspace

IMPORTING = ("env", "PYTHONPATH=src", "python", "-m")


def test_experiments_find_the_folder_and_its_arrays_outlast_it(workspace: Workspace) -> None:
    pictures = workspace.folder / "pictures"
    write_pictures(pictures)
    adopted = workspace.run(*IMPORTING, "cifar_pipeline", "adopt", "pictures")
    assert "The next step: `make repro`." in adopted
    workspace.run(*IMPORTING, "cifar_pipeline.check_params")
    workspace.commit("adopted")
    # It runs in a copy of the project, and Git does not track the pictures.
    override = "download.image_size=40"
    found = workspace.run("dvc", "exp", "run", "--temp", "-S", override, "preprocess")
    assert "pictures: train 24, test 12 pictures verified and made 40 x 40" in found
    pictures.rename(workspace.folder.parent / "elsewhere")
    workspace.set_params({"download.image_size": 40})
    gone = workspace.run(*IMPORTING, "cifar_pipeline.check_params")
    assert "download.source: pictures is not there; the pipeline goes on with" in gone
    assert "Stage 'download' is cached" in workspace.run("dvc", "repro", "preprocess")
    workspace.set_params({"download.image_size": 48})
    failed = workspace.run("dvc", "repro", "preprocess", expect=255)
    assert "download.source: pictures is not there, and data/raw has to be made of it" in failed
    (workspace.folder.parent / "elsewhere").rename(pictures)
    workspace.run("dvc", "add", "pictures")
    assert (workspace.folder / "pictures.dvc").exists()
