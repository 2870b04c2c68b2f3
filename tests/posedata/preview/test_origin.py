from posedata.preview.origin import film_name, first_number, is_resampled


def test_films_are_called_like_videos_and_runs_like_themselves() -> None:
    assert film_name("brace", "https://example.org/watch/abc", "one") == "abc"
    assert film_name("speed21", "finals", "speed21/run_3") == "run_3"


def test_the_first_frame_is_1_where_annotations_count_so() -> None:
    assert [first_number(name) for name in ("brace", "penn_action", "speed21", "climbalong", "theirs")] == [
        1,
        1,
        1,
        0,
        0,
    ]


def test_a_store_made_of_resampled_ones_is_resampled() -> None:
    assert is_resampled({"fps": 10.0})
    assert is_resampled({"parents": [{"recipe": {}}, {"recipe": {"parents": [{"recipe": {"fps": 10.0}}]}}]})
    assert not is_resampled({"parents": [{"recipe": {"k": 1}}]})
