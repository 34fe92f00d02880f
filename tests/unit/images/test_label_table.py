"""A folder of images with a table of their labels."""

from pathlib import Path

import pytest

from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import find_images


def write(root: Path, text: str, encoding: str = "utf-8") -> Path:
    (root / "labels.csv").write_text(text, encoding=encoding)
    return root


@pytest.mark.parametrize(
    "text",
    [
        "file,label\nb/1.png,dog\nb/2.png,cat\na.png,dog\n",
        "\ufeffId;Filename;Class\n1;b/1.png;dog\n2;b/2.png;cat\n3;a.png;dog\n\n",
        'path\tcategory\n"b/1.png"\tdog\nb/2.png\t cat \na.png\tdog\n',
    ],
)
def test_files_and_labels(tmp_path: Path, text: str) -> None:
    folder = find_images(write(tmp_path, text))
    assert folder.names == ("cat", "dog")
    assert folder.table == tmp_path / "labels.csv"
    assert [(file.path.relative_to(tmp_path).as_posix(), file.label) for file in folder.files] == [
        ("b/2.png", 0),
        ("a.png", 1),
        ("b/1.png", 1),
    ]


def test_a_column_of_parts(tmp_path: Path) -> None:
    text = "file,label,split\n1,a,train\n2,b,train\n3,a,val\n4,b,valid\n5,a,test\n6,b,Test\n"
    parts = find_images(write(tmp_path, text)).parts
    assert {part: [file.path.name for file in files] for part, files in parts.items()} == {
        "train": ["1", "2"],
        "validation": ["3", "4"],
        "test": ["5", "6"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns file and label, got nothing"),
        ("name,kind\n1,a\n", "columns file and label, got name, kind"),
        ("file,label\n1\n", "line 2: expected a file and a label"),
        ("file,label\n1,a\n1,a\n", "line 3: the file stands in line 2 already"),
        ("file,label\n1,a\n../2,b\n", r"line 3: \.\./2 is not inside of"),
        ("file,label\n1,a\n/etc/passwd,b\n", "line 3: /etc/passwd is not inside of"),
        ("file,label\n1,a\nlink,b\n", "line 3: link is not inside of"),
        ("file,label\n1,a\n,b\n", "line 3: an empty name is not inside of"),
        ("file,label\n1,a\n2,\n", "line 3: '' cannot be the name of a class"),
        ("file,label,part\n1,a,train\n2,b,later\n", "line 3: expected train, val or test, got lat"),
        ("file,label\n1,a\n2,a\n", "1 classes"),
        ("file,label,part\n1,a,train\n2,b,train\n3,a,test\n", "no image of b in the part test"),
        ("file,label,part\n1,a,test\n2,b,test\n", "no line is of the part train"),
    ],
)
def test_another_table_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(ImageFolderError, match=message) as caught:
        find_images(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_another_encoding_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match="is not UTF-8; save it as that"):
        find_images(write(tmp_path, "file,label\n1,é\n", "latin-1"))
