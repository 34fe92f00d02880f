"""A folder of images with a table of their labels."""

import os
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
        "\n\nfile;label\n\n b/1.png; dog\nb/2.png;cat\n;\na.png;dog",
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


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(ImageFolderError, match=r"labels\.csv is a pipe; a file was expected"):
        find_images(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "file,cat,dog\nb/1.png,0,1\nb/2.png,1,0\na.png,0,1\n",
        ";Filename;dog;split;cat\n0;b/1.png;1.0;train;0.0\n1;b/2.png;0;train;1\n2;a.png;1;train;0\n",
        "file,dog, cat\nb/1.png,True,False\nb/2.png,false,true\na.png, 1, 0\n",
    ],
)
def test_a_column_for_each_class(tmp_path: Path, text: str) -> None:
    folder = find_images(write(tmp_path, text))
    assert folder.layout == "a table, labels.csv with a column for each class"
    assert folder.names == ("cat", "dog")
    assert {file.path.relative_to(tmp_path).as_posix(): file.label for file in folder.files} == {
        "b/2.png": 0,
        "a.png": 1,
        "b/1.png": 1,
    }


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
        ("", "columns file and label .*, got nothing"),
        ("name,kind\n1,a\n", "columns file and label .*, got name, kind"),
        ("gile,label\n1,a\n", "columns file and label .*, got gile, label"),
        ("label,part\na,train\n", "columns file and label .*, got label, part"),
        ("label\na\n", "columns file and label .*, got label;"),
        ("file,label\n1\n", "line 2: expected a file and a label"),
        ("file,cat\n1,1\n", r"\(or file and a column of 0 and 1 for each class\), got file, cat"),
        ("file,cat,dog\n1,1\n", "line 2: expected a file and a label"),
        ("file,a,b\n1,1,0\n2,1,1\n", "line 3: no column is named label, .*; got 1 in a, b; images"),
        ("file,a,b\n1,0,0\n", "line 2: no column .* got no 1; images of several classes or of"),
        ("file,a,b\n1,0,\n", "line 2: no column .* got nothing in b;"),
        ("file,wide,high\n1,64,32\n", "line 2: no column .* is a class, .* got 64 in wide;"),
        ("file,a,b,c\n1,1,0,0\n2,0,1,0\n", "no line has 1 in the columns c; remove them"),
        ("file,a\u200d,b\n1,1,0\n", r"line 1: a\\u200d cannot be the name of a class"),
        ("file,label\n1,a\n1,a\n", "line 3: the file stands in line 2 already"),
        ("file,label\n1,a\n../2,b\n", r"line 3: \.\./2 has \.\. in it; expected files that lie"),
        ("file,label\n1,a\n..\\outside,b\n", r"line 3: \.\./outside has \.\. in it"),
        ("file,label\n1,a\n/etc/passwd,b\n", "line 3: /etc/passwd is an absolute path"),
        ("file,label\n1,a\nC:\\2.png,b\n", r"line 3: C:.*2\.png is an absolute path"),
        ("file,label\n1,a\nlink,b\n", "line 3: link is a link out of"),
        ("file,label\n1,a\n,b\n", "line 3: no file is named"),
        ("file,label\n1,a\n2,\n", "line 3: an empty name cannot be the name of a class"),
        ('file,label\n\n1,a\n2,"b\nc"\n', r"line 4: b\\nc cannot be the name of a class"),
        ('file,label\n1,"a\n2,b\n', r"line 2: is not valid CSV \(unexpected end of data\)"),
        ("file,label\n1," + "a" * 200_000, r"line 2: is not valid CSV \(field larger"),
        ("file,label\n1,a\n2,b, and more\n", "line 3: 3 columns, and the first line has 2"),
        ("file,label\n1,a\n2\0,b\n", "has bytes 0; save it as plain text"),
        ("file,label\n", "no line below the first names a file"),
        ("file,label,part\n1,a,\n", "line 2: expected train, val or test, got nothing"),
        ("file,label,part\n1,a,train\n2,b,later\n", "line 3: expected train, val or test, got lat"),
        ("file,label\n1,a\n2,a\n", "one class, a"),
        ("file,label,part\n1,a,train\n2,b,train\n3,a,test\n", "no image of b in the part test"),
        ("file,label,part\n1,a,test\n2,b,test\n", "no line is of the part train"),
    ],
)
def test_another_table_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path.parent / "outside").touch()
    with pytest.raises(ImageFolderError, match=message) as caught:
        find_images(write(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("named", "lies"),
    [
        ("x/1.png", "x/1.png"),
        ("x\\1.png", "x/1.png"),  # of Windows
        ("x\\1.png", "x\\1.png"),  # a backslash in a name
        ("caf\u00e9.png", "cafe\u0301.png"),  # of macOS
        ("cafe\u0301\\1.png", "caf\u00e9/1.png"),
        ('"a, ""b"".png"', 'a, "b".png'),
        ('"a\nb.png"', "a\nb.png"),
    ],
)
def test_a_file_is_found_as_the_file_system_spells_it(
    tmp_path: Path, named: str, lies: str
) -> None:
    (tmp_path / lies).parent.mkdir(exist_ok=True)
    (tmp_path / lies).touch()
    text = f'file, label, part\n{named}, "a, b", train\n2.png, c, train\n'
    folder = find_images(write(tmp_path, text))
    assert folder.names == ("a, b", "c")
    assert [file.path for file in folder.files] == [tmp_path / lies, tmp_path / "2.png"]


def test_a_table_tells_the_classes_where_folders_of_parts_do_not(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    (tmp_path / "labels.csv.d").mkdir()
    write(tmp_path, "file,label\ntrain/1.png,a\ntrain/2.png,b\n")
    assert [file.path.name for file in find_images(tmp_path).files] == ["1.png", "2.png"]
    for part in ("train", "test"):
        for name in "xy":
            (tmp_path / part / name).mkdir()
            (tmp_path / part / name / "3.png").touch()
    assert find_images(tmp_path).names == ("x", "y")


def test_another_encoding_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match="is not UTF-8; save it as that"):
        find_images(write(tmp_path, "file,label\n1,é\n", "latin-1"))
