import pytest

from tfptx.serving import address
from tfptx.serving.address import Address


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("http://host:8501", Address(scheme="http", host="host:8501")),
        ("https://host/", Address(scheme="https", host="host")),
        ("grpc://host:8500/chest", Address(scheme="grpc", host="host:8500", name="chest")),
        ("grpc://[::1]:8500/a/3", Address(scheme="grpc", host="[::1]:8500", name="a", version=3)),
        ("http://h/v1/models/a/versions/3", Address(scheme="http", host="h", name="a", version=3)),
        (
            "http://h:1?timeout_seconds=2.5&requests=9",
            Address(scheme="http", host="h:1", timeout_seconds=2.5, requests=9),
        ),
    ],
)  # fmt: skip
def test_an_address_is_read(where, expected):
    assert address.is_address(where)
    assert address.parse(where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("ftp://host:8501", "scheme"),
        ("http:///tfptx", "host"),
        ("grpc://host/tfptx", "gRPC needs a port"),
        ("http://host:1/tfptx/latest", "no address of a model; give"),
        ("http://host:1?timeout=3", "timeout Extra inputs"),
        ("http://host:1?timeout_seconds=0", "timeout_seconds"),
        ("http://host:1?timeout_seconds=inf", "timeout_seconds"),
        ("http://host:1?requests=many", "requests"),
    ],
)
def test_what_is_no_address_is_refused_in_one_line(where, message):
    with pytest.raises(ValueError, match=message) as refused:
        address.parse(where)
    assert "\n" not in str(refused.value)
    assert where in str(refused.value)


def test_a_path_is_no_address():
    assert not address.is_address("exports/http")
