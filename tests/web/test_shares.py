"""Links for observers, and going on in another browser: what they let in, for how long, and nothing beyond."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.desk import FakeDesk
from tests.factories import a_placed_registration, a_registration, an_account, an_observer_link
from tests.memory_store import MemoryAccounts
from tests.states import STATES
from tests.visitor import Answer, InnerBrowser, Visitor
from tests.web.conftest import HOME
from wizard.domain.person import Role
from wizard.domain.share import HAND_OVER_LIFE
from wizard.steps import FLOW
from wizard.web.account import hashed
from wizard.web.shares import MOST_WATCHED

SECRET = "the-secret-of-an-observer-link"
LINK = f"/observe/{SECRET}"
Person = Callable[[str], Visitor]


def has_ended(visitor: Visitor) -> bool:
    return visitor.heading == "You are not watching any more."


def ask(visitor: Visitor, url: str, method: str = "GET", **headers: str) -> Answer:
    return cast(InnerBrowser, visitor.browser).open(url, method=method, headers=headers)


def poll(visitor: Visitor) -> Answer:
    """What the open page gets when it asks by itself."""
    return ask(visitor, str(visitor.one("#step > [hx-trigger^=every]")["hx-get"]), **{"HX-Request": "true"})


@pytest.fixture
def ann(somebody: Person, desk: FakeDesk) -> Visitor:
    """At work at setting the port."""
    desk.store.save(a_placed_registration(preflight=None, port=None))
    return somebody("Ann").open("/registrations/r1/port")


@pytest.fixture
def observer(stranger: Visitor, desk: FakeDesk) -> Callable[[], Visitor]:
    """Comes by a link that is good for an hour."""

    def come() -> Visitor:
        desk.shares.add_link(an_observer_link(token_hash=hashed(SECRET)))
        return stranger.open(LINK)

    return come


class TestObserverLinks:
    @pytest.mark.parametrize(("life", "hours"), [("1 hour", 1), ("24 hours", 24), ("7 days", 7 * 24)])
    def test_a_link_is_good_for_as_long_as_was_chosen(
        self, ann: Visitor, stranger: Visitor, desk: FakeDesk, life: str, hours: int
    ) -> None:
        link = str(ann.press(life).one("#observer-link")["href"])
        [kept] = desk.shares.links("r1")
        assert (kept.made_by, kept.expires_at - kept.created_at) == ("Ann", timedelta(hours=hours))
        assert urlsplit(link).path.removeprefix("/observe/") not in repr(kept)
        desk.clock.advance(hours=hours)
        assert stranger.open(link).has("You are watching.")
        desk.clock.advance(seconds=1)
        assert has_ended(stranger.open(stranger.url))
        assert stranger.open(link).heading == "This link shows nothing any more."

    def test_the_link_is_shown_once(self, ann: Visitor) -> None:
        link = str(ann.press("1 hour").one("#observer-link")["href"])
        assert link not in str(ann.open("/registrations/r1/share").page)

    def test_no_later_address_holds_the_secret(
        self, ann: Visitor, observer: Callable[[], Visitor], stranger: Visitor
    ) -> None:
        assert observer().url.endswith("/registrations/r1/port")
        answer = cast(InnerBrowser, stranger.browser).client.get(LINK)
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/registrations/r1"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert SECRET not in str(stranger.page)

    def test_the_page_says_that_one_watches_and_until_when(self, ann: Visitor, observer: Callable[[], Visitor]) -> None:
        page = observer()
        assert page.has("You are watching. Only an admin can change something.")
        assert page.has("This link is good until 2026-11-24 10:00 UTC")

    def test_it_is_listed_with_its_maker_its_end_and_its_last_use(
        self, ann: Visitor, stranger: Visitor, desk: FakeDesk
    ) -> None:
        link = str(ann.press("24 hours").one("#observer-link")["href"])
        assert ann.has("made by Ann 2026-11-24 09:00 UTC · not used yet")
        desk.clock.advance(minutes=5)
        stranger.open(link)
        ann.open("/registrations/r1/share")
        assert ann.has("Good until 2026-11-25 09:00 UTC")
        assert ann.has("last used 2026-11-24 09:05 UTC")

    def test_a_revoked_link_ends_the_watching_at_the_next_poll(
        self, ann: Visitor, stranger: Visitor, desk: FakeDesk
    ) -> None:
        stranger.open(str(ann.press("24 hours").one("#observer-link")["href"]))
        assert poll(stranger).status == 204
        assert not ann.press("Revoke").page.select(".links li")
        over = poll(stranger)
        assert over.status == 410
        assert "You are not watching any more." in over.text
        assert 'id="step"' in over.text
        assert "hx-trigger" not in over.text

    def test_who_watched_may_still_sign_in(self, ann: Visitor, observer: Callable[[], Visitor], desk: FakeDesk) -> None:
        page = observer()
        desk.shares.revoke_link("l1", desk.now)
        assert has_ended(page.open(page.url))
        assert page.follow("Go to the start").heading == "Sign in"

    def test_an_observer_sees_that_registration_only(
        self, ann: Visitor, observer: Callable[[], Visitor], desk: FakeDesk
    ) -> None:
        desk.store.save(a_registration(id="r2"))
        page = observer()
        for other in ("/", "/nodes", "/registrations/r2", "/registrations/r2/upload", "/registrations/r1/share"):
            assert page.open(other).status == 403, other
        assert page.follow("Back to the registration").heading == "Set the port"

    def test_an_observer_makes_neither_links_nor_hand_overs(
        self, ann: Visitor, observer: Callable[[], Visitor]
    ) -> None:
        page = observer()
        with cast(InnerBrowser, page.browser).client.session_transaction() as session:
            assert "account" not in session
        for address in ("links", "hand-overs"):
            assert ask(page, f"/registrations/r1/share/{address}", "POST").status in (400, 403)

    def test_an_admin_who_opens_a_link_stays_an_admin(
        self, ann: Visitor, observer: Callable[[], Visitor], desk: FakeDesk
    ) -> None:
        observer()
        ann.open(LINK)
        assert not ann.has("You are watching.")
        assert ann.press("Check and use this port", port="18090").status == 200

    def test_several_registrations_are_watched_in_one_browser(
        self, ann: Visitor, observer: Callable[[], Visitor], desk: FakeDesk
    ) -> None:
        page = observer()
        for number in range(2, MOST_WATCHED + 2):
            id = f"r{number}"
            desk.store.save(a_registration(id=id))
            desk.shares.add_link(an_observer_link(id=id, token_hash=hashed(id), registration_id=id))
            page.open(f"/observe/{id}")
        assert page.open("/registrations/r2/upload").has("You are watching.")
        assert page.open("/registrations/r9/upload").has("You are watching.")
        assert not page.open("/registrations/r1/port").has("You are watching.")

    @pytest.mark.parametrize("token", ["", "x", SECRET[:-1], SECRET + "x", hashed(SECRET), "%00", "../observe", "l1"])
    def test_a_forged_secret_shows_nothing(
        self, ann: Visitor, observer: Callable[[], Visitor], app: Flask, token: str
    ) -> None:
        observer()
        forger = Visitor(InnerBrowser(app), HOME).open(f"/observe/{token}")
        assert forger.status == 404 or forger.heading == "Sign in"
        assert forger.open("/registrations/r1/port").heading == "Sign in"

    def test_a_life_that_is_not_offered_is_refused(self, ann: Visitor, desk: FakeDesk) -> None:
        token = str(ann.one("[name=csrf_token]")["value"])
        answer = ann.browser.post("/registrations/r1/share/links", {"csrf_token": token, "life": "100y"})
        assert answer.status == 422
        assert desk.shares.links("r1") == []

    def test_a_link_of_another_registration_is_not_revoked_from_here(self, ann: Visitor, desk: FakeDesk) -> None:
        desk.store.save(a_registration(id="r2"))
        desk.shares.add_link(an_observer_link(registration_id="r2"))
        token = str(ann.one("[name=csrf_token]")["value"])
        answer = ann.browser.post("/registrations/r1/share/links/l1/revoke", {"csrf_token": token})
        assert answer.status == 404
        assert desk.shares.links("r2") == [an_observer_link(registration_id="r2")]


@pytest.mark.parametrize("state", STATES)
def test_an_observer_walks_every_page_and_finds_nothing_to_press(
    state: str, desk: FakeDesk, observer: Callable[[], Visitor]
) -> None:
    STATES[state](desk)
    page = observer()
    registration = desk.store.registration("r1")
    for step in FLOW.steps[: FLOW.steps.index(FLOW.current(registration)) + 1]:
        page.open(f"/registrations/r1/{step.slug}")
        assert (page.status, page.one("#step")["data-step"]) == (200, step.slug)
        assert page.has("You are watching.")
        assert page.page.select("form:not(.languages form)") == [], step.slug
        assert page.page.select("button:not([data-copy], .languages button)") == [], step.slug
        assert page.page.select("input:not([disabled], fieldset[disabled] input, .languages input)") == [], step.slug
        assert "/uploads" not in str(page.page), step.slug
        for link in page.page.select("a[href^='/']"):
            assert ask(page, str(link["href"])).status == 200, link


@pytest.mark.parametrize("state", ["new", "doubtful", "a QR code", "verified"])
def test_an_observer_with_an_account_finds_nothing_to_press_either(
    state: str, desk: FakeDesk, somebody: Person, accounts: MemoryAccounts
) -> None:
    STATES[state](desk)
    page = somebody("Eve")
    accounts._accounts["Eve"] = an_account(name="Eve", role=Role.OBSERVER)
    page.open("/registrations/r1")
    assert page.has("You are watching.")
    assert page.page.select("main form") == []


class TestHandOver:
    def test_another_browser_goes_on_as_the_same_person_where_the_first_was(
        self, ann: Visitor, stranger: Visitor
    ) -> None:
        link = str(ann.press("Show a link to go on with").one("#hand-over-link")["href"])
        assert ann.page.select("svg.qr")
        assert stranger.open(link).heading == "Go on here as Ann"
        stranger.press("Go on here")
        assert stranger.url.endswith("/registrations/r1/port")
        assert not stranger.has("at work here")
        assert stranger.press("Check and use this port", port="18090").status == 200
        assert ann.open("/registrations/r1/port").has("You took over in another browser at 09:00 UTC")

    def test_it_shows_on_the_giving_side_when_it_was_taken_and_lets_them_choose(
        self, ann: Visitor, stranger: Visitor, desk: FakeDesk
    ) -> None:
        ann.press("Show a link to go on with")
        state = str(ann.one("#hand-over")["hx-get"])
        assert ask(ann, state, **{"HX-Request": "true"}).status == 204
        desk.clock.advance(minutes=2)
        stranger.open(str(ann.one("#hand-over-link")["href"])).press("Go on here")
        assert "09:02 UTC" in ask(ann, state, **{"HX-Request": "true"}).text
        ann.open(state)
        assert ann.has("Another browser went on at 09:02 UTC")
        assert ann.link("Go on here, too").endswith("/registrations/r1")
        assert ann.press("Sign out here").heading == "Sign in"
        assert stranger.open("/registrations/r1/port").heading == "Set the port"

    def test_the_link_works_once(self, ann: Visitor, app: Flask) -> None:
        link = str(ann.press("Show a link to go on with").one("#hand-over-link")["href"])
        first, second = (Visitor(InnerBrowser(app), HOME).open(link) for _ in range(2))
        first.press("Go on here")
        assert second.press("Go on here").status == 404
        assert second.heading == "Nothing can be taken over by this link any more."
        assert second.open("/registrations/r1").heading == "Sign in"
        assert Visitor(InnerBrowser(app), HOME).open(link).status == 404

    def test_the_link_works_for_five_minutes(self, ann: Visitor, stranger: Visitor, desk: FakeDesk) -> None:
        ann.press("Show a link to go on with")
        link, state = str(ann.one("#hand-over-link")["href"]), str(ann.one("#hand-over")["hx-get"])
        desk.clock.advance(seconds=HAND_OVER_LIFE.total_seconds())
        stranger.open(link)
        assert stranger.heading == "Go on here as Ann"
        desk.clock.advance(seconds=1)
        assert stranger.press("Go on here").status == 404
        assert "Nobody has used that link in time." in ask(ann, state, **{"HX-Request": "true"}).text

    def test_looking_at_the_link_does_not_use_it_up(self, ann: Visitor, stranger: Visitor) -> None:
        link = str(ann.press("Show a link to go on with").one("#hand-over-link")["href"])
        for _ in range(3):
            assert stranger.open(link).heading == "Go on here as Ann"

    def test_what_ends_the_sessions_of_the_account_ends_it_too(
        self, ann: Visitor, stranger: Visitor, accounts: MemoryAccounts
    ) -> None:
        stranger.open(str(ann.press("Show a link to go on with").one("#hand-over-link")["href"]))
        accounts._accounts["Ann"] = an_account(name="Ann", epoch=2)
        assert stranger.press("Go on here").status == 404
        assert stranger.open("/registrations/r1").heading == "Sign in"

    def test_the_work_of_somebody_else_is_not_passed_on_with_it(
        self, ann: Visitor, somebody: Person, stranger: Visitor
    ) -> None:
        bob = somebody("Bob").open("/registrations/r1/port")
        stranger.open(str(bob.press("Show a link to go on with").one("#hand-over-link")["href"]))
        assert stranger.press("Go on here").has("Ann is at work here since 09:00 UTC")

    def test_nobody_else_is_told_whether_it_was_taken(self, ann: Visitor, somebody: Person) -> None:
        state = str(ann.press("Show a link to go on with").one("#hand-over")["hx-get"])
        assert somebody("Bob").open(state).status == 404

    @pytest.mark.parametrize("token", ["x", "ho1", hashed("x")])
    def test_a_forged_secret_lets_nobody_in(self, ann: Visitor, stranger: Visitor, token: str) -> None:
        ann.press("Show a link to go on with")
        assert stranger.open(f"/hand-over/{token}").status == 404
        assert stranger.open("/registrations/r1").heading == "Sign in"
