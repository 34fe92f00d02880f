"""What is wrong with a folder of images."""

from cifar_pipeline.common.errors import PipelineError


class ImageFolderError(PipelineError):
    """A folder of images cannot be used. The message is one line and names the folder."""
