"""`make push`, `deploy-gcp` and `destroy-gcp`, argument by argument, against recorded fakes."""

from pathlib import Path

import pytest

from tests.infra import plays
from tests.infra import plays_gcp as play
from tests.infra.plays import run
from tests.support.fakes import Call, Stage


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return plays.filled_in(tmp_path / "checkout", play.SETTINGS, play.TFVARS)


def test_deploy_takes_up_the_bucket_that_a_destroy_left(place: Path) -> None:
    calls = play.deploy(first=True, store_left=True)

    done = run(place, "deploy-gcp YES=1", calls)

    assert (done.code, done.calls) == (0, [one.argv for one in calls]), done.err


def test_admin_token_is_random_and_seen_by_nobody_but_secret_manager(place: Path) -> None:
    calls = play.deploy(first=True)
    add = next(number for number, one in enumerate(calls) if "add" in one.argv)

    runs = [run(place, "deploy-gcp YES=1", calls)]
    (place.parent / "stage").rename(place.parent / "first")
    runs.append(run(place, "deploy-gcp YES=1", calls))

    tokens = [done.stdin[add] for done in runs]
    assert all(len(token) == 64 and set(token) <= set("0123456789abcdef") for token in tokens)
    assert len(set(tokens)) == 2
    for done, token in zip(runs, tokens, strict=True):
        assert token not in done.out + done.err + str(done.calls)
        assert not any(token in text for text in done.stdin[:add] + done.stdin[add + 1 :])
        assert not any(token in file.read_text(errors="replace") for file in place.rglob("*") if file.is_file())


def test_access_token_is_on_no_command_line(place: Path) -> None:
    done = run(place, "deploy-gcp YES=1", play.deploy(first=True))

    assert play.ACCESS not in str(done.calls) + done.out + done.err
    assert [text for text in done.stdin if text == play.ACCESS] == [play.ACCESS]  # the registry's password
    terraform = {token for argv, token in zip(done.calls, done.tokens, strict=True) if argv[0] == "terraform"}
    assert terraform == {play.ACCESS}


def test_deploy_goes_on_where_a_push_broke_off(place: Path) -> None:
    """The first image is in the registry, the second is not."""
    pushed = [*play.push(there=True)[:4], play.describe("train", there=False)]
    whole = play.deploy(first=False)
    start = next(number for number, one in enumerate(whole) if one.argv == ("docker", "info"))
    rest = [
        plays.inspect("train"),
        Call(("docker", "tag", plays.LOCAL["train"], f"{play.REGISTRY}/train:{plays.COMMIT}")),
        Call(("docker", "push", f"{play.REGISTRY}/train:{plays.COMMIT}")),
    ]
    calls = [*whole[:start], *pushed, *rest, *whole[start + 5 :]]

    done = run(place, "deploy-gcp YES=1", calls)

    assert (done.code, done.calls) == (0, [one.argv for one in calls]), done.err
    assert f"serve:{plays.COMMIT} is in the registry already." in done.out


@pytest.mark.parametrize("target", ["deploy-gcp", "destroy-gcp", "push TO=gcp"])
def test_without_the_flag_it_says_what_it_would_do_and_does_nothing(place: Path, target: str) -> None:
    done = run(place, target, play.CHECK)

    assert done.code == 0
    assert done.calls == [one.argv for one in play.CHECK]  # it looked, and changed nothing
    assert f"Nothing was done. To do it: make {target} YES=1" in done.out
    for said in (play.PROJECT, play.REGION) if target.startswith("push") else (play.PROJECT, play.REGION, plays.ACCOUNT):
        assert said in done.out
    assert "Costs money" in done.out or "destroy" in target


def test_destroy_keeps_the_uploads(place: Path) -> None:
    calls = play.destroy(uploads=False)

    done = run(place, "destroy-gcp YES=1", calls)

    assert (done.code, done.calls) == (0, [one.argv for one in calls]), done.err
    assert f"Left over: gs://{play.STATE}, gs://{play.STORE}" in done.out


def test_destroy_deletes_the_uploads_when_asked_twice(place: Path) -> None:
    calls = play.destroy(uploads=True)

    done = run(place, "destroy-gcp YES=1 UPLOADS=delete", calls)

    assert (done.code, done.calls) == (0, [one.argv for one in calls]), done.err
    assert "WITH ALL UPLOADS" in done.out


@pytest.mark.parametrize("missing", ["gcloud", "terraform"])
def test_missing_program_is_named_with_the_way_to_it(place: Path, missing: str) -> None:
    done = Stage(place.parent / "bare", without=(missing,)).run(["make", "deploy-gcp", "YES=1"], [], place, {"COMMIT": plays.COMMIT})

    assert done.calls == []
    assert f"error: Expected {missing} on the PATH. Received: none. See https://" in done.err


def test_missing_docker_is_named_before_anything_is_pushed(place: Path) -> None:
    calls = play.deploy(first=True)
    until = next(number for number, one in enumerate(calls) if one.argv == ("docker", "info"))

    done = Stage(place.parent / "bare", without=("docker",)).run(["make", "deploy-gcp", "YES=1"], calls, place, {"COMMIT": plays.COMMIT})

    assert done.calls == [one.argv for one in calls[:until]]
    assert "error: Expected docker on the PATH." in done.err


def test_nobody_logged_in_is_said(place: Path) -> None:
    done = run(place, "deploy-gcp YES=1", [play.CHECK[0]._replace(says="")])

    assert "Log in: gcloud auth login" in done.err
    assert len(done.calls) == 1


def test_unknown_project_is_said(place: Path) -> None:
    done = run(place, "deploy-gcp YES=1", [play.CHECK[0], play.CHECK[1]._replace(code=1)])

    assert f"Expected the project {play.PROJECT}" in done.err


def test_no_settings_is_said_with_the_way_to_begin(place: Path) -> None:
    (place / "infra" / "gcp" / "terraform.tfvars").unlink()

    done = run(place, "deploy-gcp YES=1", [])

    assert "cp infra/gcp/terraform.tfvars.example infra/gcp/terraform.tfvars" in done.err


def test_image_that_was_not_built_is_said(place: Path) -> None:
    done = run(place, "push TO=gcp YES=1", [*play.CHECK, *play.push()[:4], play.push()[4]._replace(code=1)])

    assert f"error: Expected the image {plays.LOCAL['serve']}. Received: none. Build it: make image TARGET=serve" in done.err


@pytest.mark.parametrize("revision", ["f" * 40, plays.REVISION + "-dirty", ""], ids=["another commit", "a commit and more", "no label"])
def test_image_of_something_else_than_the_commit_is_not_pushed(place: Path, revision: str) -> None:
    done = run(place, "push TO=gcp YES=1", [*play.CHECK, *play.push()[:4], plays.inspect("serve", revision)])

    assert done.code != 0
    assert f"to be of commit {plays.COMMIT}. Received: {revision}" in done.err


def test_push_wants_to_know_where(place: Path) -> None:
    done = run(place, "push", [])

    assert "error: Expected TO=gcp or TO=azure. Received: nothing." in done.err
