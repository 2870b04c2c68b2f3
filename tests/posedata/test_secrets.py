import pytest

from posedata.errors import ChoiceError
from posedata.secrets import beginning, redact, redact_values, refuse_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://user:pa55@bucket/a.zarr: gone", "s3://***@bucket/a.zarr: gone"),
        ("https://token@host/x", "https://***@host/x"),
        ("s3:/user:pa55@bucket/a", "s3:/***@bucket/a"),  # what a path makes of it
        ("https://h/x?X-Amz-Signature=abc&y=1 failed", "https://h/x?*** failed"),
        ("'https://h/x?sig=abc'", "'https://h/x?***'"),
        ("two https://a:b@h/x?q=1 and ftp://c:d@h/y", "two https://***@h/x?*** and ftp://***@h/y"),
        ("hf+http://u:p@h", "hf+http://***@h"),
        ("https://user:p@ss@host/x", "https://***@host/x"),
        ("s3://user:pa/ss'@bucket/x", "s3://***@bucket/x"),
        ("https://:pass@host", "https://***@host"),
        ("http://localhost:8333/data@v1/a.zarr", "http://localhost:8333/data@v1/a.zarr"),
        ('https://h/x?sig="quoted"', "https://h/x?***"),
        ("plain words, a@b.example, what? C:/x", "plain words, a@b.example, what? C:/x"),
        ("https://host/path@2x.png", "https://host/path@2x.png"),
        ("data/brace/1.json: keypoints: expected 17", "data/brace/1.json: keypoints: expected 17"),
    ],
)
def test_user_info_and_queries_are_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "hf_token", "DB_PASSWORD", "X_CREDENTIALS", "MY_API_KEY"]
)
def test_secrets_of_the_environment_are_hidden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "pl4nted/s3cret+")
    assert redact("failed with pl4nted/s3cret+ at pl4nted/s3cret+.") == "failed with *** at ***."


def test_a_secret_within_another_leaves_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "abcdef")
    monkeypatch.setenv("B_TOKEN", "abcdef-and-more")
    assert redact("x abcdef-and-more y abcdef") == "x *** y ***"


@pytest.mark.parametrize("most", range(5, 40))
def test_of_a_secret_that_is_cut_nothing_is_shown(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "pl4nted-s3cret")
    shown = beginning("refused: pl4nted-s3cret, https://user:pa55word@host/x", most)
    assert shown == "refused: ***, https://***@host/x"[:most]


def test_values_for_json_are_redacted_and_keys_and_numbers_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", 'pä"ss\\wörd')
    monkeypatch.setenv("MY_TOKEN", "frames")
    monkeypatch.setenv("OTHER_TOKEN", "128000")
    given = {"frames": 128000, "at": 'x pä"ss\\wörd', "list": [None, True, ("https://u:p@h",)]}
    assert redact_values(given) == {"frames": 128000, "at": "x ***", "list": [None, True, ["https://***@h"]]}


def test_places_and_counts_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TOKEN_FILE", "/run/token"), ("MAX_TOKENS", "unlimited"), ("SECRET_DIR", "/home/me")):
        monkeypatch.setenv(name, value)
    assert redact("/run/token unlimited /home/me") == "/run/token unlimited /home/me"


def test_short_values_and_other_variables_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "brace")
    monkeypatch.setenv("MY_FOLDER", "some-place")
    assert redact("brace in some-place") == "brace in some-place"


@pytest.mark.parametrize("argument", ["s3://u:p4ss@b/x", "https://t0ken@h/x", "--raw=s3://u:p4ss@b/x", "s3:/u:p4ss@b"])
def test_a_url_with_a_user_is_refused_without_being_repeated(argument: str) -> None:
    with pytest.raises(ChoiceError, match="environment") as caught:
        refuse_credentials(["info", argument])
    assert "p4ss" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


def test_other_arguments_are_taken() -> None:
    refuse_credentials(["info", "s3://bucket/x", "a@b", "x/y@z.zarr", "https://host/p@th"])
